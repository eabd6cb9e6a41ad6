"""Callbacks as a receiver checks and reads them."""

from __future__ import annotations

import time

import msgspec
import pytest

from filmgate.client import SignatureInvalid, webhooks
from filmgate.net.signing import standard_headers, vendor_headers

TASK = "ee9c2715375b7837f8bb51d641ff5863"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
FILM = "https://films.example.org/a.mp4"
BODY = msgspec.json.encode(
    {"code": 200, "msg": "Done.", "taskId": TASK, "data": {"taskId": TASK, "info": {"resultUrls": [FILM]}}}
)


def test_the_published_vector_verifies_when_its_age_does_not_matter() -> None:
    headers = {
        "X-Webhook-Timestamp": "1769670760",
        "X-Webhook-Signature": "Rnkdt30BYrQRHRTTZPVbPWvpV8NX6sTTZvi7GJmVyu4=",
    }
    assert webhooks.verify_vendor(BODY, headers, "test-hmac-key", tolerance_s=None).task_id == TASK
    with pytest.raises(SignatureInvalid, match="time"):
        webhooks.verify_vendor(BODY, headers, "test-hmac-key")


def test_what_the_server_signs_verifies_in_both_ways() -> None:
    now = int(time.time())
    headers = {**standard_headers(SECRET, "msg_1", now, BODY), **vendor_headers("key", TASK, now)}
    expected = webhooks.Event("msg_1", TASK, 200, "Done.", (FILM,), msgspec.json.decode(BODY))
    assert webhooks.verify_standard(BODY, headers, SECRET) == expected
    assert webhooks.verify_vendor(BODY, headers, "key") == expected
    assert expected.succeeded


@pytest.mark.parametrize(
    "changed",
    [
        {"x-webhook-signature": "AAAA"},
        {"x-webhook-signature": ""},
        {"x-webhook-signature": "é"},
        {"x-webhook-timestamp": "1"},
        {"x-webhook-timestamp": "soon"},
        {"x-webhook-timestamp": ""},
    ],
)
def test_a_changed_vendor_signature_is_refused(changed: dict[str, str]) -> None:
    headers = {**vendor_headers("key", TASK, int(time.time())), **changed}
    with pytest.raises(SignatureInvalid):
        webhooks.verify_vendor(BODY, headers, "key")


@pytest.mark.parametrize(
    "changed",
    [
        {"webhook-signature": "v1,AAAA"},
        {"webhook-signature": "nonsense"},
        {"webhook-signature": "v1,é"},
        {"webhook-signature": "v1,a"},
        {"webhook-id": "msg_2"},
        {"webhook-timestamp": "1"},
        {"webhook-timestamp": "soon"},
    ],
)
def test_a_changed_standard_signature_is_refused(changed: dict[str, str]) -> None:
    headers = {**standard_headers(SECRET, "msg_1", int(time.time()), BODY), **changed}
    with pytest.raises(SignatureInvalid):
        webhooks.verify_standard(BODY, headers, SECRET)


def test_the_standard_signature_covers_the_body() -> None:
    headers = standard_headers(SECRET, "msg_1", int(time.time()), BODY)
    with pytest.raises(SignatureInvalid):
        webhooks.verify_standard(BODY.replace(b"Done", b"Gone"), headers, SECRET)
    with pytest.raises(SignatureInvalid):
        webhooks.verify_standard(b"\xff\xfe", headers, SECRET)


def test_lists_sent_as_text_are_read_too() -> None:
    body = msgspec.json.encode({"code": 200, "data": {"task_id": TASK, "info": {"resultUrls": f'["{FILM}"]'}}})
    event = webhooks.read_event(body, {})
    assert (event.id, event.task_id, event.result_urls) == ("", TASK, (FILM,))


@pytest.mark.parametrize("body", [b"", b"[]", b"no", b"\xff", b"[" * 100_000])
def test_what_is_no_callback_is_refused(body: bytes) -> None:
    with pytest.raises(SignatureInvalid):
        webhooks.read_event(body, {})
