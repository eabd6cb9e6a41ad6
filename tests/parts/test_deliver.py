"""The deliverer over the real outbox and real receivers, with a clock that is turned by hand."""

from __future__ import annotations

import asyncio
import inspect
import logging
import socket
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import pytest

from filmgate import __version__
from filmgate.domain.callback import Callback, CallbackState, Delivery
from filmgate.domain.credits import Entry, EntryKind
from filmgate.domain.spec import Spec
from filmgate.domain.task import Origin, Status, Task
from filmgate.net.outbound import Outbound, Policy
from filmgate.services.deliver import DEFAULT_SCHEDULE_S, Deliver
from filmgate.store.accounts import SqlAccountStore
from filmgate.store.migrate import migrate
from filmgate.store.outbox import SqlOutbox
from filmgate.store.sqlite import Database
from filmgate.store.tasks import SqlTaskStore
from support.hostile import Behaviour, Receiver, answer, in_turn, receiving, silent, until

pytestmark = pytest.mark.anyio

OPEN = Policy(allow_private=True)
START_MS = 1_770_000_000_000


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class HandClock:
    """Time stands still until it is turned on."""

    def __init__(self) -> None:
        self._now_ms = START_MS
        self._sleepers: list[tuple[int, asyncio.Event]] = []

    def now_ms(self) -> int:
        return self._now_ms

    async def sleep(self, seconds: float) -> None:
        woken = asyncio.Event()
        self._sleepers.append((self._now_ms + round(seconds * 1000), woken))
        await woken.wait()

    def turn(self, seconds: float) -> None:
        self._now_ms += round(seconds * 1000)
        for at_ms, woken in self._sleepers:
            if at_ms <= self._now_ms:
                woken.set()


@dataclass
class House:
    """A database with one account, and what tests do with it."""

    database: Database
    clock: HandClock
    outbox: SqlOutbox
    tasks: SqlTaskStore

    async def ended_task(self, url: str, number: int = 1) -> Callback:
        """A task whose owner has cancelled it; its callback is due now."""
        spec = Spec("a dog", "veo3_fast", seed=12345, callback_url=url)
        origin = Origin("default", "key_1", "veo3", "http://127.0.0.1:8000")
        task = Task(f"{number:032x}", origin, spec, self.clock.now_ms(), run_at_ms=self.clock.now_ms(), price=60)
        await self.tasks.submit(task)
        await self.tasks.cancel(task.id)
        [callback] = await self.outbox.of_task(task.id)
        return callback

    async def fate(self, callback: Callback) -> tuple[CallbackState, Sequence[Delivery]]:
        [now] = await self.outbox.of_task(callback.task_id)
        return now.state, await self.outbox.deliveries(callback.id)

    async def settled(self, *callbacks: Callback) -> None:
        """Wait until none of them is pending any more."""
        for callback in callbacks:
            await until(partial(self.any_settled, callback))

    async def any_settled(self, *callbacks: Callback) -> bool:
        fates = [(await self.fate(callback))[0] for callback in callbacks]
        return any(state is not CallbackState.PENDING for state in fates)

    async def any_leased_until(self, at_ms: int, *callbacks: Callback) -> bool:
        return at_ms in [
            one.next_at_ms for callback in callbacks for one in await self.outbox.of_task(callback.task_id)
        ]

    async def due(self, *callbacks: Callback, number: int) -> bool:
        """Whether so many of these are due."""
        rows = [one for callback in callbacks for one in await self.outbox.of_task(callback.task_id)]
        return sum(one.next_at_ms <= self.clock.now_ms() for one in rows) == number

    async def tried(self, callback: Callback, times: int) -> None:
        async def often_enough() -> bool:
            return len(await self.outbox.deliveries(callback.id)) >= times

        await until(often_enough)


@asynccontextmanager
async def house(folder: Path, clock: HandClock | None = None) -> AsyncIterator[House]:
    clock = clock or HandClock()
    migrate(folder / "filmgate.db")
    async with Database(folder / "filmgate.db") as database:
        accounts = SqlAccountStore(database, clock)
        if await accounts.create_account("default", "Default"):
            await accounts.post(Entry("default", EntryKind.GRANT, 100_000, clock.now_ms()))
        yield House(database, clock, SqlOutbox(database, clock), SqlTaskStore(database, clock))


def compose(task: Task) -> bytes:
    return f'{{"taskId":"{task.id}","status":"{task.status}"}}'.encode()


def deliverer(
    of: House, *, policy: Policy = OPEN, compose: Callable[[Task], bytes] = compose, per_host: int = 4
) -> Deliver:
    return Deliver(of.outbox, of.tasks, compose, Outbound(policy), of.clock, per_host=per_host)


@asynccontextmanager
async def delivering(deliver: Deliver) -> AsyncIterator[Deliver]:
    """Run it; at the end stop it and let its sends end. What takes longer than 10 s is a failed test.

    It is nudged all the while: the clock may be turned on between its look at the time and its sleep.
    """
    running = asyncio.create_task(deliver.run())
    nudging = asyncio.create_task(_nudged(deliver))
    try:
        async with asyncio.timeout(10):
            yield deliver
    finally:
        nudging.cancel()
        running.cancel()
        await deliver.drain()


async def _nudged(deliver: Deliver) -> None:
    while True:
        await asyncio.sleep(0.05)
        deliver.nudge()


def answer_after(release: asyncio.Event) -> Behaviour:
    async def behave(receiver: Receiver, writer: asyncio.StreamWriter) -> None:
        await release.wait()
        await answer(200)(receiver, writer)

    return behave


# ------------------------------------------------------------ one callback --------------------------------------------


async def test_a_callback_arrives_once_and_is_recorded(tmp_path: Path) -> None:
    async with house(tmp_path) as of, receiving(answer(200, b"got it")) as receiver:
        callback = await of.ended_task(receiver.url)
        async with delivering(deliverer(of)):
            await of.settled(callback)
        state, [delivery] = await of.fate(callback)
    [request] = receiver.requests
    assert request.body == f'{{"taskId":"{callback.task_id}","status":"rejected"}}'.encode()
    assert request.headers["content-type"] == "application/json"
    assert request.headers["user-agent"] == f"filmgate/{__version__}"
    assert request.headers["webhook-id"] == callback.id
    assert state is CallbackState.DELIVERED
    assert (delivery.number, delivery.status, delivery.answer, delivery.error) == (1, 200, "got it", "")
    assert delivery.at_ms == START_MS


async def test_failures_are_retried_by_schedule_under_one_id_and_then_given_up(tmp_path: Path) -> None:
    async with house(tmp_path) as of, receiving(answer(500, b"oh no")) as receiver:
        callback = await of.ended_task(receiver.url)
        async with delivering(deliverer(of)):
            for number, wait_s in enumerate((10, 60, 300), start=1):
                await of.tried(callback, number)
                of.clock.turn(wait_s - 1)
                await asyncio.sleep(0.02)
                assert len(receiver.requests) == number, "too early"
                of.clock.turn(1)
            await of.settled(callback)
            of.clock.turn(100_000)
            await asyncio.sleep(0.02)
        state, deliveries = await of.fate(callback)
        task = await of.tasks.get(callback.task_id)
    assert state is CallbackState.GAVE_UP
    assert [delivery.number for delivery in deliveries] == [1, 2, 3, 4]
    assert [delivery.at_ms - START_MS for delivery in deliveries] == [0, 10_000, 70_000, 370_000]
    assert {delivery.answer for delivery in deliveries} == {"oh no"}
    assert {request.headers["webhook-id"] for request in receiver.requests} == {callback.id}
    assert len(receiver.requests) == 4
    assert task.status is Status.REJECTED


@pytest.mark.parametrize("status", [200, 201, 204, 299])
async def test_any_2xx_ends_it(tmp_path: Path, status: int) -> None:
    async with house(tmp_path) as of, receiving(in_turn(answer(503), answer(status))) as receiver:
        callback = await of.ended_task(receiver.url)
        async with delivering(deliverer(of)):
            await of.tried(callback, 1)
            of.clock.turn(10)
            await of.settled(callback)
        state, deliveries = await of.fate(callback)
    assert state is CallbackState.DELIVERED
    assert [delivery.status for delivery in deliveries] == [503, status]


async def test_a_redirect_is_a_failed_try(tmp_path: Path) -> None:
    async with house(tmp_path) as of, receiving(answer(200)) as elsewhere:
        async with receiving(answer(302, b"", f"Location: {elsewhere.url}")) as receiver:
            callback = await of.ended_task(receiver.url)
            async with delivering(deliverer(of)):
                await of.tried(callback, 1)
        state, [delivery] = await of.fate(callback)
    assert (state, delivery.status, elsewhere.connections) == (CallbackState.PENDING, 302, 0)


async def test_a_guarded_address_is_refused_without_a_retry(tmp_path: Path) -> None:
    async with house(tmp_path) as of, receiving(answer(200)) as receiver:
        callback = await of.ended_task(receiver.url)
        async with delivering(deliverer(of, policy=Policy())):
            await of.settled(callback)
            of.clock.turn(100_000)
            await asyncio.sleep(0.02)
        state, [delivery] = await of.fate(callback)
    assert state is CallbackState.REFUSED
    assert (delivery.status, receiver.connections) == (None, 0)
    assert "is a loopback address" in delivery.error


async def test_no_answer_is_recorded_with_its_reason(tmp_path: Path) -> None:
    async with house(tmp_path) as of, receiving(silent) as receiver:
        callback = await of.ended_task(receiver.url)
        deliver = Deliver(of.outbox, of.tasks, compose, Outbound(OPEN), of.clock, timeout_s=0.05, schedule_s=())
        async with delivering(deliver):
            await of.settled(callback)
        state, [delivery] = await of.fate(callback)
    assert state is CallbackState.GAVE_UP
    assert (delivery.status, delivery.error) == (None, "127.0.0.1 did not answer in time.")


async def test_of_an_answer_the_first_200_characters_are_kept(tmp_path: Path) -> None:
    body = "é\0" * 500
    async with house(tmp_path) as of, receiving(answer(200, body.encode())) as receiver:
        callback = await of.ended_task(receiver.url)
        async with delivering(deliverer(of)):
            await of.settled(callback)
        _, [delivery] = await of.fate(callback)
    assert delivery.answer == "é\ufffd" * 100


# ------------------------------------------------------------ what the operator reads ---------------------------------


def told(caplog: pytest.LogCaptureFixture, callback: Callback) -> list[tuple[str, str]]:
    """Level and text of every line about this callback, its ids and host taken off: they have to be there."""
    known = f" callback={callback.id} host=127.0.0.1 "
    lines = [(one.levelname, one.getMessage()) for one in caplog.records if callback.id in one.getMessage()]
    assert all(text.startswith(f"task={callback.task_id} ") and known in text for _, text in lines)
    return [(level, text.removeprefix(f"task={callback.task_id} ").replace(known, " ")) for level, text in lines]


async def test_the_log_says_what_became_of_a_callback_and_keeps_secrets(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    behave = in_turn(answer(500, b"sec-answer"), answer(200, b"sec-answer"))
    async with house(tmp_path) as of, receiving(behave) as receiver:
        callback = await of.ended_task(receiver.url + "/sec-path?token=sec-query#sec-part")
        async with delivering(deliverer(of)):
            await of.tried(callback, 1)
            of.clock.turn(10)
            await of.settled(callback)
    (first, failed), (second, delivered) = told(caplog, callback)
    assert (first, failed) == (
        "INFO",
        "event=callback_failed try=1 again in 10 s: The receiver answered with status 500.",
    )
    assert (second, delivered.split(" in ")[0]) == ("INFO", "event=callback_delivered try=2")
    assert "sec-" not in caplog.text


async def test_the_log_warns_of_a_callback_that_is_given_up(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with house(tmp_path) as of, receiving(answer(404, b"sec-answer")) as receiver:
        callback = await of.ended_task(receiver.url + "?token=sec-query")
        async with delivering(Deliver(of.outbox, of.tasks, compose, Outbound(OPEN), of.clock, schedule_s=())):
            await of.settled(callback)
    assert told(caplog, callback) == [
        ("WARNING", "event=callback_gave_up try=1 The receiver answered with status 404.")
    ]
    assert "sec-" not in caplog.text


async def test_the_log_warns_of_a_callback_that_is_refused(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with house(tmp_path) as of:
        callback = await of.ended_task("http://name:sec-word@127.0.0.1/hook?token=sec-query")
        async with delivering(deliverer(of)):
            await of.settled(callback)
    [(level, text)] = told(caplog, callback)
    assert level == "WARNING"
    assert text.startswith("event=callback_gave_up try=1 refused: An address with a user name or password")
    assert "sec-" not in caplog.text


@pytest.mark.parametrize("url", ["http://[::1?token=sec-query", "sec-query", "http:///sec-query"])
async def test_of_a_text_that_is_no_address_nothing_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, url: str
) -> None:
    async with house(tmp_path) as of:
        callback = await of.ended_task(url)
        async with delivering(deliverer(of)):
            await of.settled(callback)
    assert f"callback={callback.id} host=? try=1 refused: " in caplog.text
    assert "sec-" not in caplog.text


# ------------------------------------------------------------ callbacks that cannot be made ---------------------------


async def test_a_body_that_cannot_be_composed_is_a_failed_try(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def broken(task: Task) -> bytes:
        raise KeyError("a bug")

    async with house(tmp_path) as of, receiving(answer(200)) as receiver:
        callback = await of.ended_task(receiver.url)
        async with delivering(deliverer(of, compose=broken)):
            await of.tried(callback, 1)
        state, [delivery] = await of.fate(callback)
    assert (state, receiver.connections) == (CallbackState.PENDING, 0)
    assert "its log has the details" in delivery.error
    assert callback.task_id in caplog.text


async def test_a_callback_whose_task_is_gone_is_given_up(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    async with house(tmp_path) as of, house(tmp_path / "other") as empty, receiving(answer(200)) as receiver:
        callback = await of.ended_task(receiver.url)
        deliver = Deliver(of.outbox, empty.tasks, compose, Outbound(OPEN), of.clock)
        async with delivering(deliver):
            await of.settled(callback)
        state, [delivery] = await of.fate(callback)
    assert (state, delivery.error) == (CallbackState.GAVE_UP, "There is no such task.")


# ------------------------------------------------------------ many callbacks ------------------------------------------


async def test_a_nudge_sends_what_was_just_committed(tmp_path: Path) -> None:
    async with house(tmp_path) as of, receiving(answer(200)) as receiver, delivering(deliverer(of)) as deliver:
        await asyncio.sleep(0.02)
        callback = await of.ended_task(receiver.url)
        deliver.nudge()
        await of.settled(callback)
    assert receiver.connections == 1


async def test_what_another_process_commits_is_found_without_a_nudge(tmp_path: Path) -> None:
    async with house(tmp_path) as of, receiving(answer(200)) as receiver, delivering(deliverer(of)):
        await asyncio.sleep(0.02)
        callback = await of.ended_task(receiver.url)
        of.clock.turn(1)
        await of.settled(callback)
    assert receiver.connections == 1


async def test_a_host_that_never_answers_holds_up_no_other(tmp_path: Path) -> None:
    quick_host = receiving(answer(200), host="127.0.0.2")  # this machine too, but another host to the deliverer
    async with house(tmp_path) as of, receiving(silent) as slow, quick_host as quick:
        for number in range(1, 11):
            await of.ended_task(slow.url, number)
        others = [await of.ended_task(quick.url, 100 + number) for number in range(3)]
        outbound = Outbound(OPEN)
        deliver = Deliver(of.outbox, of.tasks, compose, outbound, of.clock, slots=3, per_host=2, timeout_s=0.5)
        async with delivering(deliver):
            await of.settled(*others)
            assert (slow.connections, quick.connections) == (2, 3)


async def test_one_host_gets_no_more_at_a_time_than_its_share(tmp_path: Path) -> None:
    at_once: list[int] = []
    now = 0

    async def count(receiver: Receiver, writer: asyncio.StreamWriter) -> None:
        nonlocal now
        now += 1
        at_once.append(now)
        await asyncio.sleep(0.01)
        now -= 1
        await answer(200)(receiver, writer)

    async with house(tmp_path) as of, receiving(count) as receiver:
        callbacks = [await of.ended_task(receiver.url, number) for number in range(1, 13)]
        async with delivering(deliverer(of, per_host=3)):
            await of.settled(*callbacks)
    assert max(at_once) == 3
    assert receiver.connections == 12


async def test_what_waits_too_long_for_its_slot_is_handed_back_and_comes_with_a_new_lease(tmp_path: Path) -> None:
    release = asyncio.Event()
    async with house(tmp_path) as of, receiving(answer_after(release)) as receiver:
        both = [await of.ended_task(receiver.url, number) for number in (1, 2)]
        async with delivering(deliverer(of, per_host=1)) as deliver:
            await until(lambda: receiver.connections)
            of.clock.turn(20)  # longer than a callback may wait here, shorter than its lease
            deliver.nudge()
            await until(partial(of.due, *both, number=1))
            of.clock.turn(1)
            await until(partial(of.any_leased_until, START_MS + 51_000, *both))
            release.set()
            await of.settled(*both)
        fates = [await of.fate(callback) for callback in both]
    assert sorted(delivery.at_ms - START_MS for _, [delivery] in fates) == [0, 21_000]
    assert receiver.connections == 2


async def test_of_more_slow_hosts_than_slots_all_get_their_callbacks_and_none_after_its_lease(tmp_path: Path) -> None:
    """Most wait for longer than a lease, so they are taken again before their turn comes."""
    outside_lease: list[str] = []

    async def slow(receiver: Receiver, writer: asyncio.StreamWriter) -> None:
        request = receiver.requests[-1]
        if of.clock.now_ms() > outbox.leases.get(request.headers["webhook-id"], 0):
            outside_lease.append(request.path)
        of.clock.turn(5)
        await answer(200 if request.path == "/well" else 500)(receiver, writer)

    async with house(tmp_path) as of, receiving(slow, host="0.0.0.0") as receiver:
        outbox = WatchedOutbox(of.database, of.clock)
        urls = [f"http://127.0.0.{host}:{receiver.port}/{path}" for path in ("well", "ill") for host in range(1, 21)]
        callbacks = [await of.ended_task(url, number) for number, url in enumerate(urls)]
        deliver = Deliver(outbox, of.tasks, compose, Outbound(OPEN), of.clock, slots=3, schedule_s=())
        async with delivering(deliver):
            await of.settled(*callbacks)
        states = [(await of.fate(callback))[0] for callback in callbacks]
    assert states == [CallbackState.DELIVERED] * 20 + [CallbackState.GAVE_UP] * 20
    assert len(receiver.requests) == 40, "each was sent once"
    assert outbox.taken > 80, "each was taken more than once"
    assert not outside_lease


class WatchedOutbox(SqlOutbox):
    """Notes until when each callback is leased."""

    def __init__(self, database: Database, clock: HandClock) -> None:
        super().__init__(database, clock)
        self.leases: dict[str, int] = {}
        self.taken = 0

    async def due(self, limit: int, lease_ms: int) -> Sequence[Callback]:
        due = await super().due(limit, lease_ms)
        self.leases.update({callback.id: callback.next_at_ms for callback in due})
        self.taken += len(due)
        return due

    async def give_back(self, callbacks: Sequence[Callback]) -> None:
        for callback in callbacks:
            self.leases.pop(callback.id, None)
        await super().give_back(callbacks)


async def test_a_send_that_outlives_its_lease_is_not_doubled_and_gives_its_slot_back(tmp_path: Path) -> None:
    release = asyncio.Event()
    async with house(tmp_path) as of, receiving(answer_after(release)) as receiver:
        first = await of.ended_task(receiver.url)
        deliver = Deliver(of.outbox, of.tasks, compose, Outbound(OPEN), of.clock, slots=1)
        async with delivering(deliver):
            await until(lambda: receiver.requests)
            of.clock.turn(3600)  # the machine slept
            deliver.nudge()
            await until(partial(of.any_leased_until, START_MS + 3_630_000, first))
            release.set()
            await of.settled(first)
            second = await of.ended_task(receiver.url, 2)
            deliver.nudge()
            await of.settled(second)
    assert receiver.connections == 2


async def test_a_send_that_is_cut_off_before_its_first_step_gives_its_slot_back(tmp_path: Path) -> None:
    class CutsOff(SqlOutbox):
        cut_off = 0

        async def waiting_time(self) -> float | None:
            """The deliverer asks this right after it has made its sends, and before they could run."""
            if not self.cut_off:
                sends = sends_under_way()
                self.cut_off = sum(send.cancel() for send in sends)
            return await super().waiting_time()

    async with house(tmp_path) as of, receiving(answer(200)) as receiver:
        outbox = CutsOff(of.database, of.clock)
        callback = await of.ended_task(receiver.url)
        async with delivering(Deliver(outbox, of.tasks, compose, Outbound(OPEN), of.clock, slots=1)):
            await until(lambda: outbox.cut_off)
            of.clock.turn(30)
            await of.settled(callback)
    assert (outbox.cut_off, receiver.connections) == (1, 1)


async def test_names_that_no_server_answers_for_cost_no_other_callback_a_try(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = threading.Event()
    real = socket.getaddrinfo

    def look_up(host: str, *args: Any, **options: Any) -> Any:
        return real("127.0.0.1", *args, **options) if host == "well.example" else end.wait()

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    async with house(tmp_path) as of, receiving(answer(200)) as receiver:
        lost = [await of.ended_task(f"http://{number}.black-hole.example/", number) for number in range(40)]
        of.clock.turn(1)
        well = await of.ended_task(f"http://well.example:{receiver.port}/", 100)
        # The look-ups go on beyond the time that their sends have.
        deliver = Deliver(of.outbox, of.tasks, compose, Outbound(OPEN), of.clock, timeout_s=0.05, schedule_s=())
        async with delivering(deliver):
            await of.settled(well, *lost)
        state, [delivery] = await of.fate(well)
        end.set()
    assert (state, delivery.number) == (CallbackState.DELIVERED, 1)


async def test_drain_lets_sends_end_and_begins_no_others(tmp_path: Path) -> None:
    release = asyncio.Event()
    async with house(tmp_path) as of, receiving(answer_after(release)) as receiver:
        both = [await of.ended_task(receiver.url, number) for number in (1, 2)]
        deliver = deliverer(of, per_host=1)
        running = asyncio.create_task(deliver.run())
        await until(lambda: receiver.connections)
        draining = asyncio.create_task(deliver.drain())
        await asyncio.sleep(0.02)
        assert not draining.done()
        release.set()
        await draining
        running.cancel()
        fates = [(await of.fate(callback))[0] for callback in both]
    assert sorted(fates) == [CallbackState.DELIVERED, CallbackState.PENDING]
    assert receiver.connections == 1


async def test_after_a_drain_the_next_start_sends_what_waited_without_delay(tmp_path: Path) -> None:
    release = asyncio.Event()
    async with house(tmp_path) as of, receiving(answer_after(release)) as receiver:
        callbacks = [await of.ended_task(receiver.url, number) for number in range(5)]
        deliver = deliverer(of, per_host=1)
        running = asyncio.create_task(deliver.run())
        await until(lambda: receiver.connections)
        running.cancel()
        draining = asyncio.create_task(deliver.drain())
        await until(partial(of.due, *callbacks, number=4))  # before the send under way has ended
        release.set()
        await draining
        async with delivering(deliverer(of)):
            await of.settled(*callbacks)
    assert len(receiver.requests) == len({request.headers["webhook-id"] for request in receiver.requests}) == 5


async def test_what_had_no_room_in_its_line_is_handed_back_by_a_drain_too(tmp_path: Path) -> None:
    async with house(tmp_path) as of, receiving(silent) as receiver:
        callbacks = await asyncio.gather(*(of.ended_task(receiver.url, number) for number in range(520)))
        deliver = Deliver(of.outbox, of.tasks, compose, Outbound(OPEN), of.clock, timeout_s=0.5, per_host=1)
        running = asyncio.create_task(deliver.run())
        await until(lambda: receiver.connections)
        running.cancel()
        await deliver.drain()
        assert await of.due(*callbacks, number=519), "the one that was sent waits for its retry"


async def test_a_drain_in_the_middle_of_taking_hands_back_what_was_taken(tmp_path: Path) -> None:
    class SlowOutbox(SqlOutbox):
        taken, go_on = asyncio.Event(), asyncio.Event()

        async def due(self, limit: int, lease_ms: int) -> Sequence[Callback]:
            due = await super().due(limit, lease_ms)
            self.taken.set()
            await self.go_on.wait()
            return due

    async with house(tmp_path) as of, receiving(answer(200)) as receiver:
        outbox = SlowOutbox(of.database, of.clock)
        callback = await of.ended_task(receiver.url)
        deliver = Deliver(outbox, of.tasks, compose, Outbound(OPEN), of.clock)
        running = asyncio.create_task(deliver.run())
        await outbox.taken.wait()
        running.cancel()
        draining = asyncio.create_task(deliver.drain())
        await asyncio.wait([running])
        assert await of.due(callback, number=0)
        outbox.go_on.set()
        await draining
        assert await of.due(callback, number=1)
    assert not receiver.connections


async def test_where_nothing_can_be_handed_back_a_drain_still_lets_sends_end(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Keeps(SqlOutbox):
        async def give_back(self, callbacks: Sequence[Callback]) -> None:
            raise OSError("disk full")

    release = asyncio.Event()
    async with house(tmp_path) as of, receiving(answer_after(release)) as receiver:
        both = [await of.ended_task(receiver.url, number) for number in (1, 2)]
        deliver = Deliver(Keeps(of.database, of.clock), of.tasks, compose, Outbound(OPEN), of.clock, per_host=1)
        running = asyncio.create_task(deliver.run())
        await until(lambda: receiver.connections)
        running.cancel()
        draining = asyncio.create_task(deliver.drain())
        await until(lambda: "event=callbacks_not_handed_back" in caplog.text)
        release.set()
        await draining
        fates = [(await of.fate(callback))[0] for callback in both]
    assert sorted(fates) == [CallbackState.DELIVERED, CallbackState.PENDING]


async def test_after_a_crash_between_sending_and_recording_the_same_id_comes_again(tmp_path: Path) -> None:
    async with house(tmp_path) as of:
        async with receiving(silent) as receiver:
            callback = await of.ended_task(receiver.url)
            running = asyncio.create_task(deliverer(of).run())
            await until(lambda: receiver.requests)
            await cut_off(running)
        async with receiving(answer(200), port=receiver.port) as again, delivering(deliverer(of)):
            await asyncio.sleep(0.02)
            assert not again.requests, "its lease has not run out"
            of.clock.turn(30)
            await of.settled(callback)
        state, deliveries = await of.fate(callback)
    assert receiver.requests[0].headers["webhook-id"] == again.requests[0].headers["webhook-id"] == callback.id
    assert (state, len(deliveries)) == (CallbackState.DELIVERED, 1)


async def cut_off(running: asyncio.Task[NoReturn]) -> None:
    """End a deliverer and its sends where they stand, as the end of a process would."""
    sends = sends_under_way()
    for task in (running, *sends):
        task.cancel()
    await asyncio.wait([running, *sends])


def sends_under_way() -> list[asyncio.Task[Any]]:
    return [task for task in asyncio.all_tasks() if task.get_name().startswith("callback ")]


async def test_a_failing_outbox_is_logged_and_looked_at_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    class FailsOnce(SqlOutbox):
        failed = False

        async def due(self, limit: int, lease_ms: int) -> Sequence[Callback]:
            if not self.failed:
                self.failed = True
                raise OSError("disk full")
            return await super().due(limit, lease_ms)

    async with house(tmp_path) as of, receiving(answer(200)) as receiver:
        of.outbox = FailsOnce(of.database, of.clock)
        callback = await of.ended_task(receiver.url)
        with caplog.at_level(logging.ERROR):
            async with delivering(deliverer(of)) as deliver:
                await until(lambda: "disk full" in caplog.text)
                deliver.nudge()
                await of.settled(callback)
    assert receiver.connections == 1


def test_the_shipped_defaults() -> None:
    defaults = {
        name: parameter.default
        for name, parameter in inspect.signature(Deliver).parameters.items()
        if parameter.default is not parameter.empty
    }
    assert defaults.pop("sign") is None
    defaults.pop("watch")
    assert defaults == {
        "schedule_s": DEFAULT_SCHEDULE_S,
        "timeout_s": 15.0,
        "line_s": 15.0,
        "slots": 64,
        "per_account": 16,
        "per_host": 4,
    }
    assert DEFAULT_SCHEDULE_S == (10, 60, 300)
