"""Which prompts are refused, and for what a fallback engine may be asked. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from .errors import ContentRejected, FilmgateError, MinorRejected, PersonRejected, TaskError
from .phrases import Phrases, words_of
from .spec import AspectRatio, Kind, Spec


class RulesUnusable(FilmgateError):
    """An operator's file of rules cannot be used; the sentence says where and why."""

    slug = "rules_unusable"


class Refusal(StrEnum):
    """What the owner of a refused task is told."""

    FLAGGED = "flagged"
    PERSON = "person"
    MINOR = "minor"


_ERRORS = {
    Refusal.FLAGGED: ContentRejected,
    Refusal.PERSON: PersonRejected,
    Refusal.MINOR: MinorRejected,
}

#: Slugs of the refusals for which a fallback engine may be asked.
TRIGGERS = frozenset(error.slug for error in _ERRORS.values())


@dataclass(frozen=True, slots=True)
class Category:
    """What is refused for one reason. Words inside an exception are not seen by the category."""

    name: str
    about: str  #: completes "It speaks of ..."
    refusal: Refusal = Refusal.FLAGGED
    fallback: bool = False  #: whether another engine may be asked, where the order allows it
    phrases: tuple[str, ...] = ()
    exceptions: tuple[str, ...] = ()
    together: tuple[tuple[str, ...], ...] = ()  #: lists of phrases: refused where one of each is found ...
    within: int = 8  #: ... in so many words


@dataclass(frozen=True, slots=True)
class Finding:
    """Why a text is refused."""

    category: Category
    words: str  #: of the text, as they are read

    @property
    def error(self) -> ContentRejected:
        said = f'It speaks of {self.category.about} ("{self.words}"): describe the film without that.'
        return _ERRORS[self.category.refusal](said)


def may_fall_back(spec: Spec, error: TaskError) -> bool:
    """Whether this refusal is one for which the order wants another engine to be asked."""
    asked = spec.fallback is True and spec.kind is Kind.GENERATE
    return asked and spec.aspect_ratio is AspectRatio.LANDSCAPE and error.slug in TRIGGERS


class Rules:
    """Categories, made ready. The first one that refuses a text counts."""

    def __init__(self, categories: Sequence[Category]) -> None:
        self.categories = tuple(categories)
        self._matchers = [_Matcher(category) for category in categories]

    def find(self, text: str) -> Finding | None:
        words = words_of(text)
        return next((found for each in self._matchers if (found := each.find(words)) is not None), None)


class _Matcher:
    """A category, made ready."""

    def __init__(self, category: Category) -> None:
        self._category = category
        self._phrases = Phrases(category.phrases)
        self._exceptions = Phrases(category.exceptions)
        self._together = [Phrases(phrases) for phrases in category.together]

    def find(self, words: Sequence[str]) -> Finding | None:
        unseen = {number for span in self._exceptions.spans(words) for number in span}
        span = next(_seen(self._phrases, words, unseen), None) or self._near(words, unseen)
        return None if span is None else Finding(self._category, " ".join(words[span.start : span.stop]))

    def _near(self, words: Sequence[str], unseen: set[int]) -> range | None:
        """The first stretch that holds one of each list."""
        found = [[*_seen(phrases, words, unseen)] for phrases in self._together]
        if not found or not all(found):
            return None
        for start in sorted(span.start for spans in found for span in spans):
            ends = [_end(spans, start) for spans in found]
            if max(ends) - start <= self._category.within:
                return range(start, max(ends))
        return None


def _seen(phrases: Phrases, words: Sequence[str], unseen: set[int]) -> Iterator[range]:
    return (span for span in phrases.spans(words) if unseen.isdisjoint(span))


def _end(spans: Sequence[range], start: int) -> int:
    """Where the first of them that begins here or later ends; out of reach where there is none."""
    number = bisect_left(spans, start, key=lambda span: span.start)
    return spans[number].stop if number < len(spans) else start + 1_000_000


@dataclass(frozen=True, slots=True)
class Change:
    """What an operator says about a category; what is None or empty stays as it is."""

    on: bool = True
    about: str | None = None
    refusal: Refusal | None = None
    fallback: bool | None = None
    phrases: tuple[str, ...] = ()  #: added
    exceptions: tuple[str, ...] = ()  #: added
    without: tuple[str, ...] = ()  #: phrases and exceptions that are taken out
    together: tuple[tuple[str, ...], ...] = ()  #: in place of those that there are
    within: int | None = None


def changed(category: Category, change: Change) -> Category:
    def kept(phrases: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(phrase for phrase in phrases if phrase not in change.without)

    return replace(
        category,
        about=change.about or category.about,
        refusal=change.refusal or category.refusal,
        fallback=category.fallback if change.fallback is None else change.fallback,
        phrases=kept(category.phrases) + change.phrases,
        exceptions=kept(category.exceptions) + change.exceptions,
        together=change.together or category.together,
        within=change.within or category.within,
    )
