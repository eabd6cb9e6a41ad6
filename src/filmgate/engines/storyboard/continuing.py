"""What a further prompt changes in a film that goes on: the plan of the next film of the same story.

The place, the seed, the mood and everybody who is there stay. The prompt can change what they do, bring somebody in,
turn the weather or the hour, move to another place on land, hang up a card, or let somebody speak.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from .lexicon import Lexicon, lexicon
from .lexicon.english import LONGEST_PROMPT, tokens
from .model import Plan, Subject
from .plan import MOST_SUBJECTS, make_plan
from .reading import Reading, fitting, read

_HUMAN = frozenset({"person", "child", "dancer", "astronaut"})
_NEWCOMERS = 2
#: Places on firm ground: who stands in one of them can stand in any other.
_ON_LAND = frozenset(
    {"park", "garden", "forest", "plain", "city", "future_city", "beach", "mountains", "desert", "village", "farm"}
)


@dataclass(frozen=True)
class _News:
    """What the prompt says of who is there already, and who comes."""

    actions: dict[int, str]  #: number of a subject -> what it does now
    newcomers: tuple[Subject, ...]


def next_plan(before: Plan, prompt: str, seconds: int) -> Plan:
    """The plan of a film of ``seconds`` that goes on from ``before``. Its subjects begin with those of ``before``."""
    words = lexicon()
    new = make_plan(prompt, seed=before.seed, seconds=seconds, portrait=before.portrait)
    reading = read(tokens(prompt[:LONGEST_PROMPT], words.picture), words)
    news = _news(before, new, reading, words)
    subjects = [
        replace(subject, action=news.actions.get(i, subject.action)) for i, subject in enumerate(before.subjects)
    ]
    places = [place for place, _ in reading.places if place in _ON_LAND]
    understood = bool(news.actions or news.newcomers or reading.times or reading.weathers or reading.moves or places)
    quoted = any(mark in prompt for mark in '"“„«')
    return replace(
        before,
        prompt=prompt,
        seconds=seconds,
        subjects=(*subjects, *news.newcomers),
        setting=places[0] if places and before.setting in _ON_LAND else before.setting,
        time=reading.times[-1][0] if reading.times else before.time,
        weather=new.weather if reading.weathers else before.weather,
        move=new.move,
        noted=new.noted,
        style=new.style or before.style,
        dialogue=new.dialogue,
        lettered=before.lettered if understood and not (quoted and new.lettered) else new.lettered or before.lettered,
    )


def _news(before: Plan, new: Plan, reading: Reading, words: Lexicon) -> _News:
    said = {found.word: found.action for found in reading.found}
    actions: dict[int, str] = {}
    newcomers: list[Subject] = []
    for subject in new.subjects:
        known = _known(subject, before.subjects)
        if known is None:
            newcomers.append(replace(subject, count=min(subject.count, 3)))
        elif said.get(subject.noun) is not None or subject.action == "talk":
            actions[known] = subject.action
    if not new.subjects and before.subjects and (verb := _verb(new.prompt, words)) is not None:
        noun = words.noun(before.subjects[0].noun)
        actions[0] = fitting(noun, verb) if noun else verb
    room = max(0, min(_NEWCOMERS, MOST_SUBJECTS + 1 - len(before.subjects)))
    return _News(actions, tuple(newcomers[:room]))


def _known(subject: Subject, there: Sequence[Subject]) -> int | None:
    """The number of the same one among those who are there."""
    for number, other in enumerate(there):
        same = other.noun == subject.noun or (subject.puppet or "") == other.puppet
        if same or (subject.sticker or "") == other.sticker or {subject.puppet, other.puppet} <= _HUMAN:
            return number
    return None


def _verb(prompt: str, words: Lexicon) -> str | None:
    """What is done, where nobody is named who does it: "then she starts dancing"."""
    for token in tokens(prompt[:LONGEST_PROMPT], words.picture):
        entry = words.entry(token.low)
        if entry and entry.verb not in (None, "idle") and entry.noun is None and entry.quiet != "grammar":
            return entry.verb
    return None
