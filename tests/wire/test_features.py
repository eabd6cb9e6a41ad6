"""Maintenance, and what the operator has switched off, over the wire."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from filmgate.domain.features import Feature

from .answers import enveloped
from .conftest import World
from .test_record_info import create

MAINTENANCE = "Service Unavailable - System is currently undergoing maintenance"
OFF = "Feature Disabled - The requested feature is currently disabled"

GENERATE: dict[str, Any] = {"model": "veo-3-1", "input": {"prompt": "a dog"}}
UPGRADE: dict[str, Any] = {"model": "veo/get-4k-video", "input": {"task_id": "TASK"}}
UPGRADE_1080P: dict[str, Any] = {"model": "veo/get-1080p-video", "input": {"taskId": "TASK"}}
EXTEND: dict[str, Any] = {"model": "veo/extend", "input": {"task_id": "TASK", "prompt": "on"}}

#: What is asked for, and the features that it needs, beside no maintenance.
CLOSED_BY_MAINTENANCE: list[tuple[str, str, dict[str, Any], set[Feature]]] = [
    ("POST", "/api/v1/veo/generate", {"prompt": "a dog"}, {Feature.GENERATE}),
    ("POST", "/api/v1/veo/extend", {"taskId": "TASK", "prompt": "on"}, {Feature.EXTEND}),
    ("GET", "/api/v1/veo/record-info", {"taskId": "TASK"}, set()),
    ("GET", "/api/v1/veo/get-1080p-video", {"taskId": "TASK"}, {Feature.UPGRADE_1080P}),
    ("POST", "/api/v1/veo/get-4k-video", {"taskId": "TASK"}, {Feature.UPGRADE_4K}),
    ("GET", "/api/v1/veo/get-4k-video", {"taskId": "TASK"}, set()),
    (
        "POST",
        "/api/v1/jobs/createTask",
        {"model": "veo-3-1", "input": {"prompt": "a dog"}},
        {Feature.JOBS, Feature.GENERATE},
    ),
    ("POST", "/api/v1/jobs/createTask", EXTEND, {Feature.JOBS, Feature.EXTEND}),
    ("POST", "/api/v1/jobs/createTask", UPGRADE, {Feature.JOBS, Feature.UPGRADE_4K}),
    ("POST", "/api/v1/jobs/createTask", UPGRADE_1080P, {Feature.JOBS, Feature.UPGRADE_1080P}),
]
ALWAYS_THERE: list[tuple[str, str, dict[str, Any], set[Feature]]] = [
    ("GET", "/api/v1/jobs/recordInfo", {"taskId": "TASK"}, set()),
    ("GET", "/api/v1/chat/credit", {}, {Feature.CREDITS}),
    ("GET", "/api/v1/common/credit", {}, {Feature.CREDITS}),
    ("POST", "/api/v1/common/download-url", {"url": "LINK"}, {Feature.DOWNLOAD_URL}),
    ("POST", "/api/file-base64-upload", {"base64Data": "eHl6", "uploadPath": "a"}, {Feature.UPLOADS}),
    ("POST", "/api/file-url-upload", {"fileUrl": "x", "uploadPath": "a"}, {Feature.UPLOADS}),
    ("POST", "/api/file-stream-upload", {"uploadPath": "a"}, {Feature.UPLOADS}),
]
EVERYTHING = [*CLOSED_BY_MAINTENANCE, *ALWAYS_THERE]
SWITCHES = [each for each in Feature if each not in (Feature.MAINTENANCE, Feature.FALLBACK)]


@pytest.fixture(autouse=True)
def _all_as_before(world: World) -> Iterator[None]:
    yield
    for feature in Feature:
        switch(world, feature, feature.is_on_at_first)


@pytest.fixture
def film(world: World, client: httpx2.Client) -> str:
    task_id = create(client)
    world.succeed(task_id)
    return task_id


def ask(client: httpx2.Client, method: str, path: str, fields: dict[str, Any], film: str) -> dict[str, Any]:
    def filled(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: filled(each) for name, each in value.items()}
        return film if value == "TASK" else value

    fields = filled(fields)
    answer = client.get(path, params=fields) if method == "GET" else client.post(path, json=fields)
    said: dict[str, Any] = answer.json()
    return said


def switch(world: World, feature: Feature, is_on: bool) -> None:
    world.run(world.features.set(feature, is_on, "test"))


@pytest.mark.parametrize(("method", "path", "fields", "needs"), CLOSED_BY_MAINTENANCE)
def test_maintenance_closes_what_is_about_tasks_at_once(
    world: World, client: httpx2.Client, film: str, method: str, path: str, fields: dict[str, Any], needs: set[Feature]
) -> None:
    switch(world, Feature.MAINTENANCE, True)
    before = world.run(world.tasks.list())
    said = ask(client, method, path, fields, film)
    assert (said["code"], said["msg"], said["data"]) == (455, MAINTENANCE, None)
    assert world.run(world.tasks.list()) == before
    nobody = httpx2.Client(base_url=world.url)
    assert ask(nobody, method, path, fields, film)["code"] == 401
    nobody.close()
    switch(world, Feature.MAINTENANCE, False)
    assert ask(client, method, path, fields, film)["code"] != 455


@pytest.mark.parametrize(("method", "path", "fields", "needs"), ALWAYS_THERE)
def test_what_is_not_about_tasks_goes_on_during_maintenance(
    world: World, client: httpx2.Client, film: str, method: str, path: str, fields: dict[str, Any], needs: set[Feature]
) -> None:
    before = ask(client, method, path, fields, film)["code"]
    switch(world, Feature.MAINTENANCE, True)
    assert ask(client, method, path, fields, film)["code"] == before


def test_links_pages_and_health_know_no_maintenance(world: World, client: httpx2.Client, film: str) -> None:
    link = client.get("/api/v1/veo/record-info", params={"taskId": film}).json()["data"]["resultUrl"]
    switch(world, Feature.MAINTENANCE, True)
    assert httpx2.get(link).status_code == 200
    assert client.get("/healthz").status_code == 200
    assert enveloped(client.get("/api/v1/nowhere"), 404, "") is None


@pytest.mark.parametrize("feature", SWITCHES)
def test_what_is_switched_off_is_refused_and_nothing_else(
    world: World, client: httpx2.Client, film: str, feature: Feature
) -> None:
    switch(world, feature, False)
    for method, path, fields, needs in EVERYTHING:
        said = ask(client, method, path, fields, film)
        off = feature in needs
        assert (said["msg"] == OFF) is off, (path, said)
        if off:
            assert said["code"] == (500 if path.startswith("/api/file-") else 505), (path, said)


def test_mirror_says_maintenance_and_switched_off_in_http_too(world: World, film: str) -> None:
    client = world.client(world.new_key(edition={"http_status": "mirror"}))
    switch(world, Feature.GENERATE, False)
    assert client.post("/api/v1/veo/generate", json={"prompt": "a dog"}).status_code == 505
    switch(world, Feature.MAINTENANCE, True)
    assert client.get("/api/v1/veo/record-info", params={"taskId": film}).status_code == 455
    client.close()
