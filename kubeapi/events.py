"""Events on objects: what was done and why, each said once, by whichever process."""

import hashlib
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime

from kubeapi import api
from telemetry import logs

_MESSAGE_CHARACTERS = 1024
"""Longest message that the API server takes."""


@dataclass(frozen=True)
class Reason:
    """Why something is as it is; `code` is stable, `sentence` is for people."""

    code: str
    sentence: str
    warning: bool = True


@dataclass(frozen=True)
class Subject:
    """The object that an Event is about."""

    api_version: str
    kind: str
    namespace: str
    """Empty: the object has none."""
    name: str
    uid: str


class Recorder:
    """Writes Events; remembers what each object was told."""

    def __init__(self, cluster: api.Api, reporter: str, now: Callable[[], datetime]) -> None:
        self._api = cluster
        self._reporter = reporter
        self._now = now
        self._told: dict[str, dict[str, str]] = {}

    def keep(self, uids: Collection[str]) -> None:
        """Forget what was told to objects that are not among these."""
        self._told = {uid: told for uid, told in self._told.items() if uid in uids}

    def topic(self, uid: str, code: str) -> str:
        """What the object was last told about under this reason code; empty: nothing."""
        return self._told.get(uid, {}).get(code, "")

    def tell(self, subject: Subject, reason: Reason, topic: str = "") -> None:
        """Write the Event unless the object was told of this `topic` before, by any process.

        Without a topic the sentence is the topic. An Event is never worth a failure of the loop:
        what the API server refuses is logged.

        Raises:
            api.Unavailable: the API server is away; the object is not yet told.
        """
        topic = topic or reason.sentence
        if self.topic(subject.uid, reason.code) == topic:
            return
        about = f"{subject.kind}/{subject.namespace}/{subject.name}"
        try:
            self._api.create(
                f"/api/v1/namespaces/{_home(subject)}/events",
                self._event(subject, reason, topic),
            )
            if reason.warning:
                logs.warning("told", object=about, reason=reason.code)
        except api.Conflict:
            pass  # its name follows from what it says: another process said it
        except api.Unavailable:
            raise
        except api.ApiError as error:
            logs.warning("event_refused", object=about, reason=reason.code, error=error)
        self._told.setdefault(subject.uid, {})[reason.code] = topic

    def _event(self, subject: Subject, reason: Reason, topic: str) -> api.Object:
        now = self._now().isoformat(timespec="seconds").replace("+00:00", "Z")
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {
                "name": event_name(subject, reason.code, topic),
                "namespace": _home(subject),
            },
            "involvedObject": {
                "apiVersion": subject.api_version,
                "kind": subject.kind,
                "namespace": subject.namespace,
                "name": subject.name,
                "uid": subject.uid,
            },
            "type": "Warning" if reason.warning else "Normal",
            "reason": reason.code,
            "message": reason.sentence[:_MESSAGE_CHARACTERS],
            "source": {"component": self._reporter},
            "reportingComponent": self._reporter,
            "reportingInstance": self._reporter,
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
        }


def _home(subject: Subject) -> str:
    """Where Events about the object are kept: those about one without a namespace in `default`."""
    return subject.namespace or "default"


def event_name(subject: Subject, code: str, topic: str) -> str:
    """An Event's name: saying the same of the same object again meets its own name."""
    said = hashlib.sha256(f"{subject.uid}\0{code}\0{topic}".encode()).hexdigest()[:16]
    return f"{subject.name[:200]}.{said}"
