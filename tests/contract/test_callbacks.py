"""C50, C53 to C56: being called back."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import time
from pathlib import Path

import pytest

from filmgate.net.signing import vendor_signature
from support.asking import generate, made
from support.receiver import receiving
from support.server import Server, serving, until


@pytest.mark.statement(50)
def test_exactly_one_callback(server: Server) -> None:
    with receiving() as receiver:
        task_id = made(server, callBackUrl=receiver.url)["taskId"]
        until(lambda: receiver.bodies, "the callback arrives")
        time.sleep(1)  # a second one would have come by now: the schedule of this server begins with 0.2 s
        (body,) = receiver.bodies
    assert receiver.headers[0]["content-type"].startswith("application/json")
    assert body["code"] == 200
    assert isinstance(body["data"]["info"]["resultUrls"], list)
    assert body["taskId"] == body["data"]["taskId"] == body["data"]["task_id"] == task_id


@pytest.mark.statement(53)
def test_retries_end(server: Server) -> None:
    with receiving(lambda number: 500) as receiver:
        record = made(server, callBackUrl=receiver.url)
        until(lambda: len(receiver.bodies) == 4, "the first try and three more")
        time.sleep(1)
        assert len(receiver.bodies) == 4
    assert server.record(record["taskId"])["successFlag"] == 1


@pytest.mark.statement(53)
def test_a_silent_receiver_is_given_up_and_tried_again(tmp_path: Path) -> None:
    """15 s is the shipped limit, which a test of the settings asserts; here it is one second."""
    with (
        serving(tmp_path / "data", FILMGATE_CALLBACKS__TIMEOUT_S="1", FILMGATE_CALLBACKS__SCHEDULE_S="0.1") as server,
        receiving(_late) as receiver,
    ):
        generate(server, duration=4, callBackUrl=receiver.url)
        until(lambda: len(receiver.bodies) == 2, "the second try")
        assert receiver.headers[0]["webhook-id"] == receiver.headers[1]["webhook-id"]


def _late(number: int) -> int:
    time.sleep(2)
    return 200


@pytest.mark.statement(54)
def test_signatures(tmp_path: Path) -> None:
    """Without a key no headers; with one both, and the published vector is reproduced."""
    known = vendor_signature("test-hmac-key", "ee9c2715375b7837f8bb51d641ff5863", 1769670760)
    assert known == "Rnkdt30BYrQRHRTTZPVbPWvpV8NX6sTTZvi7GJmVyu4="
    with serving(tmp_path / "data") as server, receiving() as receiver:
        made(server, callBackUrl=receiver.url)
        until(lambda: receiver.headers, "the unsigned callback")
        assert not {"x-webhook-timestamp", "x-webhook-signature"} & receiver.headers[0].keys()
        server.cli("keys", "webhook", "--vendor", "test-hmac-key")
        task_id = made(server, callBackUrl=receiver.url)["taskId"]
        until(lambda: len(receiver.headers) == 2, "the signed callback")
        signed = receiver.headers[1]
    timestamp = signed["x-webhook-timestamp"]
    assert re.fullmatch(r"\d{10}", timestamp)
    assert signed["x-webhook-signature"] == vendor_signature("test-hmac-key", task_id, int(timestamp))


@pytest.mark.statement(55)
def test_a_verifier_as_people_write_it(tmp_path: Path) -> None:
    """It takes the id from data.task_id, and must refuse a changed time."""

    def verified(body: bytes, timestamp: str, signature: str) -> bool:
        message = f"{json.loads(body)['data']['task_id']}.{timestamp}".encode()
        expected = base64.b64encode(hmac.new(b"test-hmac-key", message, hashlib.sha256).digest()).decode()
        return hmac.compare_digest(expected, signature)

    with serving(tmp_path / "data") as server, receiving() as receiver:
        server.cli("keys", "webhook", "--vendor", "test-hmac-key")
        made(server, callBackUrl=receiver.url)
        until(lambda: receiver.headers, "the callback")
    headers, body = receiver.headers[0], json.dumps(receiver.bodies[0]).encode()
    timestamp, signature = headers["x-webhook-timestamp"], headers["x-webhook-signature"]
    assert verified(body, timestamp, signature)
    assert not verified(body, str(int(timestamp) + 1), signature)


@pytest.mark.statement(56)
def test_the_quickstart_edition(tmp_path: Path) -> None:
    with serving(tmp_path / "data", FILMGATE_EDITION__PRESET="quickstart") as server, receiving() as receiver:
        record = made(server, callBackUrl=receiver.url)
        until(lambda: receiver.bodies, "the callback")
    assert json.loads(receiver.bodies[0]["data"]["info"]["resultUrls"]) == record["response"]["resultUrls"]
    assert isinstance(record["response"]["resultUrls"], list)
