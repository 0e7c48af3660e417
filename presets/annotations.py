"""Every label and annotation key of Plainsail: constant, type, default, meaning.

`presets.forms` holds the forms that values take, with the texts of what is wrong with them;
`presets.metadata` reads what a user asks for with all of them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from presets import adapter_list, forms

PREFIX = "kaito.sh/"
"""Of every key; keys without a prefix belong to the user."""

PRESET = "kaito.sh/preset"
INSTANCE_TYPES = "kaito.sh/instance-types"
CAPACITY_TYPE = "kaito.sh/capacity-type"
MAX_PRICE_PER_HOUR = "kaito.sh/max-price-per-hour"
PROVISION = "kaito.sh/provision"
ADAPTERS = "kaito.sh/adapters"
RUNTIME = "kaito.sh/runtime"
WEIGHTS = "kaito.sh/weights"
CONTAINER = "kaito.sh/container"
SERVICE = "kaito.sh/service"
ENABLELB = "kaito.sh/enablelb"
TUNING_METHOD = "kaito.sh/tuning-method"
TUNING_INPUT_URLS = "kaito.sh/tuning-input-urls"
TUNING_INPUT_IMAGE = "kaito.sh/tuning-input-image"
TUNING_INPUT_PVC = "kaito.sh/tuning-input-pvc"
TUNING_OUTPUT_IMAGE = "kaito.sh/tuning-output-image"
TUNING_OUTPUT_PUSH_SECRET = "kaito.sh/tuning-output-push-secret"  # noqa: S105 - the name of a key
TUNING_OUTPUT_PVC = "kaito.sh/tuning-output-pvc"
TUNING_CONFIG = "kaito.sh/tuning-config"
EXPANSION = "kaito.sh/expansion"
STATUS = "kaito.sh/status"
PROVISION_SPEC = "kaito.sh/provision-spec"
MANAGED = "kaito.sh/managed"
CLAIM = "kaito.sh/claim"
WORKLOAD_NAMESPACE = "kaito.sh/workload-namespace"
WORKLOAD_NAME = "kaito.sh/workload-name"
PLACEMENT_CHANGED = "kaito.sh/placement-changed"
GATE = "kaito.sh/provisioning"
DRAINING = "kaito.sh/draining"

ON_DEMAND = forms.ON_DEMAND
SPOT = forms.SPOT

# Reason codes of what is wrong with a key; docs/reference/reasons.md lists them all.
UNKNOWN_KEY = "UnknownKey"
MISPLACED_KEY = "MisplacedKey"
NOT_SUPPORTED_YET = "NotSupportedYet"
INVALID_VALUE = "InvalidValue"


@dataclass(frozen=True)
class Key:
    """One key, in the words of docs/reference/annotations.md."""

    name: str
    on: str
    """What it stands on."""
    type: str
    default: str
    """What holds where it is absent; empty: nothing."""
    meaning: str
    example: str
    written_by: str = "user"
    """`user`, or the program of ours that writes it."""
    form: forms.Form | None = None
    """Of the value; None: not the user's to write."""
    field: str = ""
    """Of `request.Request`, or of `request.Tuning`, that holds the value."""
    shapes_pods: bool = True
    """Whether another value asks for other pods."""

    @property
    def is_label(self) -> bool:
        """Whether it is a label rather than an annotation."""
        return self.on.endswith("(label)")

    @property
    def is_of_tuning(self) -> bool:
        """Whether it shapes a tuning run, and `request.Tuning` holds the value."""
        return self.name.startswith(_TUNING)


def _wish(name: str, field: str, form: forms.Form, default: str, meaning: str, example: str) -> Key:
    """A user's key on workloads."""
    on = "workload (label)" if name == PRESET else "workload"
    shapes_pods = name not in (SERVICE, ENABLELB)
    return Key(
        name, on, form.type, default, meaning, example, "user", form, field, shapes_pods=shapes_pods
    )


def _tuning(name: str, form: forms.Form, meaning: str, example: str, default: str = "") -> Key:
    """A user's key on Jobs."""
    field = name.removeprefix(_TUNING).replace("-", "_")
    return Key(name, "Job", form.type, default, meaning, example, "user", form, field)


def _ours(name: str, by: str, on: str, form: str, meaning: str, example: str) -> Key:
    """A key that a program of ours writes."""
    return Key(name, on, form, "", meaning, example, by)


_TUNING = "kaito.sh/tuning-"

KEYS: dict[str, Key] = {
    key.name: key
    for key in (
        _wish(
            PRESET,
            "preset",
            forms.PRESET,
            "",
            "opt in; the name of a preset",
            "phi-3-mini-4k-instruct",
        ),
        _wish(
            INSTANCE_TYPES,
            "instance_types",
            forms.INSTANCE_TYPES,
            "the preset's, else the cheapest that hold it",
            "instance types in order of preference",
            "Standard_NC6s_v3,Standard_NC24ads_A100_v4",
        ),
        _wish(
            CAPACITY_TYPE,
            "capacity_types",
            forms.CAPACITY_TYPES,
            "`on-demand`",
            "how machines are bought, in order of preference",
            "spot,on-demand",
        ),
        _wish(
            MAX_PRICE_PER_HOUR,
            "most_per_hour",
            forms.AMOUNT,
            "no limit",
            "refuse what costs more: the price of one replica, all its machines together",
            "3.673",
        ),
        _wish(
            PROVISION,
            "provision",
            forms.PROVISION,
            "`auto`",
            "`auto`: nodes are bought for pods that find none; `gate`: pods also wait behind a"
            " scheduling gate until there are nodes for all; `off`: nothing is bought",
            "gate",
        ),
        _wish(
            ADAPTERS,
            "adapters",
            forms.ADAPTERS,
            "none",
            f"at most {adapter_list.MOST} adapters, each with `name`, `image` and `strength`"
            " (0 to 1; left out: 1)",
            adapter_list.EXAMPLE,
        ),
        _wish(
            RUNTIME,
            "runtime",
            forms.RUNTIME,
            "`auto`",
            "which model server runs the model",
            "transformers",
        ),
        _wish(
            WEIGHTS,
            "weights",
            forms.WEIGHTS,
            "`hub`",
            "where the weights come from; `hub`: the preset's pinned revision; `image`: KAITO's own"
            " image of the preset; a path in an image follows its tag or digest",
            "pvc:models/phi-3",
        ),
        _wish(
            CONTAINER,
            "container",
            forms.CONTAINER,
            "the only one without an image, else the only one",
            "which container is the model's, when the template has several;"
            " a name that is not there is added beside them",
            "model",
        ),
        _wish(
            SERVICE,
            "service",
            forms.SERVICE,
            "a Service of the workload's name",
            "`none` to get no Service",
            "none",
        ),
        _wish(
            ENABLELB,
            "load_balancer",
            forms.TRUTH,
            "`False`",
            "a Service of type `LoadBalancer`, as in KAITO",
            "True",
        ),
        _tuning(TUNING_METHOD, forms.TUNING_METHOD, "makes the Job a tuning run", "qlora"),
        _tuning(
            TUNING_INPUT_URLS,
            forms.URLS,
            "data from URLs; a tuning run has exactly one input",
            "https://example.com/a.parquet",
        ),
        _tuning(TUNING_INPUT_IMAGE, forms.IMAGE, "data from an image", "ghcr.io/org/data:1"),
        _tuning(TUNING_INPUT_PVC, forms.CLAIM, "data from a volume claim", "data/sql"),
        _tuning(
            TUNING_OUTPUT_IMAGE,
            forms.IMAGE,
            "image to push the adapter as; a tuning run has at least one output",
            "ghcr.io/org/sql:1",
        ),
        _tuning(
            TUNING_OUTPUT_PUSH_SECRET,
            forms.SECRET,
            "what the image is pushed with: of type `kubernetes.io/dockerconfigjson`",
            "registry-login",
        ),
        _tuning(TUNING_OUTPUT_PVC, forms.CLAIM, "where the adapter is kept", "adapters/sql"),
        _tuning(
            TUNING_CONFIG,
            forms.CONFIG_MAP,
            "settings in KAITO's layout",
            "my-lora-params",
            "the method's defaults",
        ),
        _ours(
            EXPANSION,
            "webhook",
            "workload",
            "JSON",
            "what was added, and from which preset revision",
            '{"preset":"tiny-chat",...}',
        ),
        _ours(
            STATUS,
            "controller",
            "workload",
            "JSON",
            "phase, reason, progress, endpoint",
            '{"phase":"Ready",...}',
        ),
        _ours(MANAGED, "webhook", "pod (label)", "`true`", "the pod is one of ours", "true"),
        _ours(
            PROVISION_SPEC,
            "webhook",
            "pod",
            "JSON",
            "the node to buy for the pod",
            '{"gpus":1,...}',
        ),
        _ours(
            GATE,
            "webhook",
            "pod (scheduling gate)",
            "gate",
            "the pod waits until there are nodes for all that start with it; the planner lifts it",
            "kaito.sh/provisioning",
        ),
        _ours(CLAIM, "planner", "claim, node (label)", "name", "the claim's name", "ws5f2a01c3e"),
        _ours(
            WORKLOAD_NAMESPACE,
            "planner",
            "claim (label)",
            "name",
            "namespace of the workload that it was bought for",
            "default",
        ),
        _ours(
            WORKLOAD_NAME,
            "planner",
            "claim",
            "`kind/name`",
            "the workload that it was bought for",
            "Deployment/chat",
        ),
        _ours(
            DRAINING,
            "planner",
            "node",
            "name",
            "the node is closed to new pods, as its claim is about to be given back",
            "ws5f2a01c3e",
        ),
        _ours(
            PLACEMENT_CHANGED,
            "extender",
            "pod",
            "time and node",
            "when a node became usable for the waiting pod; writing it has the scheduler try again",
            "2026-01-01T00:00:00.000Z n1",
        ),
    )
}
"""Every key by its name; docs/reference/annotations.md is checked against it."""


def short(key: str) -> str:
    """The key without the prefix, as messages name it."""
    return key.removeprefix(PREFIX)


def entries(meta: Mapping[str, object]) -> Iterator[tuple[str, str, object]]:
    """Each key of ours in labels and annotations: (`labels` or `annotations`, key, value)."""
    for field in ("labels", "annotations"):
        held = meta.get(field)
        if isinstance(held, dict):
            for key, value in held.items():
                if isinstance(key, str) and key.startswith(PREFIX):
                    yield field, key, value


def user_keys(meta: Mapping[str, object]) -> dict[str, str]:
    """Raw text of the keys that the user wrote, unknown ones included."""
    return {key: str(value) for _, key, value in entries(meta) if is_users(key)}


def inputs(meta: Mapping[str, object]) -> dict[str, str]:
    """Raw text of the user's keys that shape pods: other inputs ask for other pods."""
    return {
        key: text
        for key, text in user_keys(meta).items()
        if key not in KEYS or KEYS[key].shapes_pods
    }


def is_users(key: str) -> bool:
    """Whether the user writes the key, rather than a program of ours."""
    return key not in KEYS or KEYS[key].written_by == "user"
