"""Whatever arrives over the wire gets an answer: a status below 500, or a review. Seeded.

Case space: a good review, then bytes cut, flipped or repeated; parts put in, taken out or replaced
by any JSON at any path; brackets deep and many; the largest body, of whatever costs most to look
at. Each answer is held against the same facts (`check`).
"""

import copy
import logging
import random
import time
import tracemalloc
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from presets import annotations, catalog
from tests import builders
from tests.laws.holding import allowed
from tests.webhook import asgi
from webhook import app, protocol, review, shapes
from webhook.terms import Terms

pytestmark = pytest.mark.slow  # mostly waits: over five seconds in all

SECRET = "hunter2-of-the-body"
SERVED = app.App(Terms(catalog.load()))
WORST_SECONDS = 5 * (5 - protocol.REQUEST_SECONDS)
"""Five times what the API server's 5 s leave for the decision, for test machines are busy.

What took time with the square of the body would take minutes.
"""


def check(body: bytes, caplog: pytest.LogCaptureFixture) -> asgi.Answer:
    """The facts that hold for every answer."""
    caplog.clear()
    answer = asgi.call(SERVED, "POST", "/mutate", body)
    assert answer.status == 200 or 400 <= answer.status < 500, (answer, body[:500])
    assert b"Traceback" not in answer.body
    assert SECRET not in caplog.text
    assert len(caplog.text) < 5000
    if answer.status == 200:
        response = orjson.loads(answer.body)["response"]
        assert isinstance(response["allowed"], bool)
        assert response["allowed"] or response["status"]["message"]
    else:
        assert len(answer.body) < 200
        assert SECRET.encode() not in answer.body
    return answer


def good(draw: random.Random) -> dict[str, Any]:
    """A review that is in order: a CREATE, or an UPDATE of what was expanded before."""
    workload = builders.stored(builders.anyhow(draw.randrange(200)))
    workload["metadata"]["managedFields"] = [{"manager": SECRET}]
    old = None
    if draw.random() < 0.5:
        old = copy.deepcopy(allowed(workload).workload)
        workload = draw.choice([workload, copy.deepcopy(old)])
        if draw.random() < 0.3:
            workload["metadata"]["labels"].pop(annotations.PRESET, None)
    raw: dict[str, Any] = orjson.loads(asgi.review(workload, old))
    return raw


def paths(value: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The place of every part."""
    yield here
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from paths(value[key], (*here, key))


JUNK: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1.5, 2**63, 1e308, "", "x", "\x00", "\u2028", "é" * 300, [], {}),
    *([None], [[]], [{}], {"": None}, {"a": {"b": []}}, [{"name": []}], ["x", 1], "kaito.sh/"),
)
KINDS_OF_JSON: tuple[Any, ...] = (None, 1, "x", [], {}, [{}], {"x": "y"})
KEYS = ("", "name", "metadata", "kaito.sh/x", "kaito.sh/expansion", "~/", "containers", "uid")


def bent(draw: random.Random, raw: dict[str, Any]) -> dict[str, Any]:
    """The review with other JSON in one to three places, or a part more or less."""
    for _ in range(draw.randint(1, 3)):
        *above, last = draw.choice([path for path in paths(raw) if path])
        holder: Any = raw
        for key in above:
            holder = holder[key]
        match draw.randrange(4):
            case 0 if isinstance(holder, dict):
                del holder[last]
            case 1 if isinstance(holder, dict):
                holder[draw.choice(KEYS)] = copy.deepcopy(draw.choice(JUNK))
            case 2 if isinstance(holder, list):
                holder.append(copy.deepcopy(draw.choice(JUNK)))
            case _:
                holder[last] = copy.deepcopy(draw.choice(JUNK))
    return raw


def garbled(draw: random.Random, body: bytes) -> bytes:
    """The bytes cut, flipped, repeated or with others put in."""
    place, length = draw.randrange(len(body)), draw.randint(1, 40)
    match draw.randrange(4):
        case 0:
            return body[:place]
        case 1:
            return body[:place] + bytes([draw.randrange(256)]) + body[place + 1 :]
        case 2:
            return body[:place] + body[place : place + length] * 2 + body[place + length :]
        case _:
            inserted = (b"\xff", b"\xed\xa0\x80", rb"\ud800", b"NaN", b"1" * 400, b"{", b"\x00")
            return body[:place] + draw.choice(inserted) + body[place:]


def fuzz(seeds: range, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    for seed in seeds:
        draw = random.Random(seed)
        body = orjson.dumps(bent(draw, good(draw)))
        check(body, caplog)
        check(garbled(draw, body), caplog)


def test_any_review_bent_or_garbled_is_answered(caplog: pytest.LogCaptureFixture) -> None:
    fuzz(range(200), caplog)


def test_three_thousand_more(caplog: pytest.LogCaptureFixture) -> None:
    fuzz(range(1000, 4000), caplog)


def test_every_single_part_may_hold_anything(caplog: pytest.LogCaptureFixture) -> None:
    """Each path of an UPDATE of an expanded workload x a few kinds of JSON."""
    expanded = allowed(builders.deployment().preset().build()).workload
    whole = orjson.loads(asgi.review(expanded, expanded))
    for path in list(paths(whole)):
        for junk in KINDS_OF_JSON:
            raw = copy.deepcopy(whole)
            holder = raw
            for key in path[:-1]:
                holder = holder[key]
            if path:
                holder[path[-1]] = junk
            check(orjson.dumps(raw if path else junk), caplog)


GOOD = asgi.review(builders.deployment().preset().build())
UID = b'"uid":"705ab4f5-6393-11e8-b7cc-42010a800002"'


def replaced(part: bytes, other: bytes) -> bytes:
    """The good review with `other` for `part`, which stands in it once."""
    assert GOOD.count(part) == 1
    return GOOD.replace(part, other)


@pytest.mark.parametrize(
    "value",
    [
        *(b"NaN", b"Infinity", b"-Infinity", b"1e999", b"9" * 1000, b"-" + b"9" * 400, b"01"),
        *(b"0x1", rb'"\ud800"', rb'"\udc00\ud800"', b'"\xed\xa0\x80"', b'"\xc0\x80"', b'"\x00"'),
        *(b"tru", b"'x'", b"{x:1}", b"[1,]", b"\xef\xbb\xbf1", b'{"a":1,"a":2}', b""),
    ],
)
def test_json_that_is_none_or_odd(value: bytes, caplog: pytest.LogCaptureFixture) -> None:
    check(replaced(b'"metadata":', b'"spec":' + value + b',"metadata":'), caplog)
    check(replaced(UID, b'"uid":' + value), caplog)
    check(value, caplog)


def test_of_two_equal_keys_the_last_counts(caplog: pytest.LogCaptureFixture) -> None:
    """As for the API server's own decoder; both see the same object."""
    twice = b'"kaito.sh/preset":"no-such","kaito.sh/preset":"tiny-chat"'
    body = replaced(b'"kaito.sh/preset":"tiny-chat"', twice)
    assert orjson.loads(check(body, caplog).body)["response"]["allowed"]


@pytest.mark.parametrize("label", ["env", "ports", "containers", "spec", "restartPolicy", ".", ""])
@pytest.mark.parametrize("pods", [{}, {"x": "y"}, None])
def test_a_label_may_be_called_like_a_field(
    label: str, pods: dict[str, str] | None, caplog: pytest.LogCaptureFixture
) -> None:
    """In the selector and on the pods, or in the selector alone, from which it is filled in."""
    asked = {label: "prod"}
    workload = builders.deployment().preset().spec(selector={"matchLabels": asked})
    held = asked if pods is None else pods
    workload.spec(template={"metadata": {"labels": held}})
    assert orjson.loads(check(asgi.review(workload.build()), caplog).body)["response"]["allowed"]


@pytest.mark.parametrize("depth", [review.DEEPEST - 10, review.DEEPEST + 1, 500, 1100, 100_000])
@pytest.mark.parametrize("pair", [(b"[", b"]"), (b'{"a":', b"}")])
def test_nesting_is_cut_off(
    depth: int, pair: tuple[bytes, bytes], caplog: pytest.LogCaptureFixture
) -> None:
    """Wherever it stands; up to the limit everything that walks an object copes."""
    deep = pair[0] * depth + b"1" + pair[1] * depth
    for place in (b'"dryRun":false', b'"name":"chat","namespace"', b'"metadata":'):
        body = replaced(place, b'"extra":' + deep + b"," + place)
        assert check(body, caplog).status == (200 if depth < review.DEEPEST else 400)
    check(deep, caplog)


@pytest.mark.parametrize("depth", [10, 200, 1000, 5000])
def test_a_forged_record_puts_no_structure_into_the_object(
    depth: int, caplog: pytest.LogCaptureFixture
) -> None:
    """The record is text inside the review, so that its nesting is its own."""
    replicas = "[" * depth + "1" + "]" * depth
    forged = (
        f'{{"container":"model","filled":{{"spec":{{"replicas":[{replicas}]}}}},"inputs":{{}},'
        '"preset":"tiny-chat","revision":"","v":1}'
    )
    old = builders.deployment().preset().annotation(annotations.EXPANSION, forged).build()
    new = builders.deployment().annotation(annotations.EXPANSION, forged).spec(replicas=1).build()
    check(asgi.review(new, old), caplog)
    answer = check(asgi.review(old, None), caplog)
    assert b"MalformedRecord" in answer.body


def filled(unit: bytes, size: int = app.MAX_BODY_BYTES - 2000) -> bytes:
    return b",".join([unit] * (size // (len(unit) + 1)))


LARGEST = {
    "containers": lambda: pod(b'"containers":[' + filled(b'{"name":"abcdefgh"}') + b"]"),
    "empty containers": lambda: pod(b'"containers":[' + filled(b"{}") + b"]"),
    "environment": lambda: pod(
        b'"containers":[{"name":"a","env":[' + filled(b'{"name":"abcdefgh"}') + b"]}]"
    ),
    "arguments": lambda: pod(b'"containers":[{"name":"a","args":[' + filled(b'"--x"') + b"]}]"),
    "tolerations": lambda: pod(b'"tolerations":[' + filled(b'{"key":"abcdefgh"}') + b"]"),
    "our keys": lambda: annotated(
        b",".join(b'"kaito.sh/a%d":""' % place for place in range(380_000))
    ),
    "their keys": lambda: annotated(b",".join(b'"a/%d":""' % place for place in range(600_000))),
    "instance types": lambda: annotated(
        b'"kaito.sh/instance-types":"' + filled(b"Standard_NC6") + b'"'
    ),
    "a long key": lambda: annotated(b'"kaito.sh/' + b"a" * 8_000_000 + b'":""'),
    "a record": lambda: annotated(b'"kaito.sh/expansion":"' + b"[" * 8_000_000 + b'"'),
    "a name": lambda: replaced(
        b'"name":"chat","operation"', b'"name":"' + b"n" * 8_000_000 + b'","operation"'
    ),
    "empty lists": lambda: replaced(b'"dryRun":', b'"x":[' + filled(b"[]") + b'],"dryRun":'),
    "numbers": lambda: replaced(b'"dryRun":', b'"x":[' + filled(b"1.5") + b'],"dryRun":'),
}


def pod(fields: bytes) -> bytes:
    spec = b'"spec":{"template":{"spec":{' + fields + b"}}},"
    return replaced(b'"metadata":', spec + b'"metadata":')


def annotated(fields: bytes) -> bytes:
    return replaced(b'"labels":', b'"annotations":{' + fields + b'},"labels":')


@pytest.mark.parametrize("what", LARGEST)
def test_the_largest_body_is_answered_in_time(what: str, caplog: pytest.LogCaptureFixture) -> None:
    """Eight MiB of whatever costs most; the answer does not grow with it without bound."""
    caplog.set_level(logging.INFO)
    body = LARGEST[what]()
    assert 0.95 * app.MAX_BODY_BYTES < len(body) <= app.MAX_BODY_BYTES
    begun = time.process_time()
    answer = check(body, caplog)
    assert time.process_time() - begun < WORST_SECONDS
    assert len(answer.body) < 3 * app.MAX_BODY_BYTES


def test_memory_does_not_grow_with_what_was_refused(caplog: pytest.LogCaptureFixture) -> None:
    """Ten different large bodies after the first leave nothing behind."""

    def send(number: int) -> None:
        check(annotated(b'"kaito.sh/instance-types":"%d' % number + b"a" * 10**6 + b'"'), caplog)
        caplog.clear()

    send(0)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for number in range(1, 11):
        send(number)
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 10**5


def test_more_of_our_keys_than_there_are_is_one_denial(caplog: pytest.LogCaptureFixture) -> None:
    """Not one error, each with its nearest known key, for every one of them."""
    workload = builders.deployment().preset()
    for place in range(shapes.MOST_KEYS):
        workload.annotation(f"kaito.sh/a{place}", "")
    response = orjson.loads(check(asgi.review(workload.build()), caplog).body)["response"]
    assert (
        response["status"]["message"]
        == "metadata: 101 is more than 100 keys under kaito.sh/ (InvalidValue)"
    )
