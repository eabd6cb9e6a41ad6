"""Signed links: what verifies, what is forged, what has expired."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filmgate.domain.errors import LinkExpired, LinkForged
from filmgate.storage.links import Links

KEY = "0199a0b1c2d3/1/result.mp4"
LINKS = Links([b"a signing key"])


def parts(link: str) -> tuple[str, str, str, str]:
    """(expiry, signature, key, name) as a server reads them from the address."""
    path = link.removeprefix("https://films.example.org/f/")
    expiry, signature, rest = path.split("/", 2)
    key, _, name = rest.rpartition("/")
    return expiry, signature, key, name


def made(expires_ms: int = 2_000, key: str = KEY) -> tuple[str, str, str, str]:
    return parts(LINKS.link("https://films.example.org", key, expires_ms, "dog.mp4"))


def test_a_link_carries_its_parts_in_the_open() -> None:
    expiry, signature, key, name = made()
    assert (expiry, key, name) == ("2000", KEY, "dog.mp4")
    assert len(signature) == 43


def test_the_same_arguments_give_the_same_link() -> None:
    assert made() == made()


def test_a_slash_at_the_end_of_the_base_is_not_doubled() -> None:
    assert LINKS.link("https://x/", KEY, 1, "a.mp4") == LINKS.link("https://x", KEY, 1, "a.mp4")


def test_a_link_of_ours_verifies_until_it_expires() -> None:
    expiry, signature, key, _ = made(expires_ms=2_000)
    LINKS.verify(expiry, signature, key, now_ms=1_999)
    with pytest.raises(LinkExpired, match="expired"):
        LINKS.verify(expiry, signature, key, now_ms=2_000)


@pytest.mark.parametrize(
    ("expiry", "key"),
    [("2001", KEY), ("02000", KEY), ("2000", KEY + "x"), ("2000", KEY.upper()), ("", KEY), ("2000", "")],
)
def test_whoever_changes_expiry_or_key_has_forged_the_link(expiry: str, key: str) -> None:
    _, signature, _, _ = made()
    with pytest.raises(LinkForged):
        LINKS.verify(expiry, signature, key, now_ms=0)


def test_a_forged_link_is_forged_even_when_it_says_that_it_has_expired() -> None:
    with pytest.raises(LinkForged):
        LINKS.verify("1", "A" * 43, KEY, now_ms=5_000)


@given(st.text())
def test_no_other_signature_verifies(signature: str) -> None:
    expiry, own, key, _ = made()
    if signature != own:
        with pytest.raises(LinkForged):
            LINKS.verify(expiry, signature, key, now_ms=0)


def test_links_of_the_old_key_live_on_during_a_rotation_and_new_ones_use_the_new_key() -> None:
    rotated = Links([b"a newer key", b"a signing key"])
    expiry, signature, key, _ = made()
    rotated.verify(expiry, signature, key, now_ms=0)
    fresh = parts(rotated.link("https://films.example.org", KEY, 2_000, "dog.mp4"))
    with pytest.raises(LinkForged):
        LINKS.verify(fresh[0], fresh[1], fresh[2], now_ms=0)


@pytest.mark.parametrize("keys", [[], [b""], [b"good", b""]])
def test_links_without_a_key_to_sign_with_are_refused(keys: list[bytes]) -> None:
    with pytest.raises(ValueError, match="key"):
        Links(keys)
