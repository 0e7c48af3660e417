"""What a golden case is decided by, beside its manifest: told by how its name begins.

`copied-`: a cluster that mounts no images. `processors-`: one without GPUs.
`tuning-not-supported-yet`, `nodes-not-supported-yet`: the image of this version; all others are
judged by one that can tune and serve on several nodes.
"""

import dataclasses
from pathlib import Path

from presets import catalog, runtime_args
from webhook.terms import Terms

ALL_PROGRAMS = runtime_args.PROGRAMS | {
    runtime_args.FETCH,
    runtime_args.TUNE,
    runtime_args.PUSH,
    runtime_args.SERVE_NODES,
}
"""Of an image that can do all that admission knows of."""

TERMS = Terms(catalog.load(), programs=ALL_PROGRAMS)


def of(case: Path) -> Terms:
    """The terms of a golden case."""
    if case.name.endswith("-not-supported-yet"):
        return Terms(TERMS.presets)
    return dataclasses.replace(
        TERMS,
        image_volumes=not case.name.startswith("copied-"),
        on_processors=case.name.startswith("processors-"),
    )


def flags(case: Path) -> list[str]:
    """The same as flags of `plainsail expand`, as far as it has them."""
    terms = of(case)
    told = {"--no-image-volumes": not terms.image_volumes, "--cpu": terms.on_processors}
    return [flag for flag, is_so in told.items() if is_so]


def is_shipped(case: Path) -> bool:
    """Whether the webhook decides it as it is started for tests."""
    return not case.name.startswith(("copied-", "nodes-", "processors-", "tuning-"))
