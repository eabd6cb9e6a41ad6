"""The audit log: who did what to accounts, keys, credits, webhook secrets and features."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Note:
    """One thing that was done. It holds no secrets: the log is for reading."""

    at_ms: int
    actor: str  #: "cli:anna" for a person at the command line; "server" for the server itself
    action: str  #: "key.create", "credits.grant", "feature.off": a noun, a dot, a verb or state
    subject: str  #: the id or name of what it was done to
    account_id: str | None = None
    details: Mapping[str, str | int | None] = field(default_factory=dict)
