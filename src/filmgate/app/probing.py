"""Whether an engine works, found out by having it do a little."""

from __future__ import annotations

import os
from time import monotonic

from ..engines.slots import LocalSlots, SlotLimits
from ..settings import Settings
from .worker import remotes_of


async def probe(settings: Settings, name: str) -> str:
    """What was seen, in a few words. Raises EngineUnavailable, EngineCrashed or EngineTimeout."""
    engines = settings.registry()
    if not engines.is_remote(name):
        return await _loaded(settings, name)
    remotes = remotes_of(settings, engines, [name])
    try:
        await remotes.open()
        return await remotes.check(name)
    finally:
        await remotes.close()


async def _loaded(settings: Settings, name: str) -> str:
    """In a slot of its own, as the runner loads it."""
    slots = LocalSlots(SlotLimits(), engines=settings.registry(), log_to=os.open(os.devnull, os.O_WRONLY))
    began = monotonic()
    try:
        await slots.open(name, 1)
        return f"it loads, in {monotonic() - began:.1f} s"
    finally:
        await slots.close()
