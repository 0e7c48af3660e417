"""What is decided on a drawn workload, and the laws that hold whatever is drawn."""

import copy
from typing import Any

import jsonpatch

from presets import catalog
from webhook import admit, record, unfill
from webhook.terms import Terms

TERMS = Terms(catalog.load())
"""Of a cluster with everything, and nothing said of who buys its nodes."""


def allowed(
    new: dict[str, Any], old: dict[str, Any] | None = None, terms: Terms = TERMS
) -> admit.Allowed:
    """The decision on creating `new`, or on replacing `old` by it, which has to be to let it in."""
    operation = admit.CREATE if old is None else admit.UPDATE
    decision = admit.admit(admit.AdmissionRequest(operation, new, old), terms)
    assert isinstance(decision, admit.Allowed), decision
    return decision


def record_of(workload: dict[str, Any]) -> record.Record:
    """The record that an expanded workload carries."""
    found = record.of(workload)
    assert found is not None
    return found


def assert_inverse(before: dict[str, Any], terms: Terms = TERMS) -> None:
    """Expanding twice changes nothing, and the record undoes the expansion exactly."""
    once = allowed(before, terms=terms).workload
    again = allowed(once, terms=terms)
    assert again.workload is once
    assert again.patch == []
    undone, _ = unfill.unfill(once, record_of(once).tree)
    assert undone == before


def assert_patch_applies(before: dict[str, Any], terms: Terms = TERMS) -> None:
    """The patch only adds, and an applier that shares no code with ours makes the expansion of it.

    The object that was decided on is left as it was.
    """
    untouched = copy.deepcopy(before)
    decision = allowed(before, terms=terms)
    assert before == untouched
    assert jsonpatch.apply_patch(before, decision.patch) == decision.workload
    assert {operation["op"] for operation in decision.patch} == {"add"}


def assert_within(before: Any, after: Any) -> None:
    """Every value of `before` is at its place in `after`; null, empty lists and texts are none."""
    if isinstance(before, dict):
        for key, value in before.items():
            if value not in (None, [], ""):
                assert_within(value, after[key])
    elif isinstance(before, list) and before and isinstance(before[0], dict):
        assert len(before) <= len(after)
        for one, other in zip(before, after, strict=False):
            assert_within(one, other)
    else:
        assert before == after
