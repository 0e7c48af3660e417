"""Tells pods, workloads, claims and nodes what was done and why, as Events."""

from collections.abc import Callable, Iterable, Iterator

from kubeapi import api, events, host, objects
from node_provisioner import telling

_LEAST, _MOST = 16, 160
"""Events of one pass, with and without something new to decide: that comes first. They are written
so many as the first says between two looks whether there is."""
_SIDE_BY_SIDE = 8
"""Events written at the same time."""

_PATHS = {
    "Deployment": ("apps/v1", "/apis/apps/v1/namespaces/{0}/deployments/{1}"),
    "ReplicaSet": ("apps/v1", "/apis/apps/v1/namespaces/{0}/replicasets/{1}"),
    "StatefulSet": ("apps/v1", "/apis/apps/v1/namespaces/{0}/statefulsets/{1}"),
    "Job": ("batch/v1", "/apis/batch/v1/namespaces/{0}/jobs/{1}"),
}
"""Kinds of workloads: their version, and where one is. Others are told by their pods alone."""


_News = tuple[events.Subject, telling.Sentence]


class Voice:
    """Says each thing once."""

    def __init__(
        self,
        cluster: api.Api,
        recorder: events.Recorder,
        urgent: Callable[[], bool],
        on: host.Host,
    ) -> None:
        """`urgent`: whether something else is to be done."""
        self._urgent = urgent
        self._host = on
        self._api = cluster
        self._recorder = recorder
        self._workloads: dict[objects.Workload, events.Subject | None] = {}

    def keep(self, uids: Iterable[str], workloads: Iterable[objects.Workload]) -> None:
        """Forget what was told to objects that are not among these."""
        kept = set(workloads)
        self._workloads = {of: found for of, found in self._workloads.items() if of in kept}
        known = {found.uid for found in self._workloads.values() if found}
        self._recorder.keep(known.union(uids))

    def told(self, uid: str, code: str) -> str:
        """What the object was last told about under this reason code; empty: nothing."""
        return self._recorder.topic(uid, code)

    def say(self, sentences: Iterable[telling.Sentence]) -> bool:
        """Tell what is new; False: some is left for the next pass.

        Raises:
            api.Unavailable: the API server is away; the rest is not yet told.
        """
        said = 0
        for some in _apart(self._news(sentences)):
            if said + len(some) > _MOST or (said >= _LEAST and self._urgent()):
                return False
            errors = self._host.each(self._tell, some, at_once=_SIDE_BY_SIDE)
            for error in filter(None, errors):
                raise error
            said += len(some)
        return True

    def _news(self, sentences: Iterable[telling.Sentence]) -> Iterator[_News]:
        for sentence in sentences:
            subject = self._subject(sentence.about)
            if subject and self.told(subject.uid, sentence.reason.code) != sentence.topic:
                yield subject, sentence

    def _tell(self, news: _News) -> api.Unavailable | None:
        subject, sentence = news
        try:
            self._recorder.tell(subject, sentence.reason, sentence.topic)
        except api.Unavailable as error:
            return error
        return None

    def _subject(self, about: events.Subject | objects.Workload) -> events.Subject | None:
        if isinstance(about, events.Subject):
            return about
        if about not in self._workloads:
            self._workloads[about] = self._find(about)
        return self._workloads[about]

    def _find(self, workload: objects.Workload) -> events.Subject | None:
        """The workload's object; None: it is of another kind, gone, or not ours to read."""
        if workload.kind not in _PATHS:
            return None  # a pod is told as a pod
        version, path = _PATHS[workload.kind]
        try:
            found = self._api.get(path.format(workload.namespace, workload.name))
        except (api.NotFound, api.Forbidden):
            return None
        of = workload
        return events.Subject(version, of.kind, of.namespace, of.name, found["metadata"]["uid"])


def _apart(news: Iterable[_News]) -> Iterator[list[_News]]:
    """So many at a time, and nothing twice to one object under one code: that has an order."""
    some: dict[tuple[str, str], _News] = {}
    for subject, sentence in news:
        key = subject.uid, sentence.reason.code
        if key in some or len(some) == _LEAST:
            yield list(some.values())
            some.clear()
        some[key] = subject, sentence
    if some:
        yield list(some.values())
