"""Where weights and data come from: the hub, an image, a volume claim."""

from dataclasses import dataclass

from presets import adapter_list, syntax
from presets.problems import MalformedValue, Problem

HUB = "hub"
IMAGE = "image"
PVC = "pvc"

_WEIGHTS_HINT = "hub, image, image:REF[/path] or pvc:NAME[/path]"
_CLAIM_HINT = "NAME[/path], for example data/sql"
_URLS_HINT = "http or https URLs, separated by spaces"


@dataclass(frozen=True)
class Claim:
    """A directory of a persistent volume claim in the workload's namespace."""

    name: str
    path: str = ""
    """Relative to the volume; empty: all of it."""


@dataclass(frozen=True)
class Weights:
    """Where the weights come from."""

    kind: str = HUB
    """`hub`: the preset's pinned revision; `image`; `pvc`."""
    name: str = ""
    """Reference of the image, empty for KAITO's own of the preset; name of the claim."""
    path: str = ""
    """Relative to the image's or the volume's root; empty: the kind's usual place."""


FROM_HUB = Weights()
"""Where they come from unless the user says otherwise."""


def read_weights(text: str) -> Weights:
    """The source that the text names.

    Raises:
        MalformedValue: it names none.
    """
    kind, colon, rest = text.partition(":")
    if not colon and kind in (HUB, IMAGE):
        return Weights(kind)
    if colon and kind == PVC:
        claim = read_claim(rest, hint="pvc:NAME[/path], for example pvc:models/phi-3")
        return Weights(PVC, claim.name, claim.path)
    if not colon or kind != IMAGE:
        raise MalformedValue(Problem("is not a source of weights", _WEIGHTS_HINT))
    found = syntax.image_and_path(rest)
    if found is None:
        hint = "image:REF or image:REF:TAG/path, for example image:ghcr.io/org/model:1/weights"
        raise MalformedValue(Problem("names no image that can be", hint))
    return Weights(IMAGE, *found)


def write_weights(weights: Weights) -> str:
    """The text that `read_weights` reads."""
    where = _joined(weights.name, weights.path)
    return f"{weights.kind}:{where}" if where else weights.kind


def read_claim(text: str, hint: str = _CLAIM_HINT) -> Claim:
    """The claim and directory of `NAME[/path]`.

    Raises:
        MalformedValue: no claim can have the name, or the path leaves the volume.
    """
    name, slash, path = text.partition("/")
    problems = []
    if not syntax.is_dns_subdomain(name):
        problems.append(Problem("names no volume claim that can be", hint))
    if slash and not syntax.is_path(path):
        message = "has a path with an empty part, a dot for a part, or a blank"
        problems.append(Problem(message, hint))
    if problems:
        raise MalformedValue(*problems)
    return Claim(name, path)


def write_claim(claim: Claim) -> str:
    """The text that `read_claim` reads."""
    return _joined(claim.name, claim.path)


def read_image(text: str) -> str:
    """The image reference.

    Raises:
        MalformedValue: it is none.
    """
    if not syntax.is_image(text):
        raise MalformedValue(
            Problem("is not the reference of an image", adapter_list.image_hint(text))
        )
    return text


def read_urls(text: str) -> tuple[str, ...]:
    """The URLs between blanks and line ends, in order.

    Raises:
        MalformedValue: there is none, or one is not of the web, has a password or comes twice.
    """
    urls = text.split()
    problems = [] if urls else [Problem("holds no URL", _URLS_HINT)]
    for index, url in enumerate(urls):
        at = f"[{index}]"
        if syntax.has_password(url):
            # The value is not repeated: messages are kept in more places than the manifest is.
            message = "carries a user or a password, which everyone who reads the Job would see"
            hint = "a URL with a signature, or another input"
            problems.append(Problem(message, hint, at, url[: url.find("//")] + "//...@..."))
        elif ",http" in url or not syntax.is_web_url(url):
            problems.append(Problem("is not a URL of data", _URLS_HINT, at, url))
        elif url in urls[:index]:
            problems.append(Problem("is named twice", "each URL once", at, url))
    if problems:
        raise MalformedValue(*problems)
    return tuple(urls)


def _joined(name: str, path: str) -> str:
    return f"{name}/{path}" if path else name
