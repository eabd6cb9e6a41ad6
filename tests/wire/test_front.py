"""The one layer around all routes, and the routes that it asks itself."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.testclient import TestClient

from filmgate.domain.errors import TooManyRequests
from filmgate.http.envelope import envelope
from filmgate.http.errors import application
from filmgate.http.front import Direct
from filmgate.http.shield import SHIELD, with_shield

Counted = tuple[str, str, str]


async def well(request: Request) -> Response:
    return envelope(200, "success", {"method": request.method, "asked": request.query_params.get("asked")})


async def early(request: Request) -> Response:
    raise TooManyRequests(retry_after_s=2.5)


async def teapot(request: Request) -> Response:
    raise HTTPException(418, headers={"X-Pot": "tea"})


async def crash(request: Request) -> Response:
    raise ZeroDivisionError("a secret")


ENDPOINTS = {"/well": well, "/early": early, "/teapot": teapot, "/crash": crash}


def asked(*, direct: bool) -> tuple[TestClient, list[Counted]]:
    """The same routes, asked by the front itself or through Starlette."""
    counted: list[Counted] = []
    made = [
        Direct(path, endpoint, ("GET", "POST")) if direct else Route(path, endpoint, methods=["GET", "POST"])
        for path, endpoint in ENDPOINTS.items()
    ]

    def count(route: str, method: str, code: str, seconds: float) -> None:
        assert seconds > 0
        counted.append((route, method, code))

    return TestClient(application(made, renders={}, new_id=lambda: "log-1", count=count)), counted


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE"])
@pytest.mark.parametrize("path", ["/well?asked=a%20dog", "/early", "/teapot", "/crash", "/nothing", "/well/"])
def test_a_route_that_the_front_asks_answers_like_any_other(path: str, method: str) -> None:
    answers: list[Any] = []
    for direct in (True, False):
        client, counted = asked(direct=direct)
        answer = client.request(method, path)
        allowed = sorted(answer.headers.pop("allow", "").split(", "))
        answers.append((answer.status_code, dict(answer.headers), allowed, answer.content, counted))
    assert answers[0] == answers[1]
    assert len(answers[0][-1]) == 1


def test_each_answer_is_counted_by_the_code_that_it_says() -> None:
    client, counted = asked(direct=True)
    for path in ("/well", "/early", "/teapot", "/crash", "/nothing"):
        client.get(path)
    assert counted == [
        ("/well", "GET", "200"),
        ("/early", "GET", "429"),
        ("/teapot", "GET", "400"),
        ("/crash", "GET", "500"),
        ("none", "GET", "404"),
    ]


def test_routes_may_be_added_until_the_first_request() -> None:
    app = application([], renders={}, new_id=lambda: "1")
    app.router.routes.append(Direct("/late", well))
    assert TestClient(app).get("/late").json()["code"] == 200


def test_the_first_of_two_routes_answers() -> None:
    app = application([Direct("/twice", well), Direct("/twice", crash)], renders={}, new_id=lambda: "1")
    assert TestClient(app).get("/twice").json()["code"] == 200


def test_an_address_with_something_to_fill_in_is_not_for_direct_routes() -> None:
    with pytest.raises(ValueError, match="filled in"):
        Direct("/films/{name}", well)


def test_what_is_no_request_passes() -> None:
    """The start and the end of the application."""

    async def job() -> None:
        app: Starlette = application([], renders={}, new_id=lambda: "1")
        said = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])
        sent: list[Any] = []

        async def receive() -> Any:
            return next(said)

        async def send(message: Any) -> None:
            sent.append(message["type"])

        await app({"type": "lifespan", "state": {}}, receive, send)
        assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]

    asyncio.run(job())


def test_every_answer_has_the_shield_and_a_route_its_own_word() -> None:
    client, _ = asked(direct=True)
    headers = client.get("/crash").headers
    assert all(headers[name.decode()] == value.decode() for name, value in SHIELD.items())
    own = [(b"cache-control", b"max-age=60"), (b"content-type", b"text/plain")]
    shielded = with_shield(own)
    assert shielded[:2] == own
    assert dict(shielded) == {**SHIELD, **dict(own)}
    assert len(shielded) == len(SHIELD) + 1
    assert json.loads(client.get("/well").content)["code"] == 200
