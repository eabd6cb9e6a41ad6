"""The description of the API says what the API does."""

from __future__ import annotations

import msgspec
import pytest
from msgspec import Struct
from starlette.testclient import TestClient

from filmgate.app.api import OPERATIONS
from filmgate.dialects.files import described as files
from filmgate.dialects.files import schema as files_schema
from filmgate.dialects.files.render import render_upload
from filmgate.dialects.market import described as market
from filmgate.dialects.market.render import render_record as render_market
from filmgate.dialects.market.schema import MODELS, CreateBody
from filmgate.dialects.veo3 import described as veo3
from filmgate.dialects.veo3 import schema as veo3_schema
from filmgate.dialects.veo3.described import Record
from filmgate.dialects.veo3.render import render_record
from filmgate.domain.spec import AspectRatio, Kind
from filmgate.domain.task import Failure, Status, Task
from filmgate.http import openapi
from filmgate.http.edition import Edition
from filmgate.http.errors import application
from filmgate.ports import Upload
from filmgate.storage.links import Links

from .conftest import World
from .tasks import SOURCE_ID, task

DESCRIBED = openapi.document(OPERATIONS, title="Filmgate", version="1.2.3")


@pytest.mark.parametrize(
    ("told", "read"),
    [
        (veo3.GenerateRequest, veo3_schema.GenerateBody),
        (veo3.ExtendRequest, veo3_schema.ExtendBody),
        (veo3.UpgradeRequest, veo3_schema.UpgradeBody),
        (market.CreateTaskRequest, CreateBody),
        (files.Base64Upload, files_schema.Base64Body),
        (files.UrlUpload, files_schema.UrlBody),
        (files.DownloadRequest, files_schema.DownloadBody),
    ],
)
def test_a_described_request_has_the_fields_that_are_read(told: type[Struct], read: type[Struct]) -> None:
    assert set(told.__struct_fields__) == set(read.__struct_fields__)


def test_the_described_models_are_those_of_the_market() -> None:
    schema = DESCRIBED["components"]["schemas"]["CreateTaskRequest"]["properties"]["model"]
    assert set(schema["enum"]) == set(MODELS)


def test_an_upload_fits_its_description() -> None:
    made = Upload("1", "default", "uploads/default/1/a.png", "a.png", "b.png", "images", "image/png", 9, 1_000, 2_000)
    told = render_upload(made, "https://films.example.org/f/a.png")
    assert msgspec.to_builtins(msgspec.convert(told, files.UploadedFile)) == told


@pytest.mark.parametrize(
    "made",
    [
        task(),
        task(Status.RUNNING, progress=0.5),
        task(Status.SUCCEEDED),
        task(Status.SUCCEEDED, aspect_ratio=AspectRatio.PORTRAIT),
        task(Status.FAILED, failure=Failure("engine_failed", "No film.")),
        task(Status.SUCCEEDED, kind=Kind.UPGRADE_4K, source_id=SOURCE_ID),
        task(kind=Kind.UPGRADE_4K, source_id=SOURCE_ID),
    ],
)
@pytest.mark.parametrize("edition", [Edition(), Edition(times="iso", top_level_result_urls="array")])
def test_every_record_fits_its_description(made: Task, edition: Edition) -> None:
    told = render_record(made, edition, Links([b"a key"]))
    assert set(told) <= set(Record.__struct_fields__)
    assert msgspec.to_builtins(msgspec.convert(told, Record)) == told
    of_market = render_market(made, Links([b"a key"]))
    assert set(of_market) == set(market.MarketRecord.__struct_fields__)
    assert msgspec.to_builtins(msgspec.convert(of_market, market.MarketRecord)) == of_market


def test_every_described_address_is_there_and_every_address_is_described(world: World) -> None:
    there = {(method, route.path) for route in world.routes() for method in route.methods or ()}
    assert {(each.method, each.path) for each in OPERATIONS} == {asked for asked in there if asked[0] != "HEAD"}


def test_the_document_is_served() -> None:
    app = application(openapi.routes(DESCRIBED), renders={}, new_id=lambda: "1")
    told = TestClient(app).get("/openapi.json").json()
    assert told["info"] == {"title": "Filmgate", "version": "1.2.3"}
    assert set(told["paths"]["/api/v1/veo/get-4k-video"]) == {"get", "post"}
    asked = told["paths"]["/api/v1/veo/generate"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert asked == {"$ref": "#/components/schemas/GenerateRequest"}
    assert told["components"]["schemas"]["GenerateRequest"]["required"] == ["prompt"]
    assert list(told["paths"]["/api/file-stream-upload"]["post"]["requestBody"]["content"]) == ["multipart/form-data"]


def test_what_need_not_be_asked_is_told_so() -> None:
    task_id, index = DESCRIBED["paths"]["/api/v1/veo/get-1080p-video"]["get"]["parameters"]
    assert (task_id["required"], index["required"]) == (True, False)


def test_operations_have_names_of_their_own() -> None:
    assert len({each.name for each in OPERATIONS}) == len(OPERATIONS)


def test_every_reference_leads_somewhere() -> None:
    text = msgspec.json.encode(DESCRIBED).decode()
    named = {piece.split('"')[0] for piece in text.split('"#/components/schemas/')[1:]}
    assert named == set(DESCRIBED["components"]["schemas"])
