"""The addresses of the Veo3 dialect: parse, call the service, render."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ...domain.errors import FilmgateError, InvalidRequest, Unauthenticated
from ...domain.spec import Spec
from ...domain.task import Task
from ...http.auth import Authenticate, recognised
from ...http.body import read_body
from ...http.edition import Edition
from ...http.envelope import envelope
from ...http.errors import Render
from ...ports import Caller, TaskStore
from ...storage.links import Links
from .codes import code_of
from .render import render_record
from .schema import CheckAddress, parse_generate

NAME = "veo3"  #: this dialect, in ``Origin.dialect``


class Submit(Protocol):
    async def __call__(self, caller: Caller, spec: Spec, *, dialect: str, public_base: str) -> Task: ...


def routes(
    *,
    submit: Submit,
    tasks: TaskStore,
    authenticate: Authenticate,
    links: Links,
    edition: Edition,
    check_address: CheckAddress,
    public_base: Callable[[Request], str],
) -> list[Route]:

    async def generate(request: Request) -> Response:
        caller = await authenticate(request)
        model = edition.merged(caller.edition).default_model
        body = await read_body(request)
        spec = parse_generate(body, default_model=model, check_address=check_address)
        task = await submit(caller, spec, dialect=NAME, public_base=public_base(request))
        return _success({"taskId": task.id})

    async def record_info(request: Request) -> Response:
        caller = await authenticate(request)
        task = await tasks.get(_task_id(request), caller.account_id)
        return _success(render_record(task, edition.merged(caller.edition), links))

    return [
        Route("/api/v1/veo/generate", generate, methods=["POST"]),
        Route("/api/v1/veo/record-info", record_info, methods=["GET"]),
    ]


def errors(edition: Edition, authenticate: Authenticate | None = None) -> Render:
    """How this dialect says what went wrong: in the edition of the key, or the server's where none is recognised.

    ``authenticate`` recognises it where no route has asked for it yet, as at an address that there is not.
    """

    async def render(request: Request, error: FilmgateError) -> Response:
        code, msg = code_of(error)
        caller = await recognised(request, None if isinstance(error, Unauthenticated) else authenticate)
        spoken = edition.merged(caller.edition) if caller else edition
        challenge = {"WWW-Authenticate": "Bearer"} if code == 401 and spoken.mirrors else None
        return envelope(code, msg, status=code if spoken.mirrors else 200, headers=challenge)

    return render


def _success(data: dict[str, Any]) -> Response:
    return envelope(200, "success", data)


def _task_id(request: Request) -> str:
    task_id = request.query_params.get("taskId", "").strip()
    if not task_id:
        raise InvalidRequest("taskId is missing: ask for /record-info?taskId=TASK.")
    return task_id
