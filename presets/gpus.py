"""GPUs, and the instance types that carry them: what a program on such a machine really has.

The figures stand in `machines/*.csv`, one source per row; docs of the columns are the fields here.
"""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass

from presets import tables

GPU_RESOURCE = "nvidia.com/gpu"
"""Extended resource of NVIDIA's device plugin."""

BFLOAT16_CAPABILITY = (8, 0)
"""First compute capability with native bfloat16 (Ampere).

Source: CUDA C++ programming guide, arithmetic instructions by compute capability.
"""

FP8_CAPABILITY = (8, 9)
"""First compute capability with fp8 matrix instructions (Ada, then Hopper).

Source: CUDA C++ programming guide, tensor core types by compute capability.
"""

CLOUDS = ("azure", "aws", "arc", "gcp")
VENDORS = ("nvidia", "amd", "aws", "google", "habana", "intel")
ARCHITECTURES = ("amd64", "arm64")
INTERCONNECTS = ("nvlink", "pcie", "none", "")
CURRENT, REMOVED = "current", "removed"

UNKNOWN_MEMORY_PERCENT = 90
"""Of the marketed memory, counted where nobody published the visible one.

Below the lowest share among the rows with a source: 91.0 % of a T4, 91.5 % of an L4.
"""

_MIB = 2**20
_GIB = 2**30


@dataclass(frozen=True)
class MigProfile:
    """A slice that a GPU in MIG mode is cut into."""

    name: str
    """As NVIDIA writes it: `1g.10gb`."""
    memory_bytes: int
    """Really visible to the program, as `Gpu.memory_bytes`."""
    per_gpu: int
    """Slices of this profile that one GPU holds."""

    @property
    def resource(self) -> str:
        """Extended resource under the `mixed` strategy of NVIDIA's device plugin."""
        return f"nvidia.com/mig-{self.name}"


@dataclass(frozen=True)
class Gpu:
    """A model of GPU, or of another accelerator that is counted like one."""

    name: str
    vendor: str
    """`nvidia`, `amd`, `aws`, `google`, `habana` or `intel`."""
    marketed_gib: int
    """Memory as the vendor sells it."""
    memory_bytes: int
    """Memory that a program sees: what CUDA reports as total, which is below the marketed size."""
    memory_known: bool
    """The visible memory has a source; else it is `UNKNOWN_MEMORY_PERCENT` of the marketed one."""
    compute_capability: tuple[int, int] | None
    """None: not a CUDA device."""
    bfloat16: bool
    """Computes in bfloat16 natively."""
    fp8: bool
    """Multiplies matrices in fp8 natively."""
    resource: str
    """Extended resource that the vendor's device plugin counts."""
    mig: tuple[MigProfile, ...] = ()
    """Smallest first; empty where it cannot be cut."""
    source: str = ""
    """Of the visible memory."""


@dataclass(frozen=True)
class InstanceType:
    """A machine by the name that its cloud gives it."""

    name: str
    cloud: str
    """`azure`, `aws`, `arc` (Azure Local) or `gcp`."""
    model: Gpu
    gpus: int
    """GPUs that a pod can ask for on it: a machine with a part of one GPU counts 1."""
    gpu_memory_bytes: int
    """Memory of one of its GPUs that a program sees; a part of `model`'s where it has a part."""
    fraction_of: int = 1
    """The machine has this part of one physical GPU: 6 is a sixth."""
    interconnect: str = ""
    """Between its GPUs: `nvlink`, `pcie`, `none` (it has one), or empty where unknown. This, the
    processors and the host's memory are general knowledge, the clouds' size tables."""
    nvme: bool | None = None
    """It has a local NVMe disk; None where unknown."""
    status: str = CURRENT
    """`removed` where the cloud no longer sells it."""
    kaito_status: str = ""
    """`current` or `removed` in KAITO's own tables, which drop what lacks bfloat16; empty where
    they never had it."""
    cpus: int | None = None
    host_memory_bytes: int | None = None
    architecture: str = "amd64"
    """Of its processors, as images name it: `amd64` or `arm64`."""
    local: bool = False
    """The local cluster's provider sells a simulated machine under this name."""
    node_label: str = ""
    """Value of the node label `node.kubernetes.io/instance-type` where it is not the name."""
    source: str = ""
    """Of the GPUs, their number and the disk."""
    notes: str = ""

    @property
    def gpu(self) -> str:
        """Name of the GPU model."""
        return self.model.name

    @property
    def compute_capability(self) -> tuple[int, int] | None:
        """Of its GPUs; None for other devices than CUDA's."""
        return self.model.compute_capability

    @property
    def has_bfloat16(self) -> bool:
        """Its GPUs compute in bfloat16 natively."""
        return self.model.bfloat16

    @property
    def resource(self) -> str:
        """Extended resource that its GPUs are counted in."""
        return self.model.resource

    @property
    def memory_bytes(self) -> int:
        """Visible memory of all its GPUs together."""
        return self.gpus * self.gpu_memory_bytes


def without_gpu(name: str, memory_bytes: int) -> InstanceType:
    """A machine that computes on its processors, with that much memory."""
    none = Gpu(
        "no GPU",
        "",
        marketed_gib=0,
        memory_bytes=0,
        memory_known=True,
        compute_capability=None,
        bfloat16=True,
        fp8=False,
        resource="",
    )
    return InstanceType(name, name, none, 0, 0, host_memory_bytes=memory_bytes)


GPU_COLUMNS = (
    "name",
    "vendor",
    "resource",
    "marketed_gib",
    "memory_mib",
    "compute_capability",
    "bfloat16",
    "fp8",
    "source",
)
MIG_COLUMNS = ("gpu", "profile", "memory_mib", "per_gpu", "source")
INSTANCE_TYPE_COLUMNS = (
    "name",
    "cloud",
    "gpu",
    "gpus",
    "fraction_of",
    "gpu_memory_mib",
    "interconnect",
    "nvme",
    "status",
    "kaito_status",
    "cpus",
    "host_memory_gib",
    "architecture",
    "local",
    "node_label",
    "source",
    "notes",
)


def parse_gpus(gpu_rows: str, mig_rows: str) -> dict[str, Gpu]:
    """GPUs by name, from the text of the two tables.

    Raises:
        MalformedTable: a cell is not of its column's form; every problem is named.
    """
    slices: dict[str, list[MigProfile]] = {}
    names = {line.partition(",")[0] for line in gpu_rows.splitlines()}
    for gpu, profile in tables.parse(
        "mig_profiles.csv",
        mig_rows,
        MIG_COLUMNS,
        lambda row: _mig_profile(row, names),
        unique=("gpu", "profile"),
    ):
        slices.setdefault(gpu, []).append(profile)
    found = tables.parse(
        "gpus.csv",
        gpu_rows,
        GPU_COLUMNS,
        lambda row: _gpu(row, tuple(slices.get(row.text("name"), ()))),
        unique=("name",),
    )
    return {gpu.name: gpu for gpu in found}


def parse_instance_types(rows: str, known: Mapping[str, Gpu]) -> dict[str, InstanceType]:
    """Instance types by name, from the text of their table.

    Raises:
        MalformedTable: a cell is not of its column's form, or names a GPU that is not known.
    """
    found = tables.parse(
        "instance_types.csv",
        rows,
        INSTANCE_TYPE_COLUMNS,
        lambda row: _instance_type(row, known),
        unique=("name",),
    )
    return {one.name: one for one in found}


def _mig_profile(row: tables.Row, names: Container[str]) -> tuple[str, MigProfile]:
    if row.text("gpu") not in names:
        row.reject("gpu", "is not in gpus.csv")
    return row.text("gpu"), MigProfile(
        name=row.name("profile"),
        memory_bytes=row.count("memory_mib") * _MIB,
        per_gpu=row.count("per_gpu"),
    )


def _gpu(row: tables.Row, mig: tuple[MigProfile, ...]) -> Gpu:
    marketed, visible = row.count("marketed_gib"), row.optional_count("memory_mib")
    return Gpu(
        name=row.name("name"),
        vendor=row.choice("vendor", VENDORS),
        marketed_gib=marketed,
        memory_bytes=_unknown_memory_bytes(marketed) if visible is None else visible * _MIB,
        memory_known=visible is not None,
        compute_capability=_capability(row),
        bfloat16=bool(row.flag("bfloat16")),
        fp8=bool(row.flag("fp8")),
        resource=row.name("resource"),
        mig=mig,
        source=row.name("source"),
    )


def _unknown_memory_bytes(marketed_gib: int) -> int:
    return marketed_gib * _GIB * UNKNOWN_MEMORY_PERCENT // 100


def _capability(row: tables.Row) -> tuple[int, int] | None:
    text = row.text("compute_capability")
    if not text:
        return None
    major, dot, minor = text.partition(".")
    if not (dot and major.isdigit() and minor.isdigit()):
        row.reject("compute_capability", "is not MAJOR.MINOR")
        return None
    return int(major), int(minor)


def _instance_type(row: tables.Row, known: Mapping[str, Gpu]) -> InstanceType:
    model = known.get(row.text("gpu"), NO_GPU)
    if model is NO_GPU:
        row.reject("gpu", "is not in gpus.csv")
    own_mib, host_gib = row.optional_count("gpu_memory_mib"), row.optional_count("host_memory_gib")
    return InstanceType(
        name=row.name("name"),
        cloud=row.choice("cloud", CLOUDS),
        model=model,
        gpus=row.count("gpus"),
        gpu_memory_bytes=model.memory_bytes if own_mib is None else own_mib * _MIB,
        fraction_of=row.optional_count("fraction_of") or 1,
        interconnect=row.choice("interconnect", INTERCONNECTS),
        nvme=row.flag("nvme"),
        status=row.choice("status", (CURRENT, REMOVED)),
        kaito_status=row.choice("kaito_status", (CURRENT, REMOVED, "")),
        cpus=row.optional_count("cpus"),
        host_memory_bytes=None if host_gib is None else host_gib * _GIB,
        architecture=row.choice("architecture", ARCHITECTURES),
        local=bool(row.flag("local")),
        node_label=row.text("node_label"),
        source=row.name("source"),
        notes=row.text("notes"),
    )


def _read_gpus() -> dict[str, Gpu]:
    return parse_gpus(tables.packaged("gpus.csv"), tables.packaged("mig_profiles.csv"))


def _read_instance_types() -> dict[str, InstanceType]:
    return parse_instance_types(tables.packaged("instance_types.csv"), GPUS)


NO_GPU = Gpu(
    "",
    "",
    1,
    1,
    memory_known=False,
    compute_capability=None,
    bfloat16=False,
    fp8=False,
    resource="",
)
"""Model of a machine without any, whose `gpus` is 0: a laptop."""

GPUS: Mapping[str, Gpu] = tables.Table(_read_gpus)
"""By name, in the order of the file."""

INSTANCE_TYPES: Mapping[str, InstanceType] = tables.Table(_read_instance_types)
"""By name, which is also the value of the node label unless `node_label` says otherwise."""


def without_bfloat16(names: Iterable[str]) -> tuple[str, ...]:
    """Those of the known instance types whose GPUs have no bfloat16, in the order given."""
    return tuple(name for name in names if not INSTANCE_TYPES[name].has_bfloat16)
