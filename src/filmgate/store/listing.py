"""Looking through tasks, the newest first.

The tasks of an account are numbered in the order in which they came, and read by that number: a page begins where the
one before it ended, whatever was ordered meanwhile. Times are found by halving the numbers, and no page looks at more
than ``WINDOW`` of them, so that a search for what is rare costs no more than any other: it takes more pages.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import ColumnElement, Connection, bindparam, func, select, tuple_

from ..domain.errors import TaskNotFound
from ..domain.listing import Page, Sought
from ..domain.task import Task
from .rows import task_of
from .schema import tasks

WINDOW = 5000  #: tasks that are looked at for one page

#: Numbers follow the time at which an order was taken, but for orders that were on their way to the database at the
#: same moment: so much further is looked, and each task is then judged by its own time.
_SLACK_MS = 60_000

_OF_ACCOUNT = tasks.c.account_id == bindparam("of_account")
_BOUNDS = (
    select(func.min(tasks.c.number)).where(_OF_ACCOUNT).scalar_subquery(),
    select(func.max(tasks.c.number)).where(_OF_ACCOUNT).scalar_subquery(),
)
_FIRST_AND_LAST = select(*_BOUNDS)
_CREATED = (
    select(tasks.c.created_ms)
    .where(_OF_ACCOUNT, tasks.c.number <= bindparam("of_number"))
    .order_by(tasks.c.number.desc())
    .limit(1)
)


def page(connection: Connection, *, account_id: str, sought: Sought, before: int | None, limit: int) -> Page:
    """One page of an account (``ports.TaskStore.page``)."""
    first, last = connection.execute(_FIRST_AND_LAST, {"of_account": account_id}).one()
    if first is None:
        return Page((), None)
    top = last if before is None else min(last, before - 1)
    if sought.until_ms is not None:
        top = min(top, _last_before(connection, account_id, sought.until_ms + _SLACK_MS, first, last))
    floor = first - 1
    if sought.since_ms is not None:
        floor = max(floor, _last_before(connection, account_id, sought.since_ms - _SLACK_MS, first, last))
    bottom = max(floor, top - WINDOW)
    found = connection.execute(
        select(tasks)
        .where(tasks.c.account_id == account_id, tasks.c.number > bottom, tasks.c.number <= top, *_fitting(sought))
        .order_by(tasks.c.number.desc())
        .limit(limit)
    ).all()
    end = found[-1].number if len(found) == limit else bottom + 1
    return Page([task_of(row) for row in found], end if end > floor + 1 else None)


def _last_before(connection: Connection, account_id: str, at_ms: int, first: int, last: int) -> int:
    """The number of the account's last task that was created before this time; below ``first`` where there is none."""
    low, high = first - 1, last
    while low < high:
        middle = (low + high + 1) // 2
        created_ms = connection.execute(_CREATED, {"of_account": account_id, "of_number": middle}).scalar_one()
        if created_ms < at_ms:
            low = middle
        else:
            high = middle - 1
    return low


def newest(
    connection: Connection, *, account_id: str | None, sought: Sought, before: str | None, limit: int
) -> Sequence[Task]:
    """For the operator: of all accounts, or of one (``ports.TaskStore.list``)."""
    query = select(tasks).where(*_fitting(sought)).limit(limit)
    if account_id is None:
        order = (tasks.c.created_ms, tasks.c.id)
    else:
        order = (tasks.c.number, tasks.c.id)
        query = query.where(tasks.c.account_id == account_id)
    if before is not None:
        place = connection.execute(select(*order).where(tasks.c.id == before)).one_or_none()
        if place is None:
            raise TaskNotFound
        query = query.where(tuple_(*order) < tuple_(*place))
    return [task_of(row) for row in connection.execute(query.order_by(*(column.desc() for column in order)))]


def _fitting(sought: Sought) -> Iterator[ColumnElement[bool]]:
    if sought.statuses:
        yield tasks.c.status.in_([status.value for status in sought.statuses])
    if sought.model is not None:
        yield tasks.c.model == sought.model
    if sought.kind is not None:
        yield tasks.c.kind == sought.kind.value
    if sought.since_ms is not None:
        yield tasks.c.created_ms >= sought.since_ms
    if sought.until_ms is not None:
        yield tasks.c.created_ms < sought.until_ms
