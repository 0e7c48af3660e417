"""Read manifests as kubectl does: YAML or JSON, several documents, Lists; locate mistakes."""

import dataclasses
import itertools
import json
import re
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import yaml
from typing_extensions import override

_SEPARATOR = re.compile(r"^---(?=\s|$)", re.MULTILINE)
"""A line that starts a document; YAML allows it nowhere else, not even inside a block scalar."""

_TIMESTAMP = "tag:yaml.org,2002:timestamp"


class MalformedManifest(ValueError):
    """The text is not a manifest; the message says where and why."""

    def __init__(self, place: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.place = place
        self.hint = hint


@dataclass(frozen=True)
class Document:
    """One document of a file."""

    place: str
    """`FILE, document 2`, for messages."""
    text: str
    """As it stands in the file, from behind its separator to the next one."""
    objects: tuple[dict[str, Any], ...]
    """The object, or the items of a List."""
    container: dict[str, Any] | None
    """The List without its items; None where the document is one object."""
    lead: str = ""
    """What precedes it in the file: its separator, and documents that hold comments alone."""
    tail: str = ""
    """What follows the last document of a file."""

    @property
    def opening(self) -> str:
        """The comments above its first field, where `helm template` names the source."""
        lines = itertools.takewhile(_is_comment, self.text.splitlines())
        return "".join(f"{line.strip()}\n" for line in lines if line.strip())


def read(name: str, text: str) -> list[Document]:
    """The documents of a file, empty ones left out.

    Raises:
        MalformedManifest: not YAML, a key that stands twice, or a document that is no object.
    """
    documents: list[Document] = []
    taken = 0
    for number, (start, end) in enumerate(_parts(text), start=1):
        place, part = f"{name}, document {number}", text[start:end]
        value = _parsed(name, place, text.count("\n", 0, start), part)
        if value is not None:
            found = _document(place, part, value)
            documents.append(dataclasses.replace(found, lead=text[taken:start]))
            taken = end
    if documents:
        documents[-1] = dataclasses.replace(documents[-1], tail=text[taken:])
    return documents


def joined(parts: Iterable[tuple[Document, str | None]]) -> str:
    """The documents as one stream: with their new text, or where that is None byte for byte."""
    out = ""
    for document, new in parts:
        lead = document.lead
        if out and not _SEPARATOR.search(lead):
            lead = f"---\n{lead}"
        if out and not out.endswith("\n"):
            out += "\n"
        if new is None:
            out += lead + document.text
        else:
            gap = "" if lead.endswith("\n") or not lead else "\n"
            out += lead + gap + document.opening + new
        out += document.tail
    return out


def subject(of: dict[str, Any]) -> str:
    """`Kind/name`, or what there is of it."""
    meta = of.get("metadata")
    name = meta.get("name") if isinstance(meta, dict) else None
    return f"{of.get('kind') or 'object'}/{name or '(no name)'}"


def _parts(text: str) -> Iterator[tuple[int, int]]:
    """Where each document starts and ends; nothing for what precedes the first if it is empty."""
    start = 0
    for match in _SEPARATOR.finditer(text):
        if start or text[: match.start()].strip():
            yield start, match.start()
        start = match.end()
    yield start, len(text)


def _is_comment(line: str) -> bool:
    return line.lstrip()[:1] in ("", "#")


def _document(place: str, text: str, value: object) -> Document:
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        hint = "a manifest starts with apiVersion and kind"
        raise MalformedManifest(place, "the document is not an object", hint)
    items = value.get("items")
    if not (isinstance(items, list) and str(value.get("kind")).endswith("List")):
        return Document(place, text, (value,), None)
    if not all(isinstance(item, dict) for item in items):
        raise MalformedManifest(place, "items: an item is not an object")
    rest = {key: held for key, held in value.items() if key != "items"}
    return Document(place, text, tuple(items), rest)


def _parsed(name: str, place: str, line: int, text: str) -> object:
    value = _loaded(name, place, line, text)
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError) as error:
        hint = "sets, binary values, NaN and anchors within themselves have no place in a manifest"
        raise MalformedManifest(place, f"not an object of JSON: {error}", hint) from error
    except RecursionError as error:
        raise MalformedManifest(place, "the document is nested too deep") from error
    return value


def _loaded(name: str, place: str, line: int, text: str) -> object:
    if text.lstrip()[:1] in ("{", "["):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            pass  # YAML in flow style, or JSON with a mistake that the YAML reader locates
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{name}:{line + mark.line + 1}:{mark.column + 1}" if mark else place
        detail = ": ".join(filter(None, (error.context, error.problem)))
        raise MalformedManifest(where, f"malformed YAML: {detail}", _hint(text)) from error
    except yaml.YAMLError as error:
        raise MalformedManifest(place, f"malformed YAML: {error}") from error
    except ValueError as error:  # a scalar that its tag cannot hold, such as !!int x
        raise MalformedManifest(place, f"malformed YAML: {error}") from error
    except RecursionError as error:
        raise MalformedManifest(place, "the document is nested too deep") from error


def _hint(text: str) -> str:
    if re.search(r"^ *\t", text, re.MULTILINE):
        return "YAML is indented with spaces, never with tabs"
    if "{{" in text:
        return "this looks like a template: render it first (helm template)"
    return ""


class _Loader(yaml.CSafeLoader):
    """Reads what the API server would: dates stay text, and a key stands once."""

    @override
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for key_node, _ in node.value:
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
            if key is not None and key in seen and key_node.tag != "tag:yaml.org,2002:merge":
                raise yaml.constructor.ConstructorError(
                    None, None, f'key "{key}" stands twice', key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != _TIMESTAMP]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}
