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
    expected = webhooks.Event("msg_1", TASK, 200, "Done.", (FILM,), raw=msgspec.json.decode(BODY))
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


# ------------------------------------------------------------ both kinds, and rotation -------------------------------

NEWER = "whsec_" + "bmV3ZXIgc2VjcmV0IG9mIHNvbWUgbGVuZ3Ro"


def signed(*, standard: tuple[str, ...] = (), vendor: str | None = None) -> dict[str, str]:
    """As the server signs while secrets are replaced: a list for Standard Webhooks, the newest for the vendor's."""
    now = int(time.time())
    each = [standard_headers(secret, "msg_1", now, BODY) for secret in standard]
    together = {"webhook-signature": " ".join(one["webhook-signature"] for one in each)}
    headers = {**each[0], **together} if each else {}
    return {**headers, **(vendor_headers(vendor, TASK, now) if vendor else {})}


@pytest.mark.parametrize("receiver", [SECRET, NEWER, [NEWER, SECRET]])
def test_while_a_secret_is_replaced_receivers_with_either_verify(receiver: str | list[str]) -> None:
    headers = signed(standard=(NEWER, SECRET))
    assert webhooks.verify(BODY, headers, standard=receiver).task_id == TASK
    with pytest.raises(SignatureInvalid):
        webhooks.verify(BODY, signed(standard=(NEWER,)), standard=SECRET)


def test_a_receiver_with_both_keys_is_ready_for_either() -> None:
    for key in ("old", "new"):
        assert webhooks.verify(BODY, signed(vendor=key), vendor=["new", "old"]).succeeded
    with pytest.raises(SignatureInvalid):
        webhooks.verify(BODY, signed(vendor="third"), vendor=["new", "old"])


def test_a_kind_whose_secret_is_given_must_be_there() -> None:
    assert webhooks.verify(BODY, signed(standard=(SECRET,), vendor="key"), standard=SECRET, vendor="key").succeeded
    for headers in (signed(vendor="key"), signed(standard=(SECRET,)), {}):
        with pytest.raises(SignatureInvalid):
            webhooks.verify(BODY, headers, standard=SECRET, vendor="key")


def test_verifying_with_nothing_is_a_mistake_of_the_program() -> None:
    with pytest.raises(ValueError, match="at least one"):
        webhooks.verify(BODY, {}, standard=[], vendor=None)


@pytest.mark.parametrize("changed", [{"taskId": "other"}, {"data": {"taskId": TASK, "task_id": "other"}}])
def test_a_callback_that_names_several_tasks_is_refused(changed: dict[str, object]) -> None:
    body = msgspec.json.encode({**msgspec.json.decode(BODY), **changed})
    with pytest.raises(SignatureInvalid, match="several tasks"):
        webhooks.verify(body, signed(vendor="key"), vendor="key")


def test_a_signature_over_no_task_at_all_is_refused() -> None:
    with pytest.raises(SignatureInvalid):
        webhooks.verify_vendor(b'{"code":200}', vendor_headers("key", "", int(time.time())), "key")


def test_what_events_of_4k_versions_and_extensions_hold() -> None:
    large = {"task_id": TASK, "result_urls": [FILM], "image_urls": ["https://f/still.jpg"], "media_ids": ["a"]}
    event = webhooks.read_event(msgspec.json.encode({"code": 200, "data": large}), {})
    assert (event.result_urls, event.image_urls, event.media_ids) == ((FILM,), ("https://f/still.jpg",), ("a",))
    info = {"resultUrls": [FILM], "fullResultUrls": '["https://f/full.mp4"]'}
    longer = webhooks.read_event(msgspec.json.encode({"code": 200, "data": {"taskId": TASK, "info": info}}), {})
    assert longer.full_result_urls == ("https://f/full.mp4",)
