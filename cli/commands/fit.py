"""`plainsail fit`: whether a model fits a machine, its memory bill, its price, what else fits."""

import argparse
import dataclasses
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cli import bills, figures, lookup, render
from cli.commands import offers as offers_command
from presets import annotations, gpus, money, offers, preset, prices, runtime_args, sizing

ALTERNATIVES = 3
"""Other machines that are named."""


@dataclasses.dataclass(frozen=True)
class Answer:
    """A model on a machine."""

    known: preset.Preset
    mode: sizing.Mode
    machine: gpus.InstanceType
    mig: gpus.MigProfile | None
    found: sizing.Layout | sizing.Misfit
    others: tuple[offers.Offer, ...]
    """The cheapest other machines that would do."""


def register(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb and its flags."""
    parser = verbs.add_parser(
        "fit",
        allow_abbrev=False,
        help="show whether a model fits a machine, and what takes the memory",
        description="Show how a model is laid out on an instance type, the memory bill of one GPU,"
        " the price, and what else would do. Without --instance-type the cheapest that fits is"
        " taken. The exit status is 1 where it does not fit.",
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help="preset")
    parser.add_argument("--instance-type", metavar="TYPE", help="`local`: this machine's CPU")
    parser.add_argument("--mig", metavar="PROFILE", help="on slices of the GPU, such as 1g.10gb")
    parser.add_argument("--tuning", choices=["lora", "qlora"], help="tune it instead of serving")
    parser.add_argument(
        "--context", type=_count, metavar="TOKENS", help="prompt plus answer, or one example"
    )
    parser.add_argument("--sequences", type=_count, default=1, help="served at once (1)")
    parser.add_argument("--batch", type=_count, default=1, help="examples of a tuning step (1)")
    parser.add_argument(
        "--keep-activations",
        action="store_true",
        help="tune without gradient checkpointing: faster, and much more memory",
    )
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="config.json of a model without a preset, or the directory that holds it",
    )
    parser.add_argument(
        "--hub",
        action="store_true",
        help="NAME is org/name: ask the hub for its config and sizes (uses the network)",
    )
    render.add_flag(parser, "text")
    lookup.add_flag(parser)
    parser.set_defaults(run=run, parser=parser)


def run(flags: argparse.Namespace) -> int:
    """Print the answer; 0 it fits, 1 it does not, 2 an unknown name."""
    if flags.name is None and flags.config is None:
        flags.parser.error("give NAME, or --config for a model without a preset")
    if flags.hub and flags.config:
        flags.parser.error("--hub and --config exclude each other")
    if flags.mig and not flags.instance_type:
        flags.parser.error("--mig needs --instance-type")
    answer = _answer(flags)
    if flags.output == "json":
        sys.stdout.write(render.as_json([_as_json(answer)]))
    else:
        block = bills.encodable(sys.stdout.encoding)
        sys.stdout.write("\n".join(_text(answer, block)) + "\n")
    return 0 if isinstance(answer.found, sizing.Layout) else 1


def _answer(flags: argparse.Namespace) -> Answer:
    if flags.config:
        known = lookup.from_config(flags.config, flags.name)
    elif flags.hub:
        known = lookup.from_hub(flags.name)
    else:
        known = lookup.model(flags.name, flags.presets)
    mode = _mode(flags)
    given = lookup.machine(flags.instance_type) if flags.instance_type else None
    mig = lookup.mig_profile(given, flags.mig) if given and flags.mig else None
    choice = offers.choose(known, mode)
    machine = given or (choice.offers[0].instance_type if choice.offers else _largest())
    others = tuple(one for one in choice.offers if one.instance_type.name != machine.name)
    found = sizing.fit(known, machine, mode, mig=mig)
    return Answer(known, mode, machine, mig, found, others[:ALTERNATIVES])


def _mode(flags: argparse.Namespace) -> sizing.Mode:
    if not flags.tuning:
        return sizing.Serve(flags.context, sequences=flags.sequences)
    return sizing.Tune(
        flags.tuning,
        flags.context,
        batch=flags.batch,
        gradient_checkpointing=not flags.keep_activations,
    )


def _largest() -> gpus.InstanceType:
    """The machine that comes closest to what fits nowhere."""
    served = (m for m in gpus.INSTANCE_TYPES.values() if m.resource == gpus.GPU_RESOURCE)
    return max(served, key=lambda machine: (machine.memory_bytes, machine.name))


def _text(answer: Answer, block: str) -> Iterator[str]:
    found, machine = answer.found, answer.machine
    where = (
        machine.name if machine.gpus == 0 else f"{machine.name} ({figures.machines(machine, 1)})"
    )
    yield f"{answer.known.name} on {where}"
    yield ""
    if isinstance(found, sizing.Layout):
        yield from figures.fields(_layout(answer, found))
    else:
        yield "Does not fit:"
        yield from _notes(found.reasons)
    if isinstance(found, sizing.Layout) or found.bill.free < 0:
        yield ""
        yield _heading(answer)
        yield from bills.lines(found.bill, block)
    if isinstance(found, sizing.Layout) and found.warnings:
        yield ""
        yield "To know:"
        yield from _notes(found.warnings)
    yield from _instead(answer)


def _layout(answer: Answer, layout: sizing.Layout) -> Iterator[tuple[str, str]]:
    yield "fits", f"{_doing(answer.mode)} in {layout.dtype} on {_devices(answer, layout)}"
    if layout.nodes > 1:
        yield "pods", f"a StatefulSet of {layout.nodes}, one on each machine{_not_yet()}"
    tokens = f"{layout.context_tokens:,}"
    if isinstance(answer.mode, sizing.Serve):
        own = answer.known.context_tokens
        less = "" if layout.context_tokens == own else f" of the model's {own:,}"
        yield "context", f"{tokens} tokens{less}"
        yield "cache", f"room for {layout.kv_tokens:,} tokens in all"
    else:
        yield "example", f"{tokens} tokens, {_batch(answer.mode)}"
    yield "price", _price(answer, layout)


def _not_yet() -> str:
    is_able = runtime_args.SERVE_NODES in runtime_args.PROGRAMS
    return "" if is_able else "; this version refuses it, as its image serves on one"


def _doing(mode: sizing.Mode) -> str:
    if isinstance(mode, sizing.Serve):
        return "serves"
    return {"lora": "tunes with LoRA", "qlora": "tunes with QLoRA"}[mode.method]


def _batch(mode: sizing.Tune) -> str:
    kept = "with" if mode.gradient_checkpointing else "without"
    return f"{mode.batch} a step, {kept} gradient checkpointing"


def _devices(answer: Answer, layout: sizing.Layout) -> str:
    if layout.gpus_per_replica == 0:
        return "the CPU"
    noun = f"slice of {answer.mig.name}" if answer.mig else "GPU"
    count = figures.plural(layout.gpus_per_replica, noun)
    ways = [
        f"{name} {degree}"
        for name, degree in (
            ("tensor parallel", layout.tensor_parallel),
            ("pipeline", layout.pipeline_parallel),
        )
        if degree > 1
    ]
    if layout.nodes > 1:
        count = f"{layout.nodes} machines of {count}"
    if layout.data_parallel > 1:
        ways.append(f"{layout.data_parallel} replicas on a machine")
    return f"{count} ({', '.join(ways)})" if ways else count


def _price(answer: Answer, layout: sizing.Layout) -> str:
    if answer.machine.gpus == 0:
        return ""
    price = prices.snapshot().find(answer.machine.name, annotations.ON_DEMAND)
    if price is None:
        return "unknown"
    cost = prices.shown(price.microdollars_per_hour * layout.nodes)
    return f"{cost} {price.capacity_type} in {price.region} ({price.date})"


def _heading(answer: Answer) -> str:
    found = answer.found
    if answer.machine.gpus == 0:
        return "Memory of the machine"
    if isinstance(found, sizing.Misfit) and found.gpus > 1:
        return f"Memory of each of {found.gpus} GPUs"
    if isinstance(found, sizing.Layout) and found.gpus_per_replica * found.nodes > 1:
        return "Memory of the fullest GPU"
    return "Memory of one slice" if answer.mig else "Memory of one GPU"


def _notes(notes: tuple[sizing.Reason, ...]) -> list[str]:
    return figures.bullets(f"{note.sentence} ({note.code})" for note in notes)


def _instead(answer: Answer) -> Iterator[str]:
    found = answer.found
    if isinstance(found, sizing.Misfit) and found.bill.free < 0:
        yield ""
        yield from figures.fields([("would do:", _sufficient(found))])
    if answer.others:
        yield ""
        yield "Fits, cheapest first:" if isinstance(found, sizing.Misfit) else "Also fits:"
        rows = [("", row[0], *row[2:]) for row in offers_command.rows(answer.others)]
        yield from figures.columns(rows, right=(1, 4))
    elif isinstance(found, sizing.Misfit):
        yield ""
        yield "No known instance type can do it."


def _sufficient(misfit: sizing.Misfit) -> str:
    count = f"{misfit.gpus} GPUs" if misfit.gpus > 1 else "one GPU"
    gpu = sizing.sufficient(misfit, gpus.GPUS.values())
    least = f"{count} of {figures.size(misfit.needed_bytes)}{' each' * (misfit.gpus > 1)}"
    if gpu is None:
        return f"{least}; no GPU has as much, so that it takes more of them"
    return f"{least}, such as {gpu.name} ({figures.size(gpu.memory_bytes)})"


def _as_json(answer: Answer) -> dict[str, Any]:
    found = answer.found
    price = prices.snapshot().find(answer.machine.name, annotations.ON_DEMAND)
    whole: dict[str, Any] = {
        "preset": answer.known.name,
        "instanceType": answer.machine.name,
        "mig": answer.mig.name if answer.mig else None,
        "mode": {"kind": type(answer.mode).__name__.lower(), **dataclasses.asdict(answer.mode)},
        "fits": isinstance(found, sizing.Layout),
        "usdPerHour": float(money.decimal_text(price.microdollars_per_hour)) if price else None,
        **dataclasses.asdict(found),
        "alternatives": [offers_command.offer_json(one) for one in answer.others],
    }
    if isinstance(found, sizing.Misfit):
        gpu = sizing.sufficient(found, gpus.GPUS.values())
        whole |= {"biggest": found.biggest, "sufficient_gpu": gpu.name if gpu else None}
    return whole


def _count(text: str) -> int:
    """A whole number above zero; thousands may be set off with commas."""
    try:
        value = int(text.replace(",", ""))
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"not a whole number above zero: {text}")
    return value
