"""The version of Plainsail, and the names of the container images that it publishes."""

VERSION = "0.1.0"
"""As in pyproject.toml; the tag of every image of ours."""

RUNTIME_IMAGE = f"ghcr.io/plainsail/runtime:{VERSION}"
"""The model server, with the weights of `tiny-chat` inside."""

IMAGE_MODELS = "/opt/plainsail/models"
"""Directory of the weights inside the runtime image."""
