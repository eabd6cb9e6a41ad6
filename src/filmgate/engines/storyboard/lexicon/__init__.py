"""What words mean on the stage: the tables of nouns, places, times, weathers, verbs and camera moves.

The tables are TOML files beside this module, read once. Each word or phrase is an :class:`Entry`, which holds every
part that the word can play; which of them it does play in a prompt is decided in ``plan.py``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any, cast

from ..model import Mood, Move, Style, Time, Weather
from .english import infinitives, lemmas

#: A word is looked up in a phrase of at most so many words.
LONGEST_PHRASE = 5
#: How high something without a puppet stands, in stage units, unless its group says otherwise.
STICKER_HEIGHT = 2.2


@dataclass(frozen=True)
class Noun:
    """Something that can be pictured."""

    name: str
    puppet: str | None = None
    sticker: str | None = None
    home: str | None = None  #: the setting it brings along
    weather: Weather | None = None  #: the weather it brings along
    action: str = "idle"  #: what it does when no verb is said
    living: bool = False  #: it does things; a prop does not
    worn: bool = False  #: on somebody it is only a colour
    height: float = STICKER_HEIGHT  #: of its sticker, stage units


@dataclass(frozen=True)
class Entry:
    """All that a word or a phrase can mean."""

    noun: Noun | None = None
    plural: bool = False  #: the word stood in the plural
    place: str | None = None
    scenery: str | None = None  #: the setting that is painted with it
    time: Time | None = None
    weather: Weather | None = None
    mood: Mood | None = None
    move: Move | None = None
    style: Style | None = None
    body: str | None = None  #: a part of those who act
    pace: float | None = None  #: how fast everything goes
    verb: str | None = None  #: the action that the verb stands for
    infinitive: str | None = None
    colour: str | None = None
    size: float | None = None
    count: int | None = None
    quiet: str | None = None  #: "film", "qualifying" or "grammar": the word says nothing that could be drawn

    @property
    def styles_the_film(self) -> bool:
        """Whether the word, though it is about the film, changes how the film looks."""
        return bool(self.move or self.style or self.pace or self.time or self.weather or self.mood)


@dataclass(frozen=True)
class Lexicon:
    """The tables, by word; phrases are joined with "_"."""

    words: Mapping[str, Entry]
    verbs: Mapping[str, str]
    pictures: Mapping[str, Noun]  #: emoji without variation selectors -> noun

    def entry(self, word: str) -> Entry | None:
        """What the word means, in whichever form it stands; None where it is not known."""
        verb = next(((v, self.verbs[v]) for v in infinitives(word) if v in self.verbs), (None, None))
        found = self._inflected(word)
        if found is None and verb[0] is None:
            return None
        return replace(found or Entry(), infinitive=verb[0], verb=verb[1])

    def _inflected(self, word: str) -> Entry | None:
        for lemma, plural in lemmas(word):
            if lemma in self.words:
                return replace(self.words[lemma], plural=plural or word in _BOTH)
        return None

    def noun(self, name: str) -> Noun | None:
        entry = self.entry(name.replace(" ", "_"))
        return entry.noun if entry else None

    def picture(self, text: str) -> int:
        """How many characters the emoji at the beginning of the text has; 0 where there is none that we know."""
        if text[:1].isascii():
            return 0
        length = next((n for n in range(min(len(text), 8), 0, -1) if bare(text[:n]) in self.pictures), 0)
        return length + (text[length : length + 1] == "\ufe0f" and length > 0)


#: Plural by itself.
_BOTH = frozenset({"crowd", "family", "cattle", "school_of_fish", "books", "people", "couple"})


def bare(emoji: str) -> str:
    """An emoji without the selectors that ask for its coloured form: two writings of one sign become equal."""
    return emoji.replace("\ufe0f", "")


@cache
def lexicon() -> Lexicon:
    """The tables, read at the first call."""
    parts: dict[str, dict[str, Any]] = {}
    pictures: dict[str, Noun] = {}
    for noun, words, emoji in _nouns():
        for word in words:
            parts.setdefault(word, {})["noun"] = replace(noun, name=word.replace("_", " "))
        for sign in emoji:
            pictures[bare(sign)] = noun
    verbs = _parts_of_speech(_table("words.toml"), parts)
    return Lexicon({word: Entry(**found) for word, found in parts.items()}, verbs, pictures)


def _table(name: str) -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath(name).read_text(encoding="utf-8"))


def _nouns() -> Iterator[tuple[Noun, list[str], list[str]]]:
    """(noun, its words, its emoji) for every puppet and sticker."""
    for puppet, row in cast("dict[str, dict[str, Any]]", _table("puppets.toml")["puppet"]).items():
        traits: dict[str, Any] = {"living": True}
        traits |= {key: value for key, value in row.items() if key not in ("words", "emoji")}
        words = row["words"].split()
        yield Noun(words[0].replace("_", " "), puppet=puppet, **traits), words, row.get("emoji", "").split()
    for group in (*_table("creatures.toml")["sticker"], *_table("things.toml")["sticker"]):
        yield from _stickers(group)


def _stickers(group: Mapping[str, Any]) -> Iterator[tuple[Noun, list[str], list[str]]]:
    """The stickers of a group: its keys are their emoji, and the traits that they share."""
    traits = {key: value for key, value in group.items() if key.isascii()}
    for sign in (key for key in group if not key.isascii()):
        words = group[sign].split()
        yield Noun(words[0].replace("_", " "), sticker=sign, **traits), words, [sign]


def _parts_of_speech(table: Mapping[str, Any], parts: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Fill in everything but the nouns; the verbs are returned, since they have an inflection of their own."""
    keys: dict[str, Any] = {"size": float, "count": int, "pace": float}
    for part, rows in table.items():
        if part == "verb":
            continue
        for value, words in rows.items():
            for word in words.split():
                parts.setdefault(word, {}).setdefault(part, keys.get(part, str)(value))
    return {verb: action for action, verbs in table["verb"].items() for verb in verbs.split()}
