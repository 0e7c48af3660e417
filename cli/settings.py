"""What the command line takes from the environment; the only reader of it here."""

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Hub:
    """Where models are looked up; the variables are those of Hugging Face's own tools."""

    endpoint: str = "https://huggingface.co"
    token: str = ""


def hub() -> Hub:
    """From `HF_ENDPOINT` and `HF_TOKEN`."""
    endpoint = os.environ.get("HF_ENDPOINT", "").rstrip("/") or Hub.endpoint
    return Hub(endpoint, os.environ.get("HF_TOKEN", ""))
