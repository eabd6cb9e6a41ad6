"""Phrases, and where they stand in a text. Pure, and linear in the text.

Texts and phrases are read alike: as words in small letters without accents, whatever was done to hide them (letters of
other scripts that look the same, digits for letters, invisible characters, letters set apart).

A phrase is words in a row. ``*`` at the end or the beginning of a word stands for the rest of it, alone for any one
word; ``|`` stands between words of which any will do: "stab* him|her|them". There are no other signs, so that a phrase
can never be slow.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

_LEET = str.maketrans("013457@$", "oieastas")
_IN_WORDS = frozenset("@$")  #: signs that stand for letters
_APOSTROPHES = frozenset("'\u2019\u02bc`\u00b4")
#: Letters of other scripts, and what they look like.
_LOOKALIKES = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u04bb\u0501\u03b1\u03bf\u03b9\u03bd\u03c1\u03ba\u0131",
    "aeopcyxijshdaoivpki",
)
_FEWEST_LETTERS = 4  #: set apart, that are read as one word: "n u d e"


def words_of(text: str) -> list[str]:
    """A text as phrases see it."""
    return [*_joined(_plain(word) for word in _split(text))]


def _split(text: str) -> Iterator[str]:
    """Runs of letters, digits and the signs that stand for letters; accents and invisible characters are dropped."""
    letters: list[str] = []
    for char in unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold()):
        if char.isalnum() or char in _IN_WORDS:
            letters.append(char)
        elif char not in _APOSTROPHES and unicodedata.category(char) not in ("Mn", "Cf"):
            if letters:
                yield "".join(letters)
            letters.clear()
    if letters:
        yield "".join(letters)


def _plain(word: str) -> str:
    """A word that holds letters of ours is read as if it held no others."""
    if any("a" <= char <= "z" for char in word):
        return word.translate(_LOOKALIKES).translate(_LEET)
    return word


def _joined(words: Iterable[str]) -> Iterator[str]:
    letters: list[str] = []
    for word in words:
        if len(word) == 1:
            letters.append(word)
            continue
        yield from _whole(letters)
        letters.clear()
        yield word
    yield from _whole(letters)


def _whole(letters: Sequence[str]) -> Sequence[str]:
    return [*letters] if len(letters) < _FEWEST_LETTERS else ["".join(letters)]


@dataclass(frozen=True, slots=True)
class _Pattern:
    """One word of a phrase."""

    letters: str
    open_start: bool = False
    open_end: bool = False

    @property
    def exact(self) -> bool:
        return not (self.open_start or self.open_end)

    def fits(self, word: str) -> bool:
        if self.open_start and self.open_end:
            return self.letters in word
        if self.open_start:
            return word.endswith(self.letters)
        return word.startswith(self.letters) if self.open_end else word == self.letters


_Place = tuple[_Pattern, ...]  #: what may stand there: any of them
_NONE: Sequence[tuple[_Place, ...]] = ()


class Phrases:
    """Many phrases, looked up by their first word."""

    def __init__(self, phrases: Iterable[str]) -> None:
        self._by_word: dict[str, list[tuple[_Place, ...]]] = {}
        self._open: list[tuple[_Place, ...]] = []
        for phrase in phrases:
            self._add(tuple(_places(phrase)))

    def _add(self, phrase: tuple[_Place, ...]) -> None:
        for first in phrase[0]:
            if first.exact:
                self._by_word.setdefault(first.letters, []).append(phrase)
        if not all(first.exact for first in phrase[0]):
            self._open.append(phrase)

    def spans(self, words: Sequence[str]) -> Iterator[range]:
        """Where phrases stand, by the numbers of their words; those that begin first come first."""
        for start, word in enumerate(words):
            here = self._by_word.get(word, _NONE)
            for phrase in here if not self._open else (*here, *self._open):
                if _stands(phrase, words, start):
                    yield range(start, start + len(phrase))


def _stands(phrase: tuple[_Place, ...], words: Sequence[str], start: int) -> bool:
    there = words[start : start + len(phrase)]
    return len(there) == len(phrase) and all(
        any(pattern.fits(word) for pattern in place) for place, word in zip(phrase, there, strict=True)
    )


def _places(phrase: str) -> Iterator[_Place]:
    """A phrase as it is written; a hyphen parts words, as it does in a text."""
    for part in phrase.split():
        if "|" in part:
            yield tuple(pattern for choice in part.split("|") for pattern in _patterns(choice))
        else:
            yield from ((pattern,) for pattern in _patterns(part))


def _patterns(part: str) -> Iterator[_Pattern]:
    pieces = words_of(part.replace("*", "")) or [""]
    for number, piece in enumerate(pieces):
        first, last = number == 0, number == len(pieces) - 1
        yield _Pattern(piece, first and part.startswith("*"), last and part.endswith("*"))


def complaint(phrase: str) -> str | None:
    """What is wrong with a phrase, in words, or None."""
    choices = [choice for part in phrase.split() for choice in part.split("|")]
    if not any(words_of(choice) for choice in choices):
        return "has no word"
    if any(not words_of(choice) and choice != "*" for choice in choices):
        return "has a sign, or nothing, where a word should be"
    if any("*" in choice.strip("*") for choice in choices):
        return "has * inside a word: it may stand at its beginning or end, or alone"
    if any("|" in part and any(len(words_of(each)) > 1 for each in part.split("|")) for part in phrase.split()):
        return "has | beside a hyphen: put single words on both sides"
    return None
