"""The reference pages say what the code does."""

import ast
import re
from pathlib import Path
from types import ModuleType

from controller import reasons as controller_reasons
from node_provisioner import reasons as planner_reasons
from presets import annotations, offers
from presets.sizing import reasons as sizing
from webhook import case, reasons

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"


def rows(page: str, section: str = "") -> list[list[str]]:
    """Cells of the table rows of a page or of one of its sections, without heads."""
    text = (REFERENCE / page).read_text(encoding="utf-8")
    if section:
        text = text.split(f"## {section}\n")[1].split("\n## ")[0]
    table = [line for line in text.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table]


def test_the_page_of_annotations_lists_every_key_as_the_code_has_it() -> None:
    later = [key for key in annotations.KEYS.values() if case.is_refused_for_now(key)]
    now = [key for key in annotations.KEYS.values() if not case.is_refused_for_now(key)]
    assert rows("annotations.md", "Keys that work") == [_cells(key) for key in now]
    assert rows("annotations.md", "Keys that are known and refused") == [_cells(k) for k in later]


def _cells(key: annotations.Key) -> list[str]:
    example = f"`{key.example}`"
    found = [f"`{key.name}`", key.on, key.written_by, key.type, key.default, key.meaning, example]
    return [cell.strip() for cell in found]


def test_every_constant_that_is_a_key_is_in_the_table() -> None:
    constants = {
        value
        for name, value in vars(annotations).items()
        if name.isupper() and not name.startswith("_")
        if isinstance(value, str) and value.startswith(annotations.PREFIX)
    }
    assert constants - {annotations.PREFIX} == annotations.KEYS.keys()


def test_the_page_of_reasons_lists_every_code_as_the_code_has_it() -> None:
    expected = [
        [f"`{code}`", outcome, sentence]
        for outcome, codes in reasons.REASONS.items()
        for code, sentence in sorted(codes.items())
    ]
    assert rows("reasons.md", "Admission") == expected


def _event_codes(program: str) -> list[list[str]]:
    """Code and meaning of every reason that a program tells on objects."""
    found = []
    for function in ast.walk(ast.parse((ROOT / program / "reasons.py").read_text())):
        if isinstance(function, ast.FunctionDef):
            calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
            made = [c for c in calls if isinstance(c.func, ast.Name) and c.func.id == "Reason"]
            for call in made:
                code = ast.literal_eval(call.args[0])
                meaning = (ast.get_docstring(function) or "").rstrip(".")
                found.append([f"`{code}`", meaning[:1].lower() + meaning[1:]])
    return found


_EVENTS = {
    "node_provisioner": (planner_reasons, planner_reasons.ON_PODS),
    "controller": (controller_reasons, "workload"),
}


def test_the_page_of_reasons_lists_every_event_as_the_code_has_it() -> None:
    expected = [
        [code, on, meaning]
        for program, (made, usual) in _EVENTS.items()
        for code, meaning in _event_codes(program)
        for on in (made.ON.get(code.strip("`"), usual),)
    ]
    assert len(expected) > 5
    assert rows("reasons.md", "Events") == expected


def test_the_page_of_reasons_lists_every_reason_of_the_extender_as_the_code_has_it() -> None:
    assert rows("reasons.md", "Placement") == _event_codes("scheduler_ext")


def test_the_page_of_reasons_lists_every_code_of_sizing() -> None:
    expected = [
        [f"`{code}`", kind, sentence]
        for kind, codes in (("reason", sizing.REASONS), ("warning", sizing.WARNINGS))
        for code, sentence in sorted(codes.items())
    ]
    assert rows("reasons.md", "Sizing") == expected


def test_the_page_of_reasons_lists_every_code_of_offers() -> None:
    expected = [[f"`{code}`", sentence] for code, sentence in sorted(offers.REASONS.items())]
    assert rows("reasons.md", "Offers") == expected


def test_the_page_of_reasons_lists_every_code_of_the_model_server() -> None:
    texts = [path.read_text() for path in sorted((ROOT / "runtime").rglob("*.py"))]
    used = {code for text in texts for code in re.findall(r'\bcode="(\w+)"', text)}
    assert {code.strip("`") for code, *_ in rows("reasons.md", "Model server")} == used


def constants(*modules: ModuleType) -> set[str]:
    """Codes by their form: constants in capitals with a CamelCase value."""
    return {
        value
        for module in modules
        for name, value in vars(module).items()
        if name.isupper() and not name.startswith("_") and isinstance(value, str)
        if re.fullmatch(r"([A-Z][a-z0-9]+)+", value)
    }


def test_codes_are_stable_words() -> None:
    codes = [code for of in reasons.REASONS.values() for code in of]
    assert len(codes) == len(set(codes))
    assert all(re.fullmatch(r"([A-Z][a-z0-9]+)+", code) for code in codes)


def test_every_code_in_the_source_is_listed() -> None:
    listed = {code for of in reasons.REASONS.values() for code in of}
    assert constants(annotations, reasons) == listed
    assert constants(sizing) == sizing.REASONS.keys() | sizing.WARNINGS.keys()
    assert constants(offers) == offers.REASONS.keys()
