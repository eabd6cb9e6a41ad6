"""The sound of a film: the air of the place, what the actors do, and a little music, mixed to one level.

All of it is synthesised; nothing is recorded. The same screenplay has the same sound.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ..model import Screenplay
from .ambience import air
from .desk import FEET, MOTORS, MUSIC, levelled, performed
from .foley import FOLEY, cues
from .mix import carried_on, mastered
from .motors import engines
from .music import score
from .sequel import goes_on
from .synthesis import Signal, chance, hall

__all__ = ["FOLEY", "compose", "composed", "cues"]


def compose(screenplay: Screenplay, rate: int = 48_000) -> npt.NDArray[np.float32]:
    """The sound track in stereo: float32 (seconds * rate, 2), at about -16 LUFS, its true peak below -1 dBTP.

    The first and the last sample are silent. ``rate`` is in Hz.
    """
    return composed([screenplay], (), rate)[0]


def composed(
    plays: Sequence[Screenplay], raised: Sequence[float] = (), rate: int = 48_000
) -> tuple[npt.NDArray[np.float32], float]:
    """The sound of the last of these films, each of which goes on from the one before; and by how much it was raised.

    ``raised``: that of the films before, as far as it is known. Where one film ends and the next begins, the level,
    the air and the beat go on.
    """
    if len(plays) > 1:
        before = raised[len(plays) - 2] if len(raised) > len(plays) - 2 else composed(plays[:-1], raised, rate)[1]
        sound, level = carried_on(goes_on(plays, rate), rate, before)
    else:
        sound, level = mastered(_mixed(plays[0], rate), rate)
    return sound.astype(np.float32), round(float(level), 3)


def _mixed(screenplay: Screenplay, rate: int) -> Signal:
    plan = screenplay.plan
    bus = levelled(air(plan, rate), rate)
    bus += MOTORS * engines(screenplay, rate)
    bus += FEET * hall(performed(cues(screenplay), plan, rate), rate, chance(plan.seed, "room"), 0.7, 0.12)
    bus += MUSIC * score(plan, rate)
    return bus
