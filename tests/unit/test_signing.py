"""Signatures of callbacks against published vectors and the package's own verifier."""

from __future__ import annotations

import time

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from filmgate.net.signing import standard_headers, vendor_headers, vendor_signature

TASK = "ee9c2715375b7837f8bb51d641ff5863"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_the_vendor_signature_reproduces_the_vector() -> None:
    assert vendor_signature("test-hmac-key", TASK, 1769670760) == "Rnkdt30BYrQRHRTTZPVbPWvpV8NX6sTTZvi7GJmVyu4="


def test_the_vendor_headers_carry_time_and_signature() -> None:
    assert vendor_headers("test-hmac-key", TASK, 1769670760) == {
        "x-webhook-timestamp": "1769670760",
        "x-webhook-signature": "Rnkdt30BYrQRHRTTZPVbPWvpV8NX6sTTZvi7GJmVyu4=",
    }


def test_the_standard_signature_reproduces_the_vector_of_its_specification() -> None:
    headers = standard_headers(SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_the_standard_headers_verify_and_cover_the_body() -> None:
    headers = dict(standard_headers(SECRET, "msg_1", int(time.time()), '{"word":"köln"}'.encode()))
    assert Webhook(SECRET).verify('{"word":"köln"}'.encode(), headers) == {"word": "köln"}
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(b"{}", headers)
