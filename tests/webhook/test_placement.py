from typing import Any

import pytest

from webhook import placement

SKU = {"key": "sku", "operator": "Equal", "value": "gpu", "effect": "NoSchedule"}
BOTH = ["sku=gpu:NoSchedule", "nvidia.com/gpu:NoSchedule"]
VENDOR = {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}


@pytest.mark.parametrize(
    ("tolerations", "missing"),
    [
        ([], []),
        ([SKU, VENDOR], []),
        ([{"operator": "Exists"}], []),
        ([{"operator": "Exists", "effect": "NoExecute"}], BOTH),
        ([SKU], ["nvidia.com/gpu:NoSchedule"]),
        ([{**SKU, "value": "cpu"}, VENDOR], ["sku=gpu:NoSchedule"]),
        ([{"key": "sku", "operator": "Exists"}, {"key": "nvidia.com/gpu", "value": "x"}], []),
    ],
)
def test_taints_that_the_users_tolerations_leave_open(
    tolerations: list[dict[str, Any]], missing: list[str]
) -> None:
    assert placement.untolerated({"tolerations": tolerations}) == missing


def test_our_own_tolerations_leave_none_open() -> None:
    assert placement.untolerated({"tolerations": placement.tolerations()}) == []


@pytest.mark.parametrize(("value", "count"), [("2", 2), (2, 2), (None, None)])
def test_gpus_that_a_container_asks_for(value: object, count: int | None) -> None:
    assert placement.gpus_asked({"resources": {"limits": {"nvidia.com/gpu": value}}}) == count


def test_a_request_counts_where_there_is_no_limit() -> None:
    assert placement.gpus_asked({"resources": {"requests": {"nvidia.com/gpu": "2"}}}) == 2


@pytest.mark.parametrize("value", ["0", "-1", "1k", "500m", "", True, 1.5, "٣", "9" * 5000])
def test_no_count_of_gpus(value: object) -> None:
    with pytest.raises(ValueError, match=r".*"):
        placement.gpus_asked({"resources": {"limits": {"nvidia.com/gpu": value}}})
