"""The reference gives KAITO's own figures, row by row, and its node counts."""

import csv
from pathlib import Path

import pytest

from tests.presets.sizing import kaito_estimator

FIGURES = Path(__file__).with_name("kaito_estimates.csv")


def rows() -> list[dict[str, str]]:
    lines = FIGURES.read_text(encoding="utf-8").splitlines()
    return list(csv.DictReader(line for line in lines if not line.startswith("#")))


@pytest.mark.parametrize("row", rows(), ids=lambda row: row["model"])
def test_the_estimate_for_one_gpu_is_kaitos(row: dict[str, str]) -> None:
    """Its table has one decimal."""
    estimate = kaito_estimator.gpu_memory_gib(
        float(row["weights_gib"]), int(row["kv_bytes_per_token"])
    )
    assert estimate == pytest.approx(float(row["gpu_memory_gib"]), abs=0.051)


def test_the_table_has_every_preset() -> None:
    assert len(rows()) == 71


@pytest.mark.parametrize(
    ("weights", "kv", "gpu", "per_node", "context", "expected"),
    [
        (7.12, 393216, 16, 1, 2048, 1),
        (7.12, 393216, 16, 1, 32768, None),
        (131.42, 327680, 80, 1, 2048, 3),
        (131.42, 327680, 80, 4, 2048, 1),
        (641.3, 70272, 80, 8, 2048, 2),
        (641.3, 70272, 141, 8, 2048, 1),
    ],
)
def test_nodes(
    weights: float, kv: int, gpu: float, per_node: int, context: int, expected: int | None
) -> None:
    """By hand: phi-3-mini on V100, llama-3.3-70b and deepseek-r1 on A100 and H200."""

    def counted() -> int:
        return kaito_estimator.nodes(
            weights, kv, gpu_gib=gpu, gpus_per_node=per_node, context_tokens=context
        )

    if expected is None:
        with pytest.raises(kaito_estimator.DoesNotFit, match="are reserved"):
            counted()
    else:
        assert counted() == expected


def test_an_exact_fit_takes_one_gpu_more() -> None:
    usable = (0.84 * 100 - 2.3) / 1.05
    assert kaito_estimator.gpus(usable / 1.02, 0, gpu_gib=100, gpus_per_node=1) == 2
