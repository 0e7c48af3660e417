from pathlib import Path

import pytest

from presets import catalog, providers
from webhook import settings, terms

PRESETS = catalog.Catalog([])


@pytest.fixture
def pem(tmp_path: Path) -> str:
    (tmp_path / "tls.pem").touch()
    return str(tmp_path / "tls.pem")


def test_flags_become_settings(pem: str) -> None:
    argv = ["serve", "--host=::1", "--port=9443", f"--tls-cert={pem}", "--tls-key", pem]
    found, _ = settings.from_argv([*argv, "--presets=/own"])
    assert found == settings.Settings("::1", 9443, Path(pem), Path(pem), Path("/own"))


def test_the_port_has_a_default(pem: str) -> None:
    found, _ = settings.from_argv(["serve", f"--tls-cert={pem}", f"--tls-key={pem}"])
    assert (found.host, found.port) == ("0.0.0.0", 8443)


def decided_by(pem: str, *flags: str) -> terms.Terms:
    _, parsed = settings.from_argv(["serve", f"--tls-cert={pem}", f"--tls-key={pem}", *flags])
    return terms.of(parsed, PRESETS)


def test_our_scheduler_is_used_unless_the_cluster_does_not_run_it(pem: str) -> None:
    assert decided_by(pem).scheduler == "plainsail-scheduler"
    assert decided_by(pem, "--scheduler=").scheduler == ""


def test_what_the_cluster_is_like_is_told_by_flags(pem: str) -> None:
    told = decided_by(pem, "--cloud=aws", "--dialect=karpenter-aws", "--no-image-volumes")
    assert (told.cloud, told.image_volumes) == ("aws", False)
    assert told.provider is providers.PROVIDERS["karpenter-aws"]
    assert decided_by(pem) == terms.Terms(PRESETS)


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
