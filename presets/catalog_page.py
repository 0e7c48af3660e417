"""The page docs/reference/presets.md, written from the catalogue; `make golden` renews it."""

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from itertools import groupby

from presets import preset

_GIB = 2**30

KEYS: dict[str, str] = {
    "family": "name of the family; one file holds one family",
    "sources": "figure to its source, for all presets of the file; `*` is for every other figure",
    "presets[].name": "lower case, fit for the value of a label",
    "presets[].aliases": "other names; the hub id is one without being listed",
    "presets[].licence": "SPDX identifier or the licence's own name",
    "presets[].gated": "whether the hub asks for a token and an accepted licence; absent: unknown",
    "presets[].weights.hub": "`org/name` of the hub; this or `directory`",
    "presets[].weights.revision": "commit of the hub repository, 40 hexadecimal digits;"
    " absent: not pinned",
    "presets[].weights.directory": "directory of the runtime image",
    "presets[].weights.size_bytes": "size of the weight files, a whole number of bytes",
    "presets[].weights.parameters": "parameters, all experts counted",
    "presets[].weights.quantization": "`fp8`, `mxfp4`, `nvfp4`, `awq`, `gptq`, `int4`, ...;"
    " absent: none",
    "presets[].shape.architecture": "class name in transformers",
    "presets[].shape.hidden_size": "width of the network",
    "presets[].shape.attention_heads": "query heads of a layer; 0: no layer attends",
    "presets[].shape.vocabulary_size": "tokens of the vocabulary",
    "presets[].shape.intermediate_size": "inner width of the MLP; of a mixture, of all experts that"
    " one token passes",
    "presets[].shape.tied_head": "the output head is the table of embeddings",
    "presets[].shape.layers[].count": "layers that remember a sequence alike",
    "presets[].shape.layers[].kind": "`full`: every token; `sliding`: the last ones; `latent`: one"
    " compressed vector for every token; `state`: a state of fixed size",
    "presets[].shape.layers[].kv_heads": "full, sliding: heads of keys and values",
    "presets[].shape.layers[].head_dim": "full, sliding: values of one key and of one value",
    "presets[].shape.layers[].window_tokens": "sliding: tokens that are remembered",
    "presets[].shape.layers[].latent_dim": "latent: values of the vector",
    "presets[].shape.layers[].state_bytes": "state: bytes of one layer for one sequence",
    "presets[].dtype": "`bfloat16`, `float16` or `float32`, where the GPU has it",
    "presets[].context_tokens": "longest prompt plus answer",
    "presets[].serving.runtimes": "of `vllm`, `transformers`, `torchrun`, those known to serve it",
    "presets[].serving.chat_template": "file of the template; absent: the tokenizer's own",
    "presets[].serving.tool_parser": "vLLM's parser of tool calls",
    "presets[].serving.reasoning_parser": "vLLM's parser of reasoning",
    "presets[].serving.trust_remote_code": "transformers must run code of the model's repository",
    "presets[].serving.kv_dtype": "type of the KV cache; absent: as `dtype`",
    "presets[].tuning": "of `lora`, `qlora`; absent: it cannot be tuned",
    "presets[].cpu": "a node without GPU serves it at a bearable pace",
    "presets[].gpus": "GPUs of one replica; absent: the sizing decides",
    "presets[].instance_types": "where it runs, in order; absent: the offers decide",
    "presets[].sources": "the same as the family's, for this preset",
    "presets[].notes": "what is uncertain or differs from what others publish",
}
"""Every key of a file of presets; tests/presets/test_catalog_page.py holds it against the form."""


def markdown(presets: Iterable[preset.Preset]) -> str:
    """The whole page, in Markdown."""
    known = sorted(presets, key=lambda one: (one.family, one.name))
    families = groupby(known, key=lambda one: one.family)
    parts = [
        _head(len(known)),
        *(_family(name, list(members)) for name, members in families),
        _form(),
    ]
    return "\n".join(parts)


def kv_text(one: preset.Preset) -> str:
    """KV cache bytes per token inside every window, and beyond them where that differs."""
    width = 1 if one.serving.kv_dtype == "fp8" else 4 if one.dtype == "float32" else 2
    near = sum(group.count * group.token_values for group in one.shape.layers) * width
    far = near - width * sum(
        group.count * group.token_values
        for group in one.shape.layers
        if group.kind == preset.SLIDING
    )
    return f"{near:,}" if near == far else f"{near:,}, then {far:,}"


def _head(count: int) -> str:
    return f"""# Presets

Generated from `presets/models/`; `make golden` renews it.

{count} presets. A name, an alias or a hub id finds one, in whatever case. A label cannot hold the
`/` of a hub id, so the label `kaito.sh/preset` takes names and the aliases without one.

- **weights**: size of the weight files in GiB (2^30 bytes), with the quantization of the files.
- **KV cache**: bytes that one more token of one sequence takes in all layers together. Where layers
  have a window, the second figure is for tokens beyond it. States of fixed size are not in it.
- **tuning**: adapters that can be trained; `-` is not known to work.
- **CPU**: small enough that a node without GPU serves it.
- **gated**: the hub asks for a token and an accepted licence; `?` is unknown.
"""


_TABLE = """| preset | licence | gated | parameters | weights | attention | KV cache | context \
| runtimes | tuning | CPU |
|---|---|---|---|---|---|---|---|---|---|---|"""


def _family(name: str, members: list[preset.Preset]) -> str:
    rows = "\n".join(_row(one) for one in members)
    shared = set.intersection(*(set(one.sources) for one in members))
    sources = "\n".join(_source(pair) for pair in sorted(shared))
    details = "\n".join(_details(one, shared) for one in members)
    return f"## {name}\n\n{_TABLE}\n{rows}\n\n{sources}\n\n{details}\n"


def _row(one: preset.Preset) -> str:
    cells = (
        f"`{one.name}`",
        one.licence,
        {True: "yes", False: "no", None: "?"}[one.gated],
        _billions(one.weights.parameters),
        f"{one.weights.size_bytes / _GIB:.2f} {one.weights.quantization}".rstrip(),
        one.shape.attention,
        kv_text(one),
        f"{one.context_tokens:,}",
        ", ".join(one.serving.runtimes),
        ", ".join(one.tuning.methods) or "-",
        "yes" if one.cpu else "-",
    )
    return f"| {' | '.join(cells)} |"


def _billions(parameters: int | None) -> str:
    if parameters is None:
        return "?"
    return f"{parameters / 10**9:.2f} B" if parameters >= 10**8 else f"{parameters / 10**6:.1f} M"


_Pair = tuple[str, str]
"""A figure and its source."""


def _source(pair: _Pair) -> str:
    figure = "everything else" if pair[0] == "*" else pair[0].replace("_", " ")
    return f"- source of {figure}: {pair[1]}"


def _details(one: preset.Preset, shared: AbstractSet[_Pair]) -> str:
    own = (_source(pair) for pair in one.sources if pair not in shared)
    return "\n".join([f"**{one.name}**", "", *_facts(one), *own]) + "\n"


def _facts(one: preset.Preset) -> Iterator[str]:
    if one.aliases:
        yield f"- also: {', '.join(f'`{alias}`' for alias in one.aliases)}"
    if one.weights.revision:
        yield f"- revision: `{one.weights.revision}`"
    yield f"- layers: {'; '.join(map(_layers, one.shape.layers))}"
    for name in ("chat_template", "tool_parser", "reasoning_parser", "kv_dtype"):
        if value := getattr(one.serving, name):
            yield f"- {name.replace('_', ' ')}: `{value}`"
    if one.notes:
        yield f"- {one.notes}"


def _layers(group: preset.LayerGroup) -> str:
    said = {
        preset.FULL: f"{group.kv_heads} KV heads of {group.head_dim}",
        preset.SLIDING: f"{group.kv_heads} KV heads of {group.head_dim},"
        f" window {group.window_tokens:,}",
        preset.LATENT: f"vector of {group.latent_dim}",
        preset.STATE: "nothing",
    }[group.kind]
    if group.state_bytes:
        state = f"{group.state_bytes:,} bytes per sequence"
        said = state if group.kind == preset.STATE else f"{said}, {state}"
    return f"{group.count} {group.kind} ({said})"


def _form() -> str:
    rows = "\n".join(f"| `{key}` | {meaning} |" for key, meaning in KEYS.items())
    return f"""## Own presets

A directory of YAML files, or the `data` of a ConfigMap, in the same form as `presets/models/`. A
preset of a carried name replaces it; any other is added. Every mistake of every file is told at
once, with file, path and value.

| key | meaning |
|---|---|
{rows}
"""
