"""Secrets that have to be read again, as they are stored: sealed under the operator's key, or else in clear.

A stored value says which of the two it is. One without a word in front is in clear, from before there was a choice.
"""

from __future__ import annotations

import secrets
from base64 import b64decode, b64encode

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ..domain.errors import FilmgateError

_CLEAR, _SEALED = "clear:", "sealed:1:"
_PURPOSE = b"filmgate webhook secrets 1"  #: so that the key signs links with one key, and seals with another
_NONCE = 12  #: bytes


class SecretSealed(FilmgateError):
    """A secret was sealed with a key that is not the one at hand. It stays where it is."""

    slug = "secret_sealed"
    sentence = (
        "The webhook secret was sealed under another FILMGATE_SECRET_KEY: set the one it was sealed under and start "
        "again, or replace the secret with `filmgate keys webhook`."
    )


class Seal:
    """Seals and opens; without a key it does neither, and stores in clear."""

    def __init__(self, secret_key: str | None) -> None:
        self._cipher = AESGCM(_derived(secret_key)) if secret_key else None

    @property
    def closes(self) -> bool:
        return self._cipher is not None

    def close(self, secret: str, place: str) -> str:
        """As it is stored. ``place`` says whose secret it is: moved elsewhere, it cannot be opened."""
        if self._cipher is None:
            return _CLEAR + secret
        nonce = secrets.token_bytes(_NONCE)
        return _SEALED + b64encode(nonce + self._cipher.encrypt(nonce, secret.encode(), place.encode())).decode()

    def open(self, stored: str, place: str) -> str:
        """Raises SecretSealed where that takes another key."""
        if not is_sealed(stored):
            return stored.removeprefix(_CLEAR)
        if self._cipher is None:
            raise SecretSealed(f"No FILMGATE_SECRET_KEY is set. {SecretSealed.sentence}")
        sealed = b64decode(stored.removeprefix(_SEALED))
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], place.encode()).decode()
        except InvalidTag as error:
            raise SecretSealed from error


def is_sealed(stored: str) -> bool:
    return stored.startswith(_SEALED)


def _derived(secret_key: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(secret_key.encode())
