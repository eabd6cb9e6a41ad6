"""One run: start, order and strike, let the dust settle, verify."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import httpx2

from . import verify
from .blows import Blows
from .books import Books, books
from .journal import Journal
from .orders import Clients
from .plan import Plan
from .plants import plant
from .processes import Member, members
from .receiver import receiving
from .watch import Watch

_START_S = 60.0
_STOP_S = 30.0


async def run(plan: Plan) -> Journal:
    """Everything that was found is in the journal; nothing is left running."""
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    journal, all_members = Journal(plan.folder / "journal.jsonl"), members(plan)
    found = books(plan)
    chance = random.Random(plan.seed)
    try:
        async with receiving(journal, random.Random(chance.random())) as callback:
            await _start(all_members, found)
            watch = Watch(plan, found, journal, all_members)
            looking = asyncio.create_task(watch.look())
            await _disturb(plan, journal, all_members, watch, callback, chance)
            await _settle(plan, found, journal, watch)
            _plant_all(plan, found, journal, watch)
            verify.check_books(plan, journal, found, watch)
            await asyncio.to_thread(verify.check_answers, journal, _urls(all_members), found)
            looking.cancel()
            with suppress(asyncio.CancelledError):  # a look that failed is raised here
                await looking
        await _stop(all_members, journal)
        verify.check_leftovers(plan, journal, found)
    finally:
        for member in all_members:
            member.kill_all()
        found.close()
        journal.close()
    return journal


def _urls(all_members: list[Member]) -> list[str]:
    return [member.url for member in all_members if member.url is not None]


async def _start(all_members: list[Member], found: Books) -> None:
    """The first server lays the tables; the others may find them."""
    for member in all_members:
        member.start()
        await _until(found.ready, f"{member.name} has made the tables ready")
    for url in _urls(all_members):
        await _until(partial(_is_ready, url), f"{url} is ready")


def _is_ready(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/readyz", timeout=2).status_code == 200
    except httpx2.TransportError:
        return False


async def _until(true: Callable[[], bool], what: str) -> None:
    for _ in range(round(_START_S / 0.1)):
        if await asyncio.to_thread(true):
            return
        await asyncio.sleep(0.1)
    raise SystemExit(f"Waited {_START_S:g} s in vain until {what}: see the logs beside the journal.")


async def _disturb(
    plan: Plan, journal: Journal, all_members: list[Member], watch: Watch, callback: str, chance: random.Random
) -> None:
    """The rounds, under a stream of orders; at their end every order has its answer or was given up."""
    blows = Blows(plan, journal, all_members, watch, random.Random(chance.random()))
    clients = Clients(
        journal,
        _urls(all_members),
        callback,
        random.Random(chance.random()),
        one_task_per_key=plan.one_task_per_key,
    )
    over = asyncio.Event()
    ordering = asyncio.create_task(clients.order_while(lambda: not over.is_set(), lambda: plan.live - watch.live()))
    await blows.rounds()
    await blows.recover()
    over.set()
    while not ordering.done():
        blows.revive()  # one that was asked to go may end only now
        await asyncio.sleep(0.1)
    await ordering
    await blows.recover()


async def _settle(plan: Plan, found: Books, journal: Journal, watch: Watch) -> None:
    """Until everything has ended and was told; what has not by then is a breach that the checks find."""
    journal.note("settling")
    for _ in range(round(plan.settle_s / 0.2)):
        if not found.unfinished() and not watch.live():
            break
        await asyncio.sleep(0.2)
    await asyncio.sleep(2 * plan.heartbeat_s)  # a runner tidies up behind the end of a task
    journal.note("settled")


async def _stop(all_members: list[Member], journal: Journal) -> None:
    for member in all_members:
        member.terminate()
    for member in all_members:
        assert member.process is not None
        code = await asyncio.to_thread(member.process.wait, _STOP_S)
        if code:
            journal.breach("other", "", f"{member.name} was asked to go and ended with code {code}.")


def _plant_all(plan: Plan, found: Books, journal: Journal, watch: Watch) -> None:
    """Each into an order of its own that succeeded and was told."""
    told = {task_id for task_id, each in journal.told.items() if each.accepted}
    good = [task_id for task_id, row in watch.ended.items() if row["status"] == "succeeded" and task_id in told]
    for kind, task_id in zip(plan.plants, good, strict=False):
        plant(kind, plan, found, task_id)
        journal.planted[kind] = task_id
        journal.note("planted", kind=kind, task=task_id)
