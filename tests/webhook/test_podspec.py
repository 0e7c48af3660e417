"""Which container is the model's, and how long it may take to start."""

import pytest

from presets import catalog, preset
from webhook import podspec

MODEL, APP = {"name": "m"}, {"name": "app", "image": "i"}


@pytest.mark.parametrize(
    ("containers", "named", "recorded", "name"),
    [
        ([], "", "", "model"),
        ([], "server", "", "server"),
        ([], "", "before", "before"),
        ([MODEL], "", "", "m"),
        ([APP], "", "", "app"),
        ([APP, MODEL], "", "", "m"),
        ([APP, MODEL], "app", "", "app"),
        ([APP, MODEL], "beside", "", "beside"),
        ([APP, {"name": "other", "image": "i"}], "", "other", "other"),
        ([APP, MODEL], "", "app", "m"),
    ],
)
def test_the_models_container(
    containers: list[dict[str, str]], named: str, recorded: str, name: str
) -> None:
    assert podspec.choose(containers, named, recorded).name == name


@pytest.mark.parametrize("containers", [[APP, {"name": "b", "image": "i"}], [MODEL, {"name": "n"}]])
def test_several_candidates_are_ambiguous(containers: list[dict[str, str]]) -> None:
    with pytest.raises(podspec.AmbiguousContainer):
        podspec.choose(containers, "")


@pytest.mark.parametrize(("gib", "minutes"), [(1, 30), (7.12, 30), (100, 45), (2000, 180)], ids=str)
def test_the_startup_budget_grows_with_the_download(gib: float, minutes: int) -> None:
    """15 minutes and 18 s per GiB, within half an hour and three hours."""
    weights = preset.Weights("org/name", "0" * 40, int(gib * 2**30))
    assert podspec.startup_seconds(weights) == pytest.approx(minutes * 60, abs=60)


def test_weights_in_the_image_need_no_download() -> None:
    found = catalog.load().find("tiny-chat")
    assert found is not None
    assert podspec.startup_seconds(found.weights) == 300
