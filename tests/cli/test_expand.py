"""`plainsail expand`: what it prints, where it prints it, and with what status it ends.

The golden cases of tests/golden run through it as they run through the server.
"""

import functools
import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from cli import __main__ as command
from tests import golden_terms
from tests.cli.running import SERVICE, TINY, Run
from tests.conftest import GOLDEN, Goldens
from webhook import terms
from webhook.terms import Terms

EXPAND = sorted((GOLDEN / "expand").iterdir())
DENY = sorted((GOLDEN / "deny").iterdir())
EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def decided(case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With an image that can do what the case takes."""
    able = functools.partial(Terms, programs=golden_terms.of(case).programs)
    monkeypatch.setattr(terms, "Terms", able)


@pytest.mark.usefixtures("decided")
@pytest.mark.parametrize("case", EXPAND, ids=lambda case: case.name)
def test_a_golden_manifest_is_printed_expanded(case: Path, run: Run, goldens: Goldens) -> None:
    golden = goldens.read(case / "out.yaml").splitlines(keepends=True)
    warnings = [line for line in golden if line.startswith("# warning: ")]
    status, out, err = run("expand", *golden_terms.flags(case), "-f", str(case / "in.yaml"))
    goldens.read(case / "in.yaml")
    assert status == 0
    assert out == "".join(golden[len(warnings) :])
    assert [line.split(": ")[0] for line in err.splitlines()] == ["warning"] * len(warnings) + [
        "cost"
    ]


@pytest.mark.usefixtures("decided")
@pytest.mark.parametrize("case", DENY, ids=lambda case: case.name)
def test_a_golden_refusal_is_printed_with_its_place(case: Path, run: Run, goldens: Goldens) -> None:
    message = goldens.read(case / "message.txt")
    goldens.read(case / "in.yaml")
    status, out, err = run("expand", *golden_terms.flags(case), "-f", str(case / "in.yaml"))
    assert (status, out) == (1, "")
    place = f"error: {case / 'in.yaml'}, document 1 ("
    stripped = [
        line.split("): ", 1)[1] if line.startswith(place) else line for line in err.splitlines()
    ]
    assert stripped == message.splitlines()


def test_the_whole_text_of_a_refusal(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pinned: scripts and people read it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "phi.yaml").write_text(
        f"{SERVICE}---\n" + TINY.replace("tiny-chat", "phi-3-mini"), encoding="utf-8"
    )
    assert run("expand", "-f", "phi.yaml") == (
        1,
        "",
        (
            "error: phi.yaml, document 2 (Deployment/tiny): metadata.labels[kaito.sh/preset]: "
            '"phi-3-mini" is not a preset (UnknownPreset)\n'
            '  hint: did you mean "phi-3-mini-4k-instruct" or "phi-3-mini-128k-instruct"'
            ' or "phi-3.5-mini-instruct"?\n'
        ),
    )


def test_the_whole_text_for_malformed_yaml(run: Run) -> None:
    assert run(
        "expand", "-f", "-", stdin="kind: Deployment\nmetadata:\n  name: [a\nspec: {}\n"
    ) == (
        1,
        "",
        (
            "error: stdin:4:5: malformed YAML: while parsing a flow sequence: "
            "did not find expected ',' or ']'\n"
        ),
    )


def test_a_mistake_in_a_later_document_is_located_in_the_file(run: Run) -> None:
    _, _, err = run("expand", "-f", "-", stdin=f"{SERVICE}---\n\n# comment\na: b: c\n")
    assert err == (
        "error: stdin:8:5: malformed YAML: mapping values are not allowed in this context\n"
    )


def test_tabs_get_a_hint(run: Run) -> None:
    _, _, err = run("expand", "-f", "-", stdin="metadata:\n\tname: x\n")
    assert "error: stdin:2:1: malformed YAML" in err
    assert "hint: YAML is indented with spaces, never with tabs" in err


def test_an_unrendered_template_gets_a_hint(run: Run) -> None:
    _, _, err = run("expand", "-f", "-", stdin="metadata:\n  name: {{ .Values.name }}\n")
    assert "hint: this looks like a template: render it first" in err


def test_other_objects_pass_through_as_they_stand(run: Run) -> None:
    status, out, err = run("expand", "-f", "-", stdin=f"---\n{SERVICE}---\n{TINY}---\n# nothing\n")
    assert status == 0
    before, first, second, after = out.split("---\n")
    assert (before, first, after) == ("", SERVICE, "# nothing\n")
    assert yaml.safe_load(second)["spec"]["template"]["spec"]["containers"]
    assert err.startswith("warning: stdin, document 2 (Deployment/tiny): preset tiny-chat: 1 GPU")


def test_the_items_of_a_list_are_expanded(run: Run) -> None:
    items = [yaml.safe_load(TINY), yaml.safe_load(SERVICE)]
    given = {"apiVersion": "v1", "kind": "List", "metadata": {}, "items": items}
    _, out, _ = run("expand", "-f", "-", stdin=json.dumps(given))
    found = yaml.safe_load(out)
    assert (found["kind"], found["metadata"]) == ("List", {})
    assert found["items"][0]["spec"]["selector"]
    assert found["items"][1] == items[1]


def test_json_comes_out_as_json(run: Run) -> None:
    _, one, _ = run("expand", "-f", "-", "-o", "json", stdin=TINY)
    assert json.loads(one)["kind"] == "Deployment"
    _, several, _ = run("expand", "-f", "-", "-o", "json", stdin=f"{TINY}---\n{SERVICE}")
    assert [item["kind"] for item in json.loads(several)["items"]] == ["Deployment", "Service"]


def test_yaml_and_json_hold_the_same(run: Run) -> None:
    _, as_yaml, _ = run("expand", "-f", "-", stdin=TINY)
    _, as_json, _ = run("expand", "-f", "-", "-o", "json", stdin=TINY)
    assert yaml.safe_load(as_yaml) == json.loads(as_json)


def test_the_output_expands_to_itself(run: Run) -> None:
    _, once, _ = run("expand", "-f", "-", stdin=TINY)
    status, twice, err = run("expand", "-f", "-", stdin=once)
    assert (status, twice) == (0, once)
    assert "warning" not in err


def test_everything_wrong_in_all_files_is_reported_and_nothing_printed(
    run: Run, tmp_path: Path
) -> None:
    """A pipe into kubectl must not apply half of it."""
    (tmp_path / "bytes").write_bytes(b"\xff")
    bad = TINY.replace("tiny-chat", "zzz")
    status, out, err = run(
        "expand",
        "-f",
        str(tmp_path / "none"),
        "-f",
        str(tmp_path / "bytes"),
        "-f",
        "-",
        stdin=f"{TINY}---\n{bad}",
    )
    assert (status, out) == (1, "")
    errors = [line for line in err.splitlines() if line.startswith("error: ")]
    assert errors == [
        f"error: {tmp_path / 'none'}: No such file or directory",
        f"error: {tmp_path / 'bytes'}: not UTF-8 at byte 0",
        (
            "error: stdin, document 2 (Deployment/tiny): metadata.labels[kaito.sh/preset]: "
            '"zzz" is not a preset (UnknownPreset)'
        ),
    ]


def test_a_label_on_a_kind_that_is_not_expanded_is_pointed_out(run: Run) -> None:
    daemon = TINY.replace("Deployment", "DaemonSet")
    assert run("expand", "-f", "-", stdin=daemon) == (
        0,
        daemon,
        (
            "warning: stdin, document 1 (DaemonSet/tiny): kaito.sh/preset does nothing on a"
            " DaemonSet: not a Deployment, StatefulSet or Job\n"
        ),
    )


@pytest.mark.parametrize(
    "argv", [["expand"], ["expand", "-f"], ["expand", "-f", "x", "-o", "xml"], [], ["x"]]
)
def test_wrong_usage_ends_with_2(argv: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        command.main(argv)
    assert caught.value.code == 2


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.name)
def test_the_examples_expand(example: Path, run: Run) -> None:
    status, out, _ = run("expand", "-f", str(example))
    assert status == 0
    assert yaml.safe_load(out)["spec"]["template"]["spec"]["containers"][0]["image"]


def test_the_shortest_example_is_five_lines() -> None:
    text = (EXAMPLES / "tiny-chat.yaml").read_text(encoding="utf-8")
    assert len(text.splitlines()) == 5
    assert "spec" not in text


def test_the_module_runs_as_a_program() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cli", "expand", "-f", "-"],
        input=TINY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert yaml.safe_load(done.stdout)["spec"]


@pytest.mark.slow
def test_a_reader_that_goes_away_causes_no_traceback() -> None:
    """As `plainsail expand ... | head -1` does."""
    many = "---\n".join(TINY.replace("tiny,", f"t{n},") for n in range(60))
    with subprocess.Popen(
        [sys.executable, "-m", "cli", "expand", "-f", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        process.stdout = None
        _, err = process.communicate(many)
    assert process.returncode == 1
    assert "Traceback" not in err
    assert "Exception" not in err


def test_the_flags_of_the_webhook_are_those_of_the_preview(run: Run) -> None:
    """A cluster without our scheduler, and a provider that buys no spot machines."""
    status, out, _ = run("expand", "--scheduler=", "-f", "-", stdin=TINY)
    assert (status, "schedulerName" in out) == (0, False)
    spot = TINY.replace("chat}}", "chat}, annotations: {kaito.sh/capacity-type: spot}}")
    assert run("expand", "-f", "-", stdin=spot)[0] == 0
    status, _, err = run("expand", "--dialect=gpu-provisioner", "-f", "-", stdin=spot)
    assert (status, "gpu-provisioner" in err) == (1, True)
