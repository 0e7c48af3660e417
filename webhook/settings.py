"""How the webhook serves; by what it decides, `webhook.terms` reads from the same flags."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from webhook import terms


@dataclass(frozen=True)
class Settings:
    """How to serve."""

    host: str
    port: int
    tls_cert: Path
    """Certificate chain in PEM; its names must hold the one that the API server calls."""
    tls_key: Path
    """Private key in PEM."""
    presets: Path | None = None
    """Directory of the user's own presets, such as a mounted ConfigMap."""


def from_argv(argv: Sequence[str]) -> tuple[Settings, argparse.Namespace]:
    """The settings of a command line, and its flags, for `terms.of`.

    Raises:
        SystemExit: with status 2 on a usage error, with 0 after --help.
    """
    parser = argparse.ArgumentParser(
        prog="plainsail-webhook", description="Admission webhook of Plainsail.", allow_abbrev=False
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    serve = verbs.add_parser(
        "serve", allow_abbrev=False, help="answer admission requests over HTTPS"
    )
    serve.add_argument("--host", default="0.0.0.0", help="address to listen on (%(default)s)")  # noqa: S104 - a pod's only address
    serve.add_argument("--port", type=_port, default=8443, help="port to listen on (%(default)s)")
    serve.add_argument("--tls-cert", type=_file, required=True, metavar="FILE", help="PEM chain")
    serve.add_argument("--tls-key", type=_file, required=True, metavar="FILE", help="PEM key")
    terms.add_flags(serve)
    text = "directory of preset files that add to ours or replace them, such as a ConfigMap"
    serve.add_argument("--presets", type=Path, metavar="DIR", help=text)
    flags = parser.parse_args(argv)
    chosen = Settings(flags.host, flags.port, flags.tls_cert, flags.tls_key, flags.presets)
    return chosen, flags


def _port(text: str) -> int:
    if text.isascii() and text.isdigit() and int(text) < 2**16:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a port")


def _file(text: str) -> Path:
    path = Path(text)
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"no such file: {text}")
    return path
