"""The model server's arguments: the contract from the webhook to the runtime."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from typing_extensions import override

PORT = 5000
"""Port of the model server, KAITO's since v0.1."""


class MalformedArguments(ValueError):
    """The command line is not one of the model server's; the message names the argument."""


@dataclass(frozen=True)
class ServeArgs:
    """Arguments of `serve`."""

    model: str
    """Directory of the weights, or `org/name` of the hub; `tiny-chat` is inside the image."""
    served_name: str
    """Name that `/v1/models` lists and answers carry: the preset's."""
    revision: str = ""
    """Commit of the hub repository; empty for a directory."""
    dtype: str = "auto"
    """`auto` (the model's own), `bfloat16`, `float16` or `float32`."""
    context_tokens: int = 0
    """Longest prompt plus answer served; 0 is the model's own limit."""
    port: int = PORT

    def to_argv(self) -> list[str]:
        """`serve` and one `--key=value` per field that differs from its default."""
        argv = ["serve", f"--model={self.model}", f"--served-name={self.served_name}"]
        if self.revision:
            argv.append(f"--revision={self.revision}")
        if self.dtype != "auto":
            argv.append(f"--dtype={self.dtype}")
        if self.context_tokens:
            argv.append(f"--context-tokens={self.context_tokens}")
        if self.port != PORT:
            argv.append(f"--port={self.port}")
        return argv

    @classmethod
    def from_argv(cls, argv: Sequence[str]) -> "ServeArgs":
        """The arguments that `to_argv` wrote.

        Raises:
            MalformedArguments: unknown verb or key, missing model, or a value of the wrong type.
        """
        options = _parser().parse_args(argv)
        return cls(
            model=options.model,
            served_name=options.served_name or options.model,
            revision=options.revision,
            dtype=options.dtype,
            context_tokens=options.context_tokens,
            port=options.port,
        )


class _Parser(argparse.ArgumentParser):
    @override
    def error(self, message: str) -> NoReturn:
        raise MalformedArguments(message)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="plainsail-runtime", allow_abbrev=False)
    serve = parser.add_subparsers(dest="verb", required=True, parser_class=_Parser).add_parser(
        "serve", allow_abbrev=False, help="answer requests with a model"
    )
    serve.add_argument("--model", required=True, metavar="DIR|ORG/NAME")
    serve.add_argument("--served-name", default="")
    serve.add_argument("--revision", default="")
    serve.add_argument(
        "--dtype", default="auto", choices=["auto", "bfloat16", "float16", "float32"]
    )
    serve.add_argument("--context-tokens", type=int, default=0)
    serve.add_argument("--port", type=int, default=PORT)
    return parser
