"""POST /api/v1/veo/generate over the wire: keys, bodies, answers."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from filmgate.domain.spec import AspectRatio
from filmgate.services.accounts import create_key, revoke_key

from .answers import enveloped, raw_code
from .conftest import World
from .test_schema import FIELDS, json_values

PATH = "/api/v1/veo/generate"
GOOD = {"prompt": "a dog in a park"}


def head(world: World, *lines: str) -> bytes:
    """The head of a raw request with a good key."""
    fixed = (f"POST {PATH} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {world.key}")
    return "\r\n".join([*fixed, *lines, "", ""]).encode()


# ---------------------------------------------------------------- good requests -----------------------------------


def test_a_prompt_makes_a_task(world: World, client: httpx2.Client) -> None:
    data = enveloped(client.post(PATH, json=GOOD), 200, "success")
    assert set(data) == {"taskId"}
    task = world.run(world.tasks.get(data["taskId"]))
    assert (task.spec.prompt, task.spec.model, task.spec.seed) == ("a dog in a park", "veo3_fast", 54321)
    assert (task.origin.account_id, task.origin.dialect, task.origin.public_base) == ("default", "veo3", world.url)


def test_the_default_model_is_that_of_the_key(world: World) -> None:
    with world.client(world.new_key(edition={"default_model": "veo3"})) as client:
        made = enveloped(client.post(PATH, json=GOOD), 200)["taskId"]
    assert world.run(world.tasks.get(made)).spec.model == "veo3"


def test_auto_without_an_image_is_a_wide_film(world: World, client: httpx2.Client) -> None:
    made = enveloped(client.post(PATH, json={**GOOD, "aspect_ratio": "Auto"}), 200)["taskId"]
    assert world.run(world.tasks.get(made)).spec.aspect_ratio is AspectRatio.LANDSCAPE


def test_links_use_the_host_that_the_client_addressed(world: World, client: httpx2.Client) -> None:
    hosts = {"Host": "films.example.org:8443", "X-Forwarded-Host": "evil.example"}
    answer = client.post(PATH, json=GOOD, headers=hosts)
    made = world.run(world.tasks.get(enveloped(answer, 200)["taskId"]))
    assert made.origin.public_base == "http://films.example.org:8443"


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "nonsense", ""])
def test_the_content_type_does_not_matter(client: httpx2.Client, content_type: str) -> None:
    answer = client.post(PATH, content=json.dumps(GOOD), headers={"Content-Type": content_type})
    enveloped(answer, 200)


def test_a_body_in_chunks_is_fine(world: World) -> None:
    chunked = b"9\r\n" + b'{"prompt"' + b"\r\n6\r\n" + b':"dog"' + b"\r\n1\r\n}\r\n0\r\n\r\n"
    assert raw_code(world.url, head(world, "Transfer-Encoding: chunked") + chunked) == 200


# ---------------------------------------------------------------- keys --------------------------------------------


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer wrong", "Basic {key}", "{key}", "Token {key}", "Bearer {key}x"]
)
def test_without_a_good_key_there_is_no_access(world: World, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header.format(key=world.key)}
    with httpx2.Client(base_url=world.url, headers=headers) as client:
        assert enveloped(client.post(PATH, json=GOOD), 401, "access permissions") is None
        assert enveloped(client.get("/api/v1/veo/record-info?taskId=1"), 401, "access permissions") is None


def test_the_name_of_the_scheme_has_no_case(world: World) -> None:
    headers = {"Authorization": f"bEARER  {world.key}"}
    enveloped(httpx2.post(f"{world.url}{PATH}", json=GOOD, headers=headers), 200)


def test_a_revoked_key_is_no_key(world: World) -> None:
    made = world.run(create_key(world.accounts, world.clock, "lost"))
    with world.client(made.secret) as client:
        enveloped(client.post(PATH, json=GOOD), 200)
        world.run(revoke_key(world.accounts, made.key.id))
        enveloped(client.post(PATH, json=GOOD), 401, "access permissions")


def test_without_a_key_not_even_the_body_is_judged(world: World) -> None:
    enveloped(httpx2.post(f"{world.url}{PATH}", content=b"{"), 401)


# ---------------------------------------------------------------- bad requests ------------------------------------


@pytest.mark.parametrize(
    ("body", "code", "says"),
    [
        (b"{}", 422, "Please enter prompt"),
        (b'{"prompt": " "}', 422, "Please enter prompt"),
        (b'{"prompt": "a", "model": "veo9"}', 422, "The model name you specified is not supported."),
        (b'{"prompt": "a", "model": "VEO3"}', 422, "veo3, veo3_fast, veo3_lite"),
        (b'{"prompt": "a", "model": 3}', 422, "not supported. model must be a string"),
        (b'{"prompt": "\\u200b"}', 422, "Please enter prompt"),
        (b'{"prompt": "\\ud800"}', 400, "half a character"),
        (b'{"prompt": "a", "aspect_ratio": "1:1"}', 422, "aspect_ratio"),
        (b'{"prompt": "a", "duration": 5}', 422, "duration"),
        (b'{"prompt": "a", "resolution": "8k"}', 422, "resolution"),
        (b'{"prompt": "a", "seeds": 9999}', 422, "seeds"),
        (b'{"prompt": "a", "imageUrls": "http://a.example/1.png"}', 422, "imageUrls"),
        (b'{"prompt": "a", "imageUrls": ["http://a.example/1.png"]}', 422, "first or last frame"),
        (b'{"prompt": "a", "callBackUrl": "http://127.0.0.1/"}', 422, "loopback"),
        (b"{", 400, "JSON"),
        (b"[1]", 400, "object"),
        (b"", 400, "JSON"),
        (b'{"prompt": "\xff\xfe"}', 400, "JSON"),
        (b'{"x": ' + b"[" * 500_000, 400, "nested"),
        (b'{"prompt": "' + b"x" * 30_000 + b'"}', 422, "20000"),
    ],
)
def test_what_is_wrong_is_said(client: httpx2.Client, body: bytes, code: int, says: str) -> None:
    assert enveloped(client.post(PATH, content=body), code, says) is None


def test_nothing_is_made_and_nothing_is_charged_when_credits_are_missing(world: World) -> None:
    world.new_account("poor", credits=59)
    with world.client(world.new_key("poor")) as client:
        answer = client.post(PATH, json=GOOD)
    enveloped(answer, 402, "insufficient")
    assert "credit" in answer.json()["msg"].lower()
    assert world.run(world.tasks.list(account_id="poor")) == []
    assert world.run(world.accounts.balance("poor")) == 59


def test_a_body_over_the_limit_is_refused(client: httpx2.Client) -> None:
    body = json.dumps({"prompt": "a", "filler": "x" * 1024 * 1024})
    enveloped(client.post(PATH, content=body), 413, "larger than 1024 KiB")


def test_a_body_at_the_limit_is_read(client: httpx2.Client) -> None:
    short = len(json.dumps({"prompt": "a", "filler": ""}))
    enveloped(client.post(PATH, content=json.dumps({"prompt": "a", "filler": "x" * (1024 * 1024 - short)})), 200)


def test_an_announced_size_over_the_limit_is_refused_before_anything_is_sent(world: World) -> None:
    assert raw_code(world.url, head(world, "Content-Length: 999999999999")) == 413


def test_a_body_without_a_length_is_refused_while_it_still_flows(world: World) -> None:
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    assert raw_code(world.url, head(world, "Transfer-Encoding: chunked") + chunk * 17) == 413


@pytest.mark.parametrize("host", ["a b", "evil.example/path", "user@evil.example", "evil.example:port", '"', "[::1"])
def test_an_odd_host_never_gets_into_a_link(world: World, host: str) -> None:
    body = b'{"prompt": "a"}'
    request = head(world, f"Content-Length: {len(body)}").replace(b"Host: localhost", f"Host: {host}".encode()) + body
    assert raw_code(world.url, request) == 400


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(fields=st.dictionaries(st.sampled_from(FIELDS), json_values, max_size=6))
def test_no_body_makes_the_server_stumble(client: httpx2.Client, fields: dict[str, Any]) -> None:
    answer = client.post(PATH, content=json.dumps(fields).encode("utf-8", "replace"))
    assert answer.json()["code"] in (200, 400, 422)
    enveloped(answer, answer.json()["code"])


@settings(deadline=None, max_examples=100)
@given(body=st.binary(max_size=300))
def test_no_bytes_make_the_server_stumble(client: httpx2.Client, body: bytes) -> None:
    answer = client.post(PATH, content=body)
    assert answer.json()["code"] in (400, 422)
    assert enveloped(answer, answer.json()["code"]) is None
