"""The rules of tuning runs; what the keys say to each other is told by `presets.request`."""

import difflib
from collections.abc import Iterator

from presets import annotations, runtime_args
from presets.field_errors import FieldError
from webhook import mount_rules, reasons, tuning, workloads
from webhook.case import Case
from webhook.workloads import POD

_KEYS = frozenset(key.name for key in annotations.KEYS.values() if key.on == "Job")

_WORDS = {
    runtime_args.FETCH: "downloads the data",
    runtime_args.PUSH: "pushes the adapter",
}


def keys_are_on_a_job(of: Case) -> Iterator[FieldError]:
    """Keys of tuning stand on a Job."""
    kind = workloads.kind_of(of.workload)
    if kind == workloads.JOB:
        return
    for key, value in workloads.part(of.keys, "annotations").items():
        if key in _KEYS:
            message = f"has no effect on a {kind[1]}"
            hint = "a model is tuned by a Job: make it one, or remove the key"
            yield FieldError(of.path(key), value, annotations.MISPLACED_KEY, message, hint)


def programs_are_there(of: Case) -> Iterator[FieldError]:
    """The image answers every verb that the run takes."""
    run = _run(of)
    if run is None or workloads.kind_of(of.workload) != workloads.JOB:
        return
    if missing := sorted(run.programs - of.terms.programs):
        message = (
            "asks for what this version cannot do yet: tuning"
            f" (its image has no {' and no '.join(missing)})"
        )
        path, method = of.path(annotations.TUNING_METHOD), run.asked.method
        command = f"plainsail fit {run.model.name} --tuning {method}"
        hint = f"remove the keys of tuning; `{command}` says what it will take"
        yield FieldError(path, method, annotations.NOT_SUPPORTED_YET, message, hint)


def model_can_be_tuned(of: Case) -> Iterator[FieldError]:
    """The preset knows the way of tuning."""
    asked = of.request.tuning
    if asked is None or of.model is None or asked.method in of.model.tuning.methods:
        return
    ways = " and ".join(of.model.tuning.methods) or "none"
    message = f"is no way to tune {of.model.name}; known: {ways}"
    path, hint = of.path(annotations.TUNING_METHOD), f"for example {_nearest(of, asked.method)}"
    yield FieldError(path, asked.method, reasons.CANNOT_BE_TUNED, message, hint)


def container_runs_our_program(of: Case) -> Iterator[FieldError]:
    """The tuning container leaves image, command and arguments to us: `push` relies on them."""
    if _run(of) is None or of.chosen is None:
        return
    name, found = of.chosen.name, of.chosen.found
    for field in ("image", "command", "args"):
        if found.get(field) and not of.was_added("containers", name, field):
            yield FieldError(
                f"{POD}.containers[{name}].{field}",
                found[field],
                reasons.OWN_TRAINER,
                "is that of a trainer of your own, and a tuning run has its own program",
                f"leave it out; for a trainer of your own, drop {annotations.TUNING_METHOD}",
            )


def container_names_are_free(of: Case) -> Iterator[FieldError]:
    """No container of the user's has the name of one that the run adds."""
    run = _run(of)
    if run is None or of.chosen is None:
        return
    added = [("containers", runtime_args.PUSH)] if run.pushes else []
    added += [("initContainers", runtime_args.FETCH)] if run.fetches else []
    for field, name in added:
        names = {container.get("name") for container in of.pod.get(field) or ()}
        is_ours = of.was_added(field, name)
        if (name in names and not is_ours) or (name == of.chosen.name):
            message = f"is the name of the container that {_WORDS[name]}"
            path = f"{POD}.{field}[{name}].name"
            yield FieldError(path, name, reasons.CONTAINER_NAME_TAKEN, message, "another name")


def run_is_one_pod(of: Case) -> Iterator[FieldError]:
    """One pod tunes: several would write to the same place."""
    spec = workloads.part(of.workload, "spec")
    for field in ("completions", "parallelism"):
        count = spec.get(field)
        if isinstance(count, int) and count > 1:
            message = "is more than the one pod of a tuning run"
            hint = "a Job for each run, each with an output of its own"
            yield FieldError(f"spec.{field}", count, reasons.SEVERAL_PODS, message, hint)


def mounts_have_room(of: Case) -> Iterator[FieldError]:
    """The paths of data, results and settings are free."""
    if run := _run(of):
        message, hint = "is where a tuning run has its own volume", "mount it elsewhere"
        yield from mount_rules.have_room(of, tuning.mounts(run), message, hint)


def _nearest(of: Case, method: str) -> str:
    """A preset that can be tuned so: the one whose name is closest."""
    presets = [found for name in of.terms.presets.names if (found := of.terms.presets.find(name))]
    able = [one.name for one in presets if method in one.tuning.methods]
    return max(able, key=lambda name: _likeness(name, of.request.preset), default="another preset")


def _likeness(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, one, other).ratio()


def _run(of: Case) -> tuning.Run | None:
    if of.request.tuning is None or of.model is None:
        return None
    return tuning.Run(of.request.tuning, of.model, of.supply)


_OF_RUNS = (
    programs_are_there,
    model_can_be_tuned,
    container_runs_our_program,
    container_names_are_free,
    run_is_one_pod,
    mounts_have_room,
)


def run_is_sound(of: Case) -> Iterator[FieldError]:
    """Where the Job is a tuning run, all that a run takes holds."""
    if of.request.tuning is not None:
        for rule in _OF_RUNS:
            yield from rule(of)
