"""The same client for async programs. What it does is in ``_flow.py``; here it is carried out."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, TypeVar, cast, overload

import anyio
import anyio.to_thread
import httpx2

from ._calls import address_of, check_1080p, filters_of, flows_for, id_of, order_of
from ._effects import Effect, Fetch, Flow, Send, SendFile, Sleep
from ._errors import FilmgateAPIError
from ._flow import File, OnProgress, Patience
from ._http import LIMITS, fetching, form_for, plainly, refusal, reply_of, request_for
from ._landing import landing
from ._models import Film, Model, Record, TaskRef, Upload

T = TypeVar("T")


class AsyncFilmgate:
    """The same client for async programs: every method is that of Filmgate, awaited."""

    def __init__(
        self,
        api_key: str | None = None,
        base_url: str | None = None,
        *,
        timeout: float = 60.0,
        max_retries: int = 3,
        upload_url: str | None = None,
        http_client: httpx2.AsyncClient | None = None,
    ) -> None:
        self._flows = flows_for(api_key, base_url, max_retries, upload_url)
        self._timeout = timeout
        self._http = http_client or httpx2.AsyncClient(limits=LIMITS)
        self._owns_http = http_client is None

    async def generate(
        self,
        prompt: str,
        *,
        model: str | None = None,
        aspect_ratio: str | None = None,
        resolution: str | None = None,
        duration: int | None = None,
        seeds: int | None = None,
        watermark: str | None = None,
        callback_url: str | None = None,
        images: Sequence[File] = (),
        image_urls: Sequence[str] | None = None,
        generation_type: str | None = None,
        enable_translation: bool | None = None,
        enable_fallback: bool | None = None,
        idempotency_key: str | None = None,
        **extra: Any,
    ) -> TaskRef:
        """As Filmgate.generate."""
        order = order_of(
            extra,
            prompt=prompt,
            model=model,
            aspect_ratio=aspect_ratio,
            resolution=resolution,
            duration=duration,
            seeds=seeds,
            watermark=watermark,
            callBackUrl=callback_url,
            imageUrls=image_urls,
            generationType=generation_type,
            enableTranslation=enable_translation,
            enableFallback=enable_fallback,
        )
        return await self._run(self._flows.generate(order, images, idempotency_key))

    async def extend(
        self,
        task_id: str | TaskRef,
        prompt: str,
        *,
        model: str | None = None,
        seeds: int | None = None,
        watermark: str | None = None,
        callback_url: str | None = None,
        idempotency_key: str | None = None,
        **extra: Any,
    ) -> TaskRef:
        """As Filmgate.extend."""
        order = order_of(
            extra,
            taskId=id_of(task_id),
            prompt=prompt,
            model=model,
            seeds=seeds,
            watermark=watermark,
            callBackUrl=callback_url,
        )
        return await self._run(self._flows.extend(order, idempotency_key))

    @overload
    async def upgrade(
        self,
        task_id: str | TaskRef,
        to: Literal["1080p"],
        *,
        index: int = 0,
        callback_url: None = None,
        idempotency_key: None = None,
        timeout: float | None = 1800.0,  # noqa: ASYNC109 - as in Filmgate
        on_progress: OnProgress | None = None,
        poll_interval: float | None = None,
    ) -> Film: ...

    @overload
    async def upgrade(
        self,
        task_id: str | TaskRef,
        to: Literal["4k"],
        *,
        index: int = 0,
        callback_url: str | None = None,
        idempotency_key: str | None = None,
        timeout: float | None = 1800.0,  # noqa: ASYNC109 - as in Filmgate
        on_progress: OnProgress | None = None,
        poll_interval: float | None = None,
    ) -> TaskRef: ...

    async def upgrade(
        self,
        task_id: str | TaskRef,
        to: str,
        *,
        index: int = 0,
        callback_url: str | None = None,
        idempotency_key: str | None = None,
        timeout: float | None = 1800.0,  # noqa: ASYNC109 - as in Filmgate
        on_progress: OnProgress | None = None,
        poll_interval: float | None = None,
    ) -> Film | TaskRef:
        """As Filmgate.upgrade."""
        if to == "4k":
            order = order_of({}, taskId=id_of(task_id), index=index, callBackUrl=callback_url)
            return await self._run(self._flows.upgrade_4k(order, idempotency_key))
        check_1080p(to, callback_url, idempotency_key)
        patience = Patience(timeout=timeout, on_progress=on_progress, poll_interval=poll_interval)
        return await self._run(self._flows.upgrade_1080p(id_of(task_id), index, patience))

    async def retrieve(self, task_id: str | TaskRef) -> Record:
        """As Filmgate.retrieve."""
        return await self._run(self._flows.retrieve(id_of(task_id)))

    async def wait(
        self,
        task_id: str | TaskRef,
        *,
        timeout: float | None = 1800.0,  # noqa: ASYNC109 - as in Filmgate
        on_progress: OnProgress | None = None,
        poll_interval: float | None = None,
    ) -> Record:
        """As Filmgate.wait; ``on_progress`` is a plain function."""
        patience = Patience(timeout=timeout, on_progress=on_progress, poll_interval=poll_interval)
        return await self._run(self._flows.wait(id_of(task_id), patience))

    async def cancel(self, task_id: str | TaskRef) -> None:
        """As Filmgate.cancel."""
        await self._run(self._flows.cancel(id_of(task_id)))

    async def tasks(
        self,
        *,
        state: str | None = None,
        model: str | None = None,
        kind: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> AsyncIterator[Record]:
        """As Filmgate.tasks, for ``async for``."""
        filters = filters_of(state, model, kind, since, until)
        page = await self._run(self._flows.page(filters, None))
        while True:
            for record in page.records:
                yield record
            if page.cursor is None:
                return
            page = await self._run(self._flows.page(filters, page.cursor))

    async def delete_media(self, task_id: str | TaskRef) -> None:
        """As Filmgate.delete_media."""
        await self._run(self._flows.delete_media(id_of(task_id)))

    async def download(
        self,
        film: Record | Film | str,
        path: str | os.PathLike[str],
        *,
        on_progress: Callable[[int, int | None], None] | None = None,
    ) -> Path:
        """As Filmgate.download; ``on_progress`` is a plain function, called in a thread."""
        return await self._run(self._flows.download(Fetch(address_of(film), Path(path), on_progress)))

    async def upload(self, file: File, *, name: str | None = None, upload_path: str = "filmgate") -> Upload:
        """As Filmgate.upload."""
        return await self._run(self._flows.upload(file, name, upload_path))

    async def models(self) -> tuple[Model, ...]:
        """As Filmgate.models."""
        return await self._run(self._flows.models())

    async def credits(self) -> float:
        """As Filmgate.credits."""
        return await self._run(self._flows.credits())

    async def download_url(self, url: str) -> str:
        """As Filmgate.download_url."""
        return await self._run(self._flows.download_url(url))

    async def create_and_wait(
        self,
        prompt: str,
        *,
        timeout: float | None = 1800.0,  # noqa: ASYNC109 - as in Filmgate
        on_progress: OnProgress | None = None,
        poll_interval: float | None = None,
        **order: Any,
    ) -> Record:
        """As Filmgate.create_and_wait."""
        task = await self.generate(prompt, **order)
        return await self.wait(task, timeout=timeout, on_progress=on_progress, poll_interval=poll_interval)

    async def close(self) -> None:
        """As Filmgate.close."""
        if self._owns_http:
            await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _run(self, flow: Flow[T]) -> T:
        try:
            effect = next(flow)
            while True:
                try:
                    outcome = await self._carry_out(effect)
                except FilmgateAPIError as error:
                    effect = flow.throw(error)
                else:
                    effect = flow.send(outcome)
        except StopIteration as end:
            return cast(T, end.value)

    async def _carry_out(self, effect: Effect) -> object:
        match effect:
            case Sleep():
                await anyio.sleep(effect.seconds)
                return None
            case Send():
                with plainly(effect.url):
                    return reply_of(await self._http.send(request_for(self._http, effect, self._timeout)))
            case SendFile():
                with plainly(effect.url), form_for(self._http, effect, self._timeout) as request:
                    return reply_of(await self._http.send(request))
            case Fetch():
                with plainly(effect.url):
                    return await self._fetch(effect)

    async def _fetch(self, fetch: Fetch) -> Path:
        async with self._http.stream("GET", fetch.url, **fetching(self._timeout)) as response:
            if response.status_code != 200:
                raise refusal(response)
            with landing(fetch.path, response.headers, fetch.on_progress) as take:
                async for piece in response.aiter_bytes():
                    await anyio.to_thread.run_sync(take, piece)
        return fetch.path
