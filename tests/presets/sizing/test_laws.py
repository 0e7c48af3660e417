"""Laws of `fit`, over random models and machines, and over all that the package carries."""

import random
from collections.abc import Iterator
from dataclasses import replace

import pytest

from presets import catalog, gpus, preset, sizing
from presets.sizing import memory, reasons
from presets.sizing.fits import JOINED_GPUS
from tests.presets import models_and_machines as some

SEEDS = 200
CARRIED = catalog.load().presets
MODES = (
    sizing.Serve(),
    sizing.Serve(8192, adapters=2, sequences=4),
    sizing.Tune("qlora"),
    sizing.Tune("lora", gradient_checkpointing=False),
)


def drawn() -> Iterator[tuple[random.Random, preset.Preset, gpus.InstanceType]]:
    for seed in range(SEEDS):
        draw = random.Random(seed)
        yield draw, some.random_model(draw), some.random_machine(draw)


def fits(known: preset.Preset, on: gpus.InstanceType, mode: sizing.Mode) -> bool:
    return isinstance(sizing.fit(known, on, mode), sizing.Layout)


@pytest.mark.parametrize("mode", MODES, ids=repr)
def test_every_preset_on_every_instance_type_has_an_answer(mode: sizing.Mode) -> None:
    """A layout whose bill is within its capacity, or a misfit that says why."""
    for known in CARRIED:
        for machine in gpus.INSTANCE_TYPES.values():
            check(known, machine, mode, sizing.fit(known, machine, mode))


def check(
    known: preset.Preset,
    machine: gpus.InstanceType,
    mode: sizing.Mode,
    found: sizing.Layout | sizing.Misfit,
) -> None:
    where = f"{known.name} on {machine.name}"
    if isinstance(found, sizing.Misfit):
        assert {reason.code for reason in found.reasons} <= reasons.REASONS.keys(), where
        assert found.reasons, where
        assert found.needed_bytes > 0, where
        return
    assert found.bill.total <= found.bill.capacity == machine.gpu_memory_bytes, where
    assert all(amount >= 0 for _, amount in found.bill.parts), where
    assert {warning.code for warning in found.warnings} <= reasons.WARNINGS.keys(), where
    assert found.gpus_per_replica <= machine.gpus, where
    split = found.tensor_parallel * found.pipeline_parallel
    assert split == found.gpus_per_replica * found.nodes, where
    heads = known.shape.attention_heads
    assert found.tensor_parallel == 1 or not heads % found.tensor_parallel, where
    assert machine.has_bfloat16 or found.dtype != "bfloat16", where
    if isinstance(mode, sizing.Serve):
        assert found.context_tokens >= min(2048, known.context_tokens), where
        assert not found.bill.kv_cache or (
            found.kv_tokens >= mode.sequences * found.context_tokens
        ), where


def test_random_models_on_random_machines_have_an_answer() -> None:
    for _, known, machine in drawn():
        for mode in MODES:
            check(known, machine, mode, sizing.fit(known, machine, mode))


def test_more_memory_never_turns_a_fit_into_a_misfit() -> None:
    for draw, known, machine in drawn():
        mode = draw.choice(MODES)
        larger = replace(
            machine, gpu_memory_bytes=machine.gpu_memory_bytes + draw.randint(1, 2**36)
        )
        before, after = (sizing.fit(known, one, mode) for one in (machine, larger))
        if isinstance(before, sizing.Layout):
            assert isinstance(after, sizing.Layout)
            assert (after.nodes, -after.context_tokens) <= (before.nodes, -before.context_tokens)


def test_more_context_never_needs_less() -> None:
    for draw, known, machine in drawn():
        shorter, longer = sorted(draw.randint(1, known.context_tokens) for _ in range(2))
        less, more = (sizing.Serve(n) for n in (shorter, longer))
        if fits(known, machine, more):
            assert fits(known, machine, less)
        needs = [
            memory.kv_bytes(known.shape, n, 2)
            + memory.serving_bytes(known.shape, memory.inner_width(known.shape), n, 1, 2, 1)
            for n in (shorter, longer)
        ]
        assert needs == sorted(needs)


def test_a_context_that_was_shortened_could_not_be_one_step_longer() -> None:
    shortened = 0
    for _, known, machine in drawn():
        found = sizing.fit(known, machine, sizing.Serve())
        if isinstance(found, sizing.Layout) and found.context_tokens < known.context_tokens:
            shortened += 1
            longer = min(found.context_tokens // 256 * 256 + 256, known.context_tokens)
            asked = sizing.fit(known, machine, sizing.Serve(longer))
            same = isinstance(asked, sizing.Layout) and asked.nodes == found.nodes
            assert not same
    assert shortened > SEEDS / 40


def test_a_context_that_is_served_can_be_asked_for() -> None:
    for _, known, machine in drawn():
        found = sizing.fit(known, machine, sizing.Serve())
        if isinstance(found, sizing.Layout):
            assert fits(known, machine, sizing.Serve(found.context_tokens))


@pytest.mark.parametrize("checkpointing", [True, False])
def test_qlora_never_needs_more_than_lora(*, checkpointing: bool) -> None:
    tried = [(draw, known, machine) for draw, known, machine in drawn()]
    for draw, known, machine in tried:
        tokens = draw.randint(1, min(known.context_tokens, 8192))
        lora, qlora = (
            sizing.fit(
                known, machine, sizing.Tune(way, tokens, gradient_checkpointing=checkpointing)
            )
            for way in ("lora", "qlora")
        )
        if isinstance(lora, sizing.Misfit) and isinstance(qlora, sizing.Misfit):
            assert qlora.needed_bytes <= lora.needed_bytes
        if isinstance(lora, sizing.Layout) and isinstance(qlora, sizing.Layout):
            assert qlora.pipeline_parallel <= lora.pipeline_parallel
        if (machine.compute_capability or (0, 0)) >= (6, 0):  # where NF4 has kernels
            assert fits_qlora(qlora) or not fits_qlora(lora)


def fits_qlora(found: sizing.Layout | sizing.Misfit) -> bool:
    return isinstance(found, sizing.Layout)


def test_what_a_misfit_needs_would_do() -> None:
    """With as much memory as it asks for, memory stands against it no more."""
    for draw, known, machine in drawn():
        mode = draw.choice(MODES)
        found = sizing.fit(known, machine, mode)
        if isinstance(found, sizing.Misfit):
            larger = replace(machine, gpu_memory_bytes=found.needed_bytes)
            again = sizing.fit(known, larger, mode)
            codes = [r.code for r in again.reasons] if isinstance(again, sizing.Misfit) else []
            assert "TooLittleMemory" not in codes
            if found.bill.free < 0:
                smaller = replace(machine, gpu_memory_bytes=found.needed_bytes * 99 // 100)
                assert isinstance(sizing.fit(known, smaller, mode), sizing.Misfit) or (
                    found.gpus > 1 or machine.gpus >= JOINED_GPUS
                )


def test_equal_questions_have_equal_answers() -> None:
    for draw, known, machine in drawn():
        mode = draw.choice(MODES)
        assert sizing.fit(known, machine, mode) == sizing.fit(known, machine, mode)
