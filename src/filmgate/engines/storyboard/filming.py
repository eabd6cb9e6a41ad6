"""From a script to frames: which kind of film it is, and all that it is filmed with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from .bake import Pixels
from .cutouts import cutouts
from .film import from_plan
from .images import fitted
from .script import Script
from .sequel import Sequel


class Shown(Protocol):
    """A film whose frames can be asked for in any order."""

    frames: int

    def frame(self, index: int) -> Pixels:
        """Frame ``index`` as (height, width, 4) opaque BGRA. The same array every time."""


def film_of(script: Script, images: Sequence[Path], width: int, height: int) -> Shown:
    """The film of a script at a size in pixels. ``images``: those that it starts from, upright."""
    if script.start == "frames":
        from .pictures import PictureFilm

        return PictureFilm(script, [fitted(path, width, height) for path in images])
    cut = cutouts(tuple(images))
    return Sequel(script, width, height, cut) if script.continues else from_plan(script.plan, width, height, cut)
