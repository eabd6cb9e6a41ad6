"""The UPDATE of each event in a task's life, built from the table in ``domain/lifecycle.py``.

Names that begin with ``of_`` say which row is meant; every other name in the parameters of a statement is a column to
be set. Statuses stand in the SQL as literals: only then may the database use the partial indexes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Float,
    ScalarSelect,
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
from .schema import BEGUN, BUSY, accounts, keys, tasks


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


def _due(table: Any) -> ColumnElement[bool]:
    return and_(
        in_state(*sources(Event.CLAIM), table=table),
        table.c.run_at_ms <= bindparam("of_now"),
        table.c.model.in_(bindparam("of_models", expanding=True)),
    )


def _begun(account_id: ColumnElement[str], key_id: ColumnElement[str] | None = None) -> ScalarSelect[int]:
    """How many tasks of an account, or of a key of it, are worked on, by us or by a remote engine."""
    theirs = tasks.alias("theirs")
    count = select(func.count()).select_from(theirs).where(BEGUN, theirs.c.account_id == account_id)
    return (count if key_id is None else count.where(theirs.c.key_id == key_id)).scalar_subquery()


def _turns() -> CTE:
    """Accounts that may have one more task running, in the order of their turns: ``of_many`` of them after ``of_past``.

    First those with the fewest tasks worked on for their weight, then those not served for the longest time.
    """
    begun = _begun(accounts.c.id).label("begun")
    busy = select(accounts.c.id, accounts.c.weight, accounts.c.served, accounts.c.max_running, begun).where(BUSY)
    # For its own sake PostgreSQL would count twice.
    busy_ones = busy.cte("busy").prefix_with("MATERIALIZED", dialect="postgresql")
    share = (cast(busy_ones.c.begun, Float) / busy_ones.c.weight).label("share")
    return (
        select(busy_ones.c.id, share, busy_ones.c.served)
        .where(busy_ones.c.begun < func.coalesce(busy_ones.c.max_running, bindparam("of_most")))
        .order_by(share, busy_ones.c.served, busy_ones.c.id)
        .limit(bindparam("of_many"))
        .offset(bindparam("of_past"))
        .cte("turns")
    )


def _lanes() -> CTE:
    """Those accounts, each with every key of it that has tasks in the queue.

    The keys are found by leaping through the index from one to the next (the last leap lands on NULL), so that the
    length of a queue does not matter.
    """
    turns, queued = _turns(), tasks.alias("queued")
    smallest = select(func.min(queued.c.key_id)).where(in_state(*sources(Event.CLAIM), table=queued))
    first = smallest.where(queued.c.account_id == turns.c.id).scalar_subquery()
    lanes = select(turns.c.id.label("account_id"), turns.c.share, turns.c.served, first.label("key_id")).cte(
        "lanes", recursive=True
    )
    next_one = smallest.where(queued.c.account_id == lanes.c.account_id, queued.c.key_id > lanes.c.key_id)
    leap = select(lanes.c.account_id, lanes.c.share, lanes.c.served, next_one.scalar_subquery())
    return lanes.union_all(leap.where(lanes.c.key_id.is_not(None)))


def _next_task() -> Select[Any]:
    """The first one in the lane whose turn it is, of the lanes whose key may have one more task running.

    Accounts by their turns; in an account by priority, then by age.
    """
    lanes, mine, head = _lanes(), tasks.alias("mine"), tasks.alias("head")
    first = (
        select(mine.c.id)
        .where(_due(mine), mine.c.account_id == lanes.c.account_id, mine.c.key_id == lanes.c.key_id)
        .order_by(mine.c.priority.desc(), mine.c.created_ms, mine.c.id)
        .limit(1)
        .scalar_subquery()
    )
    begun = _begun(lanes.c.account_id, lanes.c.key_id)
    return (
        select(head.c.id)
        .join_from(lanes, head, head.c.id == first)
        .outerjoin(keys, keys.c.id == lanes.c.key_id)
        .where(or_(keys.c.max_running.is_(None), begun < keys.c.max_running))
        .order_by(
            lanes.c.share, lanes.c.served, lanes.c.account_id, head.c.priority.desc(), head.c.created_ms, head.c.id
        )
        .limit(1)
    )


def _lease_over(whose: ColumnElement[bool]) -> tuple[ReturningUpdate[Any], ReturningUpdate[Any]]:
    """What becomes of tasks whose worker is gone: the last straw first, then those that may go round again."""
    one_more = tasks.c.lost_leases + 1
    last = _released(Event.GIVE_UP).where(whose, one_more >= MAX_LOST_LEASES)
    others = _released(Event.LOSE_LEASE).where(whose)
    return last.values(lost_leases=one_more).returning(tasks), others.values(lost_leases=one_more).returning(tasks)


def _late(which: Callable[[Any], ColumnElement[bool]]) -> ReturningUpdate[Any]:
    """Ends tasks that were created before ``of_created``, ``of_limit`` of them at most. ``+ 0`` keeps the database from
    going through all tasks that are old: ``which`` finds the few that have not ended."""
    late = tasks.alias("late")
    found = select(late.c.id).where(which(late), late.c.created_ms + 0 < bindparam("of_created"))
    return _released(Event.EXPIRE).where(tasks.c.id.in_(found.limit(bindparam("of_limit")))).returning(tasks)


def _long_queued(late: Any) -> ColumnElement[bool]:
    """By the index of what is due. A task that is to be tried again is due later, and found when it is."""
    return and_(in_state(Status.QUEUED, table=late), late.c.run_at_ms < bindparam("of_created"))


CLAIM = (
    move(Event.CLAIM)
    .where(tasks.c.id == _next_task().scalar_subquery())
    .values(
        attempt=tasks.c.attempt + 1,
        stage=case((tasks.c.attempt == 0, literal_column("'starting'")), else_=literal_column("'starting again'")),
    )
    .returning(tasks)
)
HAND_OVER = _released(Event.HAND_OVER).where(_OF_LEASE).returning(tasks)
#: Of a task that nobody holds: whoever has looked at it last has put off the next look to this very time.
_OF_LOOK = and_(tasks.c.id == bindparam("of_id"), tasks.c.run_at_ms == bindparam("of_look"))
#: Look after these: nobody else does until ``run_at_ms``, which says whose look it is.
LOOK = (
    update(tasks)
    .where(
        in_state(Status.WAITING),
        tasks.c.run_at_ms <= bindparam("of_now"),
        tasks.c.id.in_(
            select(tasks.c.id)
            .where(
                in_state(Status.WAITING),
                tasks.c.run_at_ms <= bindparam("of_now"),
                tasks.c.engine.in_(bindparam("of_engines", expanding=True)),
            )
            .order_by(tasks.c.run_at_ms)
            .limit(bindparam("of_limit"))
        ),
    )
    .returning(tasks)
)
LOOK_AGAIN = update(tasks).where(in_state(Status.WAITING), _OF_LOOK).returning(tasks.c.id)
COLLECT = move(Event.COLLECT).where(_OF_LOOK).values(attempt=tasks.c.attempt + 1).returning(tasks)
SUCCEED = _released(Event.SUCCEED).where(_OF_LEASE).values(progress=1.0).returning(tasks)
REJECT = _released(Event.REJECT).where(_OF_LEASE).returning(tasks)
FAIL = _released(Event.FAIL).where(_OF_LEASE).returning(tasks)
RETRY = _released(Event.RETRY).where(_OF_LEASE).values(faults=tasks.c.faults + 1).returning(tasks)
DRAIN = _released(Event.DRAIN).where(_OF_LEASE).returning(tasks)
CANCEL = _released(Event.CANCEL).where(_OF_ID_AND_STATUS).returning(tasks)
LEASES_RUN_OUT = _lease_over(tasks.c.lease_until_ms <= bindparam("of_now"))
LEASES_OF_OWNER = _lease_over(tasks.c.owner == bindparam("of_owner"))

NOT_BEGUN = _late(lambda late: and_(_long_queued(late), late.c.started_ms.is_(None)))
STILL_QUEUED = _late(_long_queued)
STILL_BEGUN = _late(lambda late: and_(BEGUN))

CHECKPOINT = update(tasks).where(in_state(Status.RUNNING), _OF_LEASE)

HELD_BY_OWNER = and_(in_state(Status.RUNNING), tasks.c.owner == bindparam("of_owner"))


def heartbeat(count: int) -> ReturningUpdate[Any]:
    """Renews all leases of ``of_owner`` and notes the progress of ``count`` tasks.

    Parameters: of_id_0, of_fraction_0, of_stage_0, of_id_1 ... What is seen of a task only rises: a fraction lower than
    the one noted, as in the first part of a further attempt, is passed over, and its stage with it.
    """
    renewal = update(tasks).where(HELD_BY_OWNER)
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
