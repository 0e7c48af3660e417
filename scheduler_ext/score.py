"""Which of the nodes that fit suits a pod best. Pure."""

from collections.abc import Mapping

from scheduler_ext import fit, views

HIGHEST = 10
"""Of an extender's scores; kube-scheduler scales it to its own plugins' 100."""
_HELD, _TIGHT = 6, 4
"""A model that is there already outweighs any fit: fetching it takes minutes."""


def wanted(pod: views.PodView, image_bytes: Mapping[str, int]) -> dict[str, int]:
    """Bytes of the pod's images by name, of those that any node has; `image_bytes`: of all."""
    return {name: image_bytes[name] for name in pod.images if name in image_bytes}


def score(pod: views.PodView, candidate: fit.Candidate, images: Mapping[str, int]) -> int:
    """0 to 10: `floor(6 x held + 4 x tight)`.

    held: share of the pod's image bytes that the node has already, model images mounted as volumes
    included; `images` are those that are `wanted`, for one that no node has is fetched wherever
    the pod goes.
    tight: 1 / (1 + the pod's devices that stay free), so that large gaps stay for large pods; 0
    where it is unknown.
    """
    return int(_HELD * _held(candidate, images) + _TIGHT * _tight(pod, candidate))


def _held(candidate: fit.Candidate, images: Mapping[str, int]) -> float:
    total = sum(images.values())
    if not total:
        return 0.0
    present = sum(images[name] for name, _ in candidate.node.images if name in images)
    return present / total


def _tight(pod: views.PodView, candidate: fit.Candidate) -> float:
    left = [candidate.free[name] - n for name, n in pod.devices if name in candidate.free]
    return 1 / (1 + max(min(left), 0)) if left else 0.0
