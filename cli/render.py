"""Objects as text: YAML that every reader of YAML takes alike, or JSON."""

import argparse
import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

import yaml
from typing_extensions import override

from cli import manifests

_MISREAD = re.compile(r"[-+.]?\d.*|[yYnN]|=")
"""Plain text that some YAML reader takes for a number, a date or a truth value."""

_LINE_ENDS = re.compile("[\x85\u2028\u2029]")
"""Ends of lines to YAML 1.1, which makes other ones of them or none: only an escape keeps them."""


def add_flag(parser: argparse.ArgumentParser, usual: str) -> None:
    """Let a verb print JSON in place of what it usually prints."""
    choices, text = [usual, "json"], "%(default)s by default"
    parser.add_argument("-o", "--output", choices=choices, default=usual, help=text)


def as_yaml(value: dict[str, Any]) -> str:
    """The object in block style, keys in their order; lines end with line feeds alone."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=4096)


def document(of: manifests.Document, objects: Sequence[dict[str, Any]]) -> str:
    """A document as YAML with `objects` in place of its own: of a List any number, else one."""
    if of.container is None:
        (one,) = objects
        return as_yaml(one)
    return as_yaml({**of.container, "items": list(objects)})


def as_json(objects: Iterable[dict[str, Any]]) -> str:
    """One object, or a List of several, as `kubectl -o json` prints them."""
    held = list(objects)
    whole = held[0] if len(held) == 1 else {"apiVersion": "v1", "kind": "List", "items": held}
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


class _Dumper(yaml.SafeDumper):
    @override
    def ignore_aliases(self, data: object) -> bool:
        """Whether to write a part again rather than refer to it: always, as people read it."""
        return True

    @override
    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, indentless=False)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    is_quoted = _MISREAD.fullmatch(text) or _LINE_ENDS.search(text)
    style = '"' if is_quoted else "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style)


_Dumper.add_representer(str, _text)
