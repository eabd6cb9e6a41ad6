"""From a prompt to a plan: what the film is about, where, when, in which weather and mood, and seen by which camera.

Pure and deterministic: the plan depends on nothing but the arguments and the tables of the lexicon. Whatever text is
given, a plan comes of it; what cannot be pictured is kept as words for a paper card, so that no prompt is ignored.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from .fates import Word, fates
from .lexicon import Lexicon, lexicon
from .lexicon.english import LONGEST_PROMPT, LONGEST_WORD, tokens
from .model import Mood, Plan, Subject, Time, Weather
from .reading import Found, Reading, fitting, read

MOST_SUBJECTS = 4
MOST_WORDS = 8  #: on a card that is all there is
FEW_WORDS = 3  #: on a card beside what is pictured
MOST_NOTES = 24  #: words on the slip at the edge
LONG_PROMPT = 14  #: words; a long prompt says enough that can be pictured

_QUOTED = re.compile(r"[\"“„«]([^\"“”„«»]{1,300})[\"”“»]|(?<=[\s:,])[‘']([^‘’']{2,300})[’'](?=[\s.,!?]|$)")
_SPOKEN = re.compile(
    r"\b(?:says?|saying|said|shouts?|whispers?|asks?|yells?)\s*:\s*([^\"“\n]{1,200}?)(?=[.!?\n]|$)", re.I
)
_WRITTEN = re.compile(r"\b(?:sign|reads?|reading|titled?|text|labell?ed|written|word|words|named|called)\W{0,3}$", re.I)
_BREATHING = re.compile(r"\b([A-Za-z]{1,20})-([A-Za-z]{1,20}ing)\b")
#: Endings of words that describe and do not name: they are not worth a card of their own beside a picture.
_DESCRIBING = ("ly", "ing", "ed", "ous", "ful", "ish", "ive", "ic", "al", "est", "less", "able", "y")
_LETTERING_RATIO = 0.6


def make_plan(prompt: str, *, seed: int, seconds: int, portrait: bool) -> Plan:
    """What the prompt says. ``seconds`` is 4, 6 or 8. Never raises for any text."""
    return understood(prompt, seed=seed, seconds=seconds, portrait=portrait)[0]


def understood(prompt: str, *, seed: int, seconds: int, portrait: bool) -> tuple[Plan, tuple[Word, ...]]:
    """The plan, and what became of each word of the prompt that is not said in quotation marks."""
    words = lexicon()
    dialogue, written, rest = _quotes(prompt[:LONGEST_PROMPT])
    reading = read(tokens(_heads(rest, words), words.picture), words)
    shown = _ranked(reading)
    subjects = _subjects(shown, dialogue)
    setting, explicit = _setting(reading, words)
    weather = _weather(reading, explicit)
    time = _time(reading, setting)
    plan = Plan(
        prompt, seed, seconds, portrait, subjects, setting, time, weather,
        mood=_mood(reading, subjects, time, weather),
        move=reading.moves[0] if reading.moves else None,
        dialogue=dialogue,
        lettered=(*written, *_lettered(reading, bool(subjects) or explicit or bool(dialogue), prompt))[:MOST_WORDS],
        style=reading.styles[0] if reading.styles else None,
        pace=reading.paces[0] if reading.paces else 1.0,
    )  # fmt: skip
    found = tuple(fates(reading, plan, shown))
    return replace(plan, noted=_noted(found, plan)), found


# ---------------------------------------------------------------- what is said ------------------------------------


def _quotes(prompt: str) -> tuple[str | None, tuple[str, ...], str]:
    """(what somebody says, the words of signs and titles, the prompt without either)."""
    spoken: list[str] = []
    written: list[str] = []
    for match in _QUOTED.finditer(prompt):
        text = _clean(match.group(1) or match.group(2))
        if text:
            (written if _WRITTEN.search(prompt[: match.start()][-40:]) else spoken).append(text)
    rest = _QUOTED.sub(" ", prompt)
    if not spoken and (said := _SPOKEN.search(rest)):
        spoken, rest = [_clean(said.group(1))], rest[: said.start(1)] + rest[said.end(1) :]
    cards = tuple(word[:LONGEST_WORD] for text in written for word in text.split())
    return (" ".join(spoken)[:200] or None), cards[:MOST_WORDS], rest


def _heads(text: str, words: Lexicon) -> str:
    """Without the first half of "fire-breathing", which names nothing that is there; known phrases stay whole."""

    def head(match: re.Match[str]) -> str:
        known = words.entry("_".join(match.group(1, 2)).lower())
        return match.group(0) if known else match.group(2)

    return _BREATHING.sub(head, text)


def _clean(text: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


# ---------------------------------------------------------------- who ---------------------------------------------


def _ranked(reading: Reading) -> list[Found]:
    """What the film is about first; what merely tells the place (under a tree) comes last."""
    return sorted(reading.found, key=lambda found: found.where and not found.noun.living)[:MOST_SUBJECTS]


def _subjects(ranked: list[Found], dialogue: str | None) -> tuple[Subject, ...]:
    subjects = [_subject(found) for found in ranked]
    if dialogue and subjects and subjects[0].action == "idle" and ranked[0].noun.living:
        subjects[0] = _subject(ranked[0], "talk")
    return tuple(subjects)


def _subject(found: Found, action: str | None = None) -> Subject:
    noun = found.noun
    return Subject(
        noun=found.word, puppet=noun.puppet, sticker=noun.sticker, count=found.count, colour=found.colour,
        size=found.size, action=action or fitting(noun, found.action),
    )  # fmt: skip


# ---------------------------------------------------------------- where and when ----------------------------------


def _setting(reading: Reading, words: Lexicon) -> tuple[str, bool]:
    """(the setting, whether the prompt names it or something that is painted in it)."""
    led = [place for place, after_preposition in reading.places if after_preposition]
    named = led or [place for place, _ in reading.places]
    painted = [place for place in reading.scenery if place not in ("sky", "ground")]
    if named or painted:
        return _fitting_place((named or painted)[0], reading), True
    if reading.futuristic and not reading.found:
        return "future_city", True
    homes = _homes(reading)
    if "snow" in reading.weathers and (not homes or homes[0] in ("future_city", "room", "underwater")):
        return "mountains", True
    if homes:
        return homes[0], False
    return "plain", bool(reading.scenery or reading.weathers or reading.times)


def _fitting_place(place: str, reading: Reading) -> str:
    """The place as these actors need it: a boat is on the water and a fish is in it."""
    if place == "city" and reading.futuristic:
        return "future_city"
    first = reading.found[0] if reading.found else None
    afloat = any(found.noun.puppet in ("boat", "ship") for found in reading.found)
    if afloat and place in ("mountains", "forest", "park"):
        return "ocean"
    if first and first.noun.home == "underwater" and place == "ocean" and first.action in (None, "swim", "idle"):
        return "underwater"
    return place


def _homes(reading: Reading) -> list[str]:
    """The settings that the nouns bring along; a prop that tells the place (on a sofa) knows it best."""
    told = sorted(reading.found, key=lambda found: not (found.where and not found.noun.living))
    homes = [found.noun.home for found in told if found.noun.home]
    return ["ocean"] if "ocean" in homes and "underwater" in homes else homes


def _weather(reading: Reading, explicit: bool) -> Weather:
    bad = [weather for weather in reading.weathers if weather != "clear"]
    if bad:
        return "storm" if "storm" in bad else bad[0]
    brought = [found.noun.weather for found in reading.found if found.noun.weather]
    return brought[0] if brought and not explicit and not reading.weathers else "clear"


def _time(reading: Reading, setting: str) -> Time:
    said = [time for time, by_the_sky in reading.times if not (by_the_sky and setting == "space")]
    late = [time for time in said if time != "day"]
    return late[0] if late else "night" if "noir" in reading.styles and not said else "day"


def _mood(reading: Reading, subjects: tuple[Subject, ...], time: Time, weather: Weather) -> Mood:
    if reading.moods:
        return reading.moods[0]
    if weather == "storm":
        return "tense"
    if any(subject.action in ("play", "dance", "jump") for subject in subjects):
        return "happy"
    if reading.moves and reading.moves[0] in ("drone", "crane"):
        return "epic"
    return "melancholy" if weather in ("rain", "fog") and time != "day" else "calm"


# ---------------------------------------------------------------- what cannot be pictured -------------------------


def _lettered(reading: Reading, pictured: bool, prompt: str) -> tuple[str, ...]:
    """The words for the card: all of a prompt that shows nothing, a few names of one that shows something.

    A short prompt is set as it stands ("the meaning of justice"); of a long one only the words that matter.
    """
    if pictured and len(reading.unknown) < _LETTERING_RATIO * max(3, len(reading.words)):
        if len(reading.found) > 1 or len(reading.words) > LONG_PROMPT:
            return ()
        names = [word for word in reading.names if not word.lower().endswith(_DESCRIBING) and len(word) > 2]
        return _once(names)[:FEW_WORDS]
    if pictured:
        return _once(reading.unknown)[:MOST_WORDS]
    spoken = reading.plain if len(reading.plain) <= MOST_WORDS else _once(reading.content)
    words = tuple(spoken or _once(reading.words))[:MOST_WORDS]
    return words or (_clean(prompt[:LONGEST_WORD]) or "…",)


def _noted(found: Sequence[Word], plan: Plan) -> tuple[str, ...]:
    """What is neither pictured nor on the card."""
    carded = {part.casefold() for word in plan.lettered for part in (word, *word.split())}
    left = [word.text for word in found if word.fate == "lettered" and word.text.casefold() not in carded]
    alone = plan.setting == "plain" and not plan.subjects  # then the card may show the whole prompt
    return () if alone else _once([word[:LONGEST_WORD] for word in left])[:MOST_NOTES]


def _once(words: list[str]) -> tuple[str, ...]:
    first: dict[str, str] = {}
    for word in words:
        first.setdefault(word.casefold(), word)
    return tuple(first.values())
