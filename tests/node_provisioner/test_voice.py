"""Events of one pass, against an API server in memory."""

import pytest

from kubeapi import api, events, host
from kubeapi.client import Client
from node_provisioner import telling, voice
from tests import apiserver


def _voice(client: Client, *, urgent: bool = False) -> voice.Voice:
    recorder = events.Recorder(client, "tests", host.REAL.now)
    return voice.Voice(client, recorder, lambda: urgent, host.REAL)


def _sentence(number: int, topic: str = "t") -> telling.Sentence:
    about = events.Subject("v1", "Pod", "default", f"p{number}", f"uid-{number}")
    return telling.Sentence(about, events.Reason("NodeRequested", f"{topic} {number}"), topic)


def _told(server: apiserver.ApiServer) -> int:
    return len(server.all("events"))


def test_each_thing_is_said_once(server: apiserver.ApiServer, client: Client) -> None:
    said, news = _voice(client), [_sentence(number) for number in range(30)]
    assert said.say(news)
    assert said.say(news)
    assert (_told(server), server.count("POST", "events")) == (30, 30)


def test_what_is_urgent_waits_for_a_few_and_the_rest_comes_later(
    server: apiserver.ApiServer, client: Client
) -> None:
    said, news = _voice(client, urgent=True), [_sentence(number) for number in range(30)]
    assert not said.say(news)
    assert _told(server) == voice._LEAST
    assert said.say(news)
    assert _told(server) == 30


def test_one_pass_does_not_say_everything_at_once(
    server: apiserver.ApiServer, client: Client
) -> None:
    news = [_sentence(number) for number in range(voice._MOST + 1)]
    assert not _voice(client).say(news)
    assert _told(server) == voice._MOST


def test_what_one_object_is_told_under_one_code_keeps_its_order(
    server: apiserver.ApiServer, client: Client
) -> None:
    said = _voice(client)
    assert said.say([_sentence(1, "first"), _sentence(2), _sentence(1, "last")])
    assert said.told("uid-1", "NodeRequested") == "last"
    assert _told(server) == 3


def test_what_an_api_server_that_is_away_did_not_take_is_said_later(
    server: apiserver.ApiServer, client: Client
) -> None:
    said, news = _voice(client), [_sentence(number) for number in range(5)]
    server.failures.append(503)
    with pytest.raises(api.Unavailable):
        said.say(news)
    assert said.say(news)
    assert _told(server) == 5
