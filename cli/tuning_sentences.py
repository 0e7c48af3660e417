"""Why each field of a tuning run was added, where it is another reason than a model server's."""

from cli import choices, sentences
from cli.sentences import CONTAINER, POD, Path, Sentence, says
from presets import annotations, runtime_args
from webhook import tuning


def _arguments(choice: choices.Choice) -> str:
    """The arguments that are not the preset's alone, each with what made it so."""
    told = sentences.told(choice, runtime_args.TuneArgs)
    reasons = sentences.of_preset(choice, "model")
    if told is not None and told.revision:
        reasons.append("revision: pinned, so that every pod of the Job tunes the same weights")
    keys = (key for key in choice.keys if key.startswith(f"{annotations.PREFIX}tuning-"))
    return f"the run that {' and '.join(keys)} ask for; {'; '.join(reasons)}"


def _input(choice: choices.Choice) -> str:
    asked = choice.request.tuning
    if asked is None or asked.input_urls:
        return "the data comes from URLs, downloaded before the run"
    return f"the data comes from {asked.input_image or 'a volume claim'}, read-only"


def _output(choice: choices.Choice) -> str:
    asked = choice.request.tuning
    where = "the pod" if asked is None or asked.output_pvc is None else "a volume claim"
    return f"checkpoints and the adapter are kept in {where}"


_PUSHES = says(f"pushes the adapter as an image, once {runtime_args.TUNE} has ended")
_FETCHES = says("brings the data into the pod before the run")
_OWNER = says("a fresh volume belongs to root, and the run is nobody's: the group may write")
_SETTINGS = says(f"{annotations.TUNING_CONFIG} names the settings")
_WAITS = says(f"a lock by which push knows that {runtime_args.TUNE} has ended, however it did")
_SPACE = says("downloads and pushes write to /tmp, and their root file system is read-only")

SENTENCES: dict[Path, Sentence] = {
    ("spec", "backoffLimit"): says(
        "each failed pod costs a GPU machine: fewer of them than the 6 of Kubernetes"
    ),
    ("spec", "podFailurePolicy"): says(
        "what no other pod can mend (exit status 2) ends the Job; an eviction is no failure"
    ),
    ("spec", "podReplacementPolicy"): says("with a failure policy no other is allowed"),
    (*POD, "restartPolicy"): says(
        "a pod that fails stays to be looked at, and the Job makes another"
    ),
    (*POD, "securityContext", "fsGroup"): _OWNER,
    (*POD, "securityContext", "fsGroupChangePolicy"): _OWNER,
    (*POD, "initContainers", runtime_args.FETCH): _FETCHES,
    (*CONTAINER, "args"): _arguments,
    (*CONTAINER, "command"): says("starts the tuning run"),
    (*CONTAINER, "volumeMounts", runtime_args.DATA): _input,
    (*CONTAINER, "volumeMounts", runtime_args.RESULTS): _output,
    (*CONTAINER, "volumeMounts", tuning.CONFIG_MOUNT): _SETTINGS,
    (*CONTAINER, "volumeMounts", tuning.LOCK_MOUNT): _WAITS,
    (*POD, "volumes", tuning.DATA_VOLUME): _input,
    (*POD, "volumes", tuning.RESULTS_VOLUME): _output,
    (*POD, "volumes", tuning.CONFIG_VOLUME): _SETTINGS,
    (*POD, "volumes", tuning.RUN_VOLUME): _WAITS,
    (*POD, "volumes", tuning.SCRATCH_VOLUME): _SPACE,
    (*POD, "volumes", tuning.LOGIN_VOLUME): says(
        f"{annotations.TUNING_OUTPUT_PUSH_SECRET} names what the image is pushed with"
    ),
    (*POD, "containers", runtime_args.PUSH): _PUSHES,
    **{
        (*POD, "containers", runtime_args.PUSH, *field): _PUSHES
        for field in (
            ("args",),
            ("command",),
            ("image",),
            ("imagePullPolicy",),
            ("name",),
            ("securityContext",),
            ("securityContext", "*"),
            ("volumeMounts",),
            ("volumeMounts", "*"),
        )
    },
}
"""By path, as in `cli.explanations`, before the sentences there."""
