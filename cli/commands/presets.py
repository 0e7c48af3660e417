"""`plainsail presets`: the models that a name stands for, and what is known of one."""

import argparse
import dataclasses
import sys
from collections.abc import Iterator
from typing import Any

from cli import figures, lookup, render
from presets import preset
from presets.sizing import memory


def register(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb and its flags."""
    parser = verbs.add_parser(
        "presets",
        allow_abbrev=False,
        help="list the models that have a name, or show one",
        description="List the presets, or show everything that is known of one and where it comes"
        " from. Names, aliases and hub ids work, in whatever case.",
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help="preset; all if left out")
    render.add_flag(parser, "text")
    lookup.add_flag(parser)
    parser.set_defaults(run=run)


def run(flags: argparse.Namespace) -> int:
    """Print the presets; 0, or 2 for an unknown name."""
    objects, lines = _shown(flags)
    text = render.as_json([objects]) if flags.output == "json" else "\n".join(lines) + "\n"
    sys.stdout.write(text)
    return 0


def _shown(flags: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    if flags.name is not None:
        one = lookup.model(flags.name, flags.presets)
        return dataclasses.asdict(one), [*details(one)]
    known = lookup.catalogue(flags.presets).presets
    return {"presets": [dataclasses.asdict(each) for each in known]}, table(known)


def table(known: tuple[preset.Preset, ...]) -> list[str]:
    """One line per preset."""
    head = ("NAME", "WEIGHTS", "CONTEXT", "ATTENTION", "TUNE")
    rows = (
        (
            one.name,
            figures.size(one.weights.size_bytes),
            f"{one.context_tokens:,}",
            one.shape.attention,
            "yes" if one.tuning.methods else "",
        )
        for one in known
    )
    return figures.columns([head, *rows], right=(1, 2))


def details(one: preset.Preset) -> Iterator[str]:
    """What is known of a preset, and where it comes from."""
    yield one.name
    yield ""
    yield from figures.fields(_facts(one), "  ")
    if one.sources:
        yield ""
        yield "Sources"
        yield from figures.fields(
            (("all else" if figure == "*" else figure, text) for figure, text in one.sources), "  "
        )


def _facts(one: preset.Preset) -> Iterator[tuple[str, str]]:
    weights, serving = one.weights, one.serving
    yield "model", weights.source + (f" at {weights.revision[:12]}" if weights.revision else "")
    gated = {True: "gated", False: "not gated", None: "gating unknown"}[one.gated]
    yield "licence", f"{one.licence}, {gated}" if one.hub_id else one.licence
    count = f", {weights.parameters:,} parameters" if weights.parameters else ""
    stored = f", {weights.quantization}" if weights.quantization else ""
    yield "weights", f"{figures.size(weights.size_bytes)}{count}{stored}"
    yield "computes in", one.dtype
    yield "context", f"{one.context_tokens:,} tokens, {_cache(one)}"
    yield "layers", ", ".join(_group(group) for group in one.shape.layers)
    yield "served by", ", ".join(serving.runtimes) + (" (its own code)" * serving.trust_remote_code)
    yield "chat template", serving.chat_template
    yield "tool parser", serving.tool_parser
    yield "reasoning parser", serving.reasoning_parser
    yield "tuned with", ", ".join(one.tuning.methods) or "nothing known"
    yield "without GPU", "small enough" if one.cpu else ""
    yield "GPUs", str(one.gpus) if one.gpus else ""
    yield "preferred", ", ".join(one.instance_types)
    yield "also called", ", ".join(one.aliases)
    yield "notes", one.notes


def _cache(one: preset.Preset) -> str:
    width = memory.DTYPE_BYTES[one.serving.kv_dtype or one.dtype]
    return f"{figures.size(memory.kv_bytes(one.shape, one.context_tokens, width))} of KV cache"


def _group(group: preset.LayerGroup) -> str:
    count = figures.plural(group.count, "layer")
    if group.kind == preset.STATE:
        kept = f"of a state of {figures.size(group.state_bytes)}"
        return f"{count} {kept}" if group.state_bytes else f"{count} without memory"
    if group.kind == preset.LATENT:
        return f"{count} of latent attention, {group.latent_dim} values a token"
    heads = f"{figures.plural(group.kv_heads, 'key head')} of {group.head_dim}"
    if group.kind == preset.SLIDING:
        return f"{count} of {heads}, window {group.window_tokens:,}"
    return f"{count} of {heads}"
