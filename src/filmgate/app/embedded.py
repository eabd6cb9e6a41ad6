"""One film without a server: the same store, runner and slots, in this process and a folder that is gone afterwards."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from ..domain.errors import IllegalTransition, task_error
from ..domain.spec import Spec
from ..domain.task import Role, Status, Task
from ..ports import Caller
from ..services.accounts import FIRST_ACCOUNT, first_start
from ..settings import Settings
from .api import submitter, uploads_of
from .parts import Parts, operator
from .worker import workshop

_OWNER = "embedded"
_CALLER = Caller(FIRST_ACCOUNT, "embedded")
_BASE = "http://localhost"  #: of links that nobody follows
_LOOK_S = 0.1  #: between two looks at the progress


@dataclass(frozen=True)
class Made:
    path: Path
    task: Task


def generate_embedded(
    settings: Settings,
    spec: Spec,
    out: Path,
    report: Callable[[float, str], None],
    *,
    images: Sequence[Path | str] = (),
    log_to: int | None = None,
) -> Made:
    """Make one film and write it to ``out``. The data directory is not touched.

    ``images`` are those of the order: files of this machine, or addresses, which are called as a server would.
    ``log_to`` is a file descriptor for what engines print; None is standard error.

    Raises what an order can raise before there is a task (InvalidRequest and its kin), EngineUnavailable, and the
    TaskError that the task ended in.
    """
    return asyncio.run(_generate(settings, spec, out, report, images, log_to))


async def _generate(
    settings: Settings,
    spec: Spec,
    out: Path,
    report: Callable[[float, str], None],
    images: Sequence[Path | str],
    log_to: int | None,
) -> Made:
    with tempfile.TemporaryDirectory(prefix="filmgate-") as folder:
        private = replace(settings, data=Path(folder), database_url=None, storage_url=None)
        async with operator(private) as parts:
            await parts.storage.begin()
            await first_start(parts.accounts, parts.clock, None)
            if images:
                spec = replace(spec, images=await _addresses(parts, images))
            task = await _run(parts, spec, report, log_to)
            if task.failure is not None:
                raise task_error(task.failure.slug, task.failure.sentence)
            film = Path(folder) / "media" / task.artifacts_of(Role.RESULT)[0].key
            await asyncio.to_thread(shutil.copyfile, film, out)
            return Made(out, task)


async def _addresses(parts: Parts, images: Sequence[Path | str]) -> tuple[str, ...]:
    return tuple([await _link(parts, image) if isinstance(image, Path) else image for image in images])


async def _link(parts: Parts, image: Path) -> str:
    """Of an upload, which is read from the storage: there is no server that could be asked for it."""
    uploads = uploads_of(parts)
    async with uploads.incoming() as path:
        await asyncio.to_thread(shutil.copyfile, image, path)
        kept = await uploads.keep(_CALLER.account_id, path, path="", name=None, original=image.name)
    return parts.links.link(_BASE, kept.key, kept.expires_ms, kept.name)


async def _run(parts: Parts, spec: Spec, report: Callable[[float, str], None], log_to: int | None) -> Task:
    ended = asyncio.Event()
    report(0.0, "loading the engine")
    async with workshop(parts, _OWNER, ended.set, log_to=log_to) as shop:
        submit = submitter(parts, shop.runner.nudge)
        task = await submit(_CALLER, spec, dialect="veo3", public_base=_BASE)
        running = asyncio.create_task(shop.runner.run())
        try:
            return await _watch(shop.runner.progress, parts, task.id, ended, running, report)
        finally:
            with suppress(IllegalTransition):  # interrupted: nobody will ever fetch it
                await parts.tasks.cancel(task.id)
                await shop.runner.cancel_elsewhere()
            await shop.runner.drain(0)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


async def _watch(
    progress: Callable[[str], tuple[float, str] | None],
    parts: Parts,
    task_id: str,
    ended: asyncio.Event,
    running: asyncio.Task[None],
    report: Callable[[float, str], None],
) -> Task:
    """Report until the task has ended. Raises what ended the runner, should it not live to see that."""
    while True:
        if running.done():
            running.result()
        task = await parts.tasks.get(task_id)
        if task.status.ended:
            return task
        if (now := progress(task_id)) is not None:
            report(*now)
        elif task.status is Status.WAITING:
            report(task.progress, task.stage)
        try:
            async with asyncio.timeout(_LOOK_S):
                await ended.wait()
            ended.clear()
        except TimeoutError:
            continue
