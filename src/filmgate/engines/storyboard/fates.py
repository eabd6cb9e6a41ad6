"""What becomes of each word of a prompt: pictured, cut out as a sticker, or set in type. None is passed over."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from .lexicon import Entry
from .model import Plan
from .reading import Found, Reading, Told, fitting

Fate = Literal["pictured", "stickered", "lettered"]

_OPEN_SKY = frozenset({"sky", "ground"})
#: Who has a head, limbs and eyes to be seen.
_BODIED = frozenset(
    {"person", "child", "dancer", "ballerina", "robot", "astronaut", "dog", "cat", "horse", "bird", "fox", "lion"}
    | {"bear", "cow", "elephant", "rabbit", "dragon", "dinosaur", "penguin", "duck", "fish", "whale"}
    | {"wolf", "sheep", "pig", "turtle", "shark"}
)
_NO_SKY = frozenset({"underwater", "room"})


@dataclass(frozen=True)
class Word:
    """A word of the prompt and what became of it."""

    text: str
    fate: Fate


def fates(reading: Reading, plan: Plan, shown: Sequence[Found]) -> Iterator[Word]:
    """Every word of the prompt that means something, in order. ``shown``: the actors that are in the plan."""
    kept = {id(found) for found in shown}
    for told in reading.told:
        yield Word(told.text, _fate(told, plan, kept))


def _fate(told: Told, plan: Plan, shown: set[int]) -> Fate:
    if told.entry is None:
        return "lettered"
    if told.of is not None and id(told.of) in shown and _seen_on(told, told.entry, told.of):
        return "pictured" if told.of.noun.puppet or not _names(told) else "stickered"
    said = told.act == "talk" and plan.dialogue is not None  # what is said stands in the caption
    return "pictured" if said or _of_the_scene(told.entry, plan) else "lettered"


def _names(told: Told) -> bool:
    """Whether the word was read as a noun."""
    assert told.entry is not None
    return told.act is None and told.entry.noun is not None


def _seen_on(told: Told, entry: Entry, found: Found) -> bool:
    """Whether an actor shows what the word says of it."""
    if told.act is not None:
        return told.act == found.action or fitting(found.noun, told.act) == fitting(found.noun, found.action)
    if entry.colour and not _names(told):
        return found.colour == entry.colour
    return True


def _of_the_scene(entry: Entry, plan: Plan) -> bool:
    """Whether the set, the light, the air, the camera or the manner of the film shows it."""
    outside = plan.setting not in _NO_SKY
    return (
        (entry.place is not None and entry.place == plan.setting)
        or (entry.scenery is not None and (entry.scenery == plan.setting or (outside and entry.scenery in _OPEN_SKY)))
        or (entry.time is not None and entry.time == plan.time)
        or (entry.weather is not None and entry.weather == plan.weather)
        or (entry.mood is not None and entry.mood == plan.mood)
        or (entry.move is not None and entry.move == plan.move)
        or (entry.style is not None and entry.style == plan.style)
        or (entry.pace is not None and entry.pace == plan.pace)
        or (entry.body is not None and any(subject.puppet in _BODIED for subject in plan.subjects))
    )
