"""What an order passes before it becomes a task, and what the end of a task gives back.

All of it happens in the transaction that adds or ends the task: what is refused has left nothing behind. The account's
row is changed first, so that orders of one account wait for each other on every database; each then sees what the one
before it has left. No step looks at more than a few rows, however many tasks there are.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    ScalarSelect,
    bindparam,
    func,
    literal_column,
    null,
    select,
    text,
    update,
)

from ..domain.credits import NO_CAPS, Caps, Entry, EntryKind, Spent
from ..domain.errors import InsufficientCredits, QueueFull, TooManyRequests
from ..domain.limits import CREATES_WINDOW_MS, Limits, check_caps, day_of, hour_of, wait_ms
from ..domain.task import Task
from .accounts import balance_of, line_of
from .hot import Change, Hot, together
from .schema import BUSY, accounts, key_spending, tasks

#: A guess: nobody knows when the next task ends.
QUEUE_RETRY_S = 10.0

_GIVE_BACK = Hot(
    update(accounts)
    .where(accounts.c.id == bindparam("of_id"))
    .values(balance=accounts.c.balance + bindparam("of_credits"), live=accounts.c.live - 1)
)
_SPEND = Hot(
    update(key_spending)
    .where(key_spending.c.key_id == bindparam("of_key"), key_spending.c.hour_ms == bindparam("of_hour"))
    .values(credits=key_spending.c.credits + bindparam("of_credits"))
)
_SPEND_MORE = Hot(
    text(
        "INSERT INTO key_spending (key_id, hour_ms, credits) VALUES (:key_id, :hour_ms, :credits) "
        "ON CONFLICT (key_id, hour_ms) DO UPDATE SET credits = key_spending.credits + excluded.credits"
    )
)


@dataclass(frozen=True, slots=True)
class Hold:
    """The credits that an order sets aside, and when it was taken."""

    task_id: str
    account_id: str
    key_id: str
    credits: int
    at_ms: int


def hold_of(task: Task) -> Hold:
    return Hold(task.id, task.origin.account_id, task.origin.key_id, task.price, task.created_ms)


def admit(connection: Connection, hold: Hold, caps: Caps, limits: Limits) -> tuple[int, list[Change]]:
    """Hold the price; the number that the order has among those of its account, and what is still to be written.

    Raises InsufficientCredits, InvalidRequest (no such account), TooManyRequests, QueueFull or KeySpent.
    """
    begun = hour_of(hold.at_ms)
    taken = _take(limits.creates_per_10s > 0, limits.queue > 0, caps != NO_CAPS).one(
        connection,
        {
            "of_id": hold.account_id,
            "of_price": hold.credits,
            "of_creates": limits.creates_per_10s,
            "of_key": hold.key_id,
            "of_hour": begun,
            "of_day": day_of(hold.at_ms),
        },
    )
    if taken is None:
        balance = balance_of(connection, hold.account_id)
        raise InsufficientCredits(f"This needs {hold.credits} credits and the account has {balance}.")
    _check(hold, taken, caps, limits)
    line = line_of(Entry(hold.account_id, EntryKind.HOLD, -hold.credits, hold.at_ms, hold.task_id))
    spending = {"key_id": hold.key_id, "hour_ms": begun, "credits": hold.credits}
    return int(taken.orders), [line, (_SPEND_MORE, spending)] if hold.credits else [line]


def release(connection: Connection, hold: Hold, ended_ms: int, *, charged: bool) -> None:
    """The task has ended: charge what was held for it, or give it back, to the hour in which it was ordered."""
    kind, credits = (EntryKind.SETTLE, 0) if charged else (EntryKind.REFUND, hold.credits)
    _GIVE_BACK.change(connection, {"of_id": hold.account_id, "of_credits": credits})
    changes = [line_of(Entry(hold.account_id, kind, credits, ended_ms, hold.task_id))]
    if credits:
        spending = {"of_key": hold.key_id, "of_hour": hour_of(hold.at_ms), "of_credits": -credits}
        changes.append((_SPEND, spending))
    together(connection, changes)


def _check(hold: Hold, taken: Any, caps: Caps, limits: Limits) -> None:
    if wait := wait_ms(taken.nth_last_ms, hold.at_ms, CREATES_WINDOW_MS):
        raise TooManyRequests(retry_after_s=wait / 1000)
    if 0 < limits.queue_per_account < taken.live:
        raise QueueFull(
            f"This account has {limits.queue_per_account} tasks that have not ended, and may not have more: "
            "try again when one of them has.",
            retry_after_s=QUEUE_RETRY_S,
        )
    if 0 < limits.queue < taken.live + (taken.others or 0):
        raise QueueFull(retry_after_s=QUEUE_RETRY_S)
    if caps != NO_CAPS:
        check_caps(caps, Spent(taken.hour or 0, taken.day or 0, taken.total or 0), hold.credits, hold.at_ms)


@lru_cache(maxsize=8)
def _take(windowed: bool, bounded: bool, capped: bool) -> Hot:
    """Take the price and a number, and tell what has to be known about limits: NULL for those that nobody has set.

    One statement, since this is what a server does most. What it looks up elsewhere is as it was when the statement
    began; a database that lets in several writers at once has to lock before it.
    """
    price: BindParameter[int] = bindparam("of_price")
    mine = accounts.c.id == bindparam("of_id")
    return Hot(
        update(accounts)
        .where(mine, accounts.c.balance >= price)
        .values(balance=accounts.c.balance - price, orders=accounts.c.orders + 1, live=accounts.c.live + 1)
        .returning(
            accounts.c.orders,
            accounts.c.live,
            (_nth_last() if windowed else null()).label("nth_last_ms"),
            (_live_of_others() if bounded else null()).label("others"),
            (_spent_since(bindparam("of_hour")) if capped else null()).label("hour"),
            (_spent_since(bindparam("of_day")) if capped else null()).label("day"),
            (_spent_since(literal_column("0")) if capped else null()).label("total"),
        )
    )


def _nth_last() -> ScalarSelect[Any]:
    """When the order was taken that came so many before this one.

    SQLAlchemy leaves out the tables' names in what SQLite returns: ``orders`` is the account's only because no task has
    a column of that name.
    """
    number = accounts.c.orders - bindparam("of_creates")
    theirs = select(tasks.c.created_ms).where(tasks.c.account_id == bindparam("of_id"), tasks.c.number == number)
    return theirs.correlate(accounts).scalar_subquery()


def _live_of_others() -> ScalarSelect[Any]:
    """Of the others: databases differ in whether a statement sees its own change here. All less its own, both as they
    are seen: the sum over all is in the index, and to leave out one of them would take a look at each."""
    every, mine = accounts.alias("every"), accounts.alias("mine")
    own = select(mine.c.live).where(mine.c.id == bindparam("of_id")).scalar_subquery()
    return select(func.sum(every.c.live) - own).where(BUSY).scalar_subquery()


def _spent_since(start: ColumnElement[int]) -> ScalarSelect[Any]:
    theirs = key_spending.c.key_id == bindparam("of_key")
    return select(func.sum(key_spending.c.credits)).where(theirs, key_spending.c.hour_ms >= start).scalar_subquery()
