"""`plainsail offers`: every machine that runs a model, cheapest first, and why not the others."""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from cli import figures, lookup, render
from presets import annotations, forms, gpus, money, offers, problems, sizing


def register(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb and its flags."""
    parser = verbs.add_parser(
        "offers",
        allow_abbrev=False,
        help="list the machines that serve a model, cheapest first",
        description="List the instance types that serve a preset, cheapest first, with the price"
        " of one replica and the context served. Prices are list prices of the snapshot that the"
        " program carries.",
    )
    parser.add_argument("name", metavar="NAME", help="preset")
    parser.add_argument("--cloud", choices=[*gpus.CLOUDS, offers.LOCAL], default="")
    parser.add_argument(
        "--capacity-type",
        type=capacities,
        default=(annotations.ON_DEMAND,),
        metavar="TYPES",
        help="on-demand (default), spot, or both with a comma between",
    )
    parser.add_argument(
        "--max-price",
        type=dollars,
        metavar="DOLLARS",
        help="most dollars per hour of one replica; what has no known price is then left out",
    )
    render.add_flag(parser, "text")
    lookup.add_flag(parser)
    parser.set_defaults(run=run)


def run(flags: argparse.Namespace) -> int:
    """Print the offers; 0, 1 where there is none, 2 for an unknown name."""
    known = lookup.model(flags.name, flags.presets)
    wanted = offers.Wanted(
        capacity_types=flags.capacity_type, most_per_hour=flags.max_price, cloud=flags.cloud
    )
    choice = offers.choose(known, sizing.Serve(), wanted)
    if flags.output == "json":
        sys.stdout.write(render.as_json([{"preset": known.name, **as_json(choice)}]))
    else:
        sys.stdout.write("\n".join(_text(known.name, known.context_tokens, choice)) + "\n")
    return 0 if choice.offers else 1


def rows(found: Sequence[offers.Offer]) -> list[tuple[str, ...]]:
    """Price, capacity type, instance type, GPUs and context of each offer, with a head."""
    head = ("$/HOUR", "CAPACITY", "INSTANCE TYPE", "GPUS", "CONTEXT")
    lines = [
        (
            figures.dollars(one.per_hour),
            one.capacity_type,
            one.instance_type.name,
            figures.machines(one.instance_type, one.layout.nodes),
            f"{one.layout.context_tokens:,}",
        )
        for one in found
    ]
    return [head, *lines]


def as_json(choice: offers.Choice) -> dict[str, Any]:
    """Offers and what was dropped, in their order."""
    return {
        "offers": [offer_json(one) for one in choice.offers],
        "dropped": [
            {
                "instanceType": one.instance_type,
                "capacityType": one.capacity_type or None,
                "reason": one.reason,
                "message": one.sentence,
            }
            for one in choice.dropped
        ],
    }


def offer_json(one: offers.Offer) -> dict[str, Any]:
    """An offer with the origin of its price."""
    cost = one.per_hour
    return {
        "instanceType": one.instance_type.name,
        "cloud": one.instance_type.cloud,
        "capacityType": one.capacity_type,
        "usdPerHour": None if cost is None else float(money.decimal_text(cost)),
        "priceRegion": one.price.region if one.price else None,
        "priceDate": one.price.date if one.price else None,
        "priceSource": one.price.source if one.price else None,
        "nodes": one.layout.nodes,
        "gpus": one.layout.gpus_per_replica,
        "contextTokens": one.layout.context_tokens,
    }


def capacities(text: str) -> tuple[str, ...]:
    """Capacity types in order of preference."""
    try:
        return tuple(forms.CAPACITY_TYPES.read(text))
    except problems.MalformedValue as error:
        told = "; ".join(f"{problem.message} ({problem.hint})" for problem in error.problems)
        raise argparse.ArgumentTypeError(f"{text!r} {told}") from error


def dollars(text: str) -> int:
    """Microdollars of `3.5` or `$3.50`."""
    amount = money.microdollars(text.removeprefix("$"))
    if not amount:
        raise argparse.ArgumentTypeError(f"not an amount above zero, such as 3.50: {text}")
    return amount


def _text(name: str, context_tokens: int, choice: offers.Choice) -> Iterator[str]:
    count = figures.plural(len(choice.offers), "offer") if choice.offers else "no offer"
    yield f"{name}: {count}, its context is {context_tokens:,} tokens"
    yield ""
    if choice.offers:
        found = _narrow(choice.offers)
        yield from figures.columns(found, right=(0, len(found[0]) - 1))
        by_reason = Counter(one.reason for one in choice.dropped)
        told = ", ".join(f"{times} {reason}" for reason, times in by_reason.items())
        yield ""
        yield from figures.fields([("not offered:", told)])
        yield "-o json says why for each"
    else:
        yield "Why not, one of each kind (-o json has them all):"
        first = {one.reason: one for one in reversed(choice.dropped)}
        yield from figures.bullets(
            f"{one.instance_type}: {one.sentence} ({one.reason})" for one in first.values()
        )


def _narrow(found: Sequence[offers.Offer]) -> list[tuple[str, ...]]:
    """The rows, without the capacity where it is the same for all."""
    whole = rows(found)
    if len({one.capacity_type for one in found}) > 1:
        return whole
    return [(row[0], *row[2:]) for row in whole]
