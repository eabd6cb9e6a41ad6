"""How tasks are told back: in the dialect through which they were ordered."""

from __future__ import annotations

from collections.abc import Mapping

from ..dialects.market import render as market
from ..dialects.veo3 import render as veo3
from ..domain.task import Task
from ..storage.links import Links


def compose(task: Task, links: Links, switches: Mapping[str, str]) -> bytes:
    """The body of the callback of an ended task; ``switches`` are those of the server's edition."""
    if task.origin.dialect in market.NAMES:
        return market.compose_callback(task, links)
    return veo3.compose_callback(task, links, switches)
