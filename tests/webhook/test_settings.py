from pathlib import Path

import pytest

from webhook import settings


@pytest.fixture
def pem(tmp_path: Path) -> str:
    (tmp_path / "tls.pem").touch()
    return str(tmp_path / "tls.pem")


def test_flags_become_settings(pem: str) -> None:
    argv = ["serve", "--host=::1", "--port=9443", f"--tls-cert={pem}", "--tls-key", pem]
    assert settings.from_argv(argv) == settings.Settings("::1", 9443, Path(pem), Path(pem))


def test_the_port_has_a_default(pem: str) -> None:
    found = settings.from_argv(["serve", f"--tls-cert={pem}", f"--tls-key={pem}"])
    assert (found.host, found.port) == ("0.0.0.0", 8443)


def test_our_scheduler_is_used_unless_the_cluster_does_not_run_it(pem: str) -> None:
    argv = ["serve", f"--tls-cert={pem}", f"--tls-key={pem}"]
    assert settings.from_argv(argv).scheduler == "plainsail-scheduler"
    assert settings.from_argv([*argv, "--scheduler="]).scheduler == ""


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        ([], "VERB"),
        (["serve"], "--tls-cert"),
        (["serve", "--tls-cert=/no/such", "--tls-key=/no/such"], "no such file: /no/such"),
        (["serve", "--port=70000"], "'70000' is not a port"),
        (["serve", "--port=http"], "'http' is not a port"),
    ],
)
def test_wrong_usage_says_what_is_wrong(
    argv: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        settings.from_argv(argv)
    assert caught.value.code == 2
    assert says in capsys.readouterr().err
