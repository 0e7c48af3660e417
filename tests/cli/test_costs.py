"""The line on price and memory: GPUs, pods, capacity types, servers that are not ours."""

from typing import Any

import pytest

from cli import costs
from tests import builders
from tests.cli.running import TINY, Run
from tests.golden_terms import TERMS
from tests.laws.holding import allowed

A100 = "Standard_NC24ads_A100_v4"


def line(workload: builders.Workload) -> str:
    return costs.line(allowed(workload.build(), terms=TERMS).workload, TERMS)


def phi(**fields: Any) -> builders.Workload:
    return builders.deployment().preset("phi-3-mini-4k-instruct").spec(**fields)


@pytest.mark.parametrize(
    ("workload", "expected"),
    [
        (
            phi(),
            (
                "phi-3-mini-4k-instruct on 1 x T4, Standard_NC4as_T4_v3, $0.526/h on-demand,"
                " 10.3 of 14.6 GiB of GPU memory"
            ),
        ),
        (
            phi(replicas=3).annotation("kaito.sh/instance-types", A100),
            (
                f"phi-3-mini-4k-instruct on 1 x A100 80GB, {A100}, $3.673/h on-demand for each of"
                " 3 pods, 15.4 of 79.1 GiB of GPU memory"
            ),
        ),
        (
            phi()
            .container("own", resources={"limits": {"nvidia.com/gpu": "2"}})
            .annotation("kaito.sh/instance-types", "Standard_NC24s_v3"),
            (
                "phi-3-mini-4k-instruct on 2 of 4 x V100, Standard_NC24s_v3, $12.24/h on-demand,"
                " 10.3 of 31.5 GiB of GPU memory"
            ),
        ),
        (
            builders.stateful_set()
            .preset("deepseek-r1-0528")
            .annotation("kaito.sh/instance-types", "Standard_ND96isr_H100_v5"),
            (
                "deepseek-r1-0528 on 8 x H100 80GB, Standard_ND96isr_H100_v5, $98.32/h on-demand"
                " for each of 2 pods, 435.7 of 632.9 GiB of GPU memory"
            ),
        ),
        (
            builders.job()
            .preset()
            .spec(parallelism=2)
            .annotation("kaito.sh/capacity-type", "spot"),
            (
                "tiny-chat on 1 x T4, Standard_NC4as_T4_v3, spot price unknown,"
                " 1.3 of 14.6 GiB of GPU memory"
            ),
        ),
        (
            builders.deployment().preset().container("own", image="registry.example.com/own:1"),
            "tiny-chat on 1 x T4, Standard_NC4as_T4_v3, $0.526/h on-demand",
        ),
        (
            phi()
            .annotation("kaito.sh/provision", "off")
            .annotation("kaito.sh/instance-types", A100),
            (
                f"phi-3-mini-4k-instruct on 1 x A100 80GB, {A100}, nothing is bought,"
                " 15.4 of 79.1 GiB of GPU memory"
            ),
        ),
    ],
)
def test_line(workload: builders.Workload, expected: str) -> None:
    assert line(workload) == expected


def test_nothing_is_known_of_what_was_not_expanded() -> None:
    assert costs.line(builders.deployment().build(), TERMS) == ""


def test_each_workload_has_its_line(run: Run) -> None:
    other = TINY.replace("name: tiny", "name: other")
    _, _, err = run("expand", "-f", "-", stdin=f"{TINY}---\n{other}")
    lines = [one for one in err.splitlines() if one.startswith("cost: ")]
    assert [one.split(": ")[1] for one in lines] == ["Deployment/tiny", "Deployment/other"]
