"""The description of the API says what the API does."""

from __future__ import annotations

import msgspec
import pytest
from starlette.testclient import TestClient

from filmgate.dialects.veo3.described import OPERATIONS, GenerateRequest, Record
from filmgate.dialects.veo3.render import render_record
from filmgate.dialects.veo3.schema import GenerateBody
from filmgate.domain.spec import AspectRatio
from filmgate.domain.task import Failure, Status, Task
from filmgate.http import openapi
from filmgate.http.edition import Edition
from filmgate.http.errors import application
from filmgate.storage.links import Links

from .conftest import World
from .tasks import task

DESCRIBED = openapi.document(OPERATIONS, title="Filmgate", version="1.2.3")


def test_the_described_request_has_the_fields_that_are_read() -> None:
    assert set(GenerateRequest.__struct_fields__) == set(GenerateBody.__struct_fields__)


@pytest.mark.parametrize(
    "made",
    [
        task(),
        task(Status.RUNNING, progress=0.5),
        task(Status.SUCCEEDED),
        task(Status.SUCCEEDED, aspect_ratio=AspectRatio.PORTRAIT),
        task(Status.FAILED, failure=Failure("engine_failed", "No film.")),
    ],
)
@pytest.mark.parametrize("edition", [Edition(), Edition(times="iso", top_level_result_urls="array")])
def test_every_record_fits_its_description(made: Task, edition: Edition) -> None:
    told = render_record(made, edition, Links([b"a key"]))
    assert set(told) <= set(Record.__struct_fields__)
    assert msgspec.to_builtins(msgspec.convert(told, Record)) == told


def test_every_described_address_is_there(world: World) -> None:
    there = {(method, route.path) for route in world.routes() for method in route.methods or ()}
    assert {(each.method, each.path) for each in OPERATIONS} == there - {("HEAD", "/api/v1/veo/record-info")}


def test_the_document_is_served() -> None:
    app = application(openapi.routes(DESCRIBED), renders={}, new_id=lambda: "1")
    told = TestClient(app).get("/openapi.json").json()
    assert told["info"] == {"title": "Filmgate", "version": "1.2.3"}
    assert set(told["paths"]) == {"/api/v1/veo/generate", "/api/v1/veo/record-info"}
    asked = told["paths"]["/api/v1/veo/generate"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert asked == {"$ref": "#/components/schemas/GenerateRequest"}
    assert told["components"]["schemas"]["GenerateRequest"]["required"] == ["prompt"]


def test_every_reference_leads_somewhere() -> None:
    text = msgspec.json.encode(DESCRIBED).decode()
    named = {piece.split('"')[0] for piece in text.split('"#/components/schemas/')[1:]}
    assert named == set(DESCRIBED["components"]["schemas"])
