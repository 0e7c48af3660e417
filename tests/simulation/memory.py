"""The API server of the simulation: the store, and each program's connection to it.

A connection is `api.Api` in virtual time: calls take a moment, fail as ordered, and are refused as
a real server refuses; watches lag, break, expire.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import Protocol

from typing_extensions import override

from kubeapi import api
from tests import api_store
from tests.simulation import virtual_time

_WATCH_SECONDS = 290.0
"""Our client asks the server to end its watches after this."""
_ANYTHING = ""
"""The kind of a change that only wakes those who watch."""
_READS = frozenset({"GET", "WATCH"})


class Memory(api_store.Store):
    """The store, in virtual time; tells whoever listens."""

    def __init__(self, timeline: virtual_time.Timeline) -> None:
        self._uids = 0
        super().__init__(deletion_timestamp=lambda: timeline.stamp, new_uid=self._next_uid)
        self._by_kind: dict[str, dict[str, api.Object]] = {}
        self.listeners: list[Callable[[api_store.Change], None]] = []
        self.terminating: set[str] = set()
        """Namespaces in which nothing can be created any more."""
        self.written_by_us = False
        """Whether the change at hand is a program's of ours."""
        self.epoch = 0
        """Watches of an earlier one are broken."""

    @override
    def all(self, plural: str) -> list[api.Object]:
        return list(self._by_kind.get(plural, {}).values())

    def get(self, plural: str, key: str) -> api.Object | None:
        """The object, if there is one."""
        return self._by_kind.get(plural, {}).get(key)

    @override
    def create(self, target: api_store.Target, body: api.Object) -> api.Object:
        if target.namespace in self.terminating:
            message = f"namespace {target.namespace} is being terminated"
            raise api_store.Failure(403, "Forbidden", message)
        return super().create(target, body)

    @override
    def changed(self, change: api_store.Change) -> None:
        kept = self._by_kind.setdefault(change.plural, {})
        if change.after is not None:
            kept[api_store.key_of(change.after["metadata"])] = change.after
        elif change.before is not None:
            del kept[api_store.key_of(change.before["metadata"])]
        self._tell(change)

    @override
    def compact(self) -> None:
        super().compact()
        self.break_watches()

    def break_watches(self) -> None:
        """End every open watch as a lost connection does."""
        self.epoch += 1
        self._tell(api_store.Change(self.version, _ANYTHING, None, None))

    def _tell(self, change: api_store.Change) -> None:
        for listener in tuple(self.listeners):
            listener(change)

    def _next_uid(self) -> str:
        self._uids += 1
        return f"uid-{self._uids}"


@dataclass
class Faults:
    """How badly the API server does at the moment."""

    refused: float = 0.0
    """Part of the calls that are answered with 429 or 5xx, or not at all, and not done."""
    lost: float = 0.0
    """Part of the calls that are done and whose answer is lost."""
    lag_seconds: float = 0.01
    """By how much watches are behind."""
    call_seconds: float = 0.01


@dataclass(frozen=True)
class Call:
    """One call that was done."""

    at: float
    by: str
    method: str
    path: str
    status: int


class Witness(Protocol):
    """Sees writes before they are done."""

    def writes(self, process: virtual_time.Process, method: str, wanted: api_store.Target) -> None:
        """This process is about to write this."""
        ...


class Connection:
    """`api.Api` for one process."""

    def __init__(
        self,
        memory: Memory,
        timeline: virtual_time.Timeline,
        process: virtual_time.Process,
        faults: Faults,
        random: Random,
        witness: Witness,
    ) -> None:
        self.crash_after: int | None = None
        """After so many more writes the process dies before it sees the answer."""
        self.calls: list[Call] = []
        self._memory = memory
        self._timeline = timeline
        self._process = process
        self._faults = faults
        self._random = random
        self._witness = witness

    def get(self, path: str, query: Mapping[str, str] | None = None) -> api.Object:
        """See `api.Api.get`."""
        wanted = api_store.target(path)
        return self._call("GET", path, lambda: self._memory.read(wanted, dict(query or {})))

    def create(self, path: str, body: api.Object) -> api.Object:
        """See `api.Api.create`."""
        wanted, stamp = api_store.target(path), {"creationTimestamp": self._timeline.stamp}
        body = {**body, "metadata": {**body["metadata"], **stamp}}
        return self._call("POST", path, lambda: self._memory.create(wanted, body))

    def apply(self, path: str, body: api.Object, *, manager: str, force: bool) -> api.Object:
        """See `api.Api.apply`."""
        wanted, query = api_store.target(path), {"force": str(force).lower(), "manager": manager}
        return self._call("PATCH", path, lambda: self._memory.apply(wanted, query, body))

    def patch(self, path: str, body: api.Object) -> api.Object:
        """See `api.Api.patch`."""
        return self._call("PATCH", path, lambda: self._memory.merge(api_store.target(path), body))

    def delete(self, path: str, preconditions: Mapping[str, str]) -> None:
        """See `api.Api.delete`."""
        wanted, held = api_store.target(path), dict(preconditions)
        self._call("DELETE", path, lambda: self._memory.delete(wanted, held))

    def watch(self, path: str, query: Mapping[str, str]) -> Iterator[api.Object]:
        """See `api.Api.watch`."""
        self._call("WATCH", path, dict)
        return self._events(api_store.target(path), dict(query))

    def _call(self, method: str, path: str, act: Callable[[], api.Object]) -> api.Object:
        chance = self._random.random()
        self._timeline.sleep(self._faults.call_seconds * self._random.uniform(0.2, 1.0))
        try:
            if chance < self._faults.refused:
                status = self._random.choice((0, 429, 500, 503, 504))
                raise api_store.Failure(status, "Unavailable", "a fault")  # noqa: TRY301 - one way out
            answer = act() if method in _READS else self._write(method, path, act)
        except api_store.Failure as failure:
            self._note(method, path, failure.status)
            if failure.status == 0:
                raise api.Unavailable(0, "NoAnswer", "a fault") from None
            raise api.error(failure.status, failure.body) from None
        self._note(method, path, 200)
        self._crash_if_due(method)
        self._timeline.sleep(self._faults.call_seconds * self._random.uniform(0.2, 1.0))
        if chance > 1.0 - self._faults.lost:
            raise api.Unavailable(0, "AnswerLost", "a fault")
        return answer

    def _write(self, method: str, path: str, act: Callable[[], api.Object]) -> api.Object:
        self._witness.writes(self._process, method, api_store.target(path))
        self._memory.written_by_us = True
        try:
            return act()
        finally:
            self._memory.written_by_us = False

    def _note(self, method: str, path: str, status: int) -> None:
        self.calls.append(Call(self._timeline.now, self._process.name, method, path, status))

    def _crash_if_due(self, method: str) -> None:
        if self.crash_after is not None and method not in _READS:
            self.crash_after -= 1
            if self.crash_after < 0:
                self._process.kill()
                raise virtual_time.Killed

    def _events(self, wanted: api_store.Target, query: dict[str, str]) -> Iterator[api.Object]:
        seen, epoch = int(query["resourceVersion"]), self._memory.epoch
        end = self._timeline.now + _WATCH_SECONDS
        news = virtual_time.Flag(self._timeline)

        def listen(change: api_store.Change) -> None:
            if change.plural in {wanted.plural, _ANYTHING}:
                news.set()

        self._memory.listeners.append(listen)
        try:
            while (left := end - self._timeline.now) > 0:
                try:
                    fresh = self._memory.changes(wanted.plural, seen)
                except api_store.Failure as failure:
                    yield {"type": "ERROR", "object": failure.body}
                    return
                for change in fresh:
                    seen = change.version
                    if event := api_store.event(change, wanted, query):
                        yield event
                if not fresh and news.wait(left):
                    news.clear()
                    self._timeline.sleep(self._faults.lag_seconds)
                if self._memory.epoch != epoch:
                    raise api.Unavailable(0, "WatchLost", "a fault")
            yield {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": str(seen)}}}
        finally:
            self._memory.listeners.remove(listen)
