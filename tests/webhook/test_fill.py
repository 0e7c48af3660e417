"""What counts as absent, and what is filled by parts."""

from typing import Any

import pytest

from webhook import fill, unfill

CASES: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "absent": ({}, {"image": "i"}, {"image": "i"}, {"image": 1}),
    "null": ({"image": None}, {"image": "i"}, {"image": "i"}, {"image": [None]}),
    "empty text of a field": ({"image": ""}, {"image": "i"}, {"image": "i"}, {"image": [""]}),
    "empty text of a label": (
        {"labels": {"image": "x", "a": ""}},
        {"labels": {"a": "x"}},
        {"labels": {"image": "x", "a": ""}},
        {},
    ),
    "present": ({"image": "own"}, {"image": "i"}, {"image": "own"}, {}),
    "false is a value": ({"a": False}, {"a": True}, {"a": False}, {}),
    "true is no mark": ({"a": True}, {"a": False}, {"a": True}, {}),
    "zero is a value": ({"a": 0}, {"a": 1}, {"a": 0}, {}),
    "default of the server": (
        {"restartPolicy": "Always"},
        {"restartPolicy": "OnFailure"},
        {"restartPolicy": "OnFailure"},
        {"restartPolicy": ["Always"]},
    ),
    "not that default": (
        {"restartPolicy": "Never"},
        {"restartPolicy": "OnFailure"},
        {"restartPolicy": "Never"},
        {},
    ),
    "by key": (
        {"labels": {"a": "own"}},
        {"labels": {"a": "x", "b": "x"}},
        {"labels": {"a": "own", "b": "x"}},
        {"labels": {"b": 1}},
    ),
    "made": ({}, {"labels": {"a": "x"}}, {"labels": {"a": "x"}}, {"labels": {".": 1, "a": 1}}),
    "one value": (
        {"readinessProbe": {"tcpSocket": {}}},
        {"readinessProbe": {"httpGet": {}}},
        {"readinessProbe": {"tcpSocket": {}}},
        {},
    ),
    "atomic list": (
        {"tolerations": [{"key": "a"}]},
        {"tolerations": [{}]},
        {"tolerations": [{"key": "a"}]},
        {},
    ),
    "keyed list": (
        {"env": [{"name": "A", "value": "own"}]},
        {"env": [{"name": "A", "value": "x"}, {"name": "B", "value": "x"}]},
        {"env": [{"name": "A", "value": "own"}, {"name": "B", "value": "x"}]},
        {"env": {"B": 1}},
    ),
    "container by parts": (
        {"containers": [{"name": "m"}, {"name": "n"}]},
        {"containers": [{"name": "m", "image": "i"}]},
        {"containers": [{"name": "m", "image": "i"}, {"name": "n"}]},
        {"containers": {"m": {"image": 1}}},
    ),
    "container made": (
        {"containers": []},
        {"containers": [{"name": "m", "image": "i"}]},
        {"containers": [{"name": "m", "image": "i"}]},
        {"containers": {".": [[]], "m": {".": 1, "name": 1, "image": 1}}},
    ),
    "nothing wanted": ({}, {"volumes": [], "securityContext": {}}, {}, {}),
}


@pytest.mark.parametrize(("mine", "layout", "filled", "tree"), CASES.values(), ids=CASES)
def test_fill_and_back(
    mine: dict[str, Any], layout: dict[str, Any], filled: dict[str, Any], tree: dict[str, Any]
) -> None:
    assert fill.fill(mine, layout) == (filled, tree)
    assert unfill.unfill(filled, tree) == (mine, tree)


def test_what_needs_nothing_is_the_same_object() -> None:
    """The patch is found by identity: a needless copy would cost a walk."""
    mine = {"labels": {"a": "b"}, "spec": {"x": 1}}
    filled, _ = fill.fill(mine, {"labels": {"a": "c"}, "image": "i"})
    assert filled["labels"] is mine["labels"]
    assert fill.fill(mine, {"labels": {"a": "c"}})[0] is mine


def test_an_edited_addition_stays() -> None:
    """Stored with 1, now 2: the user set it since."""
    left, held = unfill.unfill({"a": 2, "b": 1}, {"a": 1, "b": 1}, {"a": 1, "b": 1})
    assert (left, held) == ({"a": 2}, {"b": 1})


def test_the_users_additions_keep_what_we_made_around_them() -> None:
    now = {"labels": {"ours": "x", "own": "y"}}
    left, _ = unfill.unfill(now, {"labels": {".": 1, "ours": 1}}, now)
    assert left == {"labels": {"own": "y"}}


def test_defaults_that_the_server_set_go_with_the_container_that_we_made() -> None:
    made = {"name": "m", "image": "i", "resources": {}, "terminationMessagePolicy": "File"}
    tree = {"containers": {".": [None], "m": {".": 1, "name": 1, "image": 1}}}
    assert unfill.unfill({"containers": [made]}, tree)[0] == {"containers": None}


def test_a_container_that_we_made_and_the_user_edited_keeps_its_name() -> None:
    was = {"containers": [{"name": "m", "image": "i"}]}
    now = {"containers": [{"name": "m", "image": "own"}]}
    tree = {"containers": {".": 1, "m": {".": 1, "name": 1, "image": 1}}}
    assert unfill.unfill(now, tree, was)[0] == now
