"""Why each field was added to a workload: which key, preset figure or rule of ours decided it.

The fields come from the record that expansion leaves on the workload, and the figures from what
it decided; here stand the sentences alone. A path without a sentence of its own has that of the
nearest part above it that has one.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from cli import choices, figures, sentences, tuning_sentences
from cli.sentences import CONTAINER, POD, TEMPLATE, Path, Sentence, says
from presets import annotations, runtime_args
from presets.runtime_args import nodes
from webhook import fill, podspec, weights
from webhook.terms import Terms


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
        if found and (length == len(path) or found != [CONTAINER]):
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
    told = sentences.told(choice, runtime_args.ServeArgs)
    reasons = sentences.of_preset(choice, "model", "name")
    if told is not None and told.revision:
        reasons.append("revision: pinned, so that an update of the preset restarts no pod")
    if told is not None and told.context_tokens:
        whole = choice.model.context_tokens
        reasons.append(f"context: less than the {whole:,} of the model finds room")
    if told is not None and told.pipeline_parallel > 1:
        reasons.append("parallel: how the GPUs of all machines divide it")
    return "; ".join(reasons)


def _replicas(choice: choices.Choice) -> str:
    kind = f" {choice.machine.name}" if choice.machine else ""
    return f"{choice.model.name} takes {choice.spec.nodes}{kind}: a pod on each"


def _startup(choice: choices.Choice) -> str:
    weights = choice.model.weights
    limit = _minutes(podspec.startup_seconds(weights))
    if weights.in_image:
        return f"the first answer may take {limit}: the weights are in the image"
    return f"the first answer may take {limit}: {figures.size(weights.size_bytes)} are downloaded"


def _minutes(seconds: int) -> str:
    return f"{seconds // 60} min"


_SPEC = ("spec",)

_RESTRICTED = "Pod Security level `restricted`: no more is needed"
_TMP = "what runs here writes to /tmp, and its root file system is read-only"
_SHM = "PyTorch shares tensors between processes: more than the 64 MiB that a container has"

_SENTENCES: dict[Path, Sentence] = {
    ("metadata", "annotations", annotations.EXPANSION): says(
        "the record of what was added: expanding again changes nothing, and without the label"
        " exactly this is taken out"
    ),
    (*_SPEC, "selector"): says("there is no selector: pods are found by the workload's name"),
    (*_SPEC, "replicas"): _replicas,
    (*_SPEC, "podManagementPolicy"): says(
        "the pods are one model: all start together, and none waits for another to be ready"
    ),
    (*_SPEC, "serviceName"): says("the headless Service by which the pods find each other"),
    (*_SPEC, "progressDeadlineSeconds"): _progress,
    (*TEMPLATE, "metadata", "labels", "*"): says("the selector asks it of every pod"),
    (*TEMPLATE, "metadata", "labels", annotations.MANAGED): says(
        "marks the pods that the node planner looks after"
    ),
    (*TEMPLATE, "metadata", "annotations", annotations.PROVISION_SPEC): _provision_spec,
    (*POD, "affinity"): _affinity,
    (*POD, "affinity", "podAffinity"): says(
        "every token crosses the network between the pods: one zone, where that can be had"
    ),
    (*POD, "tolerations"): says("GPU nodes are tainted so that other pods keep off them"),
    (*POD, "schedulerName"): says(
        "our scheduler knows of nodes that are on their way, broken, or hold the model already"
    ),
    (*POD, "schedulingGates"): says(
        "the pods wait until there are nodes for all that start together"
    ),
    (*POD, "restartPolicy"): says("the pods of a Job cannot restart `Always`, the default"),
    (*POD, "automountServiceAccountToken"): says("what runs here calls no Kubernetes API"),
    (*POD, "volumes", "plainsail-tmp"): says(_TMP),
    (*POD, "volumes", "plainsail-shm"): says(_SHM),
    CONTAINER: _container,
    (*CONTAINER, "name"): _container,
    (*CONTAINER, "image"): says("the image of this version of Plainsail"),
    (*CONTAINER, "imagePullPolicy"): says("the tag of a version never moves"),
    (*CONTAINER, "command"): says("starts the model server"),
    (*CONTAINER, "args"): _arguments,
    (*CONTAINER, "env", "HF_HOME"): says(
        "weights from the hub are kept on the volume at /tmp, the one place that can be written"
    ),
    (*CONTAINER, "env", "HF_TOKEN"): says(
        "the hub gives these weights only with a token, from a Secret that may be absent"
    ),
    (*CONTAINER, "env", nodes.RANK): says("each pod's part of the model: its index; 0 leads"),
    (*CONTAINER, "env", nodes.COUNT): says("on how many machines the model is"),
    (*CONTAINER, "env", nodes.LEADER): says("where the other pods find the one that leads"),
    (*CONTAINER, "env", nodes.GPUS): says("GPUs of each machine"),
    (*CONTAINER, "ports"): says(f"the model server listens on {runtime_args.PORT}"),
    (*CONTAINER, "resources"): sentences.gpu_count,
    (*CONTAINER, "startupProbe"): _startup,
    (*CONTAINER, "readinessProbe"): says("only a server that can answer gets requests"),
    (*CONTAINER, "livenessProbe"): says("a server that hangs is started again"),
    (*CONTAINER, "securityContext"): says(_RESTRICTED),
    (*CONTAINER, "volumeMounts", weights.MOUNT): _weights,
    (*CONTAINER, "volumeMounts", "*"): _adapters,
    (*POD, "volumes", weights.VOLUME): _weights,
    (*POD, "volumes", "*"): _adapters,
    (*POD, "initContainers", weights.VOLUME): _weights,
    (*POD, "initContainers", "*"): _adapters,
    (*CONTAINER, "volumeMounts", "/tmp"): says(_TMP),  # noqa: S108 - an emptyDir of the pod
    (*CONTAINER, "volumeMounts", "/dev/shm"): says(_SHM),  # noqa: S108 - likewise
}
"""By path; `*` stands for any one key. The longest that matches, exact keys first, is told."""

_OF_TUNING = _SENTENCES | tuning_sentences.SENTENCES
