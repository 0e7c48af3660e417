"""Both sides of the contract: what one version cannot do is refused at start, never ignored."""

import dataclasses

import pytest

from presets import runtime_args
from presets.runtime_args import MalformedArguments, ServeArgs
from runtime import __main__ as program
from runtime import settings
from tests.presets.test_runtime_args import FULL, FULL_ARGV
from webhook import validate

PLAIN = ServeArgs("/m", "m")


@pytest.mark.parametrize("field", sorted(runtime_args.LATER))
def test_an_argument_that_is_not_acted_on_is_refused(field: str) -> None:
    args = dataclasses.replace(PLAIN, **{field: getattr(FULL, field)})
    with pytest.raises(MalformedArguments, match="cannot do yet: --") as caught:
        settings.read(args.to_argv(), {})
    assert args.to_argv()[-1] in str(caught.value)


@pytest.mark.parametrize("field", sorted({f.name for f in dataclasses.fields(ServeArgs)}))
def test_every_other_argument_is_acted_on(field: str) -> None:
    args = dataclasses.replace(PLAIN, **{field: getattr(FULL, field)})
    if field not in runtime_args.LATER:
        assert settings.read(args.to_argv(), {}).serve == args


def test_all_of_them_are_named_and_the_program_ends_with_2(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert program.main(["serve", "--model=m", "--runtime=vllm", "--tensor-parallel=2"]) == 2
    assert capsys.readouterr().err == (
        "this version of the model server cannot do yet: --runtime=vllm --tensor-parallel=2\n"
        "hint: see --help\n"
    )


def test_our_engine_is_one_of_transformers() -> None:
    argv = [*PLAIN.to_argv(), "--runtime=transformers"]
    assert settings.read(argv, {}).serve.runtime == "transformers"


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (
            ["tune", "--method=lora", "--model=m"],
            "tune: this version of the model server cannot tune",
        ),
        (
            ["fetch", "--url=https://example.com/a"],
            "fetch: this version of the model server cannot tune",
        ),
        (
            ["push", "--image=a", "--model=m"],
            "push: this version of the model server cannot tune",
        ),
        (["tune", "--model=m"], "the following arguments are required: --method"),
    ],
)
def test_tuning_is_refused(argv: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(argv) == 2
    assert capsys.readouterr().err == f"{says}\nhint: see --help\n"


def test_admission_refuses_the_same() -> None:
    """A user's own arguments are refused before a node is bought for them."""
    with pytest.raises(MalformedArguments, match="cannot do yet: --runtime=vllm"):
        runtime_args.require_supported(ServeArgs.from_argv(FULL_ARGV))
    assert validate.arguments_are_the_servers in validate.RULES
