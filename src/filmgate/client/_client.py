"""The two clients: one blocks, one is async. What they do is in ``_flow.py``; here it is carried out."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar, cast

import anyio
import anyio.to_thread
import httpx2

from .. import __version__
from ._errors import FilmgateAPIError, NotFound, Unauthenticated
from ._flow import Effect, Fetch, Flow, Flows, OnProgress, Send, Sleep
from ._http import LIMITS, fetching, plainly, refusal, reply_of, request_for
from ._landing import landing
from ._models import Record, TaskRef

T = TypeVar("T")

DEFAULT_URL = "http://127.0.0.1:8000"


class Filmgate:
    """A client for a Veo3 API server, Filmgate or hosted; blocking. Close it, or use it as a context manager.

    ``api_key`` and ``base_url`` default to the environment's FILMGATE_API_KEY and FILMGATE_URL; the URL then to
    http://127.0.0.1:8000. ``timeout`` is in seconds, for one request. ``max_retries`` is how often a request is
    repeated after a fault that may pass; an order is repeated only where it was certainly not taken. A ``http_client``
    that is handed in is used as it is and stays open.

    Raises Unauthenticated where there is no key.
    """

    def __init__(
        self,
        api_key: str | None = None,
        base_url: str | None = None,
        *,
        timeout: float = 60.0,
        max_retries: int = 3,
        http_client: httpx2.Client | None = None,
    ) -> None:
        self._flows = _flows(api_key, base_url, max_retries)
        self._timeout = timeout
        self._http = http_client or httpx2.Client(limits=LIMITS)
        self._owns_http = http_client is None

    def generate(
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
        image_urls: Sequence[str] | None = None,
        generation_type: str | None = None,
        enable_translation: bool | None = None,
        enable_fallback: bool | None = None,
        **extra: Any,
    ) -> TaskRef:
        """Order a film; returns at once.

        ``model`` is "veo3", "veo3_fast" or "veo3_lite"; ``aspect_ratio`` "16:9", "9:16" or "Auto"; ``resolution``
        "720p", "1080p" or "4k"; ``duration`` 4, 6 or 8 seconds; ``seeds`` one number from 10000 to 99999. What is left
        out is for the server to choose. ``extra`` fields are sent as they are.

        Raises InvalidRequest, InsufficientCredits, Unauthenticated, RateLimited, ServerError, ConnectionFailed or
        Timeout.
        """
        order = _order(
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
        return self._run(self._flows.generate(order))

    def retrieve(self, task_id: str | TaskRef) -> Record:
        """The task as it is now, ended or not. Raises NotFound for an unknown task."""
        return self._run(self._flows.retrieve(_id(task_id)))

    def wait(
        self,
        task_id: str | TaskRef,
        *,
        timeout: float | None = 1800.0,
        on_progress: OnProgress | None = None,
        poll_interval: float | None = None,
    ) -> Record:
        """Wait until the task has succeeded, and return its record.

        Asks after 1 second, then ever less often, down to every 10 seconds; every ``poll_interval`` seconds where that
        is given, and as the server wishes where it sends Retry-After. ``on_progress`` is called with every record.
        Passing faults are waited out. Raises TaskFailed, and Timeout after ``timeout`` seconds (None: never).
        """
        return self._run(self._flows.wait(_id(task_id), timeout, on_progress, poll_interval))

    def download(
        self,
        film: Record | str,
        path: str | os.PathLike[str],
        *,
        on_progress: Callable[[int, int | None], None] | None = None,
    ) -> Path:
        """Download a record's first film, or an address, to ``path``, replacing what is there; returns the path.

        The file appears when it is whole: nothing half-written stays behind. ``on_progress`` is called with the bytes
        received and the total, if known. Raises NotFound where there is no film, or none any more.
        """
        return self._run(self._flows.download(Fetch(_address(film), Path(path), on_progress)))

    def create_and_wait(
        self,
        prompt: str,
        *,
        timeout: float | None = 1800.0,
        on_progress: OnProgress | None = None,
        poll_interval: float | None = None,
        **order: Any,
    ) -> Record:
        """``generate`` and ``wait`` in one; ``order`` takes the other arguments of ``generate``."""
        task = self.generate(prompt, **order)
        return self.wait(task, timeout=timeout, on_progress=on_progress, poll_interval=poll_interval)

    def close(self) -> None:
        """Close the connections, unless they belong to a ``http_client`` that was handed in."""
        if self._owns_http:
            self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _run(self, flow: Flow[T]) -> T:
        try:
            effect = next(flow)
            while True:
                try:
                    outcome = self._carry_out(effect)
                except FilmgateAPIError as error:
                    effect = flow.throw(error)
                else:
                    effect = flow.send(outcome)
        except StopIteration as end:
            return cast(T, end.value)

    def _carry_out(self, effect: Effect) -> object:
        match effect:
            case Sleep():
                time.sleep(effect.seconds)
                return None
            case Send():
                with plainly(effect.url):
                    return reply_of(self._http.send(request_for(self._http, effect, self._timeout)))
            case Fetch():
                with plainly(effect.url):
                    return self._fetch(effect)

    def _fetch(self, fetch: Fetch) -> Path:
        with self._http.stream("GET", fetch.url, **fetching(self._timeout)) as response:
            if response.status_code != 200:
                raise refusal(response)
            with landing(fetch.path, response.headers, fetch.on_progress) as take:
                for piece in response.iter_bytes():
                    take(piece)
        return fetch.path


class AsyncFilmgate:
    """The same client for async programs: every method is that of Filmgate, awaited."""

    def __init__(
        self,
        api_key: str | None = None,
        base_url: str | None = None,
        *,
        timeout: float = 60.0,
        max_retries: int = 3,
        http_client: httpx2.AsyncClient | None = None,
    ) -> None:
        self._flows = _flows(api_key, base_url, max_retries)
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
        image_urls: Sequence[str] | None = None,
        generation_type: str | None = None,
        enable_translation: bool | None = None,
        enable_fallback: bool | None = None,
        **extra: Any,
    ) -> TaskRef:
        """As Filmgate.generate."""
        order = _order(
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
        return await self._run(self._flows.generate(order))

    async def retrieve(self, task_id: str | TaskRef) -> Record:
        """As Filmgate.retrieve."""
        return await self._run(self._flows.retrieve(_id(task_id)))

    async def wait(
        self,
        task_id: str | TaskRef,
        *,
        timeout: float | None = 1800.0,  # noqa: ASYNC109 - as in Filmgate
        on_progress: OnProgress | None = None,
        poll_interval: float | None = None,
    ) -> Record:
        """As Filmgate.wait; ``on_progress`` is a plain function."""
        return await self._run(self._flows.wait(_id(task_id), timeout, on_progress, poll_interval))

    async def download(
        self,
        film: Record | str,
        path: str | os.PathLike[str],
        *,
        on_progress: Callable[[int, int | None], None] | None = None,
    ) -> Path:
        """As Filmgate.download; ``on_progress`` is a plain function, called in a thread."""
        return await self._run(self._flows.download(Fetch(_address(film), Path(path), on_progress)))

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


# ---------------------------------------------------------------- shared ------------------------------------------


def _flows(api_key: str | None, base_url: str | None, max_retries: int) -> Flows:
    key = api_key or os.environ.get("FILMGATE_API_KEY")
    if not key:
        raise Unauthenticated("There is no API key: pass api_key, or set FILMGATE_API_KEY.")
    if not key.isascii() or not key.isprintable() or " " in key:  # a header cannot carry it
        raise Unauthenticated("The API key has characters that no key has: printable ASCII only, and no spaces.")
    url = base_url or os.environ.get("FILMGATE_URL") or DEFAULT_URL
    return Flows(url.rstrip("/"), key, f"filmgate-python/{__version__}", max_retries)


def _order(extra: Mapping[str, Any], **said: object) -> Mapping[str, Any]:
    """The request's body; what was not said is left out."""
    return {name: value for name, value in said.items() if value is not None} | dict(extra)


def _id(task: str | TaskRef) -> str:
    return task.task_id if isinstance(task, TaskRef) else task


def _address(film: Record | str) -> str:
    if isinstance(film, str):
        return film
    if not film.result_urls:
        raise NotFound(f"Task {film.task_id} has no film to download; its state is {film.state}.")
    return film.result_urls[0]
