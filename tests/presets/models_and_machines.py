"""Models and machines for the tests of sizing, bent in one line."""

import random
from dataclasses import replace

from presets import gpus, preset

GIB = 2**30

PHI = preset.Preset(
    name="phi-3-mini-128k-instruct",
    family="phi",
    aliases=(),
    hub_id="microsoft/Phi-3-mini-128k-instruct",
    licence="MIT",
    gated=False,
    weights=preset.Weights("microsoft/Phi-3-mini-128k-instruct", "", 7_642_159_104, 3_821_079_552),
    shape=preset.Shape(
        "Phi3ForCausalLM", 3072, 32, 32_064, 8192, (preset.LayerGroup(32, "full", 32, 96),)
    ),
    dtype="bfloat16",
    context_tokens=131_072,
    serving=preset.Serving(("vllm", "transformers")),
    tuning=preset.Tuning(("lora", "qlora")),
)
"""32 layers of 32 key heads of 96: 393,216 bytes per token."""


def source_of(known: preset.Preset, figure: str) -> str:
    """Where a figure comes from."""
    stated = dict(known.sources)
    return stated.get(figure, stated.get("*", ""))


def machine(
    gib: float = 80,
    count: int = 1,
    capability: tuple[int, int] | None = (8, 0),
    resource: str = gpus.GPU_RESOURCE,
    mig: tuple[gpus.MigProfile, ...] = (),
) -> gpus.InstanceType:
    """A machine with `count` GPUs of `gib` visible memory."""
    known = capability or (0, 0)
    gpu = gpus.Gpu(
        name="some GPU",
        vendor=resource.split(".", maxsplit=1)[0],
        marketed_gib=round(gib),
        memory_bytes=round(gib * GIB),
        memory_known=True,
        compute_capability=capability,
        bfloat16=known >= (8, 0),
        fp8=known >= (8, 9),
        resource=resource,
        mig=mig,
    )
    return gpus.InstanceType("some-machine", "azure", gpu, count, gpu.memory_bytes)


def without_gpu(gib: float) -> gpus.InstanceType:
    """A machine that computes on its CPUs."""
    return replace(machine(), gpus=0, gpu_memory_bytes=0, host_memory_bytes=round(gib * GIB))


def random_model(draw: random.Random) -> preset.Preset:
    """A model of any shape that transformers could have: attention, windows, latents, states."""
    heads = draw.choice((1, 4, 8, 12, 16, 32, 64, 71))
    hidden = 64 * draw.randint(2, 128)
    layers = tuple(_group(draw, heads) for _ in range(draw.randint(1, 3)))
    vocabulary = draw.choice((None, 32_000, 151_936, 262_144))
    inner = draw.choice((None, hidden, 4 * hidden))
    shape = preset.Shape(
        draw.choice(("LlamaForCausalLM", "Gemma3ForCausalLM")),
        hidden,
        heads,
        vocabulary,
        inner,
        layers,
        tied_head=draw.random() < 0.5,
    )
    parameters = 12 * shape.layer_count * hidden**2 + 2 * (vocabulary or 0) * hidden
    quantization = draw.choice(("", "", "fp8", "gptq", "mxfp4"))
    size = parameters * (1 if quantization else 2)
    known = draw.choice((parameters, None))
    return replace(
        PHI,
        weights=preset.Weights("a/b", "", size, known, quantization),
        shape=shape,
        dtype=draw.choice(("bfloat16", "float16", "float32")),
        context_tokens=draw.choice((512, 1000, 2048, 4096, 40_960, 131_072, 1_048_576)),
        serving=replace(
            PHI.serving,
            runtimes=draw.choice((("vllm",), ("transformers",), ("vllm", "transformers"))),
            kv_dtype=draw.choice(("", "fp8")),
        ),
    )


def _group(draw: random.Random, heads: int) -> preset.LayerGroup:
    count, kind = draw.randint(1, 40), draw.choice(preset.KINDS)
    if kind == preset.STATE:
        return preset.LayerGroup(count, kind, state_bytes=draw.randint(0, 4 << 20))
    if kind == preset.LATENT:
        return preset.LayerGroup(count, kind, latent_dim=draw.choice((320, 576)))
    window = draw.choice((512, 4096)) if kind == preset.SLIDING else 0
    keys = draw.choice([n for n in (1, 2, 4, 8, 71, heads) if not heads % n])
    return preset.LayerGroup(count, kind, keys, draw.choice((64, 96, 128)), window)


def random_machine(draw: random.Random) -> gpus.InstanceType:
    """Any number of GPUs of any size and age."""
    capability = draw.choice(((3, 7), (7, 0), (7, 5), (8, 0), (8, 9), (9, 0), (10, 0)))
    gib = draw.choice((4, 8, 14.6, 15.8, 22, 39.4, 79.1, 139.8, 178))
    return machine(gib, draw.choice((1, 1, 2, 3, 4, 8, 16)), capability)
