"""Films from any other server of the Veo3 API, of whatever edition; Filmgate too.

Its tasks are known by "film ID", "1080p ID" and "4k ID": the last two where the other server has no task of its own for
the larger version, and is asked for the same again until it is there, which costs nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import msgspec

from ..domain.errors import (
    AddressRefused,
    EngineFailed,
    EngineTimeout,
    EngineUnavailable,
    TaskError,
    Unreachable,
)
from ..domain.routing import Capabilities
from ..domain.spec import Kind, Mode, Resolution, Spec
from ..net.outbound import Outbound, Policy
from ..ports import Clip, Polled, Progress, RemoteJob, Secret
from .veo3_answers import Answer, Record, Unclear, links, no_answer, not_seen, not_taken, read, record, text

_ANSWER_CAP = 1024 * 1024  #: bytes of an answer
_FILM_CAP = 4 * 1024 * 1024 * 1024
_UPLOADS = "/api/file-stream-upload"
_CREDITS = ("/api/v1/chat/credit", "/api/v1/common/credit")
_GENERATION = {
    Mode.TEXT: "TEXT_2_VIDEO",
    Mode.FRAMES: "FIRST_AND_LAST_FRAMES_2_VIDEO",
    Mode.REFERENCE: "REFERENCE_2_VIDEO",
}
_EXTENDED_BY = {"veo3": "quality", "veo3_fast": "fast", "veo3_lite": "lite"}
_SPEAK_FOR_THEMSELVES = (401, 403, 404, 405, 413, 429, 503)  #: statuses; an order with such an answer was not taken
_BEING_MADE = ("processing", "being generated")
_UNDER_WAY = Polled(Progress(0.0, "made by another server"))
_DONE = Polled(Progress(1.0, "made by another server"), done=True)


class Veo3UpstreamEngine:
    """A RemoteEngine of ``filmgate.ports``."""

    name = "veo3_upstream"

    class Config(msgspec.Struct, frozen=True, kw_only=True):
        base_url: str  #: without /api/v1
        api_key: Secret
        uploads_url: str | None = None  #: where images are uploaded, where that is another host
        models: dict[str, str] = {}  #: model here -> model there; what is not named has the same name there
        takes_once: bool = False  #: the other server knows Idempotency-Key, as Filmgate does
        timeout_s: float = 30.0  #: for one answer
        download_s: float = 600.0  #: for one film
        allow: tuple[str, ...] = ()  #: guarded networks and hosts that films may be fetched from, beside its own host

        def __post_init__(self) -> None:
            for url in (self.base_url, self.uploads_url or self.base_url):
                if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
                    raise ValueError("base_url and uploads_url must be addresses such as https://films.example.org")
            if not self.api_key:
                raise ValueError("api_key must not be empty")

    def __init__(self, config: Config) -> None:
        self._config = config
        self._http: httpx2.AsyncClient | None = None
        host = urlsplit(config.base_url).hostname or ""
        self._outbound = Outbound(Policy((host, *config.allow)))

    def capabilities(self) -> Capabilities:
        return Capabilities(
            kinds=frozenset(Kind),
            modes=frozenset(Mode),
            audio=True,
            max_references=3,
            translates=True,
            starts_once=self._config.takes_once,
        )

    async def open(self) -> None:
        self._http = httpx2.AsyncClient(trust_env=False, follow_redirects=False)

    async def close(self) -> None:
        if self._http is not None:
            await self._http.aclose()

    # ------------------------------------------------------------ the four questions

    async def start(self, job: RemoteJob) -> str:
        match job.spec.kind:
            case Kind.GENERATE:
                return await self._generate(job)
            case Kind.EXTEND:
                return await self._extend(job)
            case Kind.UPGRADE_1080P:
                return f"1080p {_source(job)}"  # the first look orders it
            case Kind.UPGRADE_4K:
                return await self._enlarge(_source(job), job.spec.index)

    async def poll(self, upstream_id: str) -> Polled:
        kind, _, task_id = upstream_id.partition(" ")
        if kind == "film":
            found = await self._record(task_id)
            if found.error is not None:
                raise found.error
            return _DONE if found.done else Polled(found.progress)
        return _DONE if await self._larger(kind, task_id) else _UNDER_WAY

    async def collect(self, upstream_id: str, into: Path) -> Clip:
        kind, _, task_id = upstream_id.partition(" ")
        films = await self._films(task_id) if kind == "film" else await self._larger(kind, task_id)
        if not films:
            raise EngineFailed("The other server says that the film is made, and not where it is.")
        path = into / "upstream.mp4"
        try:
            await self._outbound.fetch(films[0], path, timeout_s=self._config.download_s, cap=_FILM_CAP)
        except AddressRefused as error:
            raise EngineFailed(
                "The other server has its film at an address that may not be called: the operator can allow it."
            ) from error
        except Unreachable as error:
            raise EngineUnavailable(f"The film could not be fetched from the other server: {error}") from error
        return Clip(path, msgspec.json.encode({"task": task_id}))

    async def cancel(self, upstream_id: str) -> None:
        """Filmgate can; the hosted servers have no such address, and answer 404."""
        kind, _, task_id = upstream_id.partition(" ")
        if kind == "film":
            await self._asked("POST", "/api/v1/veo/cancel", json={"taskId": task_id})

    async def check(self) -> str:
        refused = ""
        for path in _CREDITS:
            try:
                answer = await self._asked("GET", path)
            except TaskError as error:
                raise EngineUnavailable(str(error)) from error
            if answer.ok and isinstance(answer.data, int | float):
                return f"it answers, and has {answer.data:g} credits left"
            refused = str(not_taken(answer))
        raise EngineUnavailable(refused)

    # ------------------------------------------------------------ orders

    async def _generate(self, job: RemoteJob) -> str:
        spec = job.spec
        order: dict[str, Any] = {
            "prompt": spec.prompt,
            "model": self._model(spec),
            "generationType": _GENERATION[spec.mode],
            "aspect_ratio": spec.aspect_ratio.value,
            "aspectRatio": spec.aspect_ratio.value,  # of the older editions
            "enableTranslation": spec.translate,
            "seeds": spec.seed,
        }
        if job.images:
            order["imageUrls"] = [await self._uploaded(image, job.order_key) for image in job.images]
        if spec.resolution is not Resolution.P720:
            order["resolution"] = spec.resolution.value
        if spec.seconds != 8:
            order["duration"] = spec.seconds
        return await self._ordered("/api/v1/veo/generate", order, job)

    async def _extend(self, job: RemoteJob) -> str:
        spec = job.spec
        model = self._model(spec)
        order = {
            "taskId": _source(job),
            "prompt": spec.prompt,
            "model": _EXTENDED_BY.get(model, model),
            "seeds": spec.seed,
        }
        return await self._ordered("/api/v1/veo/extend", order, job)

    async def _enlarge(self, source: str, index: int) -> str:
        answer = await self._asked("POST", "/api/v1/veo/get-4k-video", json={"taskId": source, "index": index})
        task_id = text(answer.fields.get("taskId"))
        if answer.ok and task_id not in (None, source):
            return f"film {task_id}"
        if answer.ok or _is_being_made(answer) or any(links(answer.fields.get("resultUrls"))):
            return f"4k {source}"
        raise not_taken(answer)

    async def _ordered(self, path: str, order: Mapping[str, Any], job: RemoteJob) -> str:
        headers = {"Idempotency-Key": job.order_key} if self._config.takes_once and job.order_key else {}
        answer = await self._asked("POST", path, json=order, headers=headers)
        task_id = text(answer.fields.get("taskId"))
        if not answer.ok:
            raise not_taken(answer)
        if task_id is None:
            raise no_answer()
        return f"film {task_id}"

    async def _uploaded(self, image: Path, order_key: str) -> str:
        """Its address there: those that we have may be reachable from here only."""
        body = await asyncio.to_thread(image.read_bytes)
        try:
            answer = await self._asked(
                "POST",
                _UPLOADS,
                base=self._config.uploads_url,
                files={"file": (image.name, body, "image/png")},
                data={"uploadPath": f"filmgate/{order_key}", "fileName": image.name},
            )
        except EngineTimeout as error:  # nothing was ordered yet
            raise EngineUnavailable(f"An image could not be uploaded: {error}") from error
        for name in ("downloadUrl", "fileUrl"):
            if answer.ok and (found := list(links(answer.fields.get(name)))):
                return found[0]
        raise EngineUnavailable(f"The other server did not take an image: {answer.msg or f'code {answer.code}'}")

    def _model(self, spec: Spec) -> str:
        return self._config.models.get(spec.model, spec.model)

    # ------------------------------------------------------------ looks

    async def _record(self, task_id: str) -> Record:
        answer = await self._asked("GET", "/api/v1/veo/record-info", params={"taskId": task_id})
        if not answer.ok:
            raise not_seen(answer)
        try:
            return record(answer.fields)
        except Unclear as error:
            raise no_answer() from error

    async def _films(self, task_id: str) -> Sequence[str]:
        return (await self._record(task_id)).films

    async def _larger(self, kind: str, source: str) -> Sequence[str]:
        """Links of the larger version, or none while it is being made."""
        if kind == "1080p":
            answer = await self._asked("GET", "/api/v1/veo/get-1080p-video", params={"taskId": source})
            found = list(links(answer.fields.get("resultUrl"))) or list(links(answer.fields.get("resultUrls")))
        else:
            answer = await self._asked("POST", "/api/v1/veo/get-4k-video", json={"taskId": source})
            found = list(links(answer.fields.get("resultUrls")))
        if found or answer.ok or _is_being_made(answer):
            return found
        if answer.code in (401, 403, 429, 455) or answer.code >= 500:
            raise not_seen(answer)
        raise EngineFailed(f"The other server does not enlarge it: {answer.msg or f'code {answer.code}'}")

    # ------------------------------------------------------------ the wire

    async def _asked(self, method: str, path: str, *, base: str | None = None, **content: Any) -> Answer:
        """Raises EngineUnavailable where it was surely not reached, and EngineTimeout where nobody can know."""
        assert self._http is not None  # ``open`` comes first
        url = (base or self._config.base_url).rstrip("/") + path
        headers = {"Authorization": f"Bearer {self._config.api_key.reveal()}", **content.pop("headers", {})}
        try:
            async with asyncio.timeout(self._config.timeout_s):
                status, body = await self._exchange(method, url, headers, content)
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as error:
            raise EngineUnavailable("The other server cannot be reached.") from error
        except (httpx2.HTTPError, TimeoutError) as error:
            raise EngineTimeout("The other server did not answer to the end.") from error
        try:
            return read(status, body.replace(self._config.api_key.reveal().encode(), b"(key)"))
        except Unclear as error:
            if status in _SPEAK_FOR_THEMSELVES:
                return Answer(status, f"HTTP status {status}", None)
            raise no_answer() from error

    async def _exchange(
        self, method: str, url: str, headers: Mapping[str, str], content: Mapping[str, Any]
    ) -> tuple[int, bytes]:
        assert self._http is not None
        patience = httpx2.Timeout(self._config.timeout_s, connect=min(10.0, self._config.timeout_s))
        async with self._http.stream(method, url, headers=headers, timeout=patience, **content) as response:
            body = bytearray()
            async for part in response.aiter_bytes():
                body += part
                if len(body) > _ANSWER_CAP:
                    raise httpx2.ReadError("the answer is too long")
            return response.status_code, bytes(body)


def _is_being_made(answer: Answer) -> bool:
    return answer.code in (400, 422) and any(words in answer.msg.lower() for words in _BEING_MADE)


def _source(job: RemoteJob) -> str:
    """The task there whose film this one is made from."""
    try:
        return msgspec.json.decode(job.state, type=dict[str, str])["task"]
    except (msgspec.MsgspecError, KeyError) as error:
        raise EngineFailed("The other server did not make that film, and cannot go on from it.") from error
