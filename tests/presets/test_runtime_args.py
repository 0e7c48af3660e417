"""Command lines of the model server: written and read, pinned, refused with the argument's name."""

import dataclasses
import random
from decimal import Decimal

import pytest

from presets import runtime_args
from presets.runtime_args import (
    FetchArgs,
    MalformedArguments,
    PushArgs,
    ServeArgs,
    ServedAdapter,
    TuneArgs,
)


@pytest.mark.parametrize("seed", range(300))
def test_serving_survives_the_command_line(seed: int) -> None:
    args = random_serving(random.Random(seed))
    assert ServeArgs.from_argv(args.to_argv()) == args


@pytest.mark.parametrize("seed", range(300))
def test_tuning_survives_the_command_line(seed: int) -> None:
    draw = random.Random(seed)
    args = TuneArgs(
        method=draw.choice(runtime_args.METHODS),
        model=draw.choice(["/opt/m", "org/name", "-odd", "a b"]),
        revision=draw.choice(["", "0a67737c"]),
        dtype=draw.choice(runtime_args.DTYPES),
        data=draw.choice([runtime_args.DATA, "/x=y"]),
        output=draw.choice([runtime_args.RESULTS, "--output"]),
        config=draw.choice(["", runtime_args.CONFIG]),
    )
    assert TuneArgs.from_argv(args.to_argv()) == args


@pytest.mark.parametrize("seed", range(300))
def test_fetching_and_pushing_survive_the_command_line(seed: int) -> None:
    draw = random.Random(seed)
    urls = ["https://example.com/a.parquet?sig=a%3D&b=$(HOME)", "http://h/b", "--url=x"]
    fetch = FetchArgs(
        tuple(draw.sample(urls, draw.randint(1, 3))),
        draw.choice([runtime_args.DATA, "/x=y"]),
    )
    assert FetchArgs.from_argv(fetch.to_argv()) == fetch
    push = PushArgs(
        image=draw.choice(["ghcr.io/org/a:1", "a@sha256:0"]),
        model=draw.choice(["phi-4", "-odd"]),
        source=draw.choice([runtime_args.RESULTS, "/mnt/results/a b"]),
        login=draw.choice([runtime_args.LOGIN, "/l"]),
    )
    assert PushArgs.from_argv(push.to_argv()) == push


def test_the_command_lines_are_pinned() -> None:
    """Stored pods carry them: a later model server must still take them."""
    assert ServeArgs("org/name", "n", revision="r", dtype="float16").to_argv() == [
        "serve",
        "--model=org/name",
        "--served-name=n",
        "--revision=r",
        "--dtype=float16",
    ]
    assert FULL.to_argv() == FULL_ARGV
    assert ServeArgs.from_argv(FULL_ARGV) == FULL
    assert TuneArgs("qlora", "org/name", "r", config=runtime_args.CONFIG).to_argv() == [
        "tune",
        "--method=qlora",
        "--model=org/name",
        "--revision=r",
        "--config=/mnt/config/training_config.yaml",
    ]
    assert FetchArgs(("https://h/a", "https://h/b")).to_argv() == [
        "fetch",
        "--url=https://h/a",
        "--url=https://h/b",
    ]
    assert PushArgs("ghcr.io/org/a:1", "phi-4", "/mnt/results/a").to_argv() == [
        "push",
        "--image=ghcr.io/org/a:1",
        "--model=phi-4",
        "--source=/mnt/results/a",
    ]


def test_a_run_finds_its_data_where_kaito_puts_it() -> None:
    args = TuneArgs.from_argv(["tune", "--method=lora", "--model=m"])
    assert (args.data, args.output, args.config) == ("/mnt/data", "/mnt/results", "")


def test_the_served_name_defaults_to_the_model() -> None:
    assert ServeArgs.from_argv(["serve", "--model=m"]).served_name == "m"


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        ([], "the following arguments are required: verb"),
        (["serve"], "the following arguments are required: --model"),
        (["serve", "--model=m", "--mode=x"], "unrecognized arguments: --mode=x"),
        (["serve", "--mod=m"], "the following arguments are required: --model"),
        (["serve", "--model="], "argument --model: is empty"),
        (["serve", "--model=m", "--model=m"], "argument --model: is given twice"),
        (
            ["serve", "--model=m", "--dtype=int8"],
            "argument --dtype: invalid choice: 'int8'; auto, bfloat16, float16, float32",
        ),
        (
            ["serve", "--model=m", "--port=http"],
            "argument --port: http is not a whole number from 0 (any that is free) to 65535",
        ),
        (
            ["serve", "--model=m", "--port=65536"],
            "argument --port: 65536 is not a whole number from 0 (any that is free) to 65535",
        ),
        (
            ["serve", "--model=m", "--max-sequences=1_0"],
            (
                "argument --max-sequences: 1_0 is not a whole number from 0 (the engine's own)"
                " to 2147483647"
            ),
        ),
        (
            ["serve", "--model=m", "--tensor-parallel=0"],
            "argument --tensor-parallel: 0 is not a whole number from 1 to 2147483647",
        ),
        (
            ["serve", "--model=m", "--adapter=a:2:/a"],
            "argument --adapter: a:2:/a is not NAME:STRENGTH:/DIRECTORY",
        ),
        (
            ["serve", "--model=m", "--adapter=a:1:b"],
            "argument --adapter: a:1:b is not NAME:STRENGTH:/DIRECTORY",
        ),
        (
            ["serve", "--model=m", "--adapter=a:1:/a", "--adapter=a:1:/b"],
            "argument --adapter: names an adapter twice",
        ),
        (
            ["serve", "--model=m", *(f"--adapter=a{index}:1:/a" for index in range(11))],
            "argument --adapter: at most 10 adapters",
        ),
    ],
)
def test_a_wrong_argument_of_serving_is_named(argv: list[str], says: str) -> None:
    with pytest.raises(MalformedArguments) as caught:
        ServeArgs.from_argv(argv)
    assert str(caught.value) == says


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["tune"], "the following arguments are required: --method, --model"),
        (
            ["tune", "--model=m", "--method=QLoRA"],
            "argument --method: invalid choice: 'QLoRA'; lora, qlora",
        ),
        (["tune", "--model=m", "--method=lora", "--data="], "argument --data: is empty"),
    ],
)
def test_a_wrong_argument_of_tuning_is_named(argv: list[str], says: str) -> None:
    with pytest.raises(MalformedArguments) as caught:
        TuneArgs.from_argv(argv)
    assert str(caught.value) == says


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["fetch"], "the following arguments are required: --url"),
        (["fetch", "--url="], "argument --url: is empty"),
        (["push", "--image=a"], "the following arguments are required: --model"),
        (["push", "--image=a", "--model=m", "--tag=1"], "unrecognized arguments: --tag=1"),
    ],
)
def test_a_wrong_argument_of_fetching_and_pushing_is_named(argv: list[str], says: str) -> None:
    program = FetchArgs if argv[0] == "fetch" else PushArgs
    with pytest.raises(MalformedArguments) as caught:
        program.from_argv(argv)
    assert str(caught.value) == says


def test_another_verb_is_refused() -> None:
    with pytest.raises(MalformedArguments, match="argument verb: invalid choice: 'tune'"):
        ServeArgs.from_argv(["tune", "--model=m"])
    with pytest.raises(MalformedArguments, match="argument verb: invalid choice: 'serve'"):
        TuneArgs.from_argv(["serve", "--model=m"])


FULL = ServeArgs(
    model="org/name",
    served_name="n",
    context_tokens=4096,
    port=8080,
    adapters=(
        ServedAdapter("sql", "/mnt/adapter/sql", Decimal("0.5")),
        ServedAdapter("b", "/a:b,c"),
    ),
    runtime="vllm",
    tensor_parallel=2,
    pipeline_parallel=3,
    max_sequences=64,
    quantization="fp8",
    kv_dtype="fp8",
    chat_template="tool-chat-hermes.jinja",
    tool_parser="hermes",
    reasoning_parser="qwen3",
    trust_remote_code=True,
)
"""Every argument that may differ from its default beside the two above."""

FULL_ARGV = [
    "serve",
    "--model=org/name",
    "--served-name=n",
    "--context-tokens=4096",
    "--port=8080",
    "--adapter=sql:0.5:/mnt/adapter/sql",
    "--adapter=b:1:/a:b,c",
    "--runtime=vllm",
    "--tensor-parallel=2",
    "--pipeline-parallel=3",
    "--max-sequences=64",
    "--quantization=fp8",
    "--kv-dtype=fp8",
    "--chat-template=tool-chat-hermes.jinja",
    "--tool-parser=hermes",
    "--reasoning-parser=qwen3",
    "--trust-remote-code",
]


def random_serving(draw: random.Random) -> ServeArgs:
    """Every field at its default or not."""
    plain = ServeArgs(
        model=draw.choice(["/opt/m", "org/name", "-odd", "a b"]),
        served_name=draw.choice(["tiny-chat", "--x"]),
        revision=draw.choice(["", "0a67737c"]),
        dtype=draw.choice(runtime_args.DTYPES),
    )
    chosen = {
        field.name: getattr(FULL, field.name)
        for field in dataclasses.fields(ServeArgs)[4:]
        if draw.random() < 0.5
    }
    count = draw.randrange(11)
    strengths = [Decimal(draw.randrange(10**6 + 1)) / 10**6 for _ in range(count)]
    chosen["adapters"] = tuple(
        ServedAdapter(f"a{index}", draw.choice(["/a", "/x y:z="]), strength)
        for index, strength in enumerate(strengths)
    )
    return dataclasses.replace(plain, **chosen)
