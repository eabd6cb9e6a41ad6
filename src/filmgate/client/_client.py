"""The client that blocks. What it does is in ``_flow.py``; here it is carried out."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, TypeVar, cast, overload

import httpx2

from ._calls import address_of, check_1080p, filters_of, flows_for, id_of, order_of
from ._effects import Effect, Fetch, Flow, Send, SendFile, Sleep
from ._errors import FilmgateAPIError
from ._flow import File, OnProgress, Patience
from ._http import LIMITS, fetching, form_for, plainly, refusal, reply_of, request_for
from ._landing import landing
from ._models import Film, Model, Record, TaskRef, Upload

T = TypeVar("T")


class Filmgate:
    """A client for a Veo3 API server, Filmgate or hosted; blocking. Close it, or use it as a context manager.

    ``api_key`` and ``base_url`` default to the environment's FILMGATE_API_KEY and FILMGATE_URL; the URL then to
    http://127.0.0.1:8000. ``timeout`` is in seconds, for one request. ``max_retries`` is how often a request is
    repeated after a fault that may pass; an order only where it was certainly not taken, or where the server takes it
    once however often it comes. ``upload_url`` is
    for servers that take files at another address. A ``http_client`` that is handed in is used as it is and stays open.

    Raises Unauthenticated where there is no key.
    """

    def __init__(
        self,
        api_key: str | None = None,
        base_url: str | None = None,
        *,
        timeout: float = 60.0,
        max_retries: int = 3,
        upload_url: str | None = None,
        http_client: httpx2.Client | None = None,
    ) -> None:
        self._flows = flows_for(api_key, base_url, max_retries, upload_url)
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
        images: Sequence[File] = (),
        image_urls: Sequence[str] | None = None,
        generation_type: str | None = None,
        enable_translation: bool | None = None,
        enable_fallback: bool | None = None,
        idempotency_key: str | None = None,
        **extra: Any,
    ) -> TaskRef:
        """Order a film; returns at once.

        ``model`` is "veo3", "veo3_fast" or "veo3_lite"; ``aspect_ratio`` "16:9", "9:16" or "Auto"; ``resolution``
        "720p", "1080p" or "4k"; ``duration`` 4, 6 or 8 seconds; ``seeds`` one number from 10000 to 99999. What is left
        out is for the server to choose. ``extra`` fields are sent as they are.

        ``images`` are addresses, or files of this machine (a path, or the bytes), which are uploaded first. With one or
        two of them the film begins and ends with them; three are what appears in it; ``generation_type`` says
        otherwise: "FIRST_AND_LAST_FRAMES_2_VIDEO" or "REFERENCE_2_VIDEO". ``image_urls`` takes addresses alone.

        Each order carries a key of its own, under which a Filmgate server takes it once, however often it is sent; so
        it is sent again where the connection broke. With an ``idempotency_key`` of yours, an order is the same one in
        another process too, for a day.

        Raises InvalidRequest, InsufficientCredits, Unauthenticated, RateLimited, ServerError, ConnectionFailed or
        Timeout.
        """
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
        return self._run(self._flows.generate(order, images, idempotency_key))

    def extend(
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
        """Order a film that continues that of a task; returns at once.

        ``model`` is "fast", "quality" or "lite", or a model's own name. The record of the new task has the new part in
        ``result_urls``, and both parts in one film in ``full_result_urls``.

        Raises NotFound for an unknown task, InvalidRequest where its film is not ready, and what ``generate`` raises.
        """
        order = order_of(
            extra,
            taskId=id_of(task_id),
            prompt=prompt,
            model=model,
            seeds=seeds,
            watermark=watermark,
            callBackUrl=callback_url,
        )
        return self._run(self._flows.extend(order, idempotency_key))

    @overload
    def upgrade(
        self,
        task_id: str | TaskRef,
        to: Literal["1080p"],
        *,
        index: int = 0,
        callback_url: None = None,
        idempotency_key: None = None,
        timeout: float | None = 1800.0,
        on_progress: OnProgress | None = None,
        poll_interval: float | None = None,
    ) -> Film: ...

    @overload
    def upgrade(
        self,
        task_id: str | TaskRef,
        to: Literal["4k"],
        *,
        index: int = 0,
        callback_url: str | None = None,
        idempotency_key: str | None = None,
        timeout: float | None = 1800.0,
        on_progress: OnProgress | None = None,
        poll_interval: float | None = None,
    ) -> TaskRef: ...

    def upgrade(
        self,
        task_id: str | TaskRef,
        to: str,
        *,
        index: int = 0,
        callback_url: str | None = None,
        idempotency_key: str | None = None,
        timeout: float | None = 1800.0,
        on_progress: OnProgress | None = None,
        poll_interval: float | None = None,
    ) -> Film | TaskRef:
        """A larger version of the ``index``-th film of a task.

        To "4k": orders it and returns at once; the task that is returned makes it, and is waited for as any other.
        Asking again gives the same task. To "1080p": waits until the film is there, as ``wait`` does, and returns it:
        in the API a 1080p version is asked for until it is ready. ``callback_url`` and ``idempotency_key`` are
        for 4K; the last three are for 1080p.

        Raises NotFound for an unknown task, InvalidRequest where there is no such film, and what ``generate`` and
        ``wait`` raise.
        """
        if to == "4k":
            order = order_of({}, taskId=id_of(task_id), index=index, callBackUrl=callback_url)
            return self._run(self._flows.upgrade_4k(order, idempotency_key))
        check_1080p(to, callback_url, idempotency_key)
        patience = Patience(timeout=timeout, on_progress=on_progress, poll_interval=poll_interval)
        return self._run(self._flows.upgrade_1080p(id_of(task_id), index, patience))

    def retrieve(self, task_id: str | TaskRef) -> Record:
        """The task as it is now, ended or not. Raises NotFound for an unknown task."""
        return self._run(self._flows.retrieve(id_of(task_id)))

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
        patience = Patience(timeout=timeout, on_progress=on_progress, poll_interval=poll_interval)
        return self._run(self._flows.wait(id_of(task_id), patience))

    def cancel(self, task_id: str | TaskRef) -> None:
        """Cancel a task that is queued or being made: it ends as refused, and its credits are given back.

        Cancelling twice does no harm. Raises NotFound for an unknown task, InvalidRequest for one that has ended
        otherwise.
        """
        self._run(self._flows.cancel(id_of(task_id)))

    def tasks(
        self,
        *,
        state: str | None = None,
        model: str | None = None,
        kind: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Iterator[Record]:
        """Go through the tasks of this key's account, the newest first; what is ordered meanwhile is not among them.

        ``state`` is "waiting", "generating", "success" or "fail"; ``kind`` "generate", "extend", "upgrade_1080p" or
        "upgrade_4k"; ``since`` and ``until`` are times of creation. Asks the server for 100 at a time, while you go.
        """
        filters = filters_of(state, model, kind, since, until)
        page = self._run(self._flows.page(filters, None))
        while True:
            yield from page.records
            if page.cursor is None:
                return
            page = self._run(self._flows.page(filters, page.cursor))

    def delete_media(self, task_id: str | TaskRef) -> None:
        """Delete the stored files of a task that has ended. Its links are dead at once, nothing can be made from its
        films any more, and its record says so. Deleting twice does no harm.

        Raises NotFound for an unknown task, InvalidRequest for one that has not ended.
        """
        self._run(self._flows.delete_media(id_of(task_id)))

    def download(
        self,
        film: Record | Film | str,
        path: str | os.PathLike[str],
        *,
        on_progress: Callable[[int, int | None], None] | None = None,
    ) -> Path:
        """Download a film, or an address, to ``path``, replacing what is there; returns the path.

        Of a record it is the first film; of an extension the whole one, where the server has it.

        The file appears when it is whole: nothing half-written stays behind. ``on_progress`` is called with the bytes
        received and the total, if known. Raises NotFound where there is no film, or none any more.
        """
        return self._run(self._flows.download(Fetch(address_of(film), Path(path), on_progress)))

    def upload(self, file: File, *, name: str | None = None, upload_path: str = "filmgate") -> Upload:
        """Send an image (a path, or its bytes) to the server, which keeps it for some days; ``url`` goes into an order.

        A file of the same ``upload_path`` and ``name`` is replaced; without a ``name`` the server makes one up, and
        nothing is replaced. Files are read while they are sent.

        Raises InvalidRequest where the file cannot be read or the server refuses it, and what ``generate`` raises.
        """
        return self._run(self._flows.upload(file, name, upload_path))

    def models(self) -> tuple[Model, ...]:
        """What may be ordered, model by model, and what it costs. Raises NotFound where a server does not say that."""
        return self._run(self._flows.models())

    def credits(self) -> float:
        """What is left in the account of this key."""
        return self._run(self._flows.credits())

    def download_url(self, url: str) -> str:
        """An address for a file of the server that works for a short time (20 minutes) without a key.

        Raises InvalidRequest for an address that is not the server's own.
        """
        return self._run(self._flows.download_url(url))

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
            case SendFile():
                with plainly(effect.url), form_for(self._http, effect, self._timeout) as request:
                    return reply_of(self._http.send(request))
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
