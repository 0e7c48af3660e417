"""Running the command in this process, and manifests for it."""

import io
import sys
from types import SimpleNamespace

import pytest

from cli import __main__ as command

TINY = """apiVersion: apps/v1
kind: Deployment
metadata: {name: tiny, labels: {kaito.sh/preset: tiny-chat}}
"""
SERVICE = """# kept with its comment
apiVersion: v1
kind: Service
metadata: {name:   kept}   # and its spaces
"""
LLAMA_3_8B = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "max_position_embeddings": 8192,
    "vocab_size": 128256,
    "torch_dtype": "bfloat16",
}
"""What the config.json of a model says that has no preset here."""


class Run:
    """Runs the command."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self._capsys = capsys
        self._monkeypatch = monkeypatch

    def __call__(self, *argv: str, stdin: str | bytes = "") -> tuple[int, str, str]:
        """Status, standard output, standard error."""
        raw = stdin.encode() if isinstance(stdin, str) else stdin
        self._monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(raw)))
        status = command.main(argv)
        out, err = self._capsys.readouterr()
        return status, out, err
