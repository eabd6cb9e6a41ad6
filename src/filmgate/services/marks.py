"""What a task's checkpoint says of an order that is, or may be, with an engine elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, replace

import msgspec

from ..domain.errors import ContentRejected, TaskError, task_error
from ..domain.spec import Spec
from ..domain.task import Failure, Run


@dataclass(frozen=True, slots=True)
class Mark:
    """Written before the order is sent, and once more when its id there is known."""

    spec: Spec  #: as it was sent: in English, with a real aspect ratio
    run: Run  #: of the engine; its ``upstream_id`` is None until it is known
    order_key: str
    since_ms: int
    tried: tuple[str, ...] = ()  #: engines of the route that have refused this order, or broken down over it
    refusal: Failure | None = None  #: what the first one has refused it for, where this engine is a fallback

    @property
    def engine(self) -> str:
        return self.run.engine

    @property
    def upstream_id(self) -> str | None:
        return self.run.upstream_id

    def known_as(self, upstream_id: str) -> Mark:
        return replace(self, run=replace(self.run, upstream_id=upstream_id))

    def text(self) -> str:
        return msgspec.json.encode(self).decode()


def mark_of(checkpoint: str | None) -> Mark | None:
    """Raises msgspec.MsgspecError for one that this version cannot read."""
    return None if checkpoint is None else msgspec.json.decode(checkpoint, type=Mark)


def failure_of(error: TaskError) -> Failure:
    return Failure(error.slug, str(error))


def refusal_of(failure: Failure | None) -> ContentRejected | None:
    """The refusal that was noted."""
    error = None if failure is None else task_error(failure.slug, failure.sentence)
    return error if isinstance(error, ContentRejected) else None
