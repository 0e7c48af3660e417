import random

import pytest

from presets.runtime_args import MalformedArguments, ServeArgs


@pytest.mark.parametrize("seed", range(50))
def test_arguments_survive_the_command_line(seed: int) -> None:
    draw = random.Random(seed)
    args = ServeArgs(
        model=draw.choice(["/opt/m", "org/name", "-odd", "a b"]),
        served_name=draw.choice(["tiny-chat", "--x"]),
        revision=draw.choice(["", "0a67737c"]),
        dtype=draw.choice(["auto", "bfloat16", "float16", "float32"]),
        context_tokens=draw.choice([0, 4096]),
        port=draw.choice([5000, 8080]),
    )
    assert ServeArgs.from_argv(args.to_argv()) == args


def test_the_command_line_is_pinned() -> None:
    """Stored pods carry it: a later model server must still take it."""
    assert ServeArgs("org/name", "n", revision="r", dtype="float16").to_argv() == [
        "serve",
        "--model=org/name",
        "--served-name=n",
        "--revision=r",
        "--dtype=float16",
    ]


def test_the_served_name_defaults_to_the_model() -> None:
    assert ServeArgs.from_argv(["serve", "--model=m"]).served_name == "m"


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        ([], "verb"),
        (["tune"], "tune"),
        (["serve"], "--model"),
        (["serve", "--model=m", "--mode=x"], "--mode=x"),
        (["serve", "--model=m", "--dtype=int8"], "int8"),
        (["serve", "--model=m", "--port=http"], "http"),
    ],
)
def test_a_wrong_argument_is_named(argv: list[str], says: str) -> None:
    with pytest.raises(MalformedArguments, match=says):
        ServeArgs.from_argv(argv)
