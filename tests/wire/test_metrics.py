"""Who may read the metrics."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry, Counter, generate_latest
from starlette.testclient import TestClient

from filmgate.http import metrics
from filmgate.http.errors import application

TOKEN = "a metrics token"


def client(token: str | None, peer: str = "127.0.0.1", host: str = "localhost:8000") -> TestClient:
    registry = CollectorRegistry()
    Counter("filmgate_films", "Films made.", registry=registry).inc(3)

    async def text() -> bytes:
        return generate_latest(registry)

    app = application(metrics.routes(text, token), renders={}, new_id=lambda: "1")
    return TestClient(app, client=(peer, 5000), headers={"Host": host})


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.8.8.8", "::1"])
def test_without_a_token_this_machine_reads(peer: str) -> None:
    answer = client(None, peer).get("/metrics")
    assert answer.status_code == 200
    assert "filmgate_films_total 3.0" in answer.text
    assert answer.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize("peer", ["192.168.1.5", "2001:db8::1", "a unix socket"])
def test_without_a_token_nobody_else_reads(peer: str) -> None:
    answer = client(None, peer).get("/metrics")
    assert answer.status_code == 401
    assert "set a metrics token" in answer.text


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1:8000", "127.9.9.9", "[::1]:8000", "[::1]"])
def test_this_machine_has_several_names(host: str) -> None:
    assert client(None, host=host).get("/metrics").status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example:8000", "192.168.1.5", "localhost.evil.example", "[2001:db8::1]", "", "::1"]
)
def test_a_page_from_elsewhere_cannot_lend_its_name_to_this_machine(host: str) -> None:
    answer = client(None, host=host).get("/metrics")
    assert answer.status_code == 401
    assert "localhost" in answer.text


def test_with_a_token_the_name_does_not_matter() -> None:
    asking = client(TOKEN, host="films.example.org")
    assert asking.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200


def test_a_proxy_on_this_machine_is_not_this_machine() -> None:
    assert client(None).get("/metrics", headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 401


def test_with_a_token_whoever_has_it_reads_from_anywhere() -> None:
    answer = client(TOKEN, "203.0.113.9").get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN}])
def test_with_a_token_even_this_machine_needs_it(header: dict[str, str]) -> None:
    assert client(TOKEN).get("/metrics", headers=header).status_code == 401
