"""Names of the container images that Plainsail itself publishes."""

RUNTIME_IMAGE = "ghcr.io/plainsail/runtime:0.1.0"
"""The model server, with the weights of `tiny-chat` inside."""

IMAGE_MODELS = "/opt/plainsail/models"
"""Directory of the weights inside the runtime image."""
