"""What is read of raw objects."""

from typing import Any

import pytest

from presets import scheduling
from scheduler_ext import views
from tests.scheduler_ext import objects


def test_a_pod_of_ours_shows_whose_it_is_and_what_it_asks_for() -> None:
    assert views.pod(objects.raw_pod()) == objects.pod()


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"status": {"phase": "Succeeded"}}, id="finished"),
        pytest.param({"metadata": {"deletionTimestamp": "now"}}, id="deleted before it was bound"),
        pytest.param({"metadata": {"labels": {}}}, id="waiting and not ours"),
        pytest.param(
            {"spec": {"nodeName": "n1", "containers": [{"name": "a"}]}}, id="without devices"
        ),
    ],
)
def test_pods_of_no_interest_are_left_out(changes: dict[str, Any]) -> None:
    assert views.pod(objects.raw_pod(**changes)) is None


def test_a_bound_pod_counts_whoever_it_belongs_to_until_it_is_gone() -> None:
    meta = {"labels": {}, "deletionTimestamp": "now"}
    view = views.pod(objects.raw_pod(metadata=meta, spec={"nodeName": "n1"}))
    assert view is not None
    assert (view.node, view.devices) == ("n1", ((objects.GPU, 1),))


@pytest.mark.parametrize("marker", ["", "0", "1k"])
def test_a_node_says_how_much_of_the_marker_it_offers(marker: str) -> None:
    raw = objects.raw_node()
    raw["status"]["allocatable"] |= {scheduling.MARKER: marker} if marker else {}
    view = views.node(raw)
    assert (view.marker, view.devices) == (marker, ((objects.GPU, 1),))


def test_the_marker_is_no_device() -> None:
    assert views.requested(objects.raw_pod()).devices == ((objects.GPU, 1),)


def test_a_node_that_karpenter_is_not_done_with_shows_it() -> None:
    raw = objects.raw_node()
    raw["metadata"]["labels"] |= {"karpenter.sh/registered": "true"}
    assert views.node(raw).registering
    raw["metadata"]["labels"] |= {"karpenter.sh/initialized": "true"}
    assert not views.node(raw).registering


def test_large_images_of_nodes_with_devices_are_kept_under_all_their_names() -> None:
    images = [
        {"names": ["a:1", "a@sha256:1"], "sizeBytes": 10**9},
        {"names": ["small:1"], "sizeBytes": 10**6},
        {"names": None, "sizeBytes": 10**9},
        {"names": ["of no size:1"]},
    ]
    assert views.node(objects.raw_node(images=images)).images == (
        ("a:1", 10**9),
        ("a@sha256:1", 10**9),
    )
    assert views.node(objects.raw_node(images=images, allocatable={"cpu": "8"})).images == ()


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        ("nginx", "docker.io/library/nginx:latest"),
        ("org/model:2", "docker.io/org/model:2"),
        ("ghcr.io/org/model", "ghcr.io/org/model:latest"),
        ("localhost:5000/model@sha256:1", "localhost:5000/model@sha256:1"),
    ],
)
def test_an_image_is_named_as_nodes_name_it(reference: str, name: str) -> None:
    assert views.image_name(reference) == name


def test_the_images_of_a_request_are_those_of_its_containers_and_volumes() -> None:
    volumes = [{"name": "w", "image": {"reference": "ghcr.io/m:1"}}, {"name": "t", "emptyDir": {}}]
    containers = [{"name": "c", "image": "ghcr.io/s:1"}, {"name": "d"}]
    raw = objects.raw_pod(spec={"volumes": volumes, "containers": containers})
    assert views.requested(raw, with_images=True).images == ("ghcr.io/m:1", "ghcr.io/s:1")


def test_a_claim_of_another_program_is_none_of_ours() -> None:
    assert views.claim(objects.raw_claim() | {"metadata": {"name": "x", "uid": "u"}}) is None
    raw = objects.raw_claim()
    raw["metadata"]["uid"] = "uid-ws1"
    assert views.claim(raw) == objects.claim()
