"""Reason codes with their sentences: why a workload was refused, left alone, or filled so."""

from collections.abc import Sequence
from dataclasses import dataclass

from presets import annotations, gpus, preset, request, runtime_args, sources
from presets.sizing import reasons as sizing_reasons
from webhook import machines, weights
from webhook.placement import Placement

# Refusals; those of a single key come from `presets.annotations`.
UNKNOWN_PRESET = "UnknownPreset"
UNKNOWN_INSTANCE_TYPE = "UnknownInstanceType"
TOO_FEW_GPUS = sizing_reasons.TOO_FEW_GPUS
DOES_NOT_FIT = "DoesNotFit"
ABOVE_PRICE_LIMIT = "AbovePriceLimit"
PRICE_UNKNOWN = "PriceUnknown"
CONTRADICTING_NODE_SELECTOR = "ContradictingNodeSelector"
CONTRADICTING_NODE_NAME = "ContradictingNodeName"
CONTRADICTING_AFFINITY = "ContradictingAffinity"
CONTRADICTING_TOLERATION = "ContradictingToleration"
PROVIDER_CANNOT = "ProviderCannot"
AMBIGUOUS_CONTAINER = "AmbiguousContainer"
CONTAINER_NAME_TAKEN = "ContainerNameTaken"
CANNOT_BE_TUNED = "CannotBeTuned"
OWN_TRAINER = "OwnTrainer"
SEVERAL_PODS = "SeveralPods"
OTHER_REPLICAS = "OtherReplicas"
STATEFUL_SET_IMMUTABLE = "StatefulSetImmutable"
MALFORMED_ARGUMENTS = "MalformedArguments"
MALFORMED_OBJECT = "MalformedObject"
MALFORMED_RECORD = "MalformedRecord"
MOUNT_PATH_TAKEN = "MountPathTaken"
NAME_REQUIRED = "NameRequired"
NAME_TOO_LONG = "NameTooLong"
STALE_EXPANSION = "StaleExpansion"
JOB_TEMPLATE_IMMUTABLE = "JobTemplateImmutable"
NOTHING_TO_RUN = "NothingToRun"

# Left alone.
NOT_LABELLED = "NotLabelled"
UNSUPPORTED_KIND = "UnsupportedKind"
UNSUPPORTED_OPERATION = "UnsupportedOperation"
BEING_DELETED = "BeingDeleted"

# Filled, and something to know about it.
EXPANDED = "Expanded"
MACHINES_JOINED = "MachinesJoined"
MACHINES_LEFT_OUT = "MachinesLeftOut"
OLD_GPU = sizing_reasons.OLD_GPU
IMAGE_KEPT = "ImageKept"
COMMAND_KEPT = "CommandKept"
NOTHING_BOUGHT = "NothingBought"
PODS_GATED = "PodsGated"
KEYS_IDLE = "KeysIdle"
TOKEN_NEEDED = "TokenNeeded"  # noqa: S105 - a code
WEIGHTS_MOUNTED = "WeightsMounted"
ADAPTERS_MOUNTED = "AdaptersMounted"
ADAPTERS_COPIED = "AdaptersCopied"
TOLERATIONS_KEPT = "TolerationsKept"
AFFINITY_KEPT = "AffinityKept"
RELEASED = "Released"
RESULTS_NOT_KEPT = "ResultsNotKept"
JOB_KEPT = "JobKept"
UNCHANGED = "Unchanged"

DENIED = {
    annotations.INVALID_VALUE: "a value is not one of those allowed",
    annotations.MISPLACED_KEY: "a key stands where it has no effect",
    annotations.NOT_SUPPORTED_YET: "a key or value that this version knows and does not act on yet",
    annotations.UNKNOWN_KEY: "a key under `kaito.sh/` that does not exist",
    ABOVE_PRICE_LIMIT: "every machine that holds the model costs more than the limit",
    AMBIGUOUS_CONTAINER: "several containers could be the model's",
    CANNOT_BE_TUNED: "the preset knows no such way of tuning",
    CONTAINER_NAME_TAKEN: "a container has the name of one that a tuning run adds",
    CONTRADICTING_AFFINITY: "the user's node affinity lets the pods onto none of the nodes",
    CONTRADICTING_NODE_NAME: "pods behind our gate, or of one model, name the node that all run on",
    CONTRADICTING_NODE_SELECTOR: "the node selector matches none of the nodes meant for the pods",
    CONTRADICTING_TOLERATION: "a toleration names the key of a GPU taint, and not the taint",
    PROVIDER_CANNOT: "who buys the nodes does not do what is asked",
    DOES_NOT_FIT: "no instance type that may be taken holds the model",
    JOB_TEMPLATE_IMMUTABLE: "the change asks for another template of a stored Job",
    MALFORMED_ARGUMENTS: "the model server does not take the container's arguments",
    MALFORMED_OBJECT: "a part of the workload has the wrong JSON type",
    MOUNT_PATH_TAKEN: "a mount of the user's is where weights or adapters are to be",
    MALFORMED_RECORD: "the annotation `kaito.sh/expansion` is not one that we wrote",
    NAME_REQUIRED: "without a selector, or over several machines, it takes a name of its own",
    NAME_TOO_LONG: "the name is too long for the label or the Service that is named after it",
    NOTHING_TO_RUN: "without the preset nothing says what a container runs",
    OTHER_REPLICAS: "a StatefulSet that is one model has other replicas than the model's machines",
    OWN_TRAINER: "the container of a tuning run has an image, a command or arguments of its own",
    PRICE_UNKNOWN: "there is a price limit, and no machine that will do has a known price",
    SEVERAL_PODS: "a Job of several pods cannot be a tuning run",
    STATEFUL_SET_IMMUTABLE: "the model takes several machines, and the StatefulSet is made for one",
    STALE_EXPANSION: "the manifest was expanded for other keys than it carries now",
    TOO_FEW_GPUS: "no instance type has as many GPUs as the container asks for",
    UNKNOWN_INSTANCE_TYPE: "an instance type that this version does not know",
    UNKNOWN_PRESET: "no preset has the name",
}
"""Refusals: code and sentence."""

SKIPPED = {
    BEING_DELETED: "the workload is on its way out",
    NOT_LABELLED: "the workload does not carry the label `kaito.sh/preset`",
    UNSUPPORTED_KIND: "not a Deployment, StatefulSet or Job",
    UNSUPPORTED_OPERATION: "neither CREATE nor UPDATE",
}
"""Left alone: code and sentence."""

ALLOWED = {
    ADAPTERS_COPIED: "the adapters' images copy their files themselves, which takes a `cp` in them",
    ADAPTERS_MOUNTED: "the adapters are there, and the user's own server is to be told so",
    AFFINITY_KEPT: "the user's own node affinity was left as it is",
    COMMAND_KEPT: "the user's own command was left as it is",
    EXPANDED: "the workload was filled in",
    IMAGE_KEPT: "the user's own image was left as it is",
    JOB_KEPT: "the template of a stored Job stays expanded",
    KEYS_IDLE: "the cluster has no GPUs and buys none, so that some keys say nothing here",
    MACHINES_JOINED: "the model takes several machines, a pod on each",
    MACHINES_LEFT_OUT: "some of the instance types asked for do not hold the model",
    OLD_GPU: "a GPU that the user names is too old for the model server's PyTorch",
    NOTHING_BOUGHT: "the pods wait for a node that is there or that somebody else buys",
    PODS_GATED: "the pods wait behind a scheduling gate that the node planner lifts",
    RELEASED: "the label went, and with it everything that was added",
    RESULTS_NOT_KEPT: "the checkpoints of a tuning run go with its pod",
    TOLERATIONS_KEPT: "the user's own tolerations were left as they are",
    TOKEN_NEEDED: "the hub gives the weights only with a token",
    WEIGHTS_MOUNTED: "the weights are there, and the user's own server is to be told so",
    UNCHANGED: "the workload keeps what was added before",
}
"""Allowed, and something to know: code and sentence."""

REASONS = {"denied": DENIED, "skipped": SKIPPED, "allowed": ALLOWED}
"""Every code by its outcome; docs/reference/reasons.md is checked against it."""


@dataclass(frozen=True)
class Note:
    """Something to know about an allowed workload; shown as a warning."""

    reason: str
    message: str


def expanded(
    model: preset.Preset,
    placed: Placement,
    tuned: request.Tuning | None = None,
    *,
    has_own_image: bool,
) -> Note:
    """The defaults chosen, in one line."""
    if not placed.gpus:
        return Note(EXPANDED, f"preset {model.name}: {_on_processors(model, placed)}")
    count, nodes = f"{placed.gpus} GPU{'s' if placed.gpus > 1 else ''}", placed.split.nodes
    if nodes > 1:
        count = f"{nodes} machines of {count}"
    priced = (
        f"{name} ({machines.priced(name, placed.capacity_types, nodes)})"
        for name in placed.instance_types
    )
    text = f"preset {model.name}: {count}, instance type {' or '.join(priced)}"
    if placed.dtype != model.dtype and not has_own_image:
        lacking = ", ".join(gpus.without_bfloat16(placed.instance_types))
        text += f", {placed.dtype} ({lacking}: no {model.dtype})"
    if tuned is not None:
        text += f", tuned by {tuned.method} on {_input(tuned)}, the adapter to {_output(tuned)}"
    elif not has_own_image:
        text += _shortened(model, placed)
    return Note(EXPANDED, text)


def _shortened(model: preset.Preset, placed: Placement) -> str:
    if placed.context_tokens == model.context_tokens:
        return ""
    return f", context {placed.context_tokens:,} of {model.context_tokens:,} tokens"


def _on_processors(model: preset.Preset, placed: Placement) -> str:
    if not placed.memory_bytes:
        return "on processors"
    asked = f"on processors, {placed.memory_bytes / 2**30:.1f} GiB of memory"
    computed = f", {placed.dtype}" if placed.dtype != model.dtype else ""
    return asked + computed + _shortened(model, placed)


def _input(tuned: request.Tuning) -> str:
    if tuned.input_pvc:
        return f"the claim {sources.write_claim(tuned.input_pvc)}"
    count = len(tuned.input_urls)
    return tuned.input_image or f"{count} URL{'s' if count > 1 else ''}"


def _output(tuned: request.Tuning) -> str:
    kept = f"the claim {sources.write_claim(tuned.output_pvc)}" if tuned.output_pvc else ""
    return " and to ".join(filter(None, (tuned.output_image, kept)))


def results_not_kept() -> Note:
    """Nothing of the run outlives its pod before the push."""
    return Note(
        RESULTS_NOT_KEPT,
        "checkpoints go with the pod, and a run that is interrupted begins anew:"
        f" {annotations.TUNING_OUTPUT_PVC} keeps them",
    )


def nothing_is_bought(placed: Placement) -> Note:
    """The planner never sees the pods."""
    count = f"{placed.gpus} free GPU{'s' if placed.gpus > 1 else ''}"
    names = " or ".join(placed.instance_types)
    return Note(NOTHING_BOUGHT, f"nothing is bought: pods wait for a node of {names} with {count}")


def keys_idle(keys: Sequence[str]) -> Note:
    """What the user asks of machines is for other clusters."""
    return Note(KEYS_IDLE, f"this cluster has no GPUs and buys none: no use of {', '.join(keys)}")


def pods_gated() -> Note:
    """Without the planner the pods would wait for ever."""
    return Note(
        PODS_GATED,
        f"pods wait behind the gate {annotations.GATE} until there are nodes for all that start"
        " together: the node planner lifts it",
    )


def machines_joined(placed: Placement, service: str) -> Note:
    """One model on several machines, and what the pods need to find each other."""
    count = placed.split.nodes
    return Note(
        MACHINES_JOINED,
        f"the {count} pods are one model, and pod 0 answers; they find each other by the headless"
        f' Service "{service}" (clusterIP: None, publishNotReadyAddresses: true), which is yours to'
        " make",
    )


def machines_left_out(sentences: Sequence[str]) -> Note:
    """Instance types that the user names and that will not do."""
    return Note(MACHINES_LEFT_OUT, f"not taken: {'; '.join(sentences)}")


def old_gpus(names: Sequence[str]) -> Note:
    """The model fits there, and yet does not run."""
    return Note(
        OLD_GPU,
        f"{' and '.join(names)}: below compute capability 7.5, for which the model server's PyTorch"
        " (CUDA 13) has no kernels; it takes an image of one's own, built for CUDA 12.6",
    )


def image_kept(container: str, *, has_gpus: bool) -> Note:
    """The container runs the user's own server."""
    added = "GPUs, shared memory and the node" if has_gpus else "shared memory"
    return Note(
        IMAGE_KEPT,
        f'container "{container}" has an image of its own: image, command, args, env, ports, probes'
        " and security settings stay as they are, and what it serves is not checked;"
        f" Plainsail adds {added}",
    )


def token_needed(model: preset.Preset) -> Note:
    """Without the Secret the hub refuses the weights."""
    return Note(
        TOKEN_NEEDED,
        f"{model.weights.source} is behind a licence: the token comes from the Secret"
        f' "{weights.TOKEN_SECRET}", key {weights.TOKEN}, in the workload\'s namespace',
    )


def weights_mounted(container: str, directory: str) -> Note:
    """What the container runs is the user's, who must say where the weights are."""
    return Note(
        WEIGHTS_MOUNTED, f'the weights are in {directory}: let container "{container}" read them'
    )


def adapters_mounted(container: str, listed: Sequence[runtime_args.ServedAdapter]) -> Note:
    """What the container runs is the user's, who must say which adapters to take."""
    places = ", ".join(f"{one.directory} (strength {one.strength:f})" for one in listed)
    return Note(
        ADAPTERS_MOUNTED, f'the adapters are in {places}: let container "{container}" read them'
    )


def adapters_copied(images: Sequence[str]) -> Note:
    """The cluster mounts no images."""
    return Note(
        ADAPTERS_COPIED,
        f"this cluster mounts no images: {' and '.join(images)} copy their files with a cp of"
        " their own; an image FROM scratch has none, and takes Kubernetes 1.36 with containerd 2.1",
    )


def command_kept(container: str) -> Note:
    """The container runs the user's own command in our image."""
    return Note(
        COMMAND_KEPT,
        f'container "{container}" has a command of its own: Plainsail adds no command and no args',
    )


def tolerations_kept(missing: Sequence[str]) -> Note:
    """The pods may not be let onto GPU nodes."""
    return Note(
        TOLERATIONS_KEPT,
        f"spec.template.spec.tolerations is yours and stays; not tolerated: {', '.join(missing)}",
    )


def affinity_kept(instance_types: Sequence[str]) -> Note:
    """The pods may not be let onto the nodes that are bought for them."""
    return Note(
        AFFINITY_KEPT,
        "spec.template.spec.affinity.nodeAffinity is yours and stays; let it match"
        f" {' or '.join(instance_types)}",
    )


def job_kept() -> Note:
    """A Job's template cannot be changed back."""
    return Note(JOB_KEPT, "a Job's template cannot change: it keeps what Plainsail added")


def released() -> Note:
    """The expansion was undone."""
    return Note(RELEASED, "the preset is gone: everything that Plainsail added was taken out")
