"""The metrics are text that Prometheus takes, and say what happened."""

import re

import pytest

from presets import catalog
from telemetry import prometheus
from tests import builders
from tests.webhook import asgi
from webhook import app, metrics
from webhook.terms import Terms

HELP = re.compile(r"# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) [^\n\\]+")
TYPE = re.compile(r"# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram|summary|untyped)")
SAMPLE = re.compile(
    r"([a-zA-Z_:][a-zA-Z0-9_:]*)"
    r'(\{[a-zA-Z_][a-zA-Z0-9_]*="[^"\\\n]*"(,[a-zA-Z_][a-zA-Z0-9_]*="[^"\\\n]*")*\})?'
    r" ([0-9]+(\.[0-9]+)?(e-?[0-9]+)?)"
)
PARTS = ("_bucket", "_sum", "_count")


def samples(text: str) -> dict[str, float]:
    """The samples by name and labels; the text keeps the rules of format 0.0.4.

    Each family once: HELP, TYPE, then its samples; no sample twice; a line feed at the end.
    """
    assert text.endswith("\n")
    found: dict[str, float] = {}
    families: list[str] = []
    lines = text.removesuffix("\n").split("\n")
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        if helped := HELP.fullmatch(line):
            typed = TYPE.fullmatch(following)
            assert typed is not None
            assert typed[1] == helped[1]
            assert helped[1] not in families
            families.append(helped[1])
        elif not TYPE.fullmatch(line):
            sample = SAMPLE.fullmatch(line)
            assert sample is not None, line
            name = sample[1]
            family = families[-1]
            assert name == family or name in [family + part for part in PARTS], line
            key = line.rpartition(" ")[0]
            assert key not in found
            found[key] = float(sample[4])
    return found


def test_the_text_is_valid_before_anything_happened() -> None:
    found = samples(metrics.Metrics().render())
    assert found[f"{metrics.SECONDS}_count"] == 0
    assert prometheus.STARTED not in found


def test_the_start_of_the_process_is_told() -> None:
    assert samples(metrics.Metrics(started=1234.5).render())[prometheus.STARTED] == 1234.5


@pytest.mark.parametrize("seconds", [0.0, 0.0001, 0.00011, 0.3, 5.0, 7.0])
def test_buckets_are_cumulative_and_take_their_bound(seconds: float) -> None:
    counted = metrics.Metrics()
    counted.took(seconds)
    counted.took(0.002)
    found = samples(counted.render())
    buckets = {
        key.split('"')[1]: value
        for key, value in found.items()
        if key.startswith(f"{metrics.SECONDS}_bucket")
    }
    assert buckets["+Inf"] == found[f"{metrics.SECONDS}_count"] == 2
    for bound, value in buckets.items():
        assert value == sum(took <= float(bound) for took in (seconds, 0.002))
    assert found[f"{metrics.SECONDS}_sum"] == pytest.approx(seconds + 0.002)


def test_every_outcome_is_counted_and_the_text_stays_valid() -> None:
    served = app.App(Terms(catalog.load()), started=1.0)
    for workload in (
        builders.deployment().preset().build(),
        builders.deployment().preset('no"such\\\n').build(),
        builders.deployment().build(),
    ):
        asgi.mutate(served, workload)
    asgi.call(served, "POST", "/mutate", b"{")
    asgi.call(served, "GET", "/nowhere")
    found = samples(asgi.call(served, "GET", "/metrics").body.decode())
    counts = {key: value for key, value in found.items() if key.startswith(metrics.REQUESTS)}
    assert counts == {
        f'{metrics.REQUESTS}{{outcome="allowed",reason="Expanded"}}': 1,
        f'{metrics.REQUESTS}{{outcome="denied",reason="UnknownPreset"}}': 1,
        f'{metrics.REQUESTS}{{outcome="refused",reason="400"}}': 1,
        f'{metrics.REQUESTS}{{outcome="refused",reason="404"}}': 1,
        f'{metrics.REQUESTS}{{outcome="skipped",reason="NotLabelled"}}': 1,
    }
    assert found[f"{metrics.SECONDS}_count"] == 3
    assert found[metrics.INFLIGHT] == 1
