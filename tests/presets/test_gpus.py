"""GPUs: what the tables say of them, and what a broken table is answered with."""

import pytest

from presets import gpus, tables

MIB, GIB = 2**20, 2**30
HEADER = ",".join(gpus.GPU_COLUMNS)
MIG_HEADER = ",".join(gpus.MIG_COLUMNS)


def test_bfloat16_begins_with_ampere() -> None:
    names = ("Standard_NC6s_v3", "Standard_NC4as_T4_v3", "Standard_NC24ads_A100_v4")
    assert gpus.without_bfloat16(names) == ("Standard_NC6s_v3", "Standard_NC4as_T4_v3")


@pytest.mark.parametrize("gpu", gpus.GPUS.values(), ids=lambda gpu: gpu.name)
def test_a_gpu_shows_less_than_it_is_sold_with_and_not_much_less(gpu: gpus.Gpu) -> None:
    assert 0.89 * gpu.marketed_gib * GIB < gpu.memory_bytes < gpu.marketed_gib * GIB


@pytest.mark.parametrize("gpu", gpus.GPUS.values(), ids=lambda gpu: gpu.name)
def test_arithmetic_follows_compute_capability(gpu: gpus.Gpu) -> None:
    if gpu.vendor == "nvidia":
        assert gpu.compute_capability is not None
        assert gpu.bfloat16 == (gpu.compute_capability >= gpus.BFLOAT16_CAPABILITY)
        assert gpu.fp8 == (gpu.compute_capability >= gpus.FP8_CAPABILITY)
    else:
        assert gpu.compute_capability is None


@pytest.mark.parametrize("gpu", gpus.GPUS.values(), ids=lambda gpu: gpu.name)
def test_slices_of_a_gpu_fit_into_it(gpu: gpus.Gpu) -> None:
    for profile in gpu.mig:
        assert profile.memory_bytes * profile.per_gpu <= gpu.memory_bytes
        assert profile.resource == f"nvidia.com/mig-{profile.name}"
        sold = int(profile.name.partition(".")[2].removesuffix("gb"))
        assert 0.85 * sold * GIB < profile.memory_bytes < sold * GIB
    sizes = [profile.memory_bytes for profile in gpu.mig]
    assert sizes == sorted(sizes)


def test_the_mig_profiles_are_those_of_the_user_guide() -> None:
    cut = {name: [p.name for p in gpu.mig] for name, gpu in gpus.GPUS.items() if gpu.mig}
    assert cut == {
        "NVIDIA A30": ["1g.6gb", "2g.12gb", "4g.24gb"],
        "NVIDIA A100 40GB": ["1g.5gb", "1g.10gb", "2g.10gb", "3g.20gb", "4g.20gb", "7g.40gb"],
        "NVIDIA A100 80GB": ["1g.10gb", "1g.20gb", "2g.20gb", "3g.40gb", "4g.40gb", "7g.80gb"],
        "NVIDIA H100 80GB": ["1g.10gb", "1g.20gb", "2g.20gb", "3g.40gb", "4g.40gb", "7g.80gb"],
        "NVIDIA H100 NVL": ["1g.12gb", "1g.24gb", "2g.24gb", "3g.47gb", "4g.47gb", "7g.94gb"],
        "NVIDIA H200": ["1g.18gb", "1g.35gb", "2g.35gb", "3g.71gb", "4g.71gb", "7g.141gb"],
        "NVIDIA B200": ["1g.23gb", "1g.45gb", "2g.45gb", "3g.90gb", "4g.90gb", "7g.180gb"],
    }


def test_a_gpu_of_each_vendor_is_counted_in_the_resource_of_its_device_plugin() -> None:
    assert {gpu.vendor: gpu.resource for gpu in gpus.GPUS.values()} == {
        "nvidia": "nvidia.com/gpu",
        "amd": "amd.com/gpu",
        "aws": "aws.amazon.com/neuron",
        "habana": "habana.ai/gaudi",
        "google": "google.com/tpu",
    }


def test_unknown_memory_is_a_conservative_share_and_says_so() -> None:
    row = "X,nvidia,nvidia.com/gpu,16,,8.6,yes,no,unknown"
    (gpu,) = gpus.parse_gpus(f"{HEADER}\n{row}", MIG_HEADER).values()
    assert (gpu.memory_bytes, gpu.memory_known) == (16 * GIB * 9 // 10, False)


def test_the_share_is_below_every_known_one() -> None:
    shares = [g.memory_bytes / g.marketed_gib / GIB for g in gpus.GPUS.values() if g.memory_known]
    assert gpus.UNKNOWN_MEMORY_PERCENT / 100 < min(shares) < 0.915


def test_every_problem_of_a_table_is_named_with_its_place() -> None:
    rows = [
        HEADER,
        "X,matrox,,0,-5,eight,maybe,no,",
        "Y,nvidia",
    ]
    with pytest.raises(tables.MalformedTable) as caught:
        gpus.parse_gpus("\n".join(rows), MIG_HEADER)
    assert str(caught.value).splitlines() == [
        'gpus.csv:2.bfloat16: "maybe" is none of the allowed words (MalformedCell)',
        "  hint: one of yes, no, or empty",
        'gpus.csv:2.compute_capability: "eight" is not MAJOR.MINOR (MalformedCell)',
        'gpus.csv:2.marketed_gib: "0" is not a whole number above zero (MalformedCell)',
        'gpus.csv:2.memory_mib: "-5" is not a whole number above zero (MalformedCell)',
        'gpus.csv:2.resource: "" is empty (MalformedCell)',
        'gpus.csv:2.source: "" is empty (MalformedCell)',
        'gpus.csv:2.vendor: "matrox" is none of the allowed words (MalformedCell)',
        "  hint: one of nvidia, amd, aws, google, habana, intel",
        'gpus.csv:3: ["Y", "nvidia"] has 2 cells, not 9 (MalformedCell)',
    ]


def test_a_table_with_other_columns_is_refused() -> None:
    with pytest.raises(
        tables.MalformedTable, match=r"gpus\.csv:1: columns are name,vendor, not name"
    ):
        gpus.parse_gpus("name,vendor\n", MIG_HEADER)


def test_a_name_twice_is_refused() -> None:
    row = "X,nvidia,nvidia.com/gpu,16,15000,8.6,yes,no,measured"
    with pytest.raises(tables.MalformedTable, match=r'gpus\.csv:3\.name: "X" is there already'):
        gpus.parse_gpus(f"{HEADER}\n{row}\n{row}", MIG_HEADER)


def test_slices_of_a_gpu_that_is_not_there_are_refused() -> None:
    with pytest.raises(
        tables.MalformedTable, match=r'mig_profiles\.csv:2\.gpu: "X" is not in gpus'
    ):
        gpus.parse_gpus(HEADER, f"{MIG_HEADER}\nX,1g.5gb,4864,7,guide")
