"""`plainsail offers`: cheapest first, limits, and why there is none."""

import json
import shlex

import pytest

from cli import __main__ as command
from tests.conftest import GOLDEN, Goldens

CASES = {
    "azure": "phi-3-mini-4k-instruct --cloud azure",
    "spot": "gpt-oss-120b --cloud aws --capacity-type spot,on-demand",
    "limit": "gpt-oss-120b --max-price 4",
    "none": "llama-3.3-70b-instruct --cloud azure --max-price $2.50",
}


@pytest.mark.parametrize("case", CASES)
def test_the_whole_output(case: str, capsys: pytest.CaptureFixture[str], goldens: Goldens) -> None:
    status = command.main(["offers", *shlex.split(CASES[case])])
    out, err = capsys.readouterr()
    goldens.check(GOLDEN / "cli" / f"offers-{case}.txt", f"$ plainsail offers {CASES[case]}\n{out}")
    assert (status, err) == (int(case == "none"), "")
    assert max(map(len, out.splitlines())) <= 80


def test_json_gives_prices_with_their_origin_and_every_reason(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert command.main(["offers", *shlex.split(CASES["azure"]), "-o", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    prices = [one["usdPerHour"] for one in found["offers"] if one["usdPerHour"] is not None]
    assert prices == sorted(prices)
    assert all(one["priceSource"] for one in found["offers"] if one["usdPerHour"] is not None)
    assert all(one["message"] for one in found["dropped"])


def test_an_unknown_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["offers", "phi-33"]) == 2
    assert "is not a preset (UnknownPreset)" in capsys.readouterr().err


@pytest.mark.parametrize(
    "argv",
    [
        "",
        "phi-2 --max-price x",
        "phi-2 --max-price 0",
        "phi-2 --capacity-type cheap",
        "phi-2 --capacity-type spot,spot",
        "phi-2 --capacity-type spot,",
    ],
)
def test_wrong_usage_ends_with_2(argv: str) -> None:
    with pytest.raises(SystemExit) as caught:
        command.main(["offers", *shlex.split(argv)])
    assert caught.value.code == 2
