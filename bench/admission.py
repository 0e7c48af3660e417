"""What admission costs: CPU per request beside the usual handler, expansion, creates, memory."""

import asyncio
import itertools
import json
import time
from collections.abc import Callable, Sequence
from typing import Any

from bench.comparison import creates, reviews, servers
from bench.report import Figure, p99
from presets import catalog
from webhook import admit, case, expand, validate
from webhook.terms import Terms

ROUNDS = 5
REQUESTS = 3000
"""Per round, to our own server; the comparison gets a third."""
WARM_UP = 500
PASSES = 9
CALLS = 1000
"""Of the pure functions, per pass."""
CREATE_ROUNDS = 6
CONCURRENT = 200
MEMORY_REQUESTS = 100_000

KINDS = ("Deployment", "StatefulSet", "Job")


def run() -> list[Figure]:
    """Server side: the server's own CPU time; ours and the comparison take turns."""
    with servers.pems() as made:
        with servers.webhook(made) as ours, servers.comparison(made) as other:
            figures = _requests(ours, other, made)
        figures += _functions()
        with servers.webhook(made) as ours, servers.Connection(ours.port, made.trust) as connection:
            figures += _memory(ours, connection)
        return figures + _creates(made)


def _requests(ours: servers.Server, other: servers.Server, made: servers.Pems) -> list[Figure]:
    body = reviews.review(reviews.sent())
    fresh = itertools.count()
    with (
        servers.Connection(ours.port, made.trust) as mine,
        servers.Connection(other.port, made.trust) as theirs,
    ):
        _check_answers(mine.post(body), theirs.post(body))
        for connection in (mine, theirs):
            _post(connection, [body] * WARM_UP)
        costs = [
            (
                _cost(ours, mine, [body] * REQUESTS),
                _cost(ours, mine, [_named(body, next(fresh)) for _ in range(REQUESTS)]),
                _cost(other, theirs, [body] * (REQUESTS // 3)),
            )
            for _ in range(ROUNDS)
        ]
        refused = [_cost(ours, mine, [b"{"] * REQUESTS) for _ in range(ROUNDS)]
        waits = _waits(mine, body)
    again, new, usual = (tuple(cost[place] for cost in costs) for place in range(3))
    return [
        Figure("CREATE through TLS, asked again: CPU of the server", "us", again, "<= 150"),
        Figure("CREATE through TLS, of a new object: CPU of the server", "us", new, "<= 150"),
        Figure("the same, FastAPI + pydantic + make_patch", "us", usual),
        Figure("times less than the comparison, asked again", "x", _times(usual, again), ">= 8"),
        Figure("times less than the comparison, of a new object", "x", _times(usual, new), ">= 8"),
        Figure("a body that is refused at once: CPU of the server", "us", tuple(refused)),
        Figure("CREATE through TLS: wait", "us", waits),
        Figure("size of the CREATE", "bytes", (len(body),)),
    ]


def _times(usual: Sequence[float], ours: Sequence[float]) -> tuple[float, ...]:
    return tuple(a / b for a, b in zip(usual, ours, strict=True))


def _check_answers(ours: tuple[int, bytes], others: tuple[int, bytes]) -> None:
    """Both servers let the workload in with a patch."""
    for status, body in (ours, others):
        response = json.loads(body)["response"]
        if not (status == 200 and response["allowed"] and response["patch"]):  # noqa: PLR2004 - HTTP
            raise RuntimeError(f"not expanded: {status} {body[:300]!r}")


def _post(connection: servers.Connection, bodies: Sequence[bytes]) -> None:
    for body in bodies:
        connection.post(body)


def _cost(server: servers.Server, connection: servers.Connection, bodies: Sequence[bytes]) -> float:
    """Microseconds of CPU per request."""
    before = server.cpu_seconds()
    _post(connection, bodies)
    return 1e6 * (server.cpu_seconds() - before) / len(bodies)


def _waits(connection: servers.Connection, body: bytes) -> tuple[float, ...]:
    waits = []
    for _ in range(WARM_UP):
        begun = time.perf_counter()
        connection.post(body)
        waits.append(1e6 * (time.perf_counter() - begun))
    return tuple(waits)


def _functions() -> list[Figure]:
    known = catalog.load()
    return [
        figure
        for kind in KINDS
        for figure in (
            Figure(f"expand, {kind}", "us", _expansion(kind, known), "<= 60"),
            Figure(f"admit, {kind}", "us", _admission(kind, known)),
        )
    ]


def _expansion(kind: str, known: catalog.Catalog) -> tuple[float, ...]:
    workload = reviews.sent(kind)
    found, errors = case.of(workload, Terms(known), None)
    # The rules find the machines, as they do in an admission: the case keeps them.
    errors += validate.problems(found)
    assert not errors, errors
    return _microseconds(lambda: expand.expand(found))


def _admission(kind: str, known: catalog.Catalog) -> tuple[float, ...]:
    asked = admit.AdmissionRequest(admit.CREATE, reviews.sent(kind))
    return _microseconds(lambda: admit.admit(asked, Terms(known)))


def _microseconds(call: Callable[[], Any]) -> tuple[float, ...]:
    """CPU of one call, once per pass."""
    call()
    runs = []
    for _ in range(PASSES):
        begun = time.process_time()
        for _ in range(CALLS):
            call()
        runs.append(1e6 * (time.process_time() - begun) / CALLS)
    return tuple(runs)


def _memory(server: servers.Server, connection: servers.Connection) -> list[Figure]:
    """Growth after the first tenth, when every code path was taken and every cache is full."""
    forms = _forms()
    sizes = []
    for number in range(MEMORY_REQUESTS):
        connection.post(_named(forms[number % len(forms)], number))
        if number % (MEMORY_REQUESTS // 10) == MEMORY_REQUESTS // 10 - 1:
            sizes.append(server.resident_mib())
    growth = sizes[-1] - sizes[0]
    return [
        Figure("memory: growth over 100,000 requests", "MiB", (growth,), "<= 1"),
        Figure("memory", "MiB", tuple(sizes)),
    ]


def _forms() -> list[bytes]:
    """Every kind expanded, a refusal, one that is none of ours, and no review at all."""
    bodies = [reviews.review(reviews.sent(kind)) for kind in KINDS]
    unknown = bodies[0].replace(b'preset":"tiny-chat"', f'preset":"{reviews.NAME}"'.encode())
    return [*bodies, unknown, bodies[0].replace(b"kaito.sh/preset", b"example.com/set"), b"{"]


def _named(body: bytes, number: int) -> bytes:
    """A body of the same size for another workload."""
    return body.replace(reviews.NAME.encode(), f"chat-{number:06}".encode())


def _creates(made: servers.Pems) -> list[Figure]:
    waits: dict[str, list[list[float]]] = {"with": [], "without": []}
    with servers.webhook(made) as server, creates.plane() as plane:
        creates.configure(plane.api, server.port, made.authority)
        for number in range(CREATE_ROUNDS + 1):
            order = list(waits)[:: 1 if number % 2 else -1]
            for variant in order:
                bodies = [_create(variant, place) for place in range(CONCURRENT)]
                measured = asyncio.run(creates.seconds(plane, bodies))
                creates.clear(plane)
                if number:  # the first round warms up
                    waits[variant].append([1000 * wait for wait in measured])
    of_all = {name: p99([w for one in rounds for w in one]) for name, rounds in waits.items()}
    by_round = {name: tuple(p99(one) for one in rounds) for name, rounds in waits.items()}
    title = f"{CONCURRENT} creates at once through the API server"
    return [
        Figure(f"{title}: p99", "ms", by_round["with"]),
        Figure(f"{title}, no webhook: p99", "ms", by_round["without"]),
        Figure(
            f"{title}: times the p99 of none", "x", (of_all["with"] / of_all["without"],), "<= 2"
        ),
    ]


def _create(variant: str, number: int) -> bytes:
    """The stub with our label; or what it becomes, without it: the same object is stored."""
    workload = reviews.manifest()
    if variant == "without":
        decision = admit.admit(
            admit.AdmissionRequest(admit.CREATE, workload), Terms(catalog.load())
        )
        assert isinstance(decision, admit.Allowed)
        workload = json.loads(json.dumps(decision.workload))
        del workload["metadata"]["labels"]["kaito.sh/preset"]
    workload["metadata"]["namespace"] = creates.NAMESPACE
    return _named(json.dumps(workload).encode(), number)
