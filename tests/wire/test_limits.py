"""Too often: what is counted, what is answered then, and that every 429 says when to come back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filmgate.domain.errors import TooManyRequests
from filmgate.domain.limits import Limits
from filmgate.http.desk import Desk
from filmgate.http.pace import Pace
from filmgate.store.migrate import migrate
from filmgate.store.tasks import SqlTaskStore

from .conftest import World, app_of, serve

RECORD = "/api/v1/veo/record-info"
QUESTIONS = (RECORD, "/api/v1/jobs/recordInfo", "/api/v1/veo/get-1080p-video", "/api/v1/veo/get-4k-video")
TOO_OFTEN = {
    "code": 429,
    "msg": "Your call frequency is too high. Please try again later.",
    "data": None,
}
DOG = {"prompt": "a dog"}


@dataclass
class Strict(World):
    """Two orders in ten seconds, three tasks in the queue, and two questions about a task in a second."""

    def desk(self) -> Desk:
        self.tasks = SqlTaskStore(self.database, self.clock, limits=Limits(creates_per_10s=2, queue=3))
        return replace(super().desk(), pace=Pace(2))


@pytest.fixture
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Strict]:
    world = Strict(tmp_path_factory.mktemp("strict"))
    migrate(world.folder / "filmgate.db")
    world.url, stop = serve(app_of(world))
    world.new_account("default")
    world.key = world.new_key()
    yield world
    stop()


def test_the_third_order_comes_too_early(strict: Strict) -> None:
    with strict.client() as client, strict.client(strict.new_key(edition={"http_status": "mirror"})) as mirror:
        assert [client.post("/api/v1/veo/generate", json=DOG).json()["code"] for _ in range(2)] == [200, 200]
        strict.clock.now += 2_500
        refused = client.post("/api/v1/veo/generate", json=DOG)
        assert (refused.status_code, refused.json()) == (200, TOO_OFTEN)
        assert refused.headers["retry-after"] == "8"  # 7.5, and whole seconds only
        job = mirror.post("/api/v1/jobs/createTask", json={"model": "veo-3-1", "input": DOG})
        assert (job.status_code, job.json()) == (429, TOO_OFTEN)
        assert job.headers["retry-after"] == "8"
        strict.clock.now += 7_500
        assert client.post("/api/v1/veo/generate", json=DOG).json()["code"] == 200


def test_a_full_queue_says_so(strict: Strict) -> None:
    strict.new_account("other")
    with strict.client() as client, strict.client(strict.new_key("other")) as other:
        for each in (client, client, other):
            assert each.post("/api/v1/veo/generate", json=DOG).json()["code"] == 200
        refused = other.post("/api/v1/veo/generate", json=DOG)
        assert refused.json()["code"] == 429
        assert "no more are taken" in refused.json()["msg"]
        assert refused.headers["retry-after"] == "10"


@pytest.mark.parametrize("path", QUESTIONS)
@pytest.mark.parametrize("known", [True, False])
def test_a_task_is_asked_about_twice_in_a_second(strict: Strict, path: str, known: bool) -> None:
    with strict.client() as client, strict.client(strict.new_key(edition={"http_status": "mirror"})) as mirror:
        task_id = client.post("/api/v1/veo/generate", json=DOG).json()["data"]["taskId"] if known else "0" * 32
        for other_path in (RECORD, path):
            assert client.get(other_path, params={"taskId": task_id}).json()["code"] != 429
        refused = client.get(path, params={"taskId": task_id})
        assert (refused.status_code, refused.json(), refused.headers["retry-after"]) == (200, TOO_OFTEN, "1")
        assert mirror.get(path, params={"taskId": task_id}).status_code == 429
        assert client.get(path, params={"taskId": "1" * 32}).json()["code"] != 429
        strict.clock.now += 1000
        assert client.get(path, params={"taskId": task_id}).json()["code"] != 429


def test_who_asks_about_a_task_of_others_does_not_use_up_their_questions(strict: Strict) -> None:
    strict.new_account("other")
    with strict.client() as client, strict.client(strict.new_key("other")) as other:
        task_id = client.post("/api/v1/veo/generate", json=DOG).json()["data"]["taskId"]
        codes = [other.get(RECORD, params={"taskId": task_id}).json()["code"] for _ in range(3)]
        assert codes == [422, 422, 429]
        assert client.get(RECORD, params={"taskId": task_id}).json()["code"] == 200


def test_without_a_limit_everything_may_be_asked(client: httpx2.Client) -> None:
    codes = {client.get(RECORD, params={"taskId": "0" * 32}).json()["code"] for _ in range(50)}
    assert codes == {422}


@given(st.integers(1, 4), st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 600)), max_size=60))
def test_the_pace_agrees_with_a_list_of_times(limit: int, asked: list[tuple[str, int]]) -> None:
    pace, now = Pace(limit), 1_790_000_000_000
    times: dict[str, list[int]] = {"a": [], "b": []}
    for task_id, pause in asked:
        now += pause
        if sum(now - 1000 < each for each in times[task_id]) < limit:
            pace.count(("default", task_id), now)
            times[task_id].append(now)
        else:
            with pytest.raises(TooManyRequests) as raised:
                pace.count(("default", task_id), now)
            assert raised.value.retry_after_s == (times[task_id][-limit] + 1000 - now) / 1000


def test_a_clock_that_is_set_back_silences_nobody() -> None:
    pace = Pace(1)
    pace.count(("default", "a"), 5000)
    pace.count(("default", "a"), 1000)
    with pytest.raises(TooManyRequests):
        pace.count(("default", "a"), 1001)


def test_the_pace_forgets_what_was_asked_two_seconds_ago() -> None:
    pace = Pace(2)
    for number in range(10_000):
        pace.count(("default", f"{number}"), number)
    assert pace.remembered <= 2000
