"""Files out of images where the cluster mounts none: each image copies its own.

It takes a `cp` in the image, which one FROM scratch has not, and the space twice.
"""

from collections.abc import Mapping, Sequence
from typing import Any


def copier(
    name: str, image: str, source: str, mount: Mapping[str, Any], security: Mapping[str, Any]
) -> dict[str, Any]:
    """The init container of `image` that copies its directory `source` to where `mount` is."""
    return {
        "name": name,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": literal(["cp", "-R", f"/{source}/.", mount["mountPath"]]),
        "securityContext": dict(security),
        "volumeMounts": [dict(mount)],
    }


def literal(argv: Sequence[str]) -> list[str]:
    """Arguments that the kubelet hands on as they are: it reads `$(NAME)` as a variable.

    Source: k8s.io/kubernetes, third_party/forked/golang/expansion.
    """
    return [text.replace("$", "$$") if "$" in text else text for text in argv]
