"""Why each field was added to a workload: which key, preset figure or rule of ours decided it.

The fields come from the record that expansion leaves on the workload, and the figures from what
it decided; here stand the sentences alone. A path without a sentence of its own has that of the
nearest part above it that has one.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from cli import choices, figures, tuning_sentences
from presets import annotations, gpus, runtime_args
from webhook import fill, podspec, weights
from webhook.terms import Terms

Path = tuple[str, ...]
"""Keys down to a field, as in the record; elements of lists by their merge key."""

Sentence = Callable[[choices.Choice], str]


def of(workload: dict[str, Any], terms: Terms) -> Iterator[tuple[Path, str]]:
    """Each part that was added, topmost first, and why; nothing for what was not expanded."""
    choice = choices.of(workload, terms)
    if choice is not None:
        yield from _reasons(choice, choice.record.tree, (), None)


def shown(path: Path) -> str:
    """The path as the API server writes it: `spec.template.spec.containers[model].image`."""
    text = ""
    for place, key in enumerate(path):
        is_element = place > 0 and path[place - 1] in fill.MERGE_KEYS
        text += f"[{key}]" if is_element or "/" in key or "." in key else f".{key}"
    return text.removeprefix(".")


def sentence_for(path: Path, *, is_tuned: bool = False) -> Sentence:
    """The sentence of a part or of the nearest above it; `unexplained` where there is none.

    That of a whole container says nothing of a field in it, for the container may be the user's.
    """
    table = _OF_TUNING if is_tuned else _SENTENCES
    for length in range(len(path), 0, -1):
        found = [pattern for pattern in table if _matches(path[:length], pattern)]
        if found and (length == len(path) or found != [_CONTAINER]):
            return table[min(found, key=lambda pattern: pattern.count("*"))]
    return unexplained


def unexplained(choice: choices.Choice) -> str:
    """Of a field that has no sentence yet."""
    return f"added for the preset {choice.model.name}"


def _reasons(
    choice: choices.Choice, tree: Mapping[str, Any], path: Path, told: Sentence | None
) -> Iterator[tuple[Path, str]]:
    """`told`: the sentence that was given for the part above."""
    for key, added in tree.items():
        if key == fill.CREATED:
            continue
        here, given = (*path, key), told
        sentence = sentence_for(here, is_tuned=choice.request.tuning is not None)
        is_leaf = not isinstance(added, dict)
        if sentence is not told and (is_leaf or _is_explained_whole(added, sentence)):
            yield here, sentence(choice)
            given = sentence
        if not is_leaf:
            yield from _reasons(choice, added, here, given)


def _is_explained_whole(added: Mapping[str, Any], sentence: Sentence) -> bool:
    """The part was absent, and what is in it needs no further words."""
    return fill.CREATED in added and sentence is not unexplained


def _matches(path: Path, pattern: Path) -> bool:
    return len(path) == len(pattern) and all(
        part in ("*", key) for key, part in zip(path, pattern, strict=True)
    )


def _progress(choice: choices.Choice) -> str:
    start = podspec.startup_seconds(choice.model.weights)
    node = podspec.progress_seconds(choice.model.weights) - start
    return f"a rollout may take {_minutes(node)} for a node and {_minutes(start)} for the start"


def _provision_spec(choice: choices.Choice) -> str:
    key = annotations.CAPACITY_TYPE
    capacity = " or ".join(choice.spec.capacity_types)
    source = f"by {key}" if key in choice.keys else f"as no {key} says otherwise"
    return f"tells the node planner what it may buy for the pod: {capacity}, {source}"


def _affinity(choice: choices.Choice) -> str:
    sources = {
        choices.ANNOTATION: f"the annotation {annotations.INSTANCE_TYPES} names them",
        choices.NODE_SELECTOR: "the node selector names it",
        choices.PRESET: f"the preset {choice.model.name} prefers them",
        choices.CHEAPEST: f"the cheapest of {choice.cloud} that hold {choice.model.name}",
    }
    return f"pods run on these instance types alone: {sources[choice.named_by]}"


def _weights(choice: choices.Choice) -> str:
    return f"the weights come from {choice.keys.get(annotations.WEIGHTS, 'the hub')}, read-only"


def _adapters(choice: choices.Choice) -> str:
    listed = " and ".join(
        f"{one.name} (strength {one.strength:f})" for one in choice.request.adapters
    )
    return f"{annotations.ADAPTERS} asks for {listed}"


def _container(choice: choices.Choice) -> str:
    if annotations.CONTAINER in choice.keys:
        return f"{annotations.CONTAINER} names the model's container, and there is none so called"
    return "the template has no container, so this one is the model's"


def _arguments(choice: choices.Choice) -> str:
    """The arguments that are not the preset's alone, each with what made it so."""
    model = choice.model
    reasons = [f"model, name and dtype of the preset {model.name}"]
    if choice.record.revision:
        reasons.append("revision: pinned, so that an update of the preset restarts no pod")
    lacking = gpus.without_bfloat16(choice.spec.instance_types)
    if lacking and model.dtype == "bfloat16":
        reasons[0] = f"model and name of the preset {model.name}"
        reasons.append(f"dtype: {' and '.join(lacking)} cannot compute in {model.dtype}")
    if any(str(arg).startswith("--context-tokens") for arg in choice.container.get("args") or ()):
        reasons.append(f"context: less than the {model.context_tokens:,} of the model finds room")
    return "; ".join(reasons)


def _gpus(choice: choices.Choice) -> str:
    count = figures.plural(choice.spec.gpus, "GPU")
    layout, machine = choice.layout, choice.machine
    if layout is None or machine is None:
        return f"{count}: as many as the preset {choice.model.name} takes"
    bill = layout.bill
    parts = f"{figures.size(bill.weights)} of weights, {figures.size(bill.kv_cache)} of KV cache"
    each = " each" if layout.gpus_per_replica > 1 else ""
    return (
        f"{count}: {choice.model.name} takes {figures.size(bill.total)}{each} ({parts}) of the"
        f" {figures.size(bill.capacity)} of {machine.gpu} in {machine.name}"
    )


def _startup(choice: choices.Choice) -> str:
    weights = choice.model.weights
    limit = _minutes(podspec.startup_seconds(weights))
    if weights.in_image:
        return f"the first answer may take {limit}: the weights are in the image"
    return f"the first answer may take {limit}: {figures.size(weights.size_bytes)} are downloaded"


def _minutes(seconds: int) -> str:
    return f"{seconds // 60} min"


def _says(sentence: str) -> Sentence:
    """A sentence that is the same for every workload."""
    return lambda _: sentence


_SPEC, _TEMPLATE = ("spec",), ("spec", "template")
_POD = (*_TEMPLATE, "spec")
_CONTAINER = (*_POD, "containers", "*")

_RESTRICTED = "Pod Security level `restricted`: the model server needs no more"
_TMP = "the model server writes to /tmp, and its root file system is read-only"
_SHM = "PyTorch shares tensors between processes: more than the 64 MiB that a container has"

_SENTENCES: dict[Path, Sentence] = {
    ("metadata", "annotations", annotations.EXPANSION): _says(
        "the record of what was added: expanding again changes nothing, and without the label"
        " exactly this is taken out"
    ),
    (*_SPEC, "selector"): _says("there is no selector: pods are found by the workload's name"),
    (*_SPEC, "serviceName"): _says("the Service of the workload's name names the pods"),
    (*_SPEC, "progressDeadlineSeconds"): _progress,
    (*_TEMPLATE, "metadata", "labels", "*"): _says("the selector asks it of every pod"),
    (*_TEMPLATE, "metadata", "labels", annotations.MANAGED): _says(
        "marks the pods that the node planner looks after"
    ),
    (*_TEMPLATE, "metadata", "annotations", annotations.PROVISION_SPEC): _provision_spec,
    (*_POD, "affinity"): _affinity,
    (*_POD, "tolerations"): _says("GPU nodes are tainted so that other pods keep off them"),
    (*_POD, "schedulerName"): _says(
        "our scheduler knows of nodes that are on their way, broken, or hold the model already"
    ),
    (*_POD, "schedulingGates"): _says(
        "the pods wait until there are nodes for all that start together"
    ),
    (*_POD, "restartPolicy"): _says("the pods of a Job cannot restart `Always`, the default"),
    (*_POD, "automountServiceAccountToken"): _says("the model server calls no Kubernetes API"),
    (*_POD, "volumes", "plainsail-tmp"): _says(_TMP),
    (*_POD, "volumes", "plainsail-shm"): _says(_SHM),
    _CONTAINER: _container,
    (*_CONTAINER, "name"): _container,
    (*_CONTAINER, "image"): _says("the model server of this version of Plainsail"),
    (*_CONTAINER, "imagePullPolicy"): _says("the tag of a version never moves"),
    (*_CONTAINER, "command"): _says("starts the model server"),
    (*_CONTAINER, "args"): _arguments,
    (*_CONTAINER, "env", "HF_HOME"): _says(
        "weights from the hub are kept on the volume at /tmp, the one place that can be written"
    ),
    (*_CONTAINER, "env", "HF_TOKEN"): _says(
        "the hub gives these weights only with a token, from a Secret that may be absent"
    ),
    (*_CONTAINER, "ports"): _says(f"the model server listens on {runtime_args.PORT}"),
    (*_CONTAINER, "resources"): _gpus,
    (*_CONTAINER, "startupProbe"): _startup,
    (*_CONTAINER, "readinessProbe"): _says("only a server that can answer gets requests"),
    (*_CONTAINER, "livenessProbe"): _says("a server that hangs is started again"),
    (*_CONTAINER, "securityContext"): _says(_RESTRICTED),
    (*_CONTAINER, "volumeMounts", weights.MOUNT): _weights,
    (*_CONTAINER, "volumeMounts", "*"): _adapters,
    (*_POD, "volumes", weights.VOLUME): _weights,
    (*_POD, "volumes", "*"): _adapters,
    (*_POD, "initContainers", weights.VOLUME): _weights,
    (*_POD, "initContainers", "*"): _adapters,
    (*_CONTAINER, "volumeMounts", "/tmp"): _says(_TMP),  # noqa: S108 - an emptyDir of the pod
    (*_CONTAINER, "volumeMounts", "/dev/shm"): _says(_SHM),  # noqa: S108 - likewise
}
"""By path; `*` stands for any one key. The longest that matches, exact keys first, is told."""

_OF_TUNING = _SENTENCES | tuning_sentences.SENTENCES
