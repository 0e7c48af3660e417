"""Instance types: every one that KAITO validates, what else is known, and what is true of all."""

import subprocess
import sys
from collections import Counter
from dataclasses import replace

import pytest

from deploy.local import instance_types as local_types
from presets import gpus, tables

GIB = 2**30
EVERY = gpus.INSTANCE_TYPES
HEADER = ",".join(gpus.INSTANCE_TYPE_COLUMNS)


def test_all_of_kaitos_are_there() -> None:
    """116 rows: what KAITO's tables held at v0.3.0, v0.4.6 and 056b8280."""
    counts = Counter((one.cloud, one.kaito_status) for one in EVERY.values() if one.kaito_status)
    assert counts == {
        ("azure", "current"): 14,
        ("azure", "removed"): 33,
        ("aws", "current"): 35,
        ("aws", "removed"): 24,
        ("arc", "current"): 8,
        ("arc", "removed"): 2,
    }


@pytest.mark.parametrize(
    ("name", "gpu", "count", "memory_gib", "interconnect", "nvme", "status"),
    [
        ("Standard_NC6s_v3", "NVIDIA V100", 1, 15.77, "none", None, "removed"),
        ("Standard_NC24s_v3", "NVIDIA V100", 4, 15.77, "pcie", None, "removed"),
        ("Standard_NC4as_T4_v3", "NVIDIA T4", 1, 14.56, "none", None, "current"),
        ("Standard_NC24ads_A100_v4", "NVIDIA A100 80GB", 1, 79.15, "none", True, "current"),
        ("Standard_ND96asr_v4", "NVIDIA A100 40GB", 8, 39.38, "nvlink", None, "current"),
        ("Standard_NC80adis_H100_v5", "NVIDIA H100 NVL", 2, 93.0, "nvlink", True, "current"),
        ("Standard_ND96isr_H200_v5", "NVIDIA H200", 8, 139.81, "nvlink", True, "current"),
        ("Standard_NV72ads_A10_v5", "NVIDIA A10", 2, 21.99, "pcie", False, "current"),
        ("Standard_NG32ads_V620_v1", "AMD Radeon PRO V620", 1, 28.8, "none", False, "current"),
        ("p3.16xlarge", "NVIDIA V100", 8, 15.77, "nvlink", None, "current"),
        ("p3dn.24xlarge", "NVIDIA V100 32GB", 8, 31.74, "nvlink", None, "current"),
        ("p4d.24xlarge", "NVIDIA A100 40GB", 8, 39.38, "nvlink", True, "current"),
        ("p5.48xlarge", "NVIDIA H100 80GB", 8, 79.11, "nvlink", True, "current"),
        ("g5g.xlarge", "NVIDIA T4G", 1, 14.56, "none", None, "current"),
        ("g6.48xlarge", "NVIDIA L4", 8, 21.95, "pcie", True, "current"),
        ("trn1.32xlarge", "AWS Trainium", 16, 28.8, "", True, "current"),
        ("Standard_NC16_A16", "NVIDIA A16", 2, 14.4, "pcie", False, "current"),
        ("a2-ultragpu-4g", "NVIDIA A100 80GB", 4, 79.15, "nvlink", True, "current"),
        ("g2-standard-24", "NVIDIA L4", 2, 21.95, "pcie", None, "current"),
        ("ct5lp-hightpu-4t", "Google TPU v5e", 4, 14.4, "", None, "current"),
    ],
)
def test_a_machine_is_what_its_cloud_says(  # noqa: PLR0913, PLR0917 - one column of the table each
    name: str,
    gpu: str,
    count: int,
    memory_gib: float,
    interconnect: str,
    nvme: bool | None,  # noqa: FBT001 - a cell of the table
    status: str,
) -> None:
    one = EVERY[name]
    assert (one.gpu, one.gpus, one.interconnect, one.nvme, one.status) == (
        gpu,
        count,
        interconnect,
        nvme,
        status,
    )
    assert one.gpu_memory_bytes == pytest.approx(memory_gib * GIB, abs=2**20)


@pytest.mark.parametrize("one", EVERY.values(), ids=lambda one: one.name)
def test_a_row_agrees_with_itself(one: gpus.InstanceType) -> None:
    assert EVERY[one.name] is one
    assert one.gpus > 0
    assert one.memory_bytes == one.gpus * one.gpu_memory_bytes
    assert (one.interconnect == "none") == (one.gpus == 1)
    assert one.gpu_memory_bytes <= one.model.memory_bytes // one.fraction_of
    assert (one.fraction_of > 1) == (one.gpu_memory_bytes < one.model.memory_bytes)
    assert one.source


@pytest.mark.parametrize(("size", "part"), [(6, 6), (12, 3), (18, 2)])
def test_a_part_of_an_a10_has_that_part_of_its_memory(size: int, part: int) -> None:
    one = EVERY[f"Standard_NV{size}ads_A10_v5"]
    assert (one.gpus, one.fraction_of) == (1, part)
    assert one.gpu_memory_bytes <= EVERY["Standard_NV36ads_A10_v5"].gpu_memory_bytes // part


def test_the_local_machines_are_those_that_the_local_cluster_sells() -> None:
    sold = {one.name: one.gpus for one in EVERY.values() if one.local}
    assert sold == {name: kind.gpus for name, kind in local_types.TYPES.items()}


def test_names_can_be_values_of_the_node_label() -> None:
    for name, one in EVERY.items():
        assert len(name) <= 63
        assert set(name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
        assert one.node_label == (name.partition(".")[0] if name.startswith("n1-") else "")


def test_a_machine_with_more_memory_is_easily_made() -> None:
    small = EVERY["Standard_NC6s_v3"]
    assert replace(small, gpu_memory_bytes=32 * GIB).memory_bytes == 32 * GIB


def test_a_broken_row_is_named_with_all_its_problems() -> None:
    row = "x,moon,No GPU,0,,,rope,yes,gone,,,,z80,,,,"
    with pytest.raises(tables.MalformedTable) as caught:
        gpus.parse_instance_types(f"{HEADER}\n{row}", gpus.GPUS)
    assert str(caught.value).splitlines() == [
        'instance_types.csv:2.architecture: "z80" is none of the allowed words (MalformedCell)',
        "  hint: one of amd64, arm64",
        'instance_types.csv:2.cloud: "moon" is none of the allowed words (MalformedCell)',
        "  hint: one of azure, aws, arc, gcp",
        'instance_types.csv:2.gpu: "No GPU" is not in gpus.csv (MalformedCell)',
        'instance_types.csv:2.gpus: "0" is not a whole number above zero (MalformedCell)',
        'instance_types.csv:2.interconnect: "rope" is none of the allowed words (MalformedCell)',
        "  hint: one of nvlink, pcie, none, or empty",
        'instance_types.csv:2.source: "" is empty (MalformedCell)',
        'instance_types.csv:2.status: "gone" is none of the allowed words (MalformedCell)',
        "  hint: one of current, removed",
    ]


def test_importing_reads_no_file() -> None:
    code = (
        "import sys, importlib.resources as r\n"
        "r.files = lambda *_: sys.exit('read a file at import')\n"
        "from presets import gpus, prices\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)


def test_only_the_graviton_machines_are_arm64() -> None:
    arm = {name for name, one in EVERY.items() if one.architecture == "arm64"}
    assert arm == {name for name in EVERY if name.startswith("g5g.")}
