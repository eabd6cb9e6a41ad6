"""Accounts, keys, and what belongs to them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ..domain.audit import SERVER, Note
from ..domain.credits import Caps, Entry, Spent
from ..domain.features import Feature


@dataclass(frozen=True)
class Caller:
    """Who is asking: the account and key behind a bearer token."""

    account_id: str
    key_id: str
    edition: Mapping[str, str] = field(default_factory=dict)
    caps: Caps = field(default_factory=Caps)
    addresses: tuple[str, ...] = ()  #: networks that the key may be used from; none named is everywhere
    priority: int = 0  #: of its tasks, among those of the account


@dataclass(frozen=True)
class Key:
    """An API key as the operator sees it; the secret itself is never stored."""

    id: str
    account_id: str
    label: str
    hint: str  #: the first characters, so that people can tell keys apart
    created_ms: int
    revoked_ms: int | None = None
    edition: Mapping[str, str] = field(default_factory=dict)
    expires_ms: int | None = None
    last_used_ms: int | None = None
    caps: Caps = field(default_factory=Caps)
    max_running: int | None = None  #: tasks of it that may run at the same time
    addresses: tuple[str, ...] = ()  #: networks that it may be used from; none named is everywhere
    priority: int = 0  #: of its tasks, among those of the account; see ``domain/limits.py``


@dataclass(frozen=True)
class Account:
    """Who owns tasks and credits, as the operator sees it."""

    id: str
    label: str
    created_ms: int
    balance: int = 0
    weight: float = 1.0  #: its share of the workers, beside those of others
    max_running: int | None = None  #: tasks of it that may run at the same time; None: as the settings say
    live: int = 0  #: tasks that have not ended


class AccountStore(Protocol):
    """Accounts, keys and the ledger. Each change is noted in the audit log in the same transaction, with who did it."""

    async def authenticate(self, digest: str) -> Caller | None:
        """The caller behind the SHA-256 (hex) of a key, unless it is revoked, or its time is over."""

    async def create_account(
        self,
        account_id: str,
        label: str,
        *,
        credits: int = 0,
        weight: float = 1.0,
        max_running: int | None = None,
        by: str = SERVER,
    ) -> bool:
        """With so many credits to begin with. False where there is an account of this id already."""

    async def account(self, account_id: str) -> Account:
        """Raises InvalidRequest where there is none."""

    async def accounts(self) -> Sequence[Account]: ...

    async def change_account(self, account_id: str, change: Callable[[Account], Account], *, by: str) -> Account:
        """``change`` says what label, weight and max_running become. Raises InvalidRequest where there is none."""

    async def create_key(self, key: Key, digest: str, *, by: str = SERVER) -> None: ...

    async def change_key(self, key_id: str, change: Callable[[Key], Key], *, by: str) -> Key:
        """``change`` says what everything but id, account, hint and times past becomes. Raises InvalidRequest where
        there is no such live key."""

    async def rotate_key(self, key_id: str, digest: str, hint: str, overlap_ms: int, *, by: str) -> Key:
        """A new secret for the key; older ones end after the overlap at the latest. Raises InvalidRequest as above."""

    async def revoke_key(self, key_id: str, *, by: str = SERVER) -> bool:
        """False where there is no such live key."""

    async def keys(self, account_id: str | None = None) -> Sequence[Key]: ...

    async def spent(self) -> Mapping[str, Spent]:
        """Key -> what it has spent, for those that have spent anything."""

    async def note_uses(self, uses: Mapping[str, int]) -> None:
        """Key -> when it was last used, all of them in one statement."""

    async def post(self, entry: Entry, *, by: str = SERVER) -> None:
        """An entry of the operator's, such as a grant. Raises InsufficientCredits, InvalidRequest: nothing is added."""

    async def balance(self, account_id: str) -> int: ...

    async def entries(self, account_id: str, *, limit: int | None = None) -> Sequence[Entry]:
        """In the order in which they were added; with a limit, so many of the newest."""

    async def secret(self, name: str, candidate: str) -> str:
        """The server secret of this name; ``candidate`` becomes it if there is none yet (the first one wins)."""


class AuditLog(Protocol):
    async def list(self, *, account_id: str | None = None, limit: int = 50) -> Sequence[Note]:
        """The newest first."""


@dataclass(frozen=True)
class Upload:
    """A file that a client has sent. ``key`` names it in the storage."""

    id: str
    account_id: str
    key: str
    name: str
    original_name: str
    path: str  #: uploadPath, as it was said
    mime: str
    bytes: int
    created_ms: int
    expires_ms: int


class UploadStore(Protocol):
    async def put(self, upload: Upload) -> str | None:
        """Note an upload; the storage key of the one of the same account, path and name that it replaces, or None."""

    async def get(self, account_id: str, key: str) -> Upload | None: ...

    async def stored_bytes(self, account_id: str) -> int:
        """The size of all uploads of an account."""

    async def expired(self, limit: int) -> Sequence[Upload]:
        """Uploads whose time is over; forgotten when returned."""


@dataclass(frozen=True)
class WebhookSecrets:
    """What callbacks of an account are signed with: the newest first; the older ones until they have run out."""

    vendor: tuple[str, ...] = ()  #: raw strings: the vendor's own signature, which does not cover the body
    standard: tuple[str, ...] = ()  #: "whsec_...": Standard Webhooks


@dataclass(frozen=True)
class HeldSecret:
    """A webhook secret that is good, without the secret."""

    kind: str
    sealed: bool  #: encrypted under the operator's key; else in clear


class WebhookStore(Protocol):
    """Each change is noted in the audit log in the same transaction, with who did it, and without the secret."""

    async def secrets(self, account_id: str) -> WebhookSecrets:
        """Raises a FilmgateError where the newest of a kind was sealed with a key that is not at hand."""

    async def held(self, account_id: str) -> Sequence[HeldSecret]:
        """What there is, whether or not it could be opened."""

    async def rotate(self, account_id: str, kind: str, secret: str, overlap_ms: int, *, by: str = SERVER) -> None:
        """A new secret of kind "vendor" or "standard"; the old ones still sign for ``overlap_ms``."""

    async def remove(self, account_id: str, kind: str, *, by: str = SERVER) -> None:
        """Sign no longer."""

    async def seal(self) -> int:
        """Encrypt what still lies there in clear, if the operator has set a key; how many that were."""


class FeatureStore(Protocol):
    async def is_on(self, feature: Feature) -> bool:
        """As it stands in the database at this moment."""

    async def all(self) -> Mapping[Feature, bool]: ...

    async def set(self, feature: Feature, is_on: bool, actor: str) -> None:
        """In effect at once, in every process; noted in the audit log."""
