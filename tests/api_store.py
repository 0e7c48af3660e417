"""What an API server keeps: objects with versions, and the changes that watches show.

Speaks what our clients use: list with pages and selectors, create, server-side apply (a
whole-object approximation), merge patch, delete with preconditions and finalizers, 409 and 410. It
validates nothing. Stored objects are never changed, only replaced, so that answers may share them.
"""

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import orjson

Object = dict[str, Any]


@dataclass(frozen=True)
class Change:
    """One step in the life of one object."""

    version: int
    plural: str
    before: Object | None
    after: Object | None


@dataclass(frozen=True)
class Target:
    """What a request path names."""

    plural: str
    namespace: str = ""
    name: str = ""

    @property
    def key(self) -> str:
        """namespace/name, or name."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


class Failure(Exception):
    """A request that is answered with an error."""

    def __init__(self, status: int, reason: str, message: str = "") -> None:
        super().__init__(status, reason)
        self.status = status
        self.body = {"kind": "Status", "code": status, "reason": reason, "message": message}


@dataclass
class Store:
    """Objects by plural and key (namespace/name, or name); not safe for threads."""

    objects: dict[tuple[str, str], Object] = field(default_factory=dict)
    page_size: int = 500
    deletion_timestamp: Callable[[], str] = lambda: "2026-01-01T00:00:00Z"
    new_uid: Callable[[], str] = lambda: str(uuid4())

    def __post_init__(self) -> None:
        self._version = 100
        self._oldest = 100
        self._history: dict[str, list[Change]] = {}

    @property
    def version(self) -> int:
        """Of the last change."""
        return self._version

    def compact(self) -> None:
        """Forget the past: watches from before now get 410."""
        self._version += 1
        self._oldest = self._version
        self._history.clear()

    def put(self, plural: str, item: Object) -> Object:
        """Create or replace an object; the stored copy."""
        key = (plural, key_of(item["metadata"]))
        before = self.objects.get(key)
        uid = before["metadata"]["uid"] if before else item["metadata"].get("uid") or self.new_uid()
        return self._store(key, {**item, "metadata": {**item["metadata"], "uid": uid}})

    def change(self, plural: str, key: str, mutate: Callable[[Object], object]) -> Object:
        """Change a copy of an object and store it."""
        item: Object = orjson.loads(orjson.dumps(self.objects[plural, key]))
        mutate(item)
        return self._store((plural, key), item)

    def remove(self, plural: str, key: str) -> None:
        """Take an object away, if it is there."""
        if (plural, key) in self.objects:
            self._store((plural, key), None)

    def all(self, plural: str) -> list[Object]:
        """Every object of a kind."""
        return [item for (kind, _), item in self.objects.items() if kind == plural]

    def read(self, target: Target, query: dict[str, str]) -> Object:
        """The object, or a page of the list."""
        if target.name:
            return self.found(target)
        chosen = [item for item in self.all(target.plural) if _is_in(item, target, query)]
        chosen.sort(key=lambda item: key_of(item["metadata"]))
        start = int(query.get("continue", "0"))
        end = start + min(int(query.get("limit", "500")), self.page_size)
        meta: Object = {"resourceVersion": str(self._version)}
        if end < len(chosen):
            meta["continue"] = str(end)
        return {"metadata": meta, "items": chosen[start:end]}

    def create(self, target: Target, body: Object) -> Object:
        """The object, new."""
        key = key_of(body["metadata"])
        if (target.plural, key) in self.objects:
            raise Failure(409, "AlreadyExists", f"{key} already exists")
        return self.put(target.plural, body)

    def apply(self, target: Target, query: dict[str, str], body: Object) -> Object:
        """The object with the body's fields over its own."""
        before = self.objects.get((target.plural, key_of(body["metadata"])))
        if before is None:
            return self.put(target.plural, body)
        differing = [name for name, value in body["spec"].items() if before["spec"][name] != value]
        if differing and query.get("force") != "true":
            raise Failure(409, "Conflict", f"conflict over {', '.join(differing)}")
        meta = {**before["metadata"], **body["metadata"]}
        return self.put(
            target.plural, {**body, "metadata": meta, "spec": {**before["spec"], **body["spec"]}}
        )

    def merge(self, target: Target, body: Object) -> Object:
        """The object after a merge patch, if it still has the patch's uid and version."""
        found, held = self.found(target), body.get("metadata", {})
        for name in ("uid", "resourceVersion"):
            if held.get(name, found["metadata"].get(name)) != found["metadata"].get(name):
                raise Failure(409, "Conflict", f"{name} does not hold")
        return self.put(target.plural, _merged(found, body))

    def delete(self, target: Target, preconditions: dict[str, str]) -> Object:
        """Take it away, or mark it where a finalizer holds it."""
        found = self.found(target)
        if any(found["metadata"][name] != value for name, value in preconditions.items()):
            raise Failure(409, "Conflict", "a precondition does not hold")
        if not found["metadata"].get("finalizers"):
            self.remove(target.plural, target.key)
            return {"kind": "Status", "status": "Success"}
        if "deletionTimestamp" in found["metadata"]:
            return found
        stamp = {"deletionTimestamp": self.deletion_timestamp()}
        return self.put(target.plural, {**found, "metadata": {**found["metadata"], **stamp}})

    def found(self, target: Target) -> Object:
        """The object that a path names."""
        if (found := self.objects.get((target.plural, target.key))) is None:
            raise Failure(404, "NotFound", f"{target.key} not found")
        return found

    def changes(self, plural: str, seen: int) -> list[Change]:
        """What happened to a kind after a version.

        Raises:
            Failure: 410, that version is forgotten.
        """
        if seen < self._oldest:
            raise Failure(410, "Expired", "too old")
        history = self._history.get(plural, [])
        return history[bisect_right(history, seen, key=attrgetter("version")) :]

    def _store(self, key: tuple[str, str], item: Object | None) -> Object:
        self._version += 1
        before = self.objects.pop(key, None)
        kept = item if item is not None else before
        assert kept is not None
        stored = {**kept, "metadata": {**kept["metadata"], "resourceVersion": str(self._version)}}
        if item is not None:
            self.objects[key] = stored
        change = Change(self._version, key[0], before, None if item is None else stored)
        self._history.setdefault(key[0], []).append(change)
        self.changed(change)
        return stored

    def changed(self, change: Change) -> None:
        """Called after every change."""


def target(path: str) -> Target:
    """What a request path names."""
    path = urlsplit(path).path
    words = path.strip("/").split("/")[2 if path.startswith("/api/") else 3 :]
    namespace = ""
    if words[0] == "namespaces" and len(words) > 2:
        namespace, words = words[1], words[2:]
    return Target(words[0], namespace, words[1] if len(words) > 1 else "")


def event(change: Change, wanted: Target, query: dict[str, str]) -> Object | None:
    """The event that a watcher with these selectors sees, as the real server computes it."""
    was = change.before is not None and _is_in(change.before, wanted, query)
    if change.after is not None and _is_in(change.after, wanted, query):
        return {"type": "MODIFIED" if was else "ADDED", "object": change.after}
    if not was or change.before is None:
        return None
    meta = {**change.before["metadata"], "resourceVersion": str(change.version)}
    return {"type": "DELETED", "object": {**change.before, "metadata": meta}}


def key_of(meta: Object) -> str:
    """namespace/name, or name."""
    return f"{meta['namespace']}/{meta['name']}" if meta.get("namespace") else str(meta["name"])


def _merged(item: Object, patch: Object) -> Object:
    """RFC 7386."""
    changed = {**item}
    for key, value in patch.items():
        if value is None:
            changed.pop(key, None)
        else:
            before = item.get(key) if isinstance(item.get(key), dict) else {}
            changed[key] = _merged(before or {}, value) if isinstance(value, dict) else value
    return changed


def _is_in(item: Object, wanted: Target, query: dict[str, str]) -> bool:
    """Whether the object is in the list that a path and selectors name."""
    if wanted.namespace and item["metadata"].get("namespace") != wanted.namespace:
        return False
    labels = item["metadata"].get("labels", {})
    terms = query.get("labelSelector", "").split(",")
    return all(_label_matches(labels, term) for term in terms if term) and all(
        _field_matches(item, term) for term in query.get("fieldSelector", "").split(",") if term
    )


def _label_matches(labels: Object, term: str) -> bool:
    name, equals, value = term.partition("=")
    return labels.get(name) == value if equals else name in labels


def _field_matches(item: Object, term: str) -> bool:
    path, _, value = term.partition("=")
    found: Any = item
    for word in path.removesuffix("!").split("."):
        found = found.get(word, {}) if isinstance(found, dict) else {}
    return (found == value) is not path.endswith("!")
