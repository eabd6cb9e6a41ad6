"""The addresses of the market: parse, call the service, render."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from ...domain.errors import MalformedRequest
from ...domain.features import Feature
from ...domain.spec import Kind
from ...domain.task import OrderKey, Task
from ...http.auth import Authenticate
from ...http.body import read_body
from ...http.desk import Desk
from ...http.edition import Edition
from ...http.envelope import envelope
from ...http.errors import Render
from ...http.front import Direct
from ...http.order_keys import order_key_of
from ...http.orders import Extension
from ...http.refusals import errors as refusals
from ...ports import Caller
from .render import NAME, TIER, render_record
from .schema import Generation, UpgradeOrder, parse_create

#: What this dialect says in its own words.
CHANGED: Final = {
    "task_not_found": (422, "recordInfo is null"),
    "unsupported_model": (
        422,
        "The model name you specified is not supported. Please verify your input and use one of the supported models. "
        "{sentence}",
    ),
}


def routes(desk: Desk) -> list[Direct]:
    async def order(
        caller: Caller, asked: Generation | Extension | UpgradeOrder, base: str, key: OrderKey | None
    ) -> Task:
        await desk.check_on(_feature(asked))
        if isinstance(asked, Generation):
            name = TIER if asked.tier else NAME
            return await desk.submit(caller, asked.spec, dialect=name, public_base=base, order_key=key)
        if isinstance(asked, Extension):
            return await desk.extend(caller, asked, dialect=NAME, public_base=base, order_key=key)
        task, _ = await desk.enlarge(caller, asked.order, asked.kind, dialect=NAME, public_base=base, order_key=key)
        return task

    async def create_task(request: Request) -> Response:
        caller = await desk.admit(request, Feature.JOBS)
        model = desk.edition_of(caller).default_model
        asked = parse_create(await read_body(request), default_model=model, checks=desk.checks)
        task = await order(caller, asked, desk.public_base(request), order_key_of(request, asked))
        return envelope(200, "success", {"taskId": task.id, "recordId": task.id})

    async def record_info(request: Request) -> Response:
        caller = await desk.authenticate(request)
        task_id = request.query_params.get("taskId", "").strip()
        if not task_id:
            raise MalformedRequest("taskId parameter is required")
        desk.count(caller, task_id)
        task = await desk.tasks.get(task_id, caller.account_id)
        return envelope(200, "success", render_record(task, desk.links))

    return [
        Direct("/api/v1/jobs/createTask", create_task, ("POST",)),
        Direct("/api/v1/jobs/recordInfo", record_info),
    ]


def _feature(asked: Generation | Extension | UpgradeOrder) -> Feature:
    if isinstance(asked, UpgradeOrder):
        return Feature.UPGRADE_4K if asked.kind is Kind.UPGRADE_4K else Feature.UPGRADE_1080P
    return Feature.GENERATE if isinstance(asked, Generation) else Feature.EXTEND


def errors(edition: Edition, authenticate: Authenticate | None = None) -> Render:
    """How this dialect says what went wrong."""
    return refusals(edition, authenticate, CHANGED)
