"""A live copy of one list of the API server, kept by list and watch, never by polling.

Survives whatever the API server does: a lost watch is resumed from the last resource version, a
version that is gone (410) is listed anew, and an absent server is asked again with growing pauses.
An object that cannot be read stays as it was last read, and holds up no other.
"""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from kubeapi import api, host, pace
from telemetry import logs

_PAGE = "500"
"""Objects per list request, client-go's page size."""
_STABLE_SECONDS = 5.0
"""A watch that lived this long was a good one: the next failure starts at the shortest pause."""


V = TypeVar("V")


@dataclass(frozen=True)
class Source(Generic[V]):
    """Which list, and what is kept of each object."""

    path: str
    view: Callable[[api.Object], V | None]
    """What to keep of an object; None: nothing, as if it were not there."""
    labels: str = ""
    """Label selector."""
    fields: str = ""
    """Field selector."""

    def query(self, **more: str) -> dict[str, str]:
        """The list's query parameters, and more."""
        chosen = {"labelSelector": self.labels, "fieldSelector": self.fields, **more}
        return {key: value for key, value in chosen.items() if value}


class Mirror(Generic[V]):
    """The views of one source.

    `changed` is called after any of them changed, with the view that came or changed; None: views
    went, or the whole list was read, or whether it can be.
    """

    def __init__(
        self,
        cluster: api.Api,
        source: Source[V],
        changed: Callable[[V | None], None],
        on: host.Host = host.REAL,
    ) -> None:
        self._api = cluster
        self._host = on
        self._source = source
        self._changed = changed
        self._lock = threading.Lock()
        self._views: dict[str, V] = {}
        self._gone: list[V] = []
        self._unreadable: set[str] = set()
        self._version = ""
        self.synced = False
        """Whether the list was read at least once."""
        self.missing = False
        """Whether the API server knows no such list: its CustomResourceDefinition is not there."""
        self.live = False
        """Whether a watch is open now, so that the copy is fresh."""
        self.problem = ""
        """Why the list could not be read the last time; empty: it could."""

    @property
    def path(self) -> str:
        """Of the list."""
        return self._source.path

    def views(self) -> tuple[V, ...]:
        """Every view, in no particular order."""
        with self._lock:
            return tuple(self._views.values())

    @property
    def unreadable(self) -> int:
        """How many objects could not be read when they last changed."""
        return len(self._unreadable)

    def take_gone(self) -> tuple[V, ...]:
        """Views that left since the last call, as they were last seen."""
        with self._lock:
            gone, self._gone = self._gone, []
        return tuple(gone)

    def run(self, stop: host.Flag) -> None:
        """Keep the copy until `stop` is set."""
        backoff = pace.Backoff(first_seconds=0.1, limit_seconds=5.0)
        while not stop.is_set():
            started = self._host.monotonic()
            try:
                self._list_and_watch()
            except api.Gone:
                self._version = ""
                logs.info("watch_expired", path=self._source.path)
            except api.ApiError as error:
                if missing := isinstance(error, api.NotFound):
                    self._version = ""  # what comes back under this path is another list
                self._miss(missing=missing)
                logs.warning("watch_lost", path=self._source.path, error=error)
                self._note(str(error))
            except Exception as error:  # noqa: BLE001 - the process loop: nobody else would notice its end
                self._version = ""
                logs.failure("watch_failed", error, path=self._source.path)
                self._note(f"{type(error).__name__}: {error}")
            finally:
                self.live = False
            if self._host.monotonic() - started > _STABLE_SECONDS:
                backoff.reset()
            stop.wait(backoff.next_seconds())

    def _note(self, problem: str) -> None:
        if problem != self.problem:
            self.problem = problem
            self._changed(None)

    def _list_and_watch(self) -> None:
        if not self._version:
            self._list()
            self._note("")
        query = self._source.query(resourceVersion=self._version, allowWatchBookmarks="true")
        events = self._api.watch(self._source.path, query)
        self.live = True
        self._changed(None)
        for event in events:
            self._take(event)

    def _list(self) -> None:
        views: dict[str, V] = {}
        listed: set[str] = set()
        version = ""
        for page in self._pages():
            version = page["metadata"]["resourceVersion"]
            for item in page.get("items") or ():
                key = _key(item)
                listed.add(key)
                if (view := self._view(key, item)) is not None:
                    views[key] = view
        for key in self._unreadable - listed:
            self._mark(key, unreadable=False)
        with self._lock:
            same = self.synced and views == self._views
            self._gone += [view for key, view in self._views.items() if key not in views]
            self._views = views
        self._version, self.synced, self.missing = version, True, False
        if not same:
            self._changed(None)

    def _miss(self, *, missing: bool) -> None:
        if missing is not self.missing:
            self.missing = missing
            self._changed(None)

    def _pages(self) -> Iterator[api.Object]:
        following = ""
        while True:
            query = self._source.query(limit=_PAGE, **{"continue": following})
            page = self._api.get(self._source.path, query)
            yield page
            following = page["metadata"].get("continue", "")
            if not following:
                return

    def _take(self, event: api.Object) -> None:
        kind, item = event["type"], event["object"]
        if kind == "ERROR":
            raise api.error(int(item.get("code", 500)), item)
        if kind == "DELETED":
            self._mark(_key(item), unreadable=False)
            self._replace(_key(item), None)
        elif kind != "BOOKMARK":
            self._replace(_key(item), self._view(_key(item), item))
        self._version = item["metadata"]["resourceVersion"]

    def _view(self, key: str, item: api.Object) -> V | None:
        """What to keep of `item`; of one that cannot be read, what was kept of it before."""
        try:
            view = self._source.view(item)
        except Exception as error:  # noqa: BLE001 - one object, whoever wrote it, must not freeze the list
            if key not in self._unreadable:
                logs.failure("object_unreadable", error, path=self._source.path, object=key)
            self._mark(key, unreadable=True)
            return self._views.get(key)
        self._mark(key, unreadable=False)
        return view

    def _mark(self, key: str, *, unreadable: bool) -> None:
        if unreadable is not (key in self._unreadable):
            self._unreadable ^= {key}
            self._changed(None)

    def _replace(self, key: str, view: V | None) -> None:
        with self._lock:
            before = self._views.pop(key, None)
            if view is not None:
                self._views[key] = view
            elif before is not None:
                self._gone.append(before)
        if before != view:
            self._changed(view)


def _key(item: api.Object) -> str:
    meta = item["metadata"]
    return f"{meta['namespace']}/{meta['name']}" if meta.get("namespace") else str(meta["name"])
