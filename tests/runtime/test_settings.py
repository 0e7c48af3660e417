"""Arguments and environment to settings; every wrong value is named."""

from pathlib import Path

import pytest

from presets import runtime_args
from runtime import settings

ARGV = ["serve", "--model=/m", "--served-name=m"]


@pytest.mark.parametrize(
    ("cpu_max", "cpus"),
    [
        pytest.param("max 100000", 8, id="no quota"),
        pytest.param("", 8, id="no cgroup file"),
        pytest.param("250000 100000", 2, id="two and a half CPUs are two"),
        pytest.param("50000 100000", 1, id="half a CPU is one"),
        pytest.param("6400000 100000", 8, id="quota above the cores"),
        pytest.param("100000 0", 8, id="malformed"),
    ],
)
def test_cpus_follow_the_quota(cpu_max: str, cpus: int) -> None:
    assert settings.whole_cpus(cpu_max, 8) == cpus


def test_a_thread_count_in_the_environment_wins() -> None:
    assert settings.read(ARGV, {"OMP_NUM_THREADS": "3"}).threads == 3
    assert settings.read(ARGV, {}).threads == 0


@pytest.mark.parametrize(
    ("argv", "environ", "message"),
    [
        pytest.param([*ARGV, "--port=65536"], {}, "argument --port: 65536", id="port"),
        pytest.param([*ARGV, "--context-tokens=-1"], {}, "--context-tokens: -1", id="context"),
        pytest.param([*ARGV, "--modle=x"], {}, "unrecognized arguments: --modle=x", id="unknown"),
        pytest.param(["serve"], {}, "--model", id="no model"),
        pytest.param([], {}, "verb", id="no verb"),
        pytest.param(ARGV, {"OMP_NUM_THREADS": "two"}, "OMP_NUM_THREADS: 'two'", id="threads"),
        pytest.param(
            ARGV, {"PLAINSAIL_WAITING_LIMIT": "0"}, "PLAINSAIL_WAITING_LIMIT: '0'", id="limit"
        ),
    ],
)
def test_a_wrong_value_is_named(argv: list[str], environ: dict[str, str], message: str) -> None:
    with pytest.raises(runtime_args.MalformedArguments, match=message):
        settings.read(argv, environ)


def test_home_moves_to_a_writable_place_only_when_it_must(tmp_path: Path) -> None:
    for given, kept in [(str(tmp_path), True), ("/nonexistent", False), ("", False)]:
        environ = {"HOME": given, "USER": "me"}
        settings.prepare(environ)
        assert (environ["HOME"] == given) == kept
        assert environ["USER"] == "me"
