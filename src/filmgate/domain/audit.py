"""The audit log: which operator did what to accounts, keys, credits, webhook secrets, features and tasks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

SERVER = "server"  #: the actor where no person is


@dataclass(frozen=True, slots=True)
class Note:
    """One thing that was done. It holds no secrets: the log is for reading."""

    at_ms: int
    actor: str  #: "cli:anna" for a person at the command line; "server" for the server itself
    action: str  #: "key.create", "credits.grant", "feature.off": a noun, a dot, a verb or state
    subject: str  #: the id or name of what it was done to
    account_id: str | None = None
    details: Mapping[str, str | int | None] = field(default_factory=dict)


def changes(before: Mapping[str, object], after: Mapping[str, object]) -> dict[str, str]:
    """What is different, in words: {"weight": "1 -> 2"}."""
    return {name: f"{in_words(was)} -> {in_words(after[name])}" for name, was in before.items() if was != after[name]}


def in_words(value: object) -> str:
    if value is None or value == "":
        return "none"
    return f"{value:g}" if isinstance(value, float) else str(value)
