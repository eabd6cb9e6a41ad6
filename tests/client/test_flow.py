"""Retrying, polling and reading answers, with neither network nor time: the flows are driven by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pytest

from filmgate.client import (
    ConnectionFailed,
    Film,
    FilmgateAPIError,
    InsufficientCredits,
    InvalidRequest,
    NotFound,
    RateLimited,
    Record,
    ServerError,
    TaskFailed,
    TaskRef,
    Timeout,
    Unauthenticated,
    UnexpectedAnswer,
)
from filmgate.client._answers import data_of, retry_after
from filmgate.client._effects import Effect, Fetch, Flow, Reply, Send, SendFile, Sleep
from filmgate.client._flow import Flows, Patience

T = TypeVar("T")
ID = "0" * 32
BROKEN = ConnectionFailed("broke", sent=True)
UNSENT = ConnectionFailed("nobody there", sent=False)


class Drive:
    """Carries effects out by a script; sleeping takes no time but moves the clock."""

    def __init__(self, *script: Reply | FilmgateAPIError | Path, repeat_last: bool = False) -> None:
        self._script = list(script)
        self._repeat_last = repeat_last
        self.now = 0.0
        self.effects: list[Effect] = []

    @property
    def sleeps(self) -> list[float]:
        return [effect.seconds for effect in self.effects if isinstance(effect, Sleep)]

    @property
    def requests(self) -> list[Send]:
        return [effect for effect in self.effects if isinstance(effect, Send)]

    def flows(self, max_retries: int = 3) -> Flows:
        return Flows("http://server", "key", "agent", max_retries, now=lambda: self.now, jitter=lambda: 0.0)

    def run(self, flow: Flow[T]) -> T:
        effect = next(flow)
        while True:
            self.effects.append(effect)
            try:
                effect = self._step(flow, effect)
            except StopIteration as end:
                result: T = end.value
                return result

    def _step(self, flow: Flow[Any], effect: Effect) -> Effect:
        if isinstance(effect, Sleep):
            self.now += effect.seconds
            return flow.send(None)
        outcome = self._script[0] if self._repeat_last and len(self._script) == 1 else self._script.pop(0)
        return flow.throw(outcome) if isinstance(outcome, Exception) else flow.send(outcome)


def reply(code: int = 200, data: Any = None, *, msg: str = "success", http: int = 200, **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(http, named, msgspec.json.encode({"code": code, "msg": msg, "data": data}))


def record(flag: int, **more: Any) -> Reply:
    return reply(data={"taskId": ID, "successFlag": flag, **more})


RUNNING, DONE, FAILED = record(0), record(1), record(3, errorCode=501, errorMessage="It broke.")
CREATED = reply(data={"taskId": ID})


# ------------------------------------------------------------ one call ------------------------------------------------


def test_generate_sends_the_order_with_the_key() -> None:
    drive = Drive(CREATED)
    assert drive.run(drive.flows().generate({"prompt": "a dog"})) == TaskRef(ID)
    [request] = drive.requests
    assert (request.method, request.url) == ("POST", "http://server/api/v1/veo/generate")
    assert request.headers["authorization"] == "Bearer key"
    assert msgspec.json.decode(request.body or b"") == {"prompt": "a dog"}


def test_retrieve_asks_for_the_record() -> None:
    drive = Drive(DONE)
    assert drive.run(drive.flows().retrieve(ID)).succeeded
    [request] = drive.requests
    assert (request.method, request.url, request.params) == (
        "GET",
        "http://server/api/v1/veo/record-info",
        {"taskId": ID},
    )


@pytest.mark.parametrize("data", [None, "text", [], {}, {"taskId": None}])
def test_an_order_that_names_no_task_is_unexpected(data: Any) -> None:
    drive = Drive(reply(data=data))
    with pytest.raises(UnexpectedAnswer):
        drive.run(drive.flows().generate({}))


def test_text_that_cannot_be_sent_is_refused_before_it_is_sent() -> None:
    drive = Drive()
    for flow in (drive.flows().generate({"prompt": "a\udcff"}), drive.flows().retrieve("\udcff")):
        with pytest.raises(InvalidRequest, match="UTF-8"):
            next(flow)


def test_the_key_is_in_no_representation() -> None:
    flows = Flows("http://server", "very-secret", "agent", 0)
    flow = flows.retrieve(ID)
    assert "very-secret" not in repr(flows) + repr(next(flow))


# ------------------------------------------------------------ answers and errors --------------------------------------


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (400, InvalidRequest),
        (401, Unauthenticated),
        (402, InsufficientCredits),
        (404, NotFound),
        (408, ServerError),
        (410, NotFound),
        (413, InvalidRequest),
        (422, InvalidRequest),
        (429, RateLimited),
        (433, InsufficientCredits),
        (451, InvalidRequest),
        (455, ServerError),
        (500, ServerError),
        (501, ServerError),
        (505, ServerError),
    ],
)
@pytest.mark.parametrize("mirrored", [False, True])
def test_errors_by_code_in_both_modes(code: int, kind: type[FilmgateAPIError], mirrored: bool) -> None:
    with pytest.raises(kind) as raised:
        data_of(reply(code, msg="Because.", http=code if mirrored else 200))
    assert type(raised.value) is kind
    assert (raised.value.code, raised.value.message) == (code, "Because.")
    assert str(raised.value) == f"Because. (code {code})"


@pytest.mark.parametrize("text", ["record is null.", "recordInfo is null", "Record does not exist"])
def test_an_unknown_task_is_not_found_whatever_the_code(text: str) -> None:
    with pytest.raises(NotFound):
        data_of(reply(422, msg=text))


@pytest.mark.parametrize(
    ("http", "body", "kind"),
    [
        (502, b"<html>Bad gateway</html>", ServerError),
        (404, b"Not Found", NotFound),
        (401, b'{"detail":"no"}', Unauthenticated),
        (500, b"", ServerError),
        (503, b'{"code":200,"msg":"success","data":{}}', ServerError),
        (200, b"<html>Welcome</html>", UnexpectedAnswer),
        (200, b"[]", UnexpectedAnswer),
        (200, b"{}", UnexpectedAnswer),
        (200, b"\xff\xfe", UnexpectedAnswer),
        (302, b"", UnexpectedAnswer),
        (200, b'{"code":"200"}', UnexpectedAnswer),
        (200, b"[" * 100_000, UnexpectedAnswer),
        (500, b"[" * 100_000, ServerError),
    ],
)
def test_what_is_no_envelope_is_judged_by_its_status(http: int, body: bytes, kind: type[FilmgateAPIError]) -> None:
    with pytest.raises(kind):
        data_of(Reply(http, {}, body))


def test_retry_after_is_seconds_or_a_date_and_at_most_two_minutes() -> None:
    def said(value: str) -> float | None:
        return retry_after({"retry-after": value})

    soon = datetime.now(UTC) + timedelta(seconds=60)
    assert [said("7"), said("0"), said("-3"), said("9999"), said("1.5")] == [7, 0, 0, 120, 1.5]
    assert 50 < (said(format_datetime(soon, usegmt=True)) or 0) <= 60
    assert [said("soon"), said("nan"), said(""), retry_after({})] == [None] * 4


# ------------------------------------------------------------ retrying ------------------------------------------------


def test_reading_is_repeated_after_passing_faults_ever_later() -> None:
    drive = Drive(reply(500), BROKEN, Timeout("slow"), DONE)
    assert drive.run(drive.flows().retrieve(ID)).succeeded
    assert drive.sleeps == [0.5, 1.0, 2.0]


def test_retries_have_an_end() -> None:
    drive = Drive(reply(500), reply(500), reply(502, msg="the last"))
    with pytest.raises(ServerError, match="the last"):
        drive.run(drive.flows(max_retries=2).retrieve(ID))
    assert len(drive.requests) == 3


def test_the_servers_retry_after_comes_first_also_under_http_200() -> None:
    drive = Drive(reply(429, retry_after="7"), reply(429, http=429, retry_after="0"), DONE)
    drive.run(drive.flows().retrieve(ID))
    assert drive.sleeps == [7.0, 0.0]


@pytest.mark.parametrize("fault", [reply(401), reply(422), reply(402), Reply(200, {}, b"hello")])
def test_lasting_faults_are_not_repeated(fault: Reply) -> None:
    drive = Drive(fault)
    with pytest.raises(FilmgateAPIError):
        drive.run(drive.flows().retrieve(ID))
    assert len(drive.requests) == 1


@pytest.mark.parametrize("fault", [reply(429), reply(455), reply(503), UNSENT, Timeout("no connection", sent=False)])
def test_an_order_is_repeated_where_it_was_certainly_not_taken(fault: Reply | FilmgateAPIError) -> None:
    drive = Drive(fault, CREATED)
    assert drive.run(drive.flows().generate({})) == TaskRef(ID)


AMBIGUOUS = pytest.mark.parametrize("fault", [BROKEN, Timeout("slow"), reply(500), reply(501), Reply(502, {}, b"")])
NO_TASKS = reply(data={"tasks": [], "nextCursor": None})


@AMBIGUOUS
def test_an_order_that_may_have_been_taken_is_not_sent_again(fault: Reply | FilmgateAPIError) -> None:
    """To a server that has no list of tasks: it knows no keys of orders either."""
    drive = Drive(fault, reply(404))
    with pytest.raises(FilmgateAPIError) as raised:
        drive.run(drive.flows().generate({}))
    assert raised.value.code != 404
    assert [request.method for request in drive.requests] == ["POST", "GET"]


@AMBIGUOUS
def test_an_order_is_sent_again_where_the_server_takes_it_once(fault: Reply | FilmgateAPIError) -> None:
    drive = Drive(fault, UNSENT, NO_TASKS, CREATED)
    assert drive.run(drive.flows().generate({"prompt": "a dog"})) == TaskRef(ID)
    first, _, look, again = drive.requests
    assert (look.method, look.url) == ("GET", "http://server/api/v1/veo/tasks")
    assert again == first
    assert len(first.headers["idempotency-key"]) == 32


def test_without_retries_nothing_is_asked() -> None:
    drive = Drive(BROKEN)
    with pytest.raises(ConnectionFailed):
        drive.run(drive.flows(max_retries=0).generate({}))
    assert len(drive.requests) == 1


def test_each_order_has_a_key_of_its_own_or_the_one_that_is_given() -> None:
    drive = Drive(CREATED, repeat_last=True)
    for flow in (drive.flows().generate({}), drive.flows().extend({}), drive.flows().upgrade_4k({})):
        drive.run(flow)
    assert len({request.headers["idempotency-key"] for request in drive.requests}) == 3
    drive.run(drive.flows().generate({}, key="order 7"))
    assert drive.requests[-1].headers["idempotency-key"] == "order 7"


@pytest.mark.parametrize("key", ["", " a", "a ", "a\n", "é", "\x00", "x" * 256])
def test_a_key_that_cannot_stand_for_an_order_is_refused(key: str) -> None:
    with pytest.raises(InvalidRequest, match="idempotency key"):
        next(Drive().flows().generate({}, key=key))


@pytest.mark.parametrize("fault", [BROKEN, Timeout("slow"), reply(500)])
def test_cancelling_and_deleting_may_be_repeated(fault: Reply | FilmgateAPIError) -> None:
    drive = Drive(fault, CREATED, fault, CREATED)
    drive.run(drive.flows().cancel(ID))
    drive.run(drive.flows().delete_media(ID))
    first, again, third, _ = drive.requests
    assert (first.method, first.url) == ("POST", "http://server/api/v1/veo/cancel") == (again.method, again.url)
    assert (third.method, third.url, third.params) == ("DELETE", "http://server/api/v1/veo/media", {"taskId": ID})


@pytest.mark.parametrize("data", [None, [], {}, {"tasks": None}, {"tasks": [7]}])
def test_a_list_that_is_none_is_unexpected(data: Any) -> None:
    drive = Drive(reply(data=data))
    with pytest.raises(UnexpectedAnswer):
        drive.run(drive.flows().page({}, None))


def test_the_jitter_only_shortens() -> None:
    drive = Drive(BROKEN, DONE)
    drive.run(Flows("http://server", "key", "agent", 3, now=lambda: 0.0, jitter=lambda: 1.0).retrieve(ID))
    assert drive.sleeps == [0.375]


def test_a_download_is_repeated_from_the_start() -> None:
    path = Path("film.mp4")
    drive = Drive(BROKEN, path)
    assert drive.run(drive.flows().download(Fetch("http://server/f", path))) == path
    assert [type(effect) for effect in drive.effects] == [Fetch, Sleep, Fetch]


# ------------------------------------------------------------ waiting -------------------------------------------------


def wait(
    drive: Drive,
    *,
    timeout: float | None = None,
    on_progress: Callable[[Record], None] | None = None,
    poll_interval: float | None = None,
) -> Record:
    patience = Patience(timeout=timeout, on_progress=on_progress, poll_interval=poll_interval)
    return drive.run(drive.flows().wait(ID, patience))


def test_polling_backs_off_from_one_second_to_ten() -> None:
    drive = Drive(*[RUNNING] * 9, DONE)
    assert wait(drive).succeeded
    assert drive.sleeps == [1.0, 1.5, 2.25, 3.375, 5.0625, 7.59375, 10.0, 10.0, 10.0]


def test_a_poll_interval_is_kept_but_the_server_may_ask_for_another() -> None:
    polite: Mapping[str, str] = {"retry-after": "4"}
    drive = Drive(RUNNING, Reply(200, polite, RUNNING.body), reply(429, retry_after="9"), RUNNING, DONE)
    wait(drive, poll_interval=2.0)
    assert drive.sleeps == [2.0, 4.0, 9.0, 2.0]


def test_progress_is_told_with_every_record() -> None:
    seen: list[tuple[float | None, str | None]] = []
    drive = Drive(record(0, progress=0.25, stage="drawing"), record(1, progress=1))
    wait(drive, on_progress=lambda now: seen.append((now.progress, now.stage)))
    assert seen == [(0.25, "drawing"), (1.0, None)]


def test_a_failed_task_raises_with_its_code_and_message() -> None:
    with pytest.raises(TaskFailed, match="It broke") as failed:
        wait(Drive(RUNNING, FAILED))
    assert (failed.value.code, failed.value.message) == (501, "It broke.")
    assert failed.value.record.status == 3


def test_waiting_ends_at_the_deadline_and_not_later() -> None:
    drive = Drive(RUNNING, repeat_last=True)
    with pytest.raises(Timeout, match="it goes on"):
        wait(drive, timeout=20.0)
    assert drive.now == 20.0


def test_faults_are_waited_out_but_not_for_ever() -> None:
    nine = Drive(*[UNSENT] * 9, RUNNING, *[reply(500)] * 9, DONE)
    assert wait(nine).succeeded
    ten = Drive(*[UNSENT] * 10, DONE)
    with pytest.raises(ConnectionFailed):
        wait(ten)


@pytest.mark.parametrize("fault", [reply(401), reply(422, msg="record is null.")])
def test_lasting_faults_end_the_waiting(fault: Reply) -> None:
    with pytest.raises(FilmgateAPIError):
        wait(Drive(RUNNING, fault))


# ------------------------------------------------------------ larger films -------------------------------------------

OWN = "1" * 32
LARGE = "https://films.example.org/large.mp4"
THERE = reply(data={"resultUrl": LARGE, "taskId": OWN})
PROCESSING = reply(400, msg="1080P is processing. It should be ready in 1-2 minutes. Please check back shortly.")


def processing(task_id: str) -> Reply:
    return reply(400, {"resultUrl": None, "taskId": task_id}, msg="1080P is processing.")


def upgrade(drive: Drive, **patience: Any) -> Film:
    return drive.run(drive.flows().upgrade_1080p(ID, 1, Patience(**patience)))


def test_a_1080p_version_is_asked_for_until_it_is_there() -> None:
    drive = Drive(PROCESSING, reply(422, msg="Records are being generated"), UNSENT, processing(ID), THERE)
    assert upgrade(drive) == Film(LARGE, OWN)
    assert {(each.url, each.params["taskId"], each.params["index"]) for each in drive.requests} == {
        ("http://server/api/v1/veo/get-1080p-video", ID, "1")
    }
    assert drive.sleeps == [1.0, 1.5, 2.25, 3.375]


def test_where_a_1080p_version_is_a_task_of_its_own_that_task_is_waited_for() -> None:
    """Asking for the version again after a failure would order it again."""
    told: list[str] = []
    done = record(1, response={"resultUrls": [LARGE]})
    drive = Drive(processing(OWN), RUNNING, done)
    assert upgrade(drive, on_progress=lambda now: told.append(now.state)) == Film(LARGE, OWN)
    assert [each.params.get("taskId") for each in drive.requests] == [ID, OWN, OWN]
    assert told == ["generating", "success"]
    with pytest.raises(TaskFailed):
        upgrade(Drive(processing(OWN), FAILED))


def test_a_1080p_version_that_takes_too_long() -> None:
    for first in (PROCESSING, processing(OWN)):
        drive = Drive(first, repeat_last=True) if first is PROCESSING else Drive(first, RUNNING, repeat_last=True)
        with pytest.raises(Timeout, match="it goes on"):
            upgrade(drive, timeout=20.0)
        assert drive.now == 20.0


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (reply(422, msg="record is null."), NotFound),
        (reply(422, msg="record status is not success."), InvalidRequest),
        (reply(400, msg="Something else is wrong."), InvalidRequest),
        (reply(402, msg="Credits insufficient"), InsufficientCredits),
        (reply(data={}), UnexpectedAnswer),
        (reply(data=None), UnexpectedAnswer),
    ],
)
def test_a_1080p_version_that_there_will_not_be(answer: Reply, kind: type[FilmgateAPIError]) -> None:
    with pytest.raises(kind):
        upgrade(Drive(answer))


@pytest.mark.parametrize(
    "answer",
    [
        CREATED,
        reply(422, {"taskId": ID, "resultUrls": None}, msg="4k is processing. It should be ready in 5-10 minutes."),
        reply(422, {"taskId": ID, "resultUrls": [LARGE]}, msg="The video has been generated successfully", http=422),
    ],
)
def test_a_4k_version_is_the_same_task_whoever_asks_again(answer: Reply) -> None:
    drive = Drive(answer)
    assert drive.run(drive.flows().upgrade_4k({"taskId": "9"})) == TaskRef(ID)
    assert drive.requests[0].url == "http://server/api/v1/veo/get-4k-video"


@pytest.mark.parametrize(
    "answer", [reply(422, msg="record is null."), reply(422, {"taskId": ID}, msg="record status is not success.")]
)
def test_a_4k_version_that_there_will_not_be(answer: Reply) -> None:
    drive = Drive(answer)
    with pytest.raises(FilmgateAPIError):
        drive.run(drive.flows().upgrade_4k({"taskId": ID}))


# ------------------------------------------------------------ files and credits --------------------------------------


def test_local_images_are_uploaded_before_the_order_in_their_order() -> None:
    drive = Drive(reply(data={"downloadUrl": "https://f/1"}), reply(data={"fileUrl": "https://f/2"}), CREATED)
    images: list[Any] = [Path("first.png"), "HTTPS://elsewhere/2.png", b"raw"]
    assert drive.run(drive.flows().generate({"prompt": "a dog"}, images)) == TaskRef(ID)
    files = [effect for effect in drive.effects if isinstance(effect, SendFile)]
    assert [(each.filename, each.fields) for each in files] == [
        ("first.png", {"uploadPath": "filmgate"}),
        ("file", {"uploadPath": "filmgate"}),
    ]
    assert "content-type" not in files[0].headers
    sent = msgspec.json.decode(drive.requests[0].body or b"")
    assert sent == {"prompt": "a dog", "imageUrls": ["https://f/1", "HTTPS://elsewhere/2.png", "https://f/2"]}


def test_images_are_said_once() -> None:
    with pytest.raises(InvalidRequest, match="not in both"):
        next(Drive().flows().generate({"imageUrls": ["https://f/1"]}, ["a.png"]))


def test_an_upload_is_repeated_even_where_it_may_have_arrived() -> None:
    drive = Drive(BROKEN, reply(500), reply(data={"downloadUrl": "https://f/1"}))
    assert drive.run(drive.flows().upload(b"raw", "dog.png", "dogs")).url == "https://f/1"
    effect = drive.effects[-1]
    assert isinstance(effect, SendFile)
    assert (effect.url, effect.fields) == (
        "http://server/api/file-stream-upload",
        {"uploadPath": "dogs", "fileName": "dog.png"},
    )


@pytest.mark.parametrize("data", [None, {}, {"downloadUrl": 1}])
def test_an_upload_without_an_address(data: Any) -> None:
    drive = Drive(reply(data=data))
    with pytest.raises(UnexpectedAnswer):
        drive.run(drive.flows().upload(b"raw", None, "dogs"))


def test_credits_are_a_number() -> None:
    for said, found in ((100, 100.0), (5916.25, 5916.25)):
        drive = Drive(reply(data=said))
        assert drive.run(drive.flows().credits()) == found
        assert drive.requests[0].url == "http://server/api/v1/chat/credit"


@pytest.mark.parametrize("wrong", [None, "many", True, {}])
def test_credits_that_are_no_number(wrong: Any) -> None:
    drive = Drive(reply(data=wrong))
    with pytest.raises(UnexpectedAnswer):
        drive.run(drive.flows().credits())


def test_a_download_link_is_an_address() -> None:
    drive = Drive(reply(data=LARGE))
    assert drive.run(drive.flows().download_url("https://f/1")) == LARGE
    assert msgspec.json.decode(drive.requests[0].body or b"") == {"url": "https://f/1"}


@pytest.mark.parametrize("wrong", [None, "", {}])
def test_a_download_link_that_is_no_address(wrong: Any) -> None:
    drive = Drive(reply(data=wrong))
    with pytest.raises(UnexpectedAnswer):
        drive.run(drive.flows().download_url("https://f/1"))
