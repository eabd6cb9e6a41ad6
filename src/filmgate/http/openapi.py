"""``/openapi.json``: the addresses of the dialects, described from the types that their documents are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

T = TypeVar("T")

_REFERENCE = "#/components/schemas/{name}"


class Envelope(msgspec.Struct, Generic[T]):
    """Every answer: ``code`` 200 and ``data``, or another code and, in ``msg``, what to do."""

    code: int
    msg: str
    data: T | None


@dataclass(frozen=True, slots=True)
class Operation:
    """One address: what it takes, and the ``data`` of its answer."""

    method: str
    path: str
    name: str
    summary: str
    answer: type
    body: type | None = None
    query: tuple[tuple[str, str], ...] = ()  #: (name, description); all of them are required


def document(operations: Sequence[Operation], *, title: str, version: str) -> dict[str, Any]:
    """An OpenAPI 3.1 document."""
    bodies = [each.body for each in operations if each.body is not None]
    answers: list[Any] = [Envelope[each.answer] for each in operations]  # type: ignore[name-defined]
    schemas, components = msgspec.json.schema_components([*bodies, *answers], ref_template=_REFERENCE)
    of_body = dict(zip(bodies, schemas, strict=False))
    paths: dict[str, dict[str, Any]] = {}
    for each, answer in zip(operations, schemas[len(bodies) :], strict=True):
        body = of_body[each.body] if each.body else None
        paths.setdefault(each.path, {})[each.method.lower()] = _operation(each, body, answer)
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"key": []}],
    }


def routes(described: dict[str, Any]) -> list[Route]:
    text = msgspec.json.encode(described)

    async def openapi(request: Request) -> Response:
        return Response(text, media_type="application/json")

    return [Route("/openapi.json", openapi)]


def _operation(each: Operation, body: dict[str, Any] | None, answer: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {
        "operationId": each.name,
        "summary": each.summary,
        "responses": {"200": {"description": "The envelope.", "content": _json(answer)}},
    }
    if body is not None:
        told["requestBody"] = {"required": True, "content": _json(body)}
    if each.query:
        told["parameters"] = [_parameter(name, words) for name, words in each.query]
    return told


def _parameter(name: str, words: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": True, "description": words, "schema": {"type": "string"}}


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}
