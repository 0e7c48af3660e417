import json

import pytest

from webhook.record import MalformedRecord, Record

RECORD = Record(
    preset="tiny-chat",
    revision="",
    container="model",
    inputs={"kaito.sh/preset": "Tiny-Chat"},
    tree={"spec": {".": 1, "a": [None], "b": {".": ["x"], "c": 1}}},
)


def test_a_record_survives_the_annotation() -> None:
    assert Record.from_json(RECORD.to_json()) == RECORD


@pytest.mark.parametrize(
    "changed",
    [
        {"v": 2},
        {"preset": None},
        {"revision": 1},
        {"container": None},
        {"inputs": {"a": 1}},
        {"inputs": []},
        {"filled": None},
        {"filled": {"a": 2}},
        {"filled": {"a": []}},
        {"filled": {"a": [1, 2]}},
        {"filled": {".": {}}},
    ],
    ids=str,
)
def test_a_wrong_part_is_refused(changed: dict[str, object]) -> None:
    with pytest.raises(MalformedRecord):
        Record.from_json(json.dumps({**json.loads(RECORD.to_json()), **changed}))


@pytest.mark.parametrize("text", ["", "1", "[]", None, 3, "{", '{"v":1}'])
def test_what_is_no_record_is_refused(text: object) -> None:
    with pytest.raises(MalformedRecord):
        Record.from_json(text)


def test_a_tree_deeper_than_any_object_is_refused() -> None:
    deep: dict[str, object] = {"a": 1}
    for _ in range(50):
        deep = {"a": deep}
    with pytest.raises(MalformedRecord):
        Record.from_json(json.dumps({**json.loads(RECORD.to_json()), "filled": deep}))
