"""The HTTP application: routes of both surfaces and of health.

| path | |
|---|---|
| GET `/` | `{"message": "Server is running"}` |
| GET `/healthz` | liveness: 200 as soon as the process listens |
| GET `/health` | readiness: 503 with the phase until the model answers |
| GET `/v1/models`, POST `/v1/chat/completions` | `completions` |
| POST `/chat` | `kaito` |
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import fastapi
from starlette import exceptions, requests, responses, routing

from runtime import answers, completions, kaito, refusals, service
from telemetry import logs

Handler = Callable[[service.Service, requests.Request], Awaitable[responses.Response]]
Render = Callable[[refusals.Refused], responses.Response]

GONE = 499
"""Status of an answer that nobody reads. Source: nginx, "client closed request"."""


def build(served: service.Service) -> fastapi.FastAPI:
    """The application around `served`."""

    @asynccontextmanager
    async def lifespan(_: fastapi.FastAPI) -> AsyncIterator[None]:
        yield
        served.tokenizing.shutdown(wait=False, cancel_futures=True)

    def route(path: str, method: str, handler: Handler, render: Render) -> routing.Route:
        return routing.Route(path, _guarded(served, handler, render), methods=[method])

    return fastapi.FastAPI(
        title="Plainsail model server",
        openapi_url=None,
        lifespan=lifespan,
        routes=[
            route("/", "GET", _home, kaito.render),
            route("/healthz", "GET", _live, kaito.render),
            route("/health", "GET", _ready, kaito.render),
            route("/chat", "POST", kaito.respond, kaito.render),
            route("/v1/models", "GET", completions.models, completions.render),
            route("/v1/chat/completions", "POST", completions.complete, completions.render),
        ],
        exception_handlers={exceptions.HTTPException: _no_route},
    )


def _guarded(
    served: service.Service, handler: Handler, render: Render
) -> Callable[[requests.Request], Awaitable[responses.Response]]:
    """`handler` with every failure turned into an answer of its surface."""

    async def guarded(request: requests.Request) -> responses.Response:
        try:
            return await handler(served, request)
        except refusals.Refused as refused:
            return render(refused)
        except (answers.ReaderGone, requests.ClientDisconnect):
            return responses.Response(status_code=GONE)
        except Exception as error:  # noqa: BLE001 - the HTTP boundary: our bug is logged, not shown
            logs.failure("request_failed", error, path=request.url.path)
            return render(refusals.Refused(500, "internal error; the server's log says more"))

    return guarded


async def _no_route(request: requests.Request, error: Exception) -> responses.Response:
    """404 and 405 in the shape of the surface that the path belongs to."""
    assert isinstance(error, exceptions.HTTPException)
    openai = request.url.path.startswith("/v1/")
    refused = refusals.Refused(
        error.status_code, f"{request.method} {request.url.path}: {error.detail}"
    )
    return (completions.render if openai else kaito.render)(refused)


async def _home(_: service.Service, __: requests.Request) -> responses.Response:
    return responses.JSONResponse({"message": "Server is running"})


async def _live(_: service.Service, __: requests.Request) -> responses.Response:
    return responses.JSONResponse({"status": "Healthy"})


async def _ready(served: service.Service, _: requests.Request) -> responses.Response:
    state = served.health
    if state.ready:
        return responses.JSONResponse({"status": "Healthy"})
    body = {"detail": state.detail, "phase": state.phase}
    return responses.JSONResponse(body, 503, headers={"retry-after": "1"})
