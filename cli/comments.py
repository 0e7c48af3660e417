"""Comments put into a YAML text, each above the field or element that it is about."""

import textwrap
from collections.abc import Iterator, Mapping

import yaml

from cli import figures
from webhook import fill

Path = tuple[str, ...]
"""Keys down to a field; an element of a keyed list by its merge key, of any other by its place."""

_LEAST_WIDTH = 30
"""Columns of a comment, however far in it stands."""


def above(text: str, about: Mapping[Path, str]) -> str:
    """`text` with a comment above each path of `about`; it says the same to every reader of YAML.

    `text` is one document in block style, with line feeds alone at the ends of its lines.
    """
    lines = text.split("\n")
    places = [(line, path) for path, line in _places(yaml.compose(text, yaml.CSafeLoader), ())]
    for line, path in sorted(places, key=lambda place: place[0], reverse=True):
        if sentence := about.get(path):
            lines[line:line] = _comment(sentence, lines[line])
    return "\n".join(lines)


def _comment(sentence: str, line: str) -> list[str]:
    indent = " " * (len(line) - len(line.lstrip()))
    width = max(figures.WIDTH, len(indent) + _LEAST_WIDTH)
    start = f"{indent}# "
    return textwrap.wrap(
        sentence,
        width,
        initial_indent=start,
        subsequent_indent=start,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _places(node: yaml.Node | None, path: Path) -> Iterator[tuple[Path, int]]:
    """Every field and element below a node, with its line; what is deeper comes first.

    Where an element and its first field share a line, the element's comment then comes out on top.
    """
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            here = (*path, str(key.value))
            yield from _places(value, here)
            yield here, key.start_mark.line
    elif isinstance(node, yaml.SequenceNode):
        for place, element in enumerate(node.value):
            here = (*path, _name(path, element) or str(place))
            yield from _places(element, here)
            yield here, element.start_mark.line


def _name(path: Path, element: yaml.Node) -> str:
    """The value of the merge key by which the list tells its elements apart."""
    merge_key = fill.MERGE_KEYS.get(path[-1]) if path else None
    if merge_key is None or not isinstance(element, yaml.MappingNode):
        return ""
    found = (value for key, value in element.value if key.value == merge_key)
    return next((str(value.value) for value in found), "")
