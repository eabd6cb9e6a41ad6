"""From an order to a task: everything that can be refused is refused before a credit is held."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from ..domain.credits import Prices, price
from ..domain.errors import InvalidRequest, Unsupported, UnsupportedModel
from ..domain.routing import Capabilities, Route, choose
from ..domain.spec import AspectRatio, Spec
from ..domain.task import OrderKey, Origin, Task
from ..ports import Caller, Clock, TaskStore

Nudge = Callable[[], None]


class Submit:
    """Call it with an order; the task is on disk, and its price held, when the call returns."""

    def __init__(
        self,
        store: TaskStore,
        clock: Clock,
        new_id: Callable[[], str],
        new_seed: Callable[[], int],
        models: Mapping[str, Route],
        capabilities: Callable[[str], Capabilities],
        prices: Prices,
        nudge: Nudge,
        check_room: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._new_id = new_id
        self._new_seed = new_seed
        self._models = models
        self._capabilities = capabilities
        self._prices = prices
        self._nudge = nudge
        self._check_room = check_room  #: raises QueueFull where nothing new is taken

    async def __call__(
        self, caller: Caller, spec: Spec, *, dialect: str, public_base: str, order_key: OrderKey | None = None
    ) -> Task:
        """What was ordered under this ``order_key`` before is given again, whatever has become of prices and limits.

        Raises UnsupportedModel, InvalidRequest (no engine can do it), KeyReused, InsufficientCredits, TooManyRequests
        or KeySpent: nothing is stored.
        """
        if order_key is not None and (known := await self._store.ordered(caller.account_id, order_key)) is not None:
            return known
        spec = self._completed(spec)
        self._check(spec)
        self._check_room()
        now = self._clock.now_ms()
        task = Task(
            id=self._new_id(),
            origin=Origin(caller.account_id, caller.key_id, dialect, public_base, caller.edition),
            spec=spec,
            created_ms=now,
            run_at_ms=now,
            priority=caller.priority,
            price=price(spec, self._prices),
        )
        taken = await self._store.submit(task, caller.caps, order_key)
        self._nudge()
        return taken

    def _check(self, spec: Spec) -> None:
        route = self._models.get(spec.model)
        if route is None:
            known = ", ".join(sorted(self._models))
            raise UnsupportedModel(f"There is no model {spec.model!r}; there are {known}.")
        try:
            choose(route, spec, self._capabilities)
        except Unsupported as error:
            raise InvalidRequest(str(error)) from error

    def _completed(self, spec: Spec) -> Spec:
        """With our choice where the order left one to us."""
        if spec.aspect_ratio is AspectRatio.AUTO and not spec.images:
            spec = replace(spec, aspect_ratio=AspectRatio.LANDSCAPE)
        return spec if spec.seed is not None else replace(spec, seed=self._new_seed())
