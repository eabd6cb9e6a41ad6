"""Faults planted behind the server's back, by which the laboratory shows that it can find one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, text

from .books import Books, media_of
from .journal import now_ms
from .plan import Plan

#: Faults that one statement plants in the books.
_STATEMENTS: Mapping[str, str] = MappingProxyType(
    {
        "lost": "DELETE FROM tasks WHERE id = :id",
        "double": "UPDATE tasks SET attempt = attempt + 1, ended_ms = ended_ms + 1 WHERE id = :id",
        "callback": "DELETE FROM callbacks WHERE task_id = :id",
        "charged": (
            "INSERT INTO ledger (account_id, kind, credits, at_ms, task_id, note) "
            "SELECT account_id, 'grant', -price, :now, id, 'planted' FROM tasks WHERE id = :id"
        ),
        "stuck": "UPDATE tasks SET status = 'running', ended_ms = NULL, owner = 'nobody' WHERE id = :id",
    }
)
KINDS = (*_STATEMENTS, "film", "litter")


def plant(kind: str, plan: Plan, books: Books, task_id: str) -> None:
    """Into a task that has succeeded and was told."""
    act: Callable[[], Any] = {"film": lambda: _spoil(plan, task_id), "litter": lambda: _litter(plan, task_id)}.get(
        kind, lambda: _write(kind, books, task_id)
    )
    act()


def _write(kind: str, books: Books, task_id: str) -> None:
    with books.writing() as connection:
        _forget_children(kind, connection, task_id)
        values = {"id": task_id} | ({"now": now_ms()} if kind == "charged" else {})
        connection.execute(text(_STATEMENTS[kind]), values)


def _forget_children(kind: str, connection: Connection, task_id: str) -> None:
    """What refers to a row goes before it, on a database that insists on that."""
    of_task = "SELECT id FROM callbacks WHERE task_id = :id"
    if kind in ("lost", "callback"):
        connection.execute(text(f"DELETE FROM deliveries WHERE callback_id IN ({of_task})"), {"id": task_id})
    if kind == "lost":
        for table in ("callbacks", "task_state"):
            connection.execute(text(f"DELETE FROM {table} WHERE task_id = :id"), {"id": task_id})


def _spoil(plan: Plan, task_id: str) -> None:
    """The end of its film is overwritten; its size stays."""
    (film,) = (path for path in media_of(plan) if path.parts[-3] == task_id and path.suffix == ".mp4")
    with film.open("r+b") as file:
        file.seek(-10, 2)
        file.write(b"0123456789")


def _litter(plan: Plan, task_id: str) -> None:
    folder = plan.storage / task_id / "9"
    folder.mkdir(parents=True)
    (folder / "result.mp4").write_bytes(b"of nobody")
