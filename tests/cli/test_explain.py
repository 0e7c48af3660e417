"""`plainsail explain`: every key and code has a meaning, and an example that is still true."""

import ast
from pathlib import Path

import pytest

from cli import meanings, specimens
from presets import annotations, offers
from presets.sizing import reasons as sizing
from tests.cli.running import Run
from tests.conftest import GOLDEN, Goldens
from webhook import case, reasons

ROOT = Path(__file__).parents[2]

SILENT = set(reasons.SKIPPED) | {reasons.UNCHANGED}
"""Codes of the webhook that are told to nobody: they stand in its log and metrics."""


def made_codes(*files: str) -> set[str]:
    """Codes that the modules make a `Reason` of."""
    calls = (node for file in files for node in ast.walk(ast.parse((ROOT / file).read_text())))
    return {
        ast.literal_eval(call.args[0])
        for call in calls
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id == "Reason"
    }


def codes(kind: str) -> set[str]:
    return {meaning.name for meaning in meanings.every() if meaning.kind.startswith(kind)}


def test_every_key_and_code_has_a_meaning() -> None:
    assert codes("key") == set(annotations.KEYS)
    webhook = codes("refusal") | codes("left alone") | codes("let in")
    assert webhook == {code for of in reasons.REASONS.values() for code in of}
    made = (made_codes(f"{program}/reasons.py") for program in ("node_provisioner", "controller"))
    assert codes("event on") == set.union(*made)
    assert codes("of the scheduler extender") == made_codes("scheduler_ext/reasons.py")
    assert codes("of `plainsail fit`") == {*sizing.REASONS, *sizing.WARNINGS}
    assert codes("of `plainsail offers`") == set(offers.REASONS)


def test_no_two_names_differ_in_case_alone() -> None:
    names = {meaning.name for meaning in meanings.every()}
    assert len({name.lower() for name in names}) == len(names)


@pytest.mark.parametrize(
    "meaning", list(meanings.every()), ids=lambda one: f"{one.name}-{one.kind}"
)
def test_every_meaning_says_something_and_names_a_page_that_has_it(
    meaning: meanings.Meaning,
) -> None:
    fields = dict(meaning.fields())
    assert fields["means"]
    assert f"| `{meaning.name}` |" in (ROOT / fields["page"]).read_text(encoding="utf-8")


@pytest.mark.parametrize("code", sorted({*reasons.DENIED, *reasons.ALLOWED} - SILENT))
def test_the_example_of_a_code_is_what_the_webhook_says(code: str) -> None:
    text, _ = specimens.message(code)
    assert text


@pytest.mark.parametrize("name", ["capacity-type", "DoesNotFit", "NodeUnavailable", "ImageKept"])
def test_the_whole_output(name: str, run: Run, goldens: Goldens) -> None:
    status, out, err = run("explain", name)
    assert (status, err) == (0, "")
    goldens.check(GOLDEN / "cli" / f"explain-{name.lower()}.txt", out)


def test_lines_fit_a_terminal(run: Run) -> None:
    for meaning in meanings.every():
        _, out, _ = run("explain", meaning.name)
        too_long = [line for line in out.splitlines() if len(line) > 80]
        assert all(max(map(len, line.split())) > 60 for line in too_long), "but for an example"


@pytest.mark.parametrize(
    "name", ["kaito.sh/preset", "preset", "PRESET", "doesnotfit", "kaito.sh/Managed"]
)
def test_the_prefix_may_be_left_out_and_case_does_not_matter(name: str, run: Run) -> None:
    assert run("explain", name)[0] == 0


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        (
            "CabacityType",
            'did you mean "kaito.sh/capacity-type" or "NoSuchCapacity" or "CapabilityTooLow"?',
        ),
        ("instance-type", 'did you mean "kaito.sh/instance-types" or "UnknownInstanceType" or'),
        ("zzzzzzzz", "plainsail explain lists them all"),
    ],
)
def test_an_unknown_name_gets_the_nearest_and_ends_with_2(name: str, hint: str, run: Run) -> None:
    status, out, err = run("explain", name)
    assert (status, out) == (2, "")
    assert err.startswith(f'error: "{name}" is neither a key nor a reason code\n  hint: {hint}')


def test_without_a_name_everything_is_listed(run: Run) -> None:
    status, out, _ = run("explain")
    assert status == 0
    listed = [line.split()[0] for line in out.splitlines()[1:]]
    assert set(listed) == {meaning.name for meaning in meanings.every()}


def test_a_key_that_is_not_acted_on_says_so(run: Run) -> None:
    for key in annotations.KEYS:
        _, out, _ = run("explain", key)
        assert ("not yet" in out) == case.is_refused_for_now(annotations.KEYS[key])
