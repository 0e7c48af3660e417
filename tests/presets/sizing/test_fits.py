"""Layouts and misfits: the examples of the documentation, every GPU's age, slices and CPUs."""

from dataclasses import replace

import pytest

from presets import catalog, gpus, offers, preset, sizing
from presets.preset import LayerGroup
from tests.presets.models_and_machines import GIB, PHI, machine, without_gpu

V100 = machine(15.77, 1, (7, 0))
SERVE = sizing.Serve()


def layout(known: preset.Preset, on: gpus.InstanceType, mode: sizing.Mode = SERVE) -> sizing.Layout:
    found = sizing.fit(known, on, mode)
    assert isinstance(found, sizing.Layout), found
    return found


def misfit(known: preset.Preset, on: gpus.InstanceType, mode: sizing.Mode = SERVE) -> sizing.Misfit:
    found = sizing.fit(known, on, mode)
    assert isinstance(found, sizing.Misfit), found
    return found


def codes(notes: tuple[sizing.Reason, ...]) -> list[str]:
    return [note.code for note in notes]


def test_phi_3_mini_4k_on_a_v100_is_served_whole_in_float16() -> None:
    known = catalog.load().find("phi-3-mini-4k-instruct")
    assert known is not None
    found = layout(known, gpus.INSTANCE_TYPES["Standard_NC6s_v3"])
    assert (found.dtype, found.gpus_per_replica) == ("float16", 1)
    assert found.context_tokens == 4096
    assert found.kv_tokens == 19_011
    assert found.bill.kv_cache == 4096 * 393_216
    assert codes(found.warnings) == ["NoBfloat16", "OldGpu"]


def test_phi_3_mini_128k_on_a_v100_is_served_with_the_context_that_fits() -> None:
    """And not one step more: 256 tokens of cache are 96 MiB."""
    known = catalog.load().find("phi-3-mini-128k-instruct")
    assert known is not None
    found = layout(known, gpus.INSTANCE_TYPES["Standard_NC6s_v3"])
    assert found.context_tokens == 17_920
    assert 0 <= found.bill.free < 256 * 393_216
    assert "ContextShortened" in codes(found.warnings)


def test_phi_3_mini_128k_tuned_with_qlora_fits_the_v100_with_checkpointing() -> None:
    """4.84 GiB and the overhead, at 2,048 tokens an example."""
    known = catalog.load().find("phi-3-mini-128k-instruct")
    assert known is not None
    found = layout(known, gpus.INSTANCE_TYPES["Standard_NC6s_v3"], sizing.Tune("qlora"))
    assert found.dtype == "float16"
    assert (found.bill.total - found.bill.overhead) / GIB == pytest.approx(4.84, abs=0.01)


def test_without_checkpointing_it_says_what_it_needs_and_which_machine_has_it() -> None:
    """KAITO measured 72 GiB on its own tuning Jobs, which keep the activations."""
    known = catalog.load().find("phi-3-mini-128k-instruct")
    assert known is not None
    mode = sizing.Tune("qlora", 8192, gradient_checkpointing=False)
    found = misfit(known, gpus.INSTANCE_TYPES["Standard_NC6s_v3"], mode)
    assert found.needed_bytes / GIB == pytest.approx(72, rel=0.03)
    assert found.biggest == "activations"
    assert codes(found.reasons) == ["TooLittleMemory"]
    cheapest = offers.choose(known, mode).cheapest
    assert cheapest is not None
    assert cheapest.instance_type.name == "Standard_NC24ads_A100_v4"


def test_the_reason_names_memory_and_what_takes_it() -> None:
    found = misfit(PHI, machine(8))
    assert found.reasons == (
        sizing.Reason("TooLittleMemory", "it needs 9.4 GiB and has 8.0, most of it for weights"),
    )
    layout(PHI, machine(found.needed_bytes / GIB))
    assert isinstance(
        sizing.fit(PHI, machine(found.needed_bytes / GIB - 0.01), sizing.Serve()), (sizing.Misfit)
    )


def test_the_smallest_gpu_that_would_do() -> None:
    small, large, old = (
        machine(gib, 1, cc).model for gib, cc in ((9.6, (8, 0)), (80, (8, 0)), (9.6, (3, 7)))
    )
    found = misfit(PHI, machine(8))
    assert sizing.sufficient(found, (large, old, small)) is small
    assert sizing.sufficient(found, (old,)) is None


@pytest.mark.parametrize(
    ("count", "tensor"), [(1, 1), (2, 2), (4, 4), (8, 8), (16, 16), (6, 2), (3, 1)]
)
def test_tensor_parallelism_divides_the_heads(count: int, tensor: int) -> None:
    """32 query heads and 8 key heads on all GPUs of the machine."""
    known = replace(
        PHI,
        shape=replace(PHI.shape, layers=(LayerGroup(48, "full", 8, 128),)),
        weights=replace(PHI.weights, size_bytes=count * 10 * GIB, parameters=None),
        context_tokens=4096,
    )
    found = layout(known, machine(12.9, count))
    assert (found.tensor_parallel, found.pipeline_parallel) == (tensor, count // tensor)


def test_71_heads_are_divided_by_layers_instead() -> None:
    """Falcon-7b: no number of GPUs of a machine divides its heads."""
    shape = replace(PHI.shape, attention_heads=71, layers=(LayerGroup(32, "full", 1, 64),))
    found = layout(replace(PHI, shape=shape), machine(6.5, 2))
    assert (found.tensor_parallel, found.pipeline_parallel) == (1, 2)


def test_transformers_divides_layers() -> None:
    known = replace(PHI, serving=preset.Serving(("transformers",)), context_tokens=4096)
    found = layout(known, machine(7, 2))
    assert (found.tensor_parallel, found.pipeline_parallel) == (1, 2)


def test_what_one_gpu_holds_is_served_as_often_as_there_are_gpus() -> None:
    found = layout(PHI, machine(80, 8))
    assert (found.gpus_per_replica, found.data_parallel) == (1, 8)


def test_a_whole_context_is_worth_more_gpus_and_a_shorter_wish_takes_fewer() -> None:
    assert layout(PHI, machine(40, 4)).gpus_per_replica == 2
    assert layout(PHI, machine(40, 4), sizing.Serve(8192)).gpus_per_replica == 1


def test_a_model_larger_than_a_machine_takes_the_fewest_machines() -> None:
    weights = replace(PHI.weights, size_bytes=900 * GIB, parameters=None)
    large = replace(PHI, weights=weights, context_tokens=4096)
    found = layout(large, machine(79.1, 8))
    assert (found.nodes, found.tensor_parallel, found.pipeline_parallel) == (2, 8, 2)
    assert "TooLittleMemory" in codes(misfit(large, machine(79.1, 2)).reasons)


def test_the_authors_number_of_gpus_is_kept() -> None:
    found = layout(replace(PHI, gpus=2), machine(80, 8))
    assert (found.gpus_per_replica, found.data_parallel) == (2, 4)
    assert "TooFewGpus" in codes(misfit(replace(PHI, gpus=2), machine(80, 1)).reasons)


def test_a_wish_for_more_than_the_model_has_is_refused() -> None:
    assert codes(misfit(PHI, machine(178), sizing.Serve(200_000)).reasons) == ["ContextTooLong"]


def test_a_wish_is_served_as_it_is_or_not_at_all() -> None:
    assert layout(PHI, V100, sizing.Serve(10_001)).context_tokens == 10_001
    assert codes(misfit(PHI, V100, sizing.Serve(40_000)).reasons) == ["TooLittleMemory"]


def test_everything_that_stands_against_it_is_said_at_once() -> None:
    packed = replace(PHI, weights=replace(PHI.weights, quantization="awq"), gpus=2)
    found = misfit(packed, machine(4, 1, (7, 0)), sizing.Serve(200_000))
    assert codes(found.reasons) == [
        "CapabilityTooLow",
        "TooFewGpus",
        "ContextTooLong",
        "TooLittleMemory",
    ]


@pytest.mark.parametrize(
    ("quantization", "capability", "runs", "warned"),
    [
        ("fp8", (7, 0), False, False),
        ("fp8", (8, 0), True, True),
        ("fp8", (8, 9), True, False),
        ("mxfp4", (7, 5), False, False),
        ("mxfp4", (9, 0), True, False),
        ("nvfp4", (9, 0), True, True),
        ("awq", (7, 0), False, False),
        ("gptq", (7, 0), True, False),
        ("", (3, 7), False, False),
        ("", (7, 0), True, False),
    ],
)
def test_kernels_by_compute_capability(
    quantization: str, capability: tuple[int, int], *, runs: bool, warned: bool
) -> None:
    packed = replace(PHI, weights=replace(PHI.weights, quantization=quantization))
    found = sizing.fit(packed, machine(80, 1, capability), sizing.Serve())
    assert isinstance(found, sizing.Layout) is runs
    if isinstance(found, sizing.Layout):
        assert ("UnpackedWeights" in codes(found.warnings)) is warned


def test_what_overflows_in_float16_is_loaded_in_float32() -> None:
    gemma = replace(PHI, shape=replace(PHI.shape, architecture="Gemma3ForCausalLM"))
    found = layout(gemma, machine(40, 1, (7, 5)), sizing.Serve(2048))
    assert found.dtype == "float32"
    assert found.bill.weights == 2 * PHI.weights.size_bytes
    assert found.bill.kv_cache == 2048 * 2 * 393_216


def test_an_fp8_cache_counts_where_the_gpu_has_fp8() -> None:
    known = replace(PHI, serving=replace(PHI.serving, kv_dtype="fp8"))
    new, old = (machine(80, 1, capability) for capability in ((9, 0), (8, 0)))
    assert 2 * layout(known, new).bill.kv_cache == layout(known, old).bill.kv_cache


@pytest.mark.parametrize("resource", ["amd.com/gpu", "habana.ai/gaudi", "google.com/tpu"])
def test_devices_without_a_build_are_refused(resource: str) -> None:
    found = misfit(PHI, machine(80, 1, None, resource))
    assert codes(found.reasons) == ["UnservedDevice"]


def test_a_slice_serves_alone_and_is_asked_for_by_its_name() -> None:
    profile = gpus.MigProfile("3g.40gb", 39 * GIB, 2)
    found = sizing.fit(PHI, machine(79, 4, mig=(profile,)), sizing.Serve(4096), mig=profile)
    assert isinstance(found, sizing.Layout)
    assert (found.gpus_per_replica, found.data_parallel) == (1, 8)
    assert found.resource == "nvidia.com/mig-3g.40gb"
    assert found.bill.capacity == 39 * GIB


def test_a_small_model_is_served_without_gpu_and_no_other() -> None:
    small = replace(PHI, cpu=True)
    found = layout(small, without_gpu(32), sizing.Serve(4096))
    assert (found.gpus_per_replica, found.dtype, found.resource) == (0, "bfloat16", "")
    assert codes(misfit(small, without_gpu(8)).reasons) == ["TooLittleMemory"]
    assert codes(misfit(PHI, without_gpu(32)).reasons) == ["NeedsGpu"]
    assert codes(misfit(small, without_gpu(32), sizing.Tune()).reasons) == ["NeedsGpu"]


def test_adapters_and_sequences_take_their_room() -> None:
    plain, more = layout(PHI, machine()), layout(PHI, machine(), sizing.Serve(4096, 8, 16))
    assert more.bill.adapters == 8 * 2 * 16 * 32 * (4 * 6144 + 3 * 11_264)
    assert plain.bill.adapters == 0
    assert more.bill.kv_cache == 16 * 4096 * 393_216


def test_a_model_that_no_way_is_known_to_tune() -> None:
    found = misfit(replace(PHI, tuning=preset.Tuning()), machine(), sizing.Tune("lora"))
    assert found.reasons == (
        sizing.Reason("CannotBeTuned", "no way to tune it with lora; known: none"),
    )


def test_tuning_takes_the_fewest_gpus_for_a_copy_and_copies_for_the_rest() -> None:
    mode = sizing.Tune("lora", 8192, gradient_checkpointing=False)
    found = layout(PHI, machine(79, 8), mode)
    assert (found.pipeline_parallel, found.data_parallel) == (1, 8)
    found = layout(PHI, machine(44, 8), mode)
    assert (found.pipeline_parallel, found.data_parallel, found.tensor_parallel) == (2, 4, 1)


def test_machines_that_differ_in_processors_alone_are_laid_out_once() -> None:
    fits = sizing.Fits(PHI, SERVE)
    first = fits.on(replace(machine(), cpus=6, nvme=False))
    assert fits.on(replace(machine(), name="larger", cpus=96, nvme=True)) is first
    assert fits.on(machine(79, 2)) is not first


@pytest.mark.parametrize(
    "wrong", [{"context_tokens": 0}, {"sequences": 0}, {"context_tokens": -5}], ids=str
)
def test_a_mode_counts_from_one(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="not above zero"):
        sizing.Serve(**wrong)


def test_a_mode_of_tuning_is_lora_or_qlora() -> None:
    with pytest.raises(ValueError, match="neither lora nor qlora: 'dora'"):
        sizing.Tune("dora")
