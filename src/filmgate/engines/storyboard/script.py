"""What a film is made from, and what is kept of it: enough to shoot it again at any size, and to go on with it.

The state of a clip is a Script as JSON. Films of the first version kept their bare plan; those are still read.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import msgspec

from .model import Plan

VERSION = 2

Start = Literal["text", "frames", "reference"]


class Unreadable(ValueError):
    """A state that this version cannot read."""


@dataclass(frozen=True)
class Script:
    """A film and, oldest first, the films that it goes on from."""

    plans: tuple[Plan, ...]  #: the last one is this film's own
    start: Start = "text"  #: what the images that come with the film are
    raised: tuple[float, ...] = ()  #: by how many decibels the sound of each film was raised at its end
    version: int = VERSION

    @property
    def plan(self) -> Plan:
        return self.plans[-1]

    @property
    def begins(self) -> int:
        """The second of the whole story at which this film begins."""
        return sum(plan.seconds for plan in self.plans[:-1])

    @property
    def continues(self) -> bool:
        return len(self.plans) > 1

    def followed_by(self, plan: Plan) -> Script:
        return replace(self, plans=(*self.plans, plan))

    def sounding(self, raised: tuple[float, ...]) -> Script:
        """The same, when it is known by how much the sound of each film was raised."""
        return replace(self, raised=raised)


def encoded(script: Script) -> bytes:
    return msgspec.json.encode(script)


def decoded(state: bytes) -> Script:
    """Raises Unreadable."""
    try:
        found = msgspec.json.decode(state)
        if not isinstance(found, dict) or "version" not in found:
            return Script((msgspec.convert(found, Plan),))
        if found["version"] != VERSION:
            raise Unreadable(f"The film was made by another version of the storyboard engine ({found['version']}).")
        return msgspec.convert(found, Script)
    except msgspec.MsgspecError as error:
        raise Unreadable(f"The stored plan of the film cannot be read ({error}): make the film anew.") from error
