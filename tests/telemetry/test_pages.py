"""Pages over HTTP."""

import httpx
import pytest

from telemetry import pages


def test_a_page_is_what_its_function_says_now() -> None:
    said = iter("ab")
    host, port = pages.serve(("127.0.0.1", 0), {"/metrics": lambda: next(said)})
    with httpx.Client(base_url=f"http://{host}:{port}", trust_env=False) as client:
        assert [client.get("/metrics").text, client.get("/metrics?x=1").text] == ["a", "b"]
        assert client.get("/other").status_code == 404
        assert client.post("/metrics").status_code == 501


def test_an_address_that_is_taken_is_an_error() -> None:
    address = pages.serve(("127.0.0.1", 0), {})
    with pytest.raises(OSError, match="in use"):
        pages.serve(address, {})
