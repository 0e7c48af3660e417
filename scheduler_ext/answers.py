"""The three answers: pure functions of a request and a snapshot. Asking leaves no trace."""

import dataclasses
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from scheduler_ext import fit, reasons, score, snapshot, views, wire


@dataclass(frozen=True)
class Filtered:
    """The nodes that a pod may use, and why not the others."""

    passed: list[str]
    failed: dict[str, str] = field(default_factory=dict)
    """Text by node."""
    codes: Mapping[str, int] = field(default_factory=dict)
    """Nodes refused, by reason code."""
    unknown: list[str] = field(default_factory=list)
    """Nodes that passed because nothing is known of them yet: our list lags behind."""


def filtered(pod: views.PodView, names: list[str], seen: snapshot.Snapshot) -> Filtered:
    """Every name is in `passed` or has its text in `failed`."""
    if not pod.managed:
        return Filtered(names)
    if seen.unread:
        reason = reasons.not_read(seen.unread)
        return Filtered([], dict.fromkeys(names, reason.sentence), {reason.code: len(names)})
    failed: dict[str, str] = {}
    codes: Counter[str] = Counter()
    asked = set(names)
    for name in seen.doubtful.keys() & asked:
        why = fit.fits(pod, seen.doubtful[name])
        if why is not None:
            failed[name] = why.sentence
            codes[why.code] += 1
    passed = [name for name in names if name not in failed] if failed else names
    return Filtered(passed, failed, codes, sorted(asked - seen.candidates.keys()))


def prioritized(pod: views.PodView, names: list[str], seen: snapshot.Snapshot) -> dict[str, int]:
    """Scores by node; a node that is not known gets the lowest."""
    images = score.wanted(pod, seen.image_bytes)
    return {
        name: score.score(pod, candidate, images) if (candidate := seen.candidates.get(name)) else 0
        for name in names
    }


def preempted(request: wire.PreemptRequest, seen: snapshot.Snapshot) -> dict[str, wire.Victims]:
    """The nodes that the pod could use once their victims are gone: those that /filter would pass.

    A veto of what would be lost for nothing, and nothing else: victims are left as they are, and a
    node without any is left out, which kube-scheduler takes for an error.
    """
    return {
        name: victims
        for name, victims in request.victims.items()
        if victims.uids and _may_use(request.pod, name, victims, seen)
    }


def _may_use(pod: views.PodView, name: str, victims: wire.Victims, seen: snapshot.Snapshot) -> bool:
    if seen.unread and pod.managed:
        return False
    candidate = seen.doubtful.get(name)
    return candidate is None or fit.fits(pod, _without(candidate, victims, seen)) is None


def _without(
    candidate: fit.Candidate, victims: wire.Victims, seen: snapshot.Snapshot
) -> fit.Candidate:
    free = dict(candidate.free)
    for uid in victims.uids:
        for resource, count in seen.holders[uid].devices if uid in seen.holders else ():
            if resource in free:
                free[resource] += count
    return dataclasses.replace(candidate, free=free)
