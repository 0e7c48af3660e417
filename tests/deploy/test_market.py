"""What the demonstration prints of the second model; that it happens is tested end to end."""

import dataclasses
import json
from pathlib import Path

from deploy.local import market, settings
from tests.deploy.test_provider import some_settings

_TOLD = [
    market.Told("NodeRequested", "no node is free: NodeClaim ws1 created (A100, spot)"),
    market.Told("ClaimRefused", "NodeClaim ws1 (A100, spot) ended before its node was usable"),
    market.Told("NodeRequested", "no node is free: NodeClaim ws2 created (A100, on-demand)"),
    market.Told("NodeGivenBack", "NodeClaim ws2 given back: no pod needed it for 5 s"),
]
_PRINTED = """
Events of deployment/spot-first (kubectl describe shows them)
  NodeRequested  no node is free: NodeClaim ws1 created (A100, spot)
  ClaimRefused   NodeClaim ws1 (A100, spot) ended before its node was usable
  NodeRequested  no node is free: NodeClaim ws2 created (A100, on-demand)
  NodeGivenBack  NodeClaim ws2 given back: no pod needed it for 5 s"""


def test_events_are_printed_in_their_order() -> None:
    assert "\n".join(market.lines(_TOLD)) == _PRINTED
    assert market.lines([]) == []


def test_settings_are_read_as_they_were_written(tmp_path: Path) -> None:
    written = dataclasses.replace(some_settings(tmp_path), no_spot=("a", "b"))
    file = tmp_path / "settings.json"
    fields = dataclasses.asdict(written).items()
    raw = {k: str(v) if isinstance(v, Path) else v for k, v in fields}
    file.write_text(json.dumps(raw))
    assert settings.load(file) == written
    del raw["no_spot"]
    file.write_text(json.dumps(raw))
    assert settings.load(file).no_spot == (), "a cluster of an older version"
