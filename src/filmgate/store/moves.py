"""The UPDATE of each event in a task's life, built from the table in ``domain/lifecycle.py``.

Names that begin with ``of_`` say which row is meant; every other name in the parameters of a statement is a column to
be set. Statuses stand in the SQL as literals: only then may the database use the partial indexes.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Float,
    Select,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.sql.dml import ReturningUpdate, Update

from ..domain.lifecycle import MAX_LOST_LEASES, Event, after, sources
from ..domain.task import Status
from .schema import accounts, tasks


def in_state(*statuses: Status, table: Any = tasks) -> ColumnElement[bool]:
    return or_(*(table.c.status == literal_column(f"'{status}'") for status in statuses))


def move(event: Event) -> Update:
    """From the event's source states (its WHERE) to its target (its SET); the caller says which row and what else."""
    starts = sources(event)
    (target,) = {after(status, event) for status in starts}
    return update(tasks).where(in_state(*starts)).values(status=literal_column(f"'{target}'"))


def _released(event: Event) -> Update:
    """A move that ends a lease, if there was one."""
    return move(event).values(owner=None, lease_until_ms=None)


#: The hold of one worker on one task in one attempt.
_OF_LEASE = and_(
    tasks.c.id == bindparam("of_id"),
    tasks.c.owner == bindparam("of_owner"),
    tasks.c.attempt == bindparam("of_attempt"),
)
_OF_ID_AND_STATUS = and_(tasks.c.id == bindparam("of_id"), tasks.c.status == bindparam("of_status"))


def _fairest_account() -> Select[Any]:
    """The account whose turn it is, of those with a task that is due.

    The one with the fewest running tasks for its weight, then the one not served for the longest time.
    """
    theirs = tasks.alias("theirs")
    running = (
        select(theirs.c.account_id, func.count().label("count"))
        .where(in_state(Status.RUNNING, table=theirs))
        .group_by(theirs.c.account_id)
        .subquery("running")
    )
    waits = tasks.alias("waits")
    has_one_due = select(waits.c.id).where(waits.c.account_id == accounts.c.id, _due(waits)).exists()
    share = cast(func.coalesce(running.c.count, 0), Float) / accounts.c.weight
    return (
        select(accounts.c.id)
        .outerjoin_from(accounts, running, running.c.account_id == accounts.c.id)
        .where(has_one_due)
        .order_by(share, accounts.c.served, accounts.c.id)
        .limit(1)
    )


def _due(table: Any) -> ColumnElement[bool]:
    return and_(
        in_state(*sources(Event.CLAIM), table=table),
        table.c.run_at_ms <= bindparam("of_now"),
        table.c.model.in_(bindparam("of_models", expanding=True)),
    )


def _next_task() -> Select[Any]:
    mine = tasks.alias("mine")
    return (
        select(mine.c.id)
        .where(_due(mine), mine.c.account_id == _fairest_account().scalar_subquery())
        .order_by(mine.c.priority.desc(), mine.c.created_ms, mine.c.id)
        .limit(1)
    )


def _lease_over(whose: ColumnElement[bool]) -> tuple[ReturningUpdate[Any], ReturningUpdate[Any]]:
    """What becomes of tasks whose worker is gone: the last straw first, then those that may go round again."""
    one_more = tasks.c.lost_leases + 1
    last = _released(Event.GIVE_UP).where(whose, one_more >= MAX_LOST_LEASES)
    others = _released(Event.LOSE_LEASE).where(whose)
    return last.values(lost_leases=one_more).returning(tasks), others.values(lost_leases=one_more).returning(tasks)


CLAIM = (
    move(Event.CLAIM)
    .where(tasks.c.id == _next_task().scalar_subquery())
    .values(
        attempt=tasks.c.attempt + 1,
        stage=case((tasks.c.attempt == 0, literal_column("'starting'")), else_=literal_column("'starting again'")),
    )
    .returning(tasks)
)
SUCCEED = _released(Event.SUCCEED).where(_OF_LEASE).values(progress=1.0).returning(tasks)
REJECT = _released(Event.REJECT).where(_OF_LEASE).returning(tasks)
FAIL = _released(Event.FAIL).where(_OF_LEASE).returning(tasks)
RETRY = _released(Event.RETRY).where(_OF_LEASE).values(faults=tasks.c.faults + 1).returning(tasks)
DRAIN = _released(Event.DRAIN).where(_OF_LEASE).returning(tasks)
CANCEL = _released(Event.CANCEL).where(_OF_ID_AND_STATUS).returning(tasks)
LEASES_RUN_OUT = _lease_over(tasks.c.lease_until_ms <= bindparam("of_now"))
LEASES_OF_OWNER = _lease_over(tasks.c.owner == bindparam("of_owner"))

CHECKPOINT = update(tasks).where(in_state(Status.RUNNING), _OF_LEASE)

_HELD_BY_OWNER = and_(in_state(Status.RUNNING), tasks.c.owner == bindparam("of_owner"))


def heartbeat(count: int) -> ReturningUpdate[Any]:
    """Renews all leases of ``of_owner`` and notes the progress of ``count`` tasks.

    Parameters: of_id_0, of_fraction_0, of_stage_0, of_id_1 ... What is seen of a task only rises: a fraction lower than
    the one noted, as in the first part of a further attempt, is passed over, and its stage with it.
    """
    renewal = update(tasks).where(_HELD_BY_OWNER)
    if count:
        ids: list[ColumnElement[str]] = [bindparam(f"of_id_{i}") for i in range(count)]
        fractions = case(*((tasks.c.id == ids[i], bindparam(f"of_fraction_{i}", type_=Float)) for i in range(count)))
        stages = case(*((tasks.c.id == ids[i], bindparam(f"of_stage_{i}")) for i in range(count)))
        rises = fractions >= tasks.c.progress
        renewal = renewal.values(
            progress=case((rises, fractions), else_=tasks.c.progress),
            stage=case((rises, stages), else_=tasks.c.stage),
        )
    return renewal.returning(tasks.c.id)
