"""docs/guides/preview.md and README.md: every command of the console prints what stands below it.

`plainsail` is the real command. `helm` and `kubectl` are stand-ins that print what a chart and a
cluster would: what is tested is what goes through the pipe between them.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = {name: (ROOT / name).read_text("utf-8") for name in ("docs/guides/preview.md", "README.md")}
FOREIGN = ROOT / "tests" / "golden" / "expand" / "chart-of-a-model-server" / "in.yaml"

CHART = """---
# Source: chat/templates/configmap.yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: chat}
---
# Source: chat/templates/deployment.yaml
apiVersion: apps/v1
kind: Deployment
metadata: {name: chat, labels: {kaito.sh/preset: phi-3-mini-4k-instruct}}
spec:
  selector: {matchLabels: {app: chat}}
  template: {metadata: {labels: {app: chat}}}
"""

KUBECTL = """
import sys, yaml
if sys.argv[1] == "get":
    sys.stdout.write(open("expanded.yaml").read())
    sys.exit()
found = [one for one in yaml.safe_load_all(sys.stdin) if one]
for one in found:
    group = "deployment.apps" if one["kind"] == "Deployment" else one["kind"].lower()
    assert one["kind"] != "Deployment" or one["spec"]["template"]["spec"]["containers"]
    print(f"{group}/{one['metadata']['name']} created")
if not found:
    print("error: no objects passed to apply", file=sys.stderr)
"""


def blocks(page: str, language: str) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGES[page], re.MULTILINE | re.DOTALL)


@pytest.fixture(params=PAGES)
def page(request: pytest.FixtureRequest) -> str:
    """The name of a page."""
    return str(request.param)


@pytest.fixture
def place(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with the page's manifest, where the commands of the page are found."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (tmp_path / "kubectl.py").write_text(KUBECTL)
    chart = FOREIGN.read_text("utf-8") if page == "README.md" else CHART
    (tmp_path / "chart.yaml").write_text(chart)
    for name, line in {
        "plainsail": f'exec {sys.executable} -m cli "$@"',
        "kubectl": f'exec {sys.executable} {tmp_path / "kubectl.py"} "$@"',
        "helm": f"cat {tmp_path / 'chart.yaml'}",
    }.items():
        (programs / name).write_text(f"#!/bin/sh\n{line}\n")
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    (manifest,) = blocks(page, "yaml")
    (tmp_path / "chat.yaml").write_text(manifest)
    return tmp_path


def fits(expected: str, actual: str) -> bool:
    """Equal, where `...` stands for any text."""
    pattern = ".*".join(re.escape(part) for part in expected.split("..."))
    return re.fullmatch(pattern, actual, re.DOTALL) is not None


@pytest.mark.slow
def test_every_command_prints_what_stands_below_it(page: str, place: Path) -> None:
    """One after the other, for some take a file that an earlier one wrote."""
    for block in blocks(page, "console"):
        command, _, expected = block.removeprefix("$ ").partition("\n")
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=place,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert fits(expected, done.stdout), f"{command}\n{done.stdout}"


def test_every_block_of_the_console_is_one_command(page: str) -> None:
    found = blocks(page, "console")
    assert len(found) > 2
    assert all(block.startswith("$ ") and block.count("\n$ ") == 0 for block in found)


def test_what_is_not_in_a_block_is_no_command() -> None:
    """A command in a block of another kind would be run by nobody."""
    guide = PAGES["docs/guides/preview.md"]
    outside = re.sub(r"^```console\n.*?^```$", "", guide, flags=re.MULTILINE | re.DOTALL)
    assert not re.findall(r"^\$ ", outside, re.MULTILINE)
