"""What is done to the processes: one blow a round, chosen and aimed at random."""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import Callable
from functools import partial

from .journal import Journal
from .plan import Plan
from .processes import Member
from .watch import Watch

_MOST_BLOWS = 3  #: to one life of a supervisor: it restarts a child ever later, and that is not what is measured here
_PAUSE_S = (0.2, 0.9)
_READY_S = 15.0


class Blows:
    """``rounds`` deals them out; ``recover`` undoes what can be undone."""

    def __init__(
        self, plan: Plan, journal: Journal, members: list[Member], watch: Watch, chance: random.Random
    ) -> None:
        self._plan = plan
        self._journal = journal
        self._members = members
        self._watch = watch
        self._chance = chance
        self._thaws: set[asyncio.Task[None]] = set()
        self._kinds: dict[Callable[[], bool], int] = {
            partial(self._kill_slot, "trial"): 20,
            partial(self._kill_slot, "media"): 10,
            self._kill_api: 18,
            self._kill_runner: 18,
            self._freeze_runner: 10,
            self._freeze_api: 6,
            self._kill_tree: 13,
            self._restart: 5,
        }

    async def rounds(self) -> None:
        for number in range(self._plan.rounds):
            if self._chance.random() < 0.5:
                await self._until_ready()
            blow = self._strike(number)
            await asyncio.sleep(self._chance.uniform(*_PAUSE_S))
            self.revive()
            if blow is None:
                await asyncio.sleep(0.1)

    def _strike(self, number: int) -> str | None:
        """Chosen anew until one finds its aim; some have none while processes are starting."""
        for _ in range(20):
            (blow,) = self._chance.choices([*self._kinds], [*self._kinds.values()])
            if blow():
                return str(number)
        self._journal.note("no_aim", round=number)
        return None

    async def _until_ready(self) -> None:
        """Half of the blows meet a worker that is at work; the others come as they come."""
        for _ in range(round(_READY_S / 0.1)):
            if self._watch.ready_workers():
                return
            self.revive()
            await asyncio.sleep(0.1)

    def revive(self) -> None:
        """Start whatever has ended: as systemd would, and after a blow to a whole tree."""
        for member in self._members:
            if not member.alive:
                if member.leaving and member.works:
                    self._watch.left(member)
                self._journal.restarts += 1
                self._journal.note("start", member=member.name)
                member.start()

    async def recover(self) -> None:
        """Nothing stays frozen, everything runs, and nothing that runs is about to end."""
        if self._thaws:
            await asyncio.wait(self._thaws)
        for _ in range(round(self._plan.settle_s / 0.1)):
            if not any(member.alive and member.leaving for member in self._members):
                break
            await asyncio.sleep(0.1)
        self.revive()

    # ------------------------------------------------------------ the kinds

    def _any(self, *, works: bool | None = None, answers: bool | None = None) -> Member | None:
        fitting = [
            member
            for member in self._members
            if member.alive and works in (None, member.works) and answers in (None, member.url is not None)
        ]
        return self._chance.choice(fitting) if fitting else None

    def _kill_slot(self, kind: str) -> bool:
        """No worker dies with it: its task is a passing fault, and tried again."""
        member = self._any(works=True)
        slots = member.slots(kind) if member is not None else []
        if member is None or not slots:
            return False
        self._journal.kills += 1
        self._journal.note("kill", member=member.name, what=f"slot {kind}")
        blows = member.blows
        member.kill(self._chance.choice(slots))
        member.blows = blows  # the runner's own affair, and restarted at once
        return True

    def _kill_api(self) -> bool:
        member = self._any(answers=True)
        pid = member.api() if member is not None and member.blows < _MOST_BLOWS else None
        if member is None or pid is None:
            return False
        self._kill(member, pid, "api")
        return True

    def _kill_runner(self) -> bool:
        member = self._any(works=True)
        pid = member.runner() if member is not None and member.blows < _MOST_BLOWS else None
        if member is None or pid is None:
            return False
        owned = self._watch.owned_by(member)
        self._kill(member, pid, "runner")
        self._watch.hit(member, "runner killed", owned)
        return True

    def _kill(self, member: Member, pid: int, what: str) -> None:
        self._journal.kills += 1
        self._journal.note("kill", member=member.name, what=what, pid=pid)
        member.kill(pid)

    def _kill_tree(self) -> bool:
        member = self._any()
        if member is None:
            return False
        owned = self._watch.owned_by(member)
        self._journal.kills += 1
        self._journal.note("kill", member=member.name, what="tree")
        member.kill_all()
        if member.works:
            self._watch.hit(member, "tree killed", owned)
        self.revive()
        return True

    def _restart(self) -> bool:
        """SIGTERM: what an operator does. It drains, and is started again when it has ended."""
        member = self._any()
        if member is None or member.frozen:
            return False
        self._journal.note("terminate", member=member.name)
        member.terminate()
        return True

    def _freeze_runner(self) -> bool:
        member = self._any(works=True)
        pid = member.runner() if member is not None else None
        if member is None or pid is None or pid in member.frozen:
            return False
        owned = self._watch.owned_by(member)
        self._freeze(member, pid, "runner")
        self._watch.hit(member, "runner frozen", owned)
        return True

    def _freeze_api(self) -> bool:
        member = self._any(answers=True)
        pid = member.api() if member is not None else None
        if member is None or pid is None or pid in member.frozen:
            return False
        self._freeze(member, pid, "api")
        return True

    def _freeze(self, member: Member, pid: int, what: str) -> None:
        self._journal.freezes += 1
        self._journal.note("freeze", member=member.name, what=what, pid=pid)
        member.freeze(pid)
        thaw = asyncio.create_task(self._thaw_later(member, pid, what))
        self._thaws.add(thaw)
        thaw.add_done_callback(self._thaws.discard)

    async def _thaw_later(self, member: Member, pid: int, what: str) -> None:
        await asyncio.sleep(self._plan.lease_s + self._chance.uniform(0.7, 1.5))
        if pid in member.frozen:
            self._journal.note("thaw", member=member.name, what=what, pid=pid)
            # With nobody else to take its tasks up, they wait until it goes on.
            if what == "runner":
                self._watch.hit(member, "runner thawed", self._watch.owned_by(member))
            member.thaw(pid)


def ended_well(member: Member) -> bool:
    """Whether it ended as an operator would wish it to."""
    return member.process is not None and member.process.returncode in (0, -signal.SIGKILL)
