"""The addresses of the Veo3 dialect: parse, call the service, render."""

from __future__ import annotations

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from ...domain.features import Feature
from ...domain.forecast import Outlook
from ...domain.spec import Kind
from ...domain.task import Status, Task
from ...http.body import read_body
from ...http.codes import failure_of
from ...http.desk import Desk
from ...http.edition import Edition
from ...http.envelope import envelope
from ...http.films import result_urls
from ...http.front import Direct
from ...http.listing import read_listing
from ...http.order_keys import order_key_of
from ...http.orders import Enlargement, read_enlargement, task_id_of
from ...http.refusals import errors, refused
from ...http.told import Told
from ...ports import TaskEvent
from .offers import render_offers
from .render import EVENTS, render_enlarged, render_event, render_record
from .schema import NAMES, parse_cancel, parse_extend, parse_generate, parse_upgrade

__all__ = ["NAME", "errors", "routes"]

NAME: Final = "veo3"  #: this dialect, in ``Origin.dialect``

PROCESSING_1080P: Final = "1080P is processing. It should be ready in 1-2 minutes. Please check back shortly."
PROCESSING_4K: Final = "4k is processing. It should be ready in 5-10 minutes. Please check back shortly."
DONE_4K: Final = "The video has been generated successfully"


def routes(desk: Desk) -> list[Direct]:
    """The first that fits is taken: those that are asked for most come first."""
    return [*_orders(desk), *_looks(desk), *_upgrades(desk), *_upkeep(desk)]


def _orders(desk: Desk) -> list[Direct]:
    async def generate(request: Request) -> Response:
        caller = await desk.admit(request, Feature.GENERATE)
        model = desk.edition_of(caller).default_model
        spec = parse_generate(await read_body(request), default_model=model, checks=desk.checks)
        key, base = order_key_of(request, spec), desk.public_base(request)
        task = await desk.submit(caller, spec, dialect=NAME, public_base=base, order_key=key)
        return envelope(200, "success", {"taskId": task.id})

    async def extend(request: Request) -> Response:
        caller = await desk.admit(request, Feature.EXTEND)
        order = parse_extend(await read_body(request), checks=desk.checks)
        key, base = order_key_of(request, order), desk.public_base(request)
        task = await desk.extend(caller, order, dialect=NAME, public_base=base, order_key=key)
        return envelope(200, "success", {"taskId": task.id})

    return [
        Direct("/api/v1/veo/generate", generate, ("POST",)),
        Direct("/api/v1/veo/extend", extend, ("POST",)),
    ]


def _looks(desk: Desk) -> list[Direct]:
    def tell(task: Task, edition: Edition, outlook: Outlook) -> Response:
        return envelope(200, "success", render_record(task, edition, desk.links, outlook))

    told = Told(tell)

    async def record_info(request: Request) -> Response:
        caller = await desk.admit(request)
        task_id = task_id_of("taskId", request.query_params.get("taskId"))
        desk.count(caller, task_id)
        task = await desk.record(caller, task_id)
        outlook = await desk.outlook(task)
        return told(task, desk.edition_of(caller), outlook)

    async def events(request: Request) -> Response:
        task, edition = await _watched(request, desk)
        by_ticket = "signature" in request.query_params

        def tell(event: TaskEvent) -> dict[str, Any]:
            return render_event(task.id, event, edition)

        return await desk.watchers.stream(request, task, tell, by_ticket=by_ticket)

    return [
        Direct("/api/v1/veo/record-info", record_info),
        Direct(EVENTS, events),
    ]


def _upgrades(desk: Desk) -> list[Direct]:
    async def get_1080p(request: Request) -> Response:
        caller = await desk.admit(request, Feature.UPGRADE_1080P)
        order, base = _asked(request, desk), desk.public_base(request)
        desk.count(caller, order.source_id)
        task, _ = await desk.enlarge(caller, order, Kind.UPGRADE_1080P, dialect=NAME, public_base=base)
        if task.status is Status.SUCCEEDED:
            return envelope(200, "success", {"resultUrl": _film_of(task, order, desk), "taskId": task.id})
        if (failure := failure_of(task)) is not None:
            return refused(500, failure[1], {"resultUrl": None, "taskId": task.id}, desk.edition_of(caller))
        return refused(400, PROCESSING_1080P, {"resultUrl": None, "taskId": task.id}, desk.edition_of(caller))

    async def order_4k(request: Request) -> Response:
        caller = await desk.admit(request, Feature.UPGRADE_4K)
        order = parse_upgrade(await read_body(request), checks=desk.checks)
        key, base = order_key_of(request, order), desk.public_base(request)
        task, fresh = await desk.enlarge(caller, order, Kind.UPGRADE_4K, dialect=NAME, public_base=base, order_key=key)
        if fresh:
            return envelope(200, "success", {"taskId": task.id, "resultUrls": None, "imageUrls": None})
        return _known_4k(task, desk, desk.edition_of(caller))

    async def ask_4k(request: Request) -> Response:
        caller = await desk.admit(request)
        order = _asked(request, desk)
        desk.count(caller, order.source_id)
        task = await desk.enlarged(caller, order, Kind.UPGRADE_4K)
        return _known_4k(task, desk, desk.edition_of(caller))

    async def get_4k(request: Request) -> Response:
        """Only a POST orders; a GET, which some programs send, asks how far the order is."""
        return await (order_4k if request.method == "POST" else ask_4k)(request)

    return [
        Direct("/api/v1/veo/get-1080p-video", get_1080p),
        Direct("/api/v1/veo/get-4k-video", get_4k, ("POST", "GET")),
    ]


def _upkeep(desk: Desk) -> list[Direct]:
    """What owners do with the tasks that they have."""

    async def cancel(request: Request) -> Response:
        caller = await desk.authenticate(request)
        task = await desk.cancel(parse_cancel(await read_body(request)), caller.account_id)
        return envelope(200, "success", {"taskId": task.id})

    async def list_tasks(request: Request) -> Response:
        caller = await desk.admit(request)
        asked = read_listing(request.query_params)
        desk.count(caller, "tasks")
        found, cursor = await desk.page(caller, asked)
        edition = desk.edition_of(caller)
        records = [render_record(task, edition, desk.links, await desk.outlook(task)) for task in found]
        return envelope(200, "success", {"tasks": records, "nextCursor": cursor})

    async def models(request: Request) -> Response:
        caller = await desk.authenticate(request)
        return envelope(200, "success", render_offers(desk.offers(), desk.edition_of(caller)))

    async def remove_media(request: Request) -> Response:
        caller = await desk.authenticate(request)
        task_id = task_id_of("taskId", request.query_params.get("taskId"))
        task = await desk.remove_media(task_id, caller.account_id)
        return envelope(200, "success", {"taskId": task.id})

    return [
        Direct("/api/v1/veo/cancel", cancel, ("POST",)),
        Direct("/api/v1/veo/tasks", list_tasks),
        Direct("/api/v1/veo/models", models),
        Direct("/api/v1/veo/media", remove_media, ("DELETE",)),
    ]


def _asked(request: Request, desk: Desk) -> Enlargement:
    query = request.query_params
    return read_enlargement(task_id=query.get("taskId"), index=query.get("index"), names=NAMES, checks=desk.checks)


async def _watched(request: Request, desk: Desk) -> tuple[Task, Edition]:
    """By a ticket, which stands in the record, or by a key."""
    query = request.query_params
    task_id = task_id_of("taskId", query.get("taskId"))
    if "signature" not in query:
        caller = await desk.authenticate(request)
        return await desk.tasks.get(task_id, caller.account_id), desk.edition_of(caller)
    desk.links.check_ticket(task_id, query.get("expires", ""), query["signature"], desk.clock.now_ms())
    task = await desk.tasks.get(task_id)
    return task, desk.edition.merged(task.origin.edition)


def _film_of(task: Task, order: Enlargement, desk: Desk) -> str:
    """An upgrade has one film; a task that was large enough from the start may have several."""
    itself = task.id == order.source_id and not task.spec.kind.is_upgrade
    return result_urls(task, desk.links)[order.index if itself else 0]


def _known_4k(task: Task, desk: Desk, edition: Edition) -> Response:
    msg = DONE_4K if task.status is Status.SUCCEEDED else PROCESSING_4K
    return refused(422, msg, render_enlarged(task, desk.links), edition)
