"""The description of the API at /openapi.json, tried by machine: it is valid, and every answer keeps to it."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)

from filmgate.app.api import OPERATIONS
from support.server import KEY

from .conftest import Still

HOLDS = [not_a_server_error, content_type_conformance, response_headers_conformance, response_schema_conformance]
BOUNDED = settings(
    max_examples=40,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def described(still: Still) -> dict[str, Any]:
    document: dict[str, Any] = httpx2.get(still.server.url + "/openapi.json").json()
    return document


@pytest.fixture(scope="module")
def schema(still: Still) -> Any:
    return schemathesis.openapi.from_url(still.server.url + "/openapi.json")


def test_the_document_is_valid(described: dict[str, Any]) -> None:
    assert described["openapi"].startswith("3.1.")
    assert [error.message for error in OpenAPIV31SpecValidator(described).iter_errors()] == []


def test_every_operation_is_tried(described: dict[str, Any]) -> None:
    there = {(method.upper(), path) for path, methods in described["paths"].items() for method in methods}
    assert there == {(each.method, each.path) for each in OPERATIONS}


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["allowed", "not-allowed"])
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.name)
def test_every_answer_keeps_to_the_description(still: Still, schema: Any, operation: Any, mode: GenerationMode) -> None:
    tried = 0

    @BOUNDED
    @given(
        case=schema[operation.path][operation.method].as_strategy(generation_mode=mode),
        of_the_film=st.booleans(),
    )
    def holds(case: Any, of_the_film: bool) -> None:
        nonlocal tried
        tried += 1
        if of_the_film:
            _name_the_film(case, still)
        case.call_and_validate(checks=HOLDS, headers={"Authorization": f"Bearer {KEY}"})

    holds()
    assert tried


def _name_the_film(case: Any, still: Still) -> None:
    """Made-up names lead nowhere: half of the requests name the film that there is."""
    known = {
        "taskId": still.film_id,
        "url": still.film_url,
        "fileUrl": still.film_url,
        "input": {"prompt": "a dog", "task_id": still.film_id},
    }
    for part in (case.query, case.body):
        if isinstance(part, dict):
            part.update({name: value for name, value in known.items() if name in part})
