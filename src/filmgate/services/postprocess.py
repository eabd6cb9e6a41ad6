"""From an engine's clip to stored artifacts: checked, watermarked, with a poster, durable."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from ..domain.spec import Kind
from ..domain.task import Artifact, Lease, Role
from ..ports import Clip, Clock, Finished, Order, Slots, Storage, Work

_LONGEST_PUT_MS = 3_600_000


class Postprocess:
    """Runs in the runner; the pixel work is done by the media slot. Storage keys hold task and attempt, so that an
    attempt that lost its lease can never overwrite the film of the one that won."""

    def __init__(self, slots: Slots, storage: Storage, clock: Clock, media_kept_ms: int) -> None:
        self._slots = slots
        self._storage = storage
        self._clock = clock
        self._media_kept_ms = media_kept_ms

    async def __call__(
        self, lease: Lease, order: Order, clip: Clip, report: Callable[[float, str], None]
    ) -> Sequence[Artifact]:
        """Raises OutputUnusable, StorageUnavailable, or what a slot raises."""
        finishing = replace(await self._fitted(order, clip, report), work=Work.FINISH)
        files = [*await self._slots.media(finishing, report)]
        if order.spec.kind is Kind.EXTEND:
            files += await self._slots.media(replace(order, work=Work.JOIN, clip=files[0].path), report)
        files += [_input(image) for image in order.images]
        expires_ms = self._clock.now_ms() + self._media_kept_ms
        return [await self._store(lease, file, expires_ms) for file in files]

    async def _fitted(self, order: Order, clip: Clip, report: Callable[[float, str], None]) -> Order:
        """The order with the film as it was ordered, of an engine that keeps to sizes and lengths of its own."""
        goes_on = clip.whole and order.spec.kind is Kind.EXTEND
        order = replace(order, clip=clip.path)
        if not (clip.rough or goes_on):
            return order
        fitting = replace(order, work=Work.FIT, source=order.source if goes_on else None)
        (fitted,) = await self._slots.media(fitting, report)
        added = round(fitted.seconds) if goes_on else order.spec.seconds  # for the engine to say
        return replace(order, clip=fitted.path, spec=replace(order.spec, seconds=added))

    async def keep_inputs(self, lease: Lease, images: Sequence[Path]) -> Sequence[Artifact]:
        """Copies of the images of an order that goes elsewhere, so that a later attempt has them."""
        copies = [image.with_name(f"kept-{image.name}") for image in images]
        for image, copy in zip(images, copies, strict=True):
            await asyncio.to_thread(shutil.copyfile, image, copy)
        expires_ms = self._clock.now_ms() + self._media_kept_ms
        return [await self._store(lease, _input(copy), expires_ms) for copy in copies]

    async def sweep(self) -> None:
        """Remove what interrupted puts have left in the storage. Others may be putting: theirs are younger."""
        await self._storage.sweep(_LONGEST_PUT_MS)

    async def discard(self, prefix: str, *, but: Sequence[Artifact]) -> None:
        """Remove what is stored under a prefix, except these, and what puts there have not brought to their end."""
        kept = {artifact.key for artifact in but}
        for key in await self._storage.keys(prefix):
            if key not in kept:
                await self._storage.delete(key)
        await self._storage.sweep(prefix=prefix)

    async def _store(self, lease: Lease, file: Finished, expires_ms: int) -> Artifact:
        key = f"{lease.task.id}/{lease.attempt}/{file.path.name}"
        size = _size(file.path)
        await self._storage.put(key, file.path)
        return Artifact(
            role=file.role,
            key=key,
            mime=file.mime,
            bytes=size,
            width=file.width,
            height=file.height,
            seconds=file.seconds,
            has_audio=file.has_audio,
            expires_ms=expires_ms,
        )


def _input(image: Path) -> Finished:
    """An image of the order: kept, since an upgrade or an extension of the film needs it again."""
    return Finished(image, Role.INPUT, "image/png", 0, 0)


def _size(path: Path) -> int:
    return path.stat().st_size
