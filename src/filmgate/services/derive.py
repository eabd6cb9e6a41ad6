"""From a film to the order of another one: extensions, and the same film larger. Both are tasks of their own.

A film is enlarged once: whoever asks again is given the same task, and pays nothing for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from ..domain.credits import Prices, price
from ..domain.errors import (
    AlreadyThere,
    InvalidRequest,
    NoSuchResult,
    SourceNotFound,
    SourceNotReady,
    SourceUnusable,
    TaskNotFound,
    Unsupported,
    UnsupportedModel,
)
from ..domain.routing import Capabilities, Route, choose
from ..domain.spec import AspectRatio, Kind, Resolution, Spec
from ..domain.task import Artifact, OrderKey, Origin, Role, Status, Task
from ..ports import Caller, Clock, TaskStore
from .submit import Nudge

_TARGETS = {Kind.UPGRADE_1080P: Resolution.P1080, Kind.UPGRADE_4K: Resolution.K4}

#: The 1080p version is ordered and asked for by the same request. Who goes on asking is told of a failure for so long;
#: without that the version would be ordered anew by each look, and look as if it were still being made.
FAILURE_TOLD_MS = 60_000


@dataclass(frozen=True)
class Upgrade:
    """The task whose film is the larger one, if there is one; ``fresh`` where this very call has made it."""

    task: Task | None
    fresh: bool = False


class Derive:
    """Orders films that are made from a film of the same account."""

    def __init__(
        self,
        store: TaskStore,
        clock: Clock,
        new_id: Callable[[], str],
        new_seed: Callable[[], int],
        routes: Mapping[str, Route],
        capabilities: Callable[[str], Capabilities],
        prices: Prices,
        nudge: Nudge,
        check_room: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._new_id = new_id
        self._new_seed = new_seed
        self._routes = routes
        self._capabilities = capabilities
        self._prices = prices
        self._nudge = nudge
        self._check_room = check_room  #: raises QueueFull where nothing new is taken

    async def extend(
        self,
        caller: Caller,
        source_id: str,
        prompt: str,
        *,
        model: str | None = None,
        seed: int | None = None,
        watermark: str | None = None,
        callback_url: str | None = None,
        dialect: str,
        public_base: str,
        order_key: OrderKey | None = None,
    ) -> Task:
        """A film that continues another; model and seed are those of the source where none are given.

        Raises SourceNotFound, SourceNotReady, NoSuchResult, SourceUnusable for an enlarged film, UnsupportedModel,
        InvalidRequest (no engine can do it), KeyReused, InsufficientCredits, TooManyRequests or KeySpent: nothing is
        stored.
        """
        if order_key is not None and (known := await self._store.ordered(caller.account_id, order_key)) is not None:
            return known
        try:
            source = await self._store.get(source_id, caller.account_id)
        except TaskNotFound as error:
            raise SourceNotFound from error
        if source.spec.kind.is_upgrade:
            raise SourceUnusable("An enlarged film cannot be extended: extend the one that it was made from.")
        film = _film(source, 0)
        spec = Spec(
            prompt=prompt,
            model=model or source.spec.model,
            kind=Kind.EXTEND,
            aspect_ratio=_aspect_ratio(film),
            resolution=_resolution(source, film),
            seconds=source.spec.seconds,
            seed=self._seed(seed, source),
            watermark=watermark,
            callback_url=callback_url,
            source_id=source.id,
        )
        self._check_route(spec.model)
        self._check_engines(spec, source)
        self._check_kept(film)
        self._check_room()
        task = self._task(caller, spec, dialect, public_base)
        taken = await self._store.submit(task, caller.caps, order_key)
        self._nudge()
        return taken

    async def upgrade(
        self,
        caller: Caller,
        source_id: str,
        kind: Kind,
        index: int = 0,
        *,
        callback_url: str | None = None,
        dialect: str,
        public_base: str,
        order_key: OrderKey | None = None,
    ) -> Upgrade:
        """The task that enlarges film ``index`` of a task: the one that there is, or else a new one.

        It is the source itself where that is large enough. Raises TaskNotFound, SourceNotReady, NoSuchResult,
        AlreadyThere for a fallback's film at 1080p, UnsupportedModel, KeyReused, InsufficientCredits, TooManyRequests
        or KeySpent: nothing is stored.
        """
        source, index = await self._source(caller, source_id, kind, index)
        known = await self._known(source, kind, index)
        if known is not None:
            return Upgrade(known)
        film = _film(source, index)
        self._check_kept(film)
        self._check_route(source.spec.model)
        spec = replace(
            source.spec,
            kind=kind,
            aspect_ratio=_aspect_ratio(film),
            resolution=_TARGETS[kind],
            seed=self._seed(None, source),
            callback_url=callback_url,
            source_id=source.id,
            index=index,
        )
        self._check_room()
        task = self._task(caller, spec, dialect, public_base)
        kept = await self._store.submit_once(task, caller.caps, order_key)
        if kept.id == task.id:
            self._nudge()
        return Upgrade(kept, fresh=kept.id == task.id)

    async def find_upgrade(self, caller: Caller, source_id: str, kind: Kind, index: int = 0) -> Upgrade:
        """As ``upgrade``, without ever making a task; ``task`` is None where nobody has asked for one."""
        source, index = await self._source(caller, source_id, kind, index)
        return Upgrade(await self._known(source, kind, index))

    async def _source(self, caller: Caller, task_id: str, kind: Kind, index: int) -> tuple[Task, int]:
        """The task whose film is to be enlarged, and which of its films.

        For a film that was enlarged before, that is what it was made from: enlarging twice would look worse, and would
        charge for a second film of the same size.
        """
        asked = await self._store.get(task_id, caller.account_id)
        film = _film(asked, index)
        if asked.spec.source_id is None or not asked.spec.kind.is_upgrade or _large_enough(film, kind):
            return asked, index
        try:
            return await self._store.get(asked.spec.source_id, caller.account_id), asked.spec.index
        except TaskNotFound:  # forgotten already
            return asked, index

    async def _known(self, source: Task, kind: Kind, index: int) -> Task | None:
        """What can be given without making anything."""
        if kind is Kind.UPGRADE_1080P and source.fallback_used:
            raise AlreadyThere("This film was made by the fallback engine and cannot be enlarged to 1080p.")
        if _large_enough(_film(source, index), kind):
            return source
        polled = kind is Kind.UPGRADE_1080P
        since = self._clock.now_ms() - FAILURE_TOLD_MS if polled else None
        return await self._store.upgrade_of(source.id, kind, index, since)

    def _check_kept(self, film: Artifact) -> None:
        if film.expires_ms <= self._clock.now_ms():
            raise NoSuchResult("The film of that task has expired and is no longer stored: make it again.")

    def _check_route(self, model: str) -> None:
        if model not in self._routes:
            known = ", ".join(sorted(self._routes))
            raise UnsupportedModel(f"There is no model {model!r}; there are {known}.")

    def _check_engines(self, spec: Spec, source: Task) -> None:
        """The engine that made the source may continue it whatever the route; else one of the route has to."""
        offered = {name for route in self._routes.values() for name in route.engines}
        if source.engine in offered and self._capabilities(source.engine).lacks(spec) is None:
            return
        try:
            choose(self._routes[spec.model], spec, self._capabilities)
        except Unsupported as error:
            raise InvalidRequest(str(error)) from error

    def _seed(self, wanted: int | None, source: Task) -> int:
        seed = wanted if wanted is not None else source.spec.seed
        return seed if seed is not None else self._new_seed()

    def _task(self, caller: Caller, spec: Spec, dialect: str, public_base: str) -> Task:
        now = self._clock.now_ms()
        return Task(
            id=self._new_id(),
            origin=Origin(caller.account_id, caller.key_id, dialect, public_base, caller.edition),
            spec=spec,
            created_ms=now,
            run_at_ms=now,
            priority=caller.priority,
            price=price(spec, self._prices),
        )


def _film(source: Task, index: int) -> Artifact:
    """Raises SourceNotReady or NoSuchResult."""
    if source.status is not Status.SUCCEEDED:
        raise SourceNotReady
    films = source.artifacts_of(Role.RESULT)
    if not films:
        raise NoSuchResult("The films of that task have been deleted: make them again.")
    if index not in range(len(films)):
        raise NoSuchResult
    return films[index]


def _large_enough(film: Artifact, kind: Kind) -> bool:
    return min(film.width, film.height) >= _TARGETS[kind].lines


def _aspect_ratio(film: Artifact) -> AspectRatio:
    """As the film has it: Auto was decided when it was made."""
    return AspectRatio.PORTRAIT if film.height > film.width else AspectRatio.LANDSCAPE


def _resolution(source: Task, film: Artifact) -> Resolution:
    """As the film has it: a fallback may have made another size than was ordered."""
    short = min(film.width, film.height)
    return next((size for size in Resolution if size.lines == short), source.spec.resolution)
