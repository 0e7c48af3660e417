"""`plainsail diff`: what it prints on a terminal and elsewhere, and with what status it ends."""

import sys
from pathlib import Path

import pytest

from cli.commands import diff
from tests.cli.running import SERVICE, TINY, Run
from tests.conftest import GOLDEN, Goldens

WORKLOAD = f"""{SERVICE}---
# the user's own comment
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: "chat"
  labels: {{kaito.sh/preset: tiny-chat}}
spec:
  replicas: 2
  selector: {{matchLabels: {{app: chat}}}}
  template:
    metadata: {{labels: {{app: chat}}}}
    spec:
      containers:
        - name: own
          env: [{{name: A, value: b}}]
      terminationGracePeriodSeconds: 5
"""


def test_the_whole_output(run: Run, goldens: Goldens) -> None:
    status, out, err = run("diff", "-f", "-", stdin=WORKLOAD)
    assert status == 1
    assert err.startswith("warning: stdin, document 2 (StatefulSet/chat): preset tiny-chat")
    goldens.check(GOLDEN / "cli" / "diff.txt", out)


def test_the_whole_output_on_a_terminal(
    run: Run, goldens: Goldens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")
    _, out, _ = run("diff", "-f", "-", stdin=WORKLOAD)
    goldens.check(GOLDEN / "cli" / "diff-terminal.txt", out)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (" kept", " kept"),
        ("+added", "\x1b[32m+added\x1b[0m"),
        ("-gone", "\x1b[31m-gone\x1b[0m"),
        ("+++ b", "\x1b[1m+++ b\x1b[0m"),
        ("@@ -1 @@", "\x1b[36m@@ -1 @@\x1b[0m"),
        (" 12345678", " 12345678"),
        (" 1234567890", " 12345..."),
    ],
)
def test_a_line_on_a_terminal_of_nine_columns(line: str, expected: str) -> None:
    assert diff.on_terminal(line, 9) == expected


def test_nothing_is_taken_out(run: Run) -> None:
    _, out, _ = run("diff", "-f", "-", stdin=TINY)
    lines = out.splitlines()[2:]
    assert all(line[0] in "@ +" for line in lines)


def test_no_difference_prints_nothing_and_ends_with_0(run: Run) -> None:
    assert run("diff", "-f", "-", stdin=SERVICE) == (0, "", "")
    _, once, _ = run("expand", "-f", "-", stdin=TINY)
    assert run("diff", "-f", "-", stdin=once)[:2] == (0, "")


def test_each_item_of_a_list_is_compared(run: Run) -> None:
    items = "".join(f"- {TINY.replace(chr(10), chr(10) + '  ').rstrip()}\n" for _ in range(2))
    status, out, _ = run("diff", "-f", "-", stdin=f"apiVersion: v1\nkind: List\nitems:\n{items}")
    assert status == 1
    assert out.count("+++ Deployment/tiny expanded") == 2


@pytest.mark.parametrize(
    "argv",
    [
        ["-f", "/no/such"],
        ["-f", "-"],
        ["-f", "-", "--presets", "/no/such"],
    ],
)
def test_trouble_ends_with_2(argv: list[str], run: Run) -> None:
    status, out, err = run("diff", *argv, stdin=TINY.replace("tiny-chat", "zzz"))
    assert (status, out) == (2, "")
    assert err.startswith("error: ")


def test_several_files(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(TINY)
    (tmp_path / "b.yaml").write_text(SERVICE)
    _, out, _ = run("diff", "-f", str(tmp_path / "b.yaml"), "-f", str(tmp_path / "a.yaml"))
    assert out.startswith(f"--- {tmp_path / 'a.yaml'}, document 1 (Deployment/tiny) as written")
