"""Why each field of a tuning run was added, where it is another reason than a model server's."""

from collections.abc import Callable

from cli import choices, figures
from presets import annotations, runtime_args
from webhook import tuning

Path = tuple[str, ...]

_POD = ("spec", "template", "spec")
_CONTAINER = (*_POD, "containers", "*")


def _gpus(choice: choices.Choice) -> str:
    count = figures.plural(choice.spec.gpus, "GPU")
    layout, machine = choice.layout, choice.machine
    if layout is None or machine is None:
        return f"{count}: as many as tuning {choice.model.name} takes"
    bill = layout.bill
    parts = f"{figures.size(bill.weights)} of weights, {figures.size(bill.activations)} of a step"
    return (
        f"{count}: {choice.model.name} takes {figures.size(bill.total)} ({parts}) of the"
        f" {figures.size(bill.capacity)} of {machine.gpu} in {machine.name}"
    )


def _input(choice: choices.Choice) -> str:
    asked = choice.request.tuning
    if asked is None or asked.input_urls:
        return "the data comes from URLs, downloaded before the run"
    return f"the data comes from {asked.input_image or 'a volume claim'}, read-only"


def _output(choice: choices.Choice) -> str:
    asked = choice.request.tuning
    where = "the pod" if asked is None or asked.output_pvc is None else "a volume claim"
    return f"checkpoints and the adapter are kept in {where}"


def _of(sentence: str) -> Callable[[choices.Choice], str]:
    return lambda _: sentence


_PUSHES = _of(f"pushes the adapter as an image, once {runtime_args.TUNE} has ended")
_FETCHES = _of("brings the data into the pod before the run")
_OWNER = _of("a fresh volume belongs to root, and the run is nobody's: the group may write")
_SETTINGS = _of(f"{annotations.TUNING_CONFIG} names the settings")
_WAITS = _of(f"a lock by which push knows that {runtime_args.TUNE} has ended, however it did")
_SPACE = _of("downloads and pushes write to /tmp, and their root file system is read-only")

SENTENCES: dict[Path, Callable[[choices.Choice], str]] = {
    ("spec", "backoffLimit"): _of(
        "each failed pod costs a GPU machine: fewer of them than the 6 of Kubernetes"
    ),
    ("spec", "podFailurePolicy"): _of(
        "what no other pod can mend (exit status 2) ends the Job; an eviction is no failure"
    ),
    ("spec", "podReplacementPolicy"): _of("with a failure policy no other is allowed"),
    (*_POD, "restartPolicy"): _of(
        "a pod that fails stays to be looked at, and the Job makes another"
    ),
    (*_POD, "securityContext", "fsGroup"): _OWNER,
    (*_POD, "securityContext", "fsGroupChangePolicy"): _OWNER,
    (*_POD, "initContainers", runtime_args.FETCH): _FETCHES,
    (*_CONTAINER, "command"): _of("starts the tuning run"),
    (*_CONTAINER, "resources"): _gpus,
    (*_CONTAINER, "volumeMounts", runtime_args.DATA): _input,
    (*_CONTAINER, "volumeMounts", runtime_args.RESULTS): _output,
    (*_CONTAINER, "volumeMounts", "/mnt/config"): _SETTINGS,
    (*_CONTAINER, "volumeMounts", "/run/plainsail"): _WAITS,
    (*_POD, "volumes", tuning.DATA_VOLUME): _input,
    (*_POD, "volumes", tuning.RESULTS_VOLUME): _output,
    (*_POD, "volumes", tuning.CONFIG_VOLUME): _SETTINGS,
    (*_POD, "volumes", tuning.RUN_VOLUME): _WAITS,
    (*_POD, "volumes", tuning.SCRATCH_VOLUME): _SPACE,
    (*_POD, "volumes", tuning.LOGIN_VOLUME): _of(
        f"{annotations.TUNING_OUTPUT_PUSH_SECRET} names what the image is pushed with"
    ),
    (*_POD, "containers", runtime_args.PUSH): _PUSHES,
    **{
        (*_POD, "containers", runtime_args.PUSH, *field): _PUSHES
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
