"""API keys, and the account that a new installation begins with."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ..domain.credits import Entry, EntryKind
from ..domain.errors import InvalidRequest
from ..ports import AccountStore, Clock, Key

FIRST_ACCOUNT = "default"
FIRST_CREDITS = 1_000_000
SHORTEST_SECRET = 32  #: characters of a key that the operator chooses
_HINT_LENGTH = 7
_NO_SWITCHES: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key and, for this one time, its secret: what a client sends."""

    key: Key
    secret: str

    def __repr__(self) -> str:
        return f"NewKey({self.key.id})"  # logs must not learn the secret


def new_secret() -> str:
    return f"fg_{secrets.token_urlsafe(32)}"


def new_key_id() -> str:
    return f"key_{secrets.token_hex(8)}"


def digest(secret: str) -> str:
    """What is stored of a secret: its SHA-256, in hex. Enough for 256 random bits, and cheap at every request."""
    return hashlib.sha256(secret.encode()).hexdigest()


async def create_key(
    store: AccountStore,
    clock: Clock,
    label: str,
    *,
    account_id: str = FIRST_ACCOUNT,
    edition: Mapping[str, str] = _NO_SWITCHES,
    secret: str | None = None,
    make_secret: Callable[[], str] = new_secret,
    make_id: Callable[[], str] = new_key_id,
) -> NewKey:
    """A live key of an account. Raises InvalidRequest for an account that there is not, or a poor ``secret``."""
    await store.balance(account_id)
    secret = make_secret() if secret is None else _checked(secret)
    key = Key(
        id=make_id(),
        account_id=account_id,
        label=label,
        hint=secret[:_HINT_LENGTH],
        created_ms=clock.now_ms(),
        edition=dict(edition),
    )
    await store.create_key(key, digest(secret))
    return NewKey(key, secret)


async def revoke_key(store: AccountStore, key_id: str) -> None:
    """From now on the key is refused. Raises InvalidRequest where there is no such live key."""
    if not await store.revoke_key(key_id):
        raise InvalidRequest(f"There is no live key {key_id!r}: see `filmgate keys list`.")


async def first_start(store: AccountStore, clock: Clock, secret: str | None = None) -> str | None:
    """The account, its credits and one key, on an installation without keys; returns the secret of the key.

    None where there is a key already. Each step is skipped if an interrupted start has done it before. ``secret``: one
    that the caller has made, or put into safety, before. Raises InvalidRequest for a poor one.
    """
    if await store.keys():
        return None
    if secret is not None:
        _checked(secret)
    await store.create_account(FIRST_ACCOUNT, "The first account")
    if not await store.entries(FIRST_ACCOUNT):
        grant = Entry(FIRST_ACCOUNT, EntryKind.GRANT, FIRST_CREDITS, clock.now_ms(), note="first start")
        await store.post(grant)
    made = await create_key(store, clock, "first key", secret=secret)
    return made.secret


def _checked(secret: str) -> str:
    if len(secret) < SHORTEST_SECRET:
        raise InvalidRequest(
            f"The initial API key has {len(secret)} characters and needs at least {SHORTEST_SECRET}: "
            "make one with `openssl rand -hex 32`."
        )
    if not secret.isascii() or not secret.isprintable() or " " in secret:
        raise InvalidRequest("The initial API key may have only printable ASCII characters, and no spaces.")
    return secret
