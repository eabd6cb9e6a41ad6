"""Where the dialects that take orders meet the services: who asks, what is asked, and in which edition it is told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from starlette.requests import Request

from ..domain.errors import FeatureOff, TaskNotFound, UnderMaintenance
from ..domain.features import Feature
from ..domain.forecast import Outlook
from ..domain.offer import Offer
from ..domain.spec import Kind, Spec
from ..domain.task import OrderKey, Task
from ..ports import Caller, Clock, FeatureStore, TaskStore
from ..services.cancel import Cancel
from ..services.derive import Derive
from ..services.remove import RemoveMedia
from ..storage.links import Links
from .auth import Authenticate
from .edition import Edition
from .events import Watchers
from .fields import CheckAddress
from .films import check_films, check_told, shown
from .listing import Listing, cursor_of
from .orders import Checks, Enlargement, Extension
from .pace import Pace


class Submit(Protocol):
    async def __call__(
        self, caller: Caller, spec: Spec, *, dialect: str, public_base: str, order_key: OrderKey | None
    ) -> Task: ...


@dataclass(frozen=True, slots=True)
class Desk:
    """The same one serves every such dialect. ``check_address`` raises AddressRefused for a guarded address."""

    submit: Submit
    derive: Derive
    cancel: Cancel
    remove_media: RemoveMedia
    tasks: TaskStore
    clock: Clock
    links: Links
    features: FeatureStore
    edition: Edition  #: the server's; keys change single switches of it
    authenticate: Authenticate
    check_address: CheckAddress
    public_base: Callable[[Request], str]
    offers: Callable[[], Sequence[Offer]]  #: what may be ordered, model by model
    outlook: Callable[[Task], Awaitable[Outlook]]
    watchers: Watchers
    pace: Pace = field(default_factory=Pace)

    @property
    def checks(self) -> Checks:
        """Links of our own may be used as images wherever this server lives: they are not called, but read."""
        return Checks(callback=self.check_address, image=self._check_image)

    async def admit(self, request: Request, *features: Feature, maintained: bool = True) -> Caller:
        """Who asks, where what is asked for is open. Raises Unauthenticated, UnderMaintenance or FeatureOff.

        ``maintained`` is False for the addresses that answer during maintenance too.
        """
        caller = await self.authenticate(request)
        is_on = await self.features.all()
        if maintained and is_on[Feature.MAINTENANCE]:
            raise UnderMaintenance
        if not all(is_on[feature] for feature in features):
            raise FeatureOff
        return caller

    async def check_on(self, feature: Feature) -> None:
        """Raises FeatureOff for what the operator has switched off."""
        if not await self.features.is_on(feature):
            raise FeatureOff

    def edition_of(self, caller: Caller) -> Edition:
        return self.edition.merged(caller.edition)

    def count(self, caller: Caller, task_id: str) -> None:
        """One more question about a task. Raises TooManyRequests."""
        self.pace.count((caller.account_id, task_id), self.clock.now_ms())

    async def record(self, caller: Caller, task_id: str) -> Task:
        """Raises TaskNotFound, and SourceUnusable for a film of long ago, or one that was deleted."""
        task = await self.tasks.get(task_id, caller.account_id)
        check_told(task, self.clock.now_ms())
        return task

    async def page(self, caller: Caller, asked: Listing) -> tuple[list[Task], str | None]:
        """Some tasks of the caller's account, and where the next ones are."""
        page = await self.tasks.page(caller.account_id, asked.sought, before=asked.before, limit=asked.limit)
        now = self.clock.now_ms()
        return [shown(task, now) for task in page.tasks], cursor_of(page.before)

    async def extend(
        self, caller: Caller, order: Extension, *, dialect: str, public_base: str, order_key: OrderKey | None = None
    ) -> Task:
        return await self.derive.extend(
            caller,
            order.source_id,
            order.prompt,
            model=order.model,
            seed=order.seed,
            watermark=order.watermark,
            callback_url=order.callback_url,
            dialect=dialect,
            public_base=public_base,
            order_key=order_key,
        )

    async def enlarge(
        self,
        caller: Caller,
        order: Enlargement,
        kind: Kind,
        *,
        dialect: str,
        public_base: str,
        order_key: OrderKey | None = None,
    ) -> tuple[Task, bool]:
        """The upgrade that there is, or a new one; and whether it is new, or was when it was ordered by this key."""
        if (known := await self._ordered(caller, order_key)) is not None:
            return known, True
        order = await self._of_the_film(caller, order, kind)
        made = await self.derive.upgrade(
            caller,
            order.source_id,
            kind,
            order.index,
            callback_url=order.callback_url,
            dialect=dialect,
            public_base=public_base,
            order_key=order_key,
        )
        assert made.task is not None  # only ``find_upgrade`` finds none
        check_films(made.task, self.clock.now_ms())
        return made.task, made.fresh or await self._ordered(caller, order_key) is not None

    async def _ordered(self, caller: Caller, order_key: OrderKey | None) -> Task | None:
        return None if order_key is None else await self.tasks.ordered(caller.account_id, order_key)

    async def enlarged(self, caller: Caller, order: Enlargement, kind: Kind) -> Task:
        """The upgrade that somebody has asked for. Raises TaskNotFound where nobody has."""
        order = await self._of_the_film(caller, order, kind)
        found = await self.derive.find_upgrade(caller, order.source_id, kind, order.index)
        if found.task is None:
            raise TaskNotFound("Nobody has asked for that version of this film yet.")
        check_films(found.task, self.clock.now_ms())
        return found.task

    async def _of_the_film(self, caller: Caller, order: Enlargement, kind: Kind) -> Enlargement:
        """The order by the task of the film: clients also name the upgrade itself, which they have stored instead."""
        task = await self.tasks.get(order.source_id, caller.account_id)
        check_films(task, self.clock.now_ms())
        if task.spec.kind is kind and task.spec.source_id is not None:
            return replace(order, source_id=task.spec.source_id, index=task.spec.index)
        return order

    def _check_image(self, url: str) -> None:
        if self.links.key_of(url, self.clock.now_ms()) is None:
            self.check_address(url)
