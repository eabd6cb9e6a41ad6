"""``/openapi.json``: the addresses of the dialects, described from the types that their documents are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Generic, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

T = TypeVar("T")

_JSON = "application/json"
_REFERENCE = "#/components/schemas/{name}"


class Envelope(msgspec.Struct, Generic[T]):
    """Every answer: ``code`` 200 and ``data``, or another code and, in ``msg``, what to do."""

    code: int
    msg: str
    data: T | None


@dataclass(frozen=True, slots=True)
class Parameter:
    """A field of a query, or a header."""

    name: str
    words: str
    required: bool = True


@dataclass(frozen=True, slots=True)
class Operation:
    """One address: what it takes, and the ``data`` of its answer (or, not ``enveloped``, the whole answer)."""

    method: str
    path: str
    name: str
    summary: str
    answer: type
    body: type | None = None
    query: tuple[Parameter, ...] = ()
    headers: tuple[Parameter, ...] = ()
    media: str = _JSON  #: what the body is
    enveloped: bool = True
    streamed: bool = False  #: answers with server-sent events, each with such ``data``; refusals are envelopes
    refusals: tuple[int, ...] = ()  #: HTTP statuses, beside 200, that its answer may have in every edition


def document(operations: Sequence[Operation], *, title: str, version: str) -> dict[str, Any]:
    """An OpenAPI 3.1 document."""
    bodies = [each.body for each in operations if each.body is not None]
    answers = [_answer_of(each) for each in operations]
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


def _answer_of(each: Operation) -> Any:
    return Envelope[each.answer] if each.enveloped else each.answer  # type: ignore[name-defined]


def _operation(each: Operation, body: dict[str, Any] | None, answer: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {
        "operationId": each.name,
        "summary": each.summary,
        "responses": _responses(each, answer),
    }
    if body is not None:
        told["requestBody"] = {"required": True, "content": {each.media: {"schema": body}}}
    if each.query or each.headers:
        told["parameters"] = [
            *(_parameter(asked, "query") for asked in each.query),
            *(_parameter(asked, "header") for asked in each.headers),
        ]
    return told


def _responses(each: Operation, answer: dict[str, Any]) -> dict[str, Any]:
    """The answer has one form whatever its status is."""
    content: dict[str, Any] = {_JSON: {"schema": answer}}
    if each.streamed:
        content["text/event-stream"] = {}  # no schema: readers differ in whether it would be of one event or of all
    told = {"200": {"description": "The envelope: its code says whether it went well.", "content": content}}
    for status in each.refusals:
        told[str(status)] = {"description": HTTPStatus(status).phrase, "content": content}
    if each.enveloped:
        told["default"] = {"description": "The same, where HTTP says what the envelope says.", "content": content}
    return told


def _parameter(asked: Parameter, place: str) -> dict[str, Any]:
    told = {"name": asked.name, "in": place, "required": asked.required, "description": asked.words}
    return {**told, "schema": {"type": "string"}}
