"""The list of adapters: right ones by their strength and image, and every text of a wrong one."""

import json
import random
from decimal import Decimal

import pytest

from presets import adapter_list
from presets.adapter_list import Adapter
from presets.field_errors import ABSENT
from presets.problems import WHOLE, MalformedValue

LIST = f"for example {adapter_list.EXAMPLE}"
NAME = "at most 63 small letters, digits and dashes"
IMAGE = "registry/repository:tag, for example ghcr.io/org/sql:1"
STRENGTH = ("is not a strength from 0 to 1", "0.5, with at most six decimals")


def one(**fields: object) -> str:
    return json.dumps([{"name": "a", "image": "x/y:1", **fields}])


@pytest.mark.parametrize(
    ("written", "strength"),
    [
        ("1", "1"),
        ("0", "0"),
        ('"1.0"', "1"),
        ("0.30", "0.3"),
        ("5e-1", "0.5"),
        ('"0.000001"', "0.000001"),
    ],
)
def test_a_strength_is_read_exactly(written: str, strength: str) -> None:
    text = f'[{{"name":"a","image":"x/y:1","strength":{written}}}]'
    assert adapter_list.read(text) == (Adapter("a", "x/y:1", Decimal(strength)),)


def test_an_adapter_that_says_nothing_of_its_strength_has_all_of_it() -> None:
    assert adapter_list.read(one()) == (Adapter("a", "x/y:1", Decimal(1)),)


def test_no_adapter_is_a_list_too() -> None:
    assert adapter_list.read("[]") == ()


def test_every_strength_survives_being_written() -> None:
    draw = random.Random(7)
    for millionths in [0, 1, 10**6, *(draw.randrange(10**6) for _ in range(500))]:
        adapters = (Adapter("a", "x/y:1", Decimal(millionths) / 10**6),)
        assert adapter_list.read(adapter_list.write(adapters)) == adapters


@pytest.mark.parametrize(
    ("text", "at", "value", "message", "hint"),
    [
        ("", "", WHOLE, "is not JSON", LIST),
        ("[NaN]", "", WHOLE, "is not JSON", LIST),
        ("[" * 100_000, "", WHOLE, "is not JSON", LIST),
        ('["\\ud800"]', "", WHOLE, "is not JSON", LIST),
        ("{}", "", WHOLE, "is not a list", LIST),
        ("[1.5]", "[0]", 1.5, "is not an adapter", LIST),
        (
            '[{"name":"a","name":"b"}]',
            "",
            WHOLE,
            'says "name" twice in one adapter',
            "each field once",
        ),
        (
            one(strenght=1),
            "[0].strenght",
            1,
            "is the value of a field that adapters do not have",
            "name, image, strength",
        ),
        ('[{"image":"x"}]', "[0].name", ABSENT, "absent: the name of an adapter is required", NAME),
        (
            '[{"name":"a"}]',
            "[0].image",
            ABSENT,
            "absent: the reference of an image is required",
            IMAGE,
        ),
        (one(name="A_b"), "[0].name", "A_b", "is not the name of an adapter", NAME),
        (one(name="a" * 64), "[0].name", "a" * 64, "is not the name of an adapter", NAME),
        (one(name=1), "[0].name", 1, "is not the name of an adapter", NAME),
        (one(image=""), "[0].image", "", "is not the reference of an image", IMAGE),
        (
            one(image="X"),
            "[0].image",
            "X",
            "is not the reference of an image",
            "repository names are written in small letters",
        ),
        (one(strength=1.5), "[0].strength", 1.5, *STRENGTH),
        (one(strength=-1), "[0].strength", -1, *STRENGTH),
        (one(strength=True), "[0].strength", True, *STRENGTH),
        (one(strength=None), "[0].strength", None, *STRENGTH),
        (one(strength="0,5"), "[0].strength", "0,5", *STRENGTH),
        (one(strength=0.1234567), "[0].strength", 0.1234567, *STRENGTH),
        (one(strength=1e-7), "[0].strength", 1e-7, *STRENGTH),
    ],
)
def test_a_wrong_adapter_is_refused(
    text: str, at: str, value: object, message: str, hint: str
) -> None:
    with pytest.raises(MalformedValue) as caught:
        adapter_list.read(text)
    (problem,) = caught.value.problems
    assert (problem.at, problem.value, problem.message, problem.hint) == (at, value, message, hint)


def test_a_name_is_one_adapters() -> None:
    adapters = [{"name": "a", "image": "x/y:1"}, {"name": "a", "image": "x/y:2"}]
    assert problems(adapters) == [("[1].name", "is the name of another adapter too")]


def test_ten_adapters_are_the_most() -> None:
    adapters = [{"name": f"a{index}", "image": "x"} for index in range(11)]
    assert len(adapter_list.read(json.dumps(adapters[:10]))) == 10
    assert problems(adapters) == [("", "holds 11 adapters")]


def test_all_problems_of_a_list_are_told() -> None:
    found = problems([{"name": "a", "strength": 2}, "b", {"name": "_", "image": "x", "z": 1}])
    assert [at for at, _ in found] == ["[0].image", "[0].strength", "[1]", "[2].z", "[2].name"]


def problems(adapters: object) -> list[tuple[str, str]]:
    with pytest.raises(MalformedValue) as caught:
        adapter_list.read(json.dumps(adapters))
    return [(problem.at, problem.message) for problem in caught.value.problems]
