"""Accounts and API keys as an operator makes them, and those that a new installation begins with."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from types import MappingProxyType

from ..domain.audit import SERVER
from ..domain.credits import Caps, Entry, EntryKind
from ..domain.errors import InvalidRequest
from ..ports import Account, AccountStore, Clock, Key

FIRST_ACCOUNT = "default"
FIRST_CREDITS = 1_000_000
SHORTEST_SECRET = 32  #: characters of a key that the operator chooses
LONGEST_ID = 64  #: characters of the id of an account
NO_LIVE_KEY = "There is no live key {key_id!r}: see `filmgate keys list`."
_ACCOUNT_ID = re.compile(rf"[a-z0-9][a-z0-9._-]{{0,{LONGEST_ID - 1}}}")
_HINT_LENGTH = 7
_MAPPED_BITS = 96  #: what stands before the IPv4 address in an IPv4-mapped one
_NO_SWITCHES: Mapping[str, str] = MappingProxyType({})
_NO_CAPS = Caps()


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key and, for this one time, its secret: what a client sends."""

    key: Key
    secret: str

    def __repr__(self) -> str:
        return f"NewKey({self.key.id})"  # logs must not learn the secret


def new_secret() -> str:
    return f"fg_{secrets.token_urlsafe(32)}"


def hint(secret: str) -> str:
    """What of a secret may be shown, so that people can tell keys apart."""
    return secret[:_HINT_LENGTH]


def new_key_id() -> str:
    return f"key_{secrets.token_hex(8)}"


def digest(secret: str) -> str:
    """What is stored of a secret: its SHA-256, in hex. Enough for 256 random bits, and cheap at every request."""
    return hashlib.sha256(secret.encode()).hexdigest()


async def create_account(
    store: AccountStore,
    account_id: str,
    label: str = "",
    *,
    credits: int = 0,
    weight: float = 1.0,
    max_running: int | None = None,
    by: str = SERVER,
) -> Account:
    """Raises InvalidRequest for a poor id, or one that is taken."""
    if not _ACCOUNT_ID.fullmatch(account_id):
        raise InvalidRequest(
            f"{account_id!r} cannot be the id of an account: it has 1 to {LONGEST_ID} small letters, digits and the "
            "signs . _ - and begins with a letter or digit."
        )
    made = await store.create_account(account_id, label, credits=credits, weight=weight, max_running=max_running, by=by)
    if not made:
        raise InvalidRequest(f"There is an account {account_id!r} already: see `filmgate accounts list`.")
    return await store.account(account_id)


async def grant(
    store: AccountStore, clock: Clock, account_id: str, credits: int, note: str = "", *, by: str = SERVER
) -> int:
    """Give credits, or take some back; the balance after it. Raises InsufficientCredits, and InvalidRequest."""
    if not credits:
        raise InvalidRequest("A grant of 0 credits changes nothing: say how many, and with a minus to take some back.")
    await store.post(Entry(account_id, EntryKind.GRANT, credits, clock.now_ms(), note=note), by=by)
    return await store.balance(account_id)


async def create_key(
    store: AccountStore,
    clock: Clock,
    label: str,
    *,
    account_id: str = FIRST_ACCOUNT,
    edition: Mapping[str, str] = _NO_SWITCHES,
    expires_ms: int | None = None,
    caps: Caps = _NO_CAPS,
    max_running: int | None = None,
    priority: int = 0,
    addresses: Sequence[str] = (),
    secret: str | None = None,
    make_secret: Callable[[], str] = new_secret,
    make_id: Callable[[], str] = new_key_id,
    by: str = SERVER,
) -> NewKey:
    """A live key of an account. Raises InvalidRequest for an account that there is not, or a poor ``secret``."""
    await store.account(account_id)
    secret = make_secret() if secret is None else _checked(secret)
    key = Key(
        id=make_id(),
        account_id=account_id,
        label=label,
        hint=hint(secret),
        created_ms=clock.now_ms(),
        edition=dict(edition),
        expires_ms=expires_ms,
        caps=caps,
        max_running=max_running,
        addresses=networks(addresses),
        priority=priority,
    )
    await store.create_key(key, digest(secret), by=by)
    return NewKey(key, secret)


async def live_key(store: AccountStore, key_id: str) -> Key:
    """Raises InvalidRequest where there is no such key, or it is revoked."""
    for key in await store.keys():
        if key.id == key_id and key.revoked_ms is None:
            return key
    raise InvalidRequest(NO_LIVE_KEY.format(key_id=key_id))


async def replace_secret(store: AccountStore, key_id: str, secret: str, overlap_ms: int, *, by: str = SERVER) -> Key:
    """From now on the key has this secret; the one before is good until the overlap ends."""
    return await store.rotate_key(key_id, digest(secret), hint(secret), overlap_ms, by=by)


async def revoke_key(store: AccountStore, key_id: str, *, by: str = SERVER) -> None:
    """From now on the key is refused. Raises InvalidRequest where there is no such live key."""
    if not await store.revoke_key(key_id, by=by):
        raise InvalidRequest(NO_LIVE_KEY.format(key_id=key_id))


def networks(texts: Sequence[str]) -> tuple[str, ...]:
    """An allow-list in one spelling: "10.0.0.7" is "10.0.0.7/32". Raises InvalidRequest."""
    return tuple(str(_network(text)) for text in texts)


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        network = ip_network(text)
    except ValueError as error:
        raise InvalidRequest(
            f"{text!r} is neither an address nor a network such as 10.0.0.0/8 or 2001:db8::/32 ({error})."
        ) from error
    mapped = network.network_address.ipv4_mapped if isinstance(network, IPv6Network) else None
    return network if mapped is None else IPv4Network((mapped, network.prefixlen - _MAPPED_BITS))


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
        await grant(store, clock, FIRST_ACCOUNT, FIRST_CREDITS, "first start")
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
