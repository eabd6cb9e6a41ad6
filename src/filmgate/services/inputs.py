"""What an order needs before a slot can begin: images fetched and checked, the film that is extended or upgraded.

Everything ends up as a local file in the attempt's own folder, so that a slot never calls an address.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ..domain.errors import AddressRefused, InputUnreachable, InputUnusable, Unreachable
from ..domain.spec import AspectRatio
from ..domain.task import Artifact, Lease, Role, Task
from ..net.landing import Oversized, new_file, write
from ..net.outbound import Outbound
from ..ports import Clock, Order, Slots, Storage, TaskStore, Work
from .uploads import belongs

#: What clients of this API know, and match, when an image cannot be had.
UNREACHABLE = "Failed to fetch the image. Kindly verify any access limits set by you or your service provider."

_IMAGE_CAP = 10 * 1024 * 1024
_FETCH_S = 30.0

KeyOf = Callable[[str, int], str | None]  #: (address, now in ms) -> the storage key behind a link of ours


class Inputs:
    """Gathers the inputs of an attempt."""

    def __init__(
        self, tasks: TaskStore, storage: Storage, slots: Slots, outbound: Outbound, key_of: KeyOf, clock: Clock
    ) -> None:
        self._tasks = tasks
        self._storage = storage
        self._slots = slots
        self._outbound = outbound
        self._key_of = key_of
        self._clock = clock

    async def gather(self, lease: Lease, order: Order, report: Callable[[float, str], None]) -> Order:
        """The order with local files in it, and with a real aspect ratio. Raises InputUnreachable."""
        if order.spec.source_id is not None:
            return await self._with_source(order, order.spec.source_id)
        if order.spec.images:
            return await self._with_images(lease.task, order, report)
        return order

    async def again(self, lease: Lease, order: Order) -> Order:
        """As ``gather``, for an order that was gathered by an attempt before, from what that one has kept."""
        if order.spec.source_id is not None:
            return await self._with_source(order, order.spec.source_id)
        kept = lease.task.artifacts_of(Role.INPUT)
        images = [await self._copied(image, order.workdir / _name(image)) for image in kept]
        return replace(order, images=tuple(images))

    # ------------------------------------------------------------ the film that is extended or upgraded

    async def _with_source(self, order: Order, source_id: str) -> Order:
        source = await self._tasks.get(source_id)
        film = (source.artifacts_of(Role.FULL) or source.artifacts_of(Role.RESULT))[order.spec.index]
        images = source.artifacts_of(Role.INPUT)
        return replace(
            order,
            source=await self._copied(film, order.workdir / "source.mp4"),
            images=tuple([await self._copied(image, order.workdir / _name(image)) for image in images]),
            state=await self._tasks.state_of(source_id),
        )

    async def _copied(self, artifact: Artifact, path: Path) -> Path:
        if not await self._copy(artifact.key, path):
            raise InputUnusable("The film of the task that this one is made from is no longer stored.")
        return path

    # ------------------------------------------------------------ images

    async def _with_images(self, task: Task, order: Order, report: Callable[[float, str], None]) -> Order:
        report(0.0, "fetching the images")
        raw = [order.workdir / f"image-{number}.raw" for number, _ in enumerate(order.spec.images, 1)]
        for url, path in zip(order.spec.images, raw, strict=True):
            await self._fetch(task.origin.account_id, url, path)
        checked = await self._slots.media(replace(order, work=Work.IMAGES, images=tuple(raw)), report)
        spec = order.spec
        if spec.aspect_ratio is AspectRatio.AUTO:
            upright = checked[0].height > checked[0].width
            spec = replace(spec, aspect_ratio=AspectRatio.PORTRAIT if upright else AspectRatio.LANDSCAPE)
        return replace(order, spec=spec, images=tuple(image.path for image in checked))

    async def _fetch(self, account_id: str, url: str, path: Path) -> None:
        """From our own storage where the address is a link of ours to a file of the same account, else over HTTP."""
        key = self._key_of(url, self._clock.now_ms())
        if key is not None and await belongs(self._tasks, key, account_id):
            if not await self._copy(key, path, cap=_IMAGE_CAP):
                raise InputUnreachable(UNREACHABLE)
            return
        try:
            await self._outbound.fetch(url, path, timeout_s=_FETCH_S, cap=_IMAGE_CAP, accept="image/*")
        except Oversized as error:
            raise InputUnusable(f"Images size exceeds limit: {error}") from error
        except (AddressRefused, Unreachable) as error:
            raise InputUnreachable(f"{UNREACHABLE} ({error})") from error

    async def _copy(self, key: str, path: Path, cap: int | None = None) -> bool:
        """False where there is no such file, or no longer. Raises InputUnreachable for one that is too large."""
        stored = await self._storage.open(key)
        if stored is None:
            return False
        if cap is not None and stored.size > cap:
            raise InputUnusable(f"Images size exceeds limit: an image may have {cap // 1024 // 1024} MiB.")
        try:
            async with new_file(path) as file:
                async for part in stored.read(0, stored.size):
                    await write(file, part)
        except FileNotFoundError:  # removed since it was opened
            return False
        return True


def _name(image: Artifact) -> str:
    return image.key.rpartition("/")[2]
