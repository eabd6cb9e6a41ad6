"""Reading a prompt from left to right: which noun has which number, colour and verb, and what is said of the place.

This is no grammar of English. It is what a stagehand does with a note: noun phrases are closed by a noun, a verb
belongs to who stands before it, and what follows a preposition of place is where things happen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from .lexicon import LONGEST_PHRASE, Entry, Lexicon, Noun
from .lexicon.english import Token
from .model import Mood, Move, Style, Time, Weather

_DETERMINERS = frozenset(
    {"a", "an", "the", "this", "that", "these", "those", "his", "her", "their", "its", "my", "our", "your", "some"}
    | {"every", "each", "one"}
)
_WHERE = frozenset(
    {"in", "on", "at", "over", "through", "across", "around", "along", "beside", "near", "above", "below", "under"}
    | {"inside", "into", "onto", "from", "by", "past", "beneath", "underneath", "behind", "outside", "atop", "within"}
    | {"between", "beyond", "among", "amid", "toward", "towards", "against"}
)
_JOINING = frozenset({"and", "or", "with", "beside", "along", "plus", "together"})
_GENERIC = frozenset({"man", "woman", "person", "character", "human", "figure", "people", "guy", "lady"})
_HUMAN = frozenset({"person", "child", "dancer", "ballerina", "robot"})
#: Their plural is their singular: without "a" there are several.
_ALIKE = frozenset({"fish", "goldfish", "clownfish", "koi", "salmon", "trout", "tuna", "carp", "sheep", "deer"})
_PLURAL_DETERMINERS = frozenset({"these", "those", "some", "his", "her", "their", "its", "my", "our", "your"})
_COUNTED = {"couple": 2, "family": 3, "crowd": 5, "school of fish": 5}
#: Who rides these is drawn with them, or hidden in them.
_CARRIERS = frozenset({"bicycle", "car", "flying_car", "train", "airplane"})
_STEERING = frozenset({"ride", "drive", "pedal", "cycle", "fly", "race", "steer"})
_ROWING = frozenset({"row", "sail", "paddle", "steer", "ride"})
_PRONOUNS = frozenset({"he", "she", "it", "they", "who", "which"})
_MOVING_ON = frozenset({"walk", "run", "roll"})
_SHARED = frozenset({"walk", "run", "play", "dance", "swim", "jump"})


@dataclass
class Found:
    """A noun of the prompt with what is said about it."""

    noun: Noun
    word: str
    count: int
    colour: str | None
    size: float
    where: bool  #: it stands after a preposition of place
    action: str | None = None
    verb: str | None = None


@dataclass
class Told:
    """A word (or phrase) of the prompt that has a meaning of its own, and which actor it says something of."""

    text: str
    entry: Entry | None  #: None for a word that is not known
    of: Found | None = None
    act: str | None = None  #: it was read as a verb: the action that it asks for


@dataclass
class Phrase:
    """The noun phrase that is being read."""

    count: int | None = None
    colour: str | None = None
    size: float | None = None
    opened: bool = False  #: a determiner or an adjective stood before: a noun must come
    preposition: str | None = None
    definite: bool = False
    single: bool = False  #: a determiner stood before that is said of one
    told: list[Told] = field(default_factory=list)  #: its colours, numbers and sizes


@dataclass
class Reading:
    """Everything that was understood."""

    found: list[Found] = field(default_factory=list)
    places: list[tuple[str, bool]] = field(default_factory=list)  #: (setting, after a preposition of place)
    scenery: list[str] = field(default_factory=list)
    times: list[tuple[Time, bool]] = field(default_factory=list)  #: (time, said only by something in the sky)
    weathers: list[Weather] = field(default_factory=list)
    moods: list[Mood] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    styles: list[Style] = field(default_factory=list)
    paces: list[float] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)  #: every word that is not the small change of the language
    unknown: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)  #: those of the unknown words that the prompt is about
    content: list[str] = field(default_factory=list)  #: all words but the small change of the language
    plain: list[str] = field(default_factory=list)  #: ... and with the small change: all that is not about the film
    words: list[str] = field(default_factory=list)
    futuristic: bool = False
    _phrase: Phrase = field(default_factory=Phrase)
    _pending: tuple[str, str, Told] | None = None  #: (action, verb, its word) that waits for a noun
    _doers: list[Found] = field(default_factory=list)  #: to whom the next verb belongs
    _last: Found | None = None  #: the noun directly before, for compounds
    _after_noun: bool = False
    _verb: str | None = None  #: the verb whose object may come

    # ------------------------------------------------------------ one word after the other

    def stop(self, mark: str) -> None:
        self._phrase, self._last, self._after_noun = Phrase(), None, False
        if mark in ".;!?\n。":
            self._pending, self._verb = None, None

    def stranger(self, text: str, followed: bool) -> None:
        """A word that the lexicon does not know. Before a noun, or after "under the", it is no matter of its own."""
        self.unknown.append(text)
        self.told.append(Told(text, None))
        if self._after_noun:
            self._phrase = Phrase()
        acts = self._after_noun and text.lower().endswith("s")
        if not followed and not acts and self._phrase.preposition not in _WHERE:
            self.names.append(text)
        self.content.append(text)
        self.plain.append(text)
        self.words.append(text)
        self._last, self._after_noun = None, True
        self._pending = None

    def word(self, text: str, entry: Entry, name: str, followed: bool) -> None:
        """``followed``: a noun comes after it in the same phrase, so that it may qualify it."""
        self.words.append(text)
        told = Told(text, entry)
        if entry.quiet not in ("grammar", "film") or entry.styles_the_film:
            self.told.append(told)
        if entry.quiet != "film":
            self.plain.append(text)
        if entry.quiet not in ("grammar", "film"):
            self.content.append(text)
        self._scene(entry)
        self.futuristic |= name in ("futuristic", "sci_fi", "future", "cyberpunk")
        if entry.colour and (followed or not entry.noun):
            self._qualify(told, colour=entry.colour)
        elif entry.verb and self._acts(text, entry):
            self._act(entry, text, followed, told)
        elif entry.noun:
            told.of = self._name(entry.noun, entry.plural)
        else:
            self._smaller(entry, name, told)

    def _smaller(self, entry: Entry, name: str, told: Told) -> None:
        """Numbers, sizes, places, prepositions: what is neither a noun nor a verb."""
        if entry.count is not None or entry.size is not None:
            self._qualify(told, count=entry.count, size=entry.size)
        elif entry.place:
            self.places.append((entry.place, self._phrase.preposition in _WHERE))
            self._phrase, self._last, self._after_noun = Phrase(), None, True
        elif entry.quiet == "grammar":
            self._connect(name)
        elif entry.scenery:
            self._phrase, self._after_noun = Phrase(), True
        else:
            self._phrase.opened |= entry.quiet == "qualifying"
            self._last = None

    def _scene(self, entry: Entry) -> None:
        if entry.time:
            self.times.append((entry.time, entry.scenery == "sky"))
        if entry.weather:
            self.weathers.append(entry.weather)
        if entry.mood:
            self.moods.append(entry.mood)
        if entry.move:
            self.moves.append(entry.move)
        if entry.style:
            self.styles.append(entry.style)
        if entry.pace:
            self.paces.append(entry.pace)
        if entry.scenery and not entry.noun:
            self.scenery.append(entry.scenery)

    def _qualify(
        self, told: Told, *, colour: str | None = None, count: int | None = None, size: float | None = None
    ) -> None:
        phrase = self._phrase
        phrase.told.append(told)
        phrase.colour, phrase.count, phrase.size = phrase.colour or colour, phrase.count or count, phrase.size or size
        phrase.opened, self._last, self._after_noun = True, None, False

    def _connect(self, name: str) -> None:
        if name in _DETERMINERS:
            self._phrase = Phrase() if self._after_noun else self._phrase
            self._phrase.opened, self._phrase.definite = True, name not in ("a", "an", "some", "one", "each", "every")
            self._phrase.single = name not in _PLURAL_DETERMINERS
        elif name in _WHERE or name in _JOINING or name in ("of", "to", "for"):
            self._phrase = Phrase(preposition=name)
        self._last, self._after_noun = None, name in _PRONOUNS

    # ------------------------------------------------------------ nouns

    def _name(self, noun: Noun, plural: bool) -> Found | None:
        """The actor that the noun names; None for clothes that only colour their wearer."""
        phrase, before = self._phrase, self._last
        known = self._known(noun, phrase)
        named: Found | None
        if noun.worn and (wearer := self._wearer()) is not None:
            named = wearer if self._dress(phrase.colour) else None
        elif known is not None:
            named = known
            self._doers, self._last = [known], None
        else:
            if before is not None and before is self.found[-1] and phrase.opened:
                self.found.pop()  # "a bird cage": the last noun is the thing, the one before it says which
                self._doers = [doer for doer in self._doers if doer is not before]
            named = self._add(noun, plural, phrase)
        for told in phrase.told:
            told.of = named
        keep_open = phrase.opened and self._last is not None
        self._phrase = Phrase(count=phrase.count, colour=phrase.colour, size=phrase.size, opened=keep_open,
                              preposition=phrase.preposition, told=phrase.told) if keep_open else Phrase()  # fmt: skip
        self._after_noun = True
        return named

    def _add(self, noun: Noun, plural: bool, phrase: Phrase) -> Found:
        """The actor that the noun becomes: a new one, or the doer whose vehicle it is."""
        several = plural or (noun.name in _ALIKE and not phrase.single)
        count = phrase.count or (_COUNTED.get(noun.name, 3) if several else 1)
        found = Found(noun, noun.name, min(count, 5), phrase.colour, phrase.size or 1.0, phrase.preposition in _WHERE)
        if self._object_of(found):
            return self._doers[-1]
        if self._pending is not None:
            (found.action, found.verb, told), self._pending = self._pending, None
            told.of = found
        elif self._verb is None and noun.living:
            joined = phrase.preposition in ("and", "or", "with", "plus")
            self._doers = [*self._doers, found] if joined else [found]
        if noun.living and (found.action or not self._doers):
            self._doers = [found]
        self.found.append(found)
        self._last = found
        return found

    def _object_of(self, found: Found) -> bool:
        """Settle what the verb before does with its object. True where subject and object become one actor."""
        doer = self._doers[-1] if self._doers else None
        if self._verb is None or doer is None or found.where or not found.noun.living:
            return False
        verb, self._verb = self._verb, None
        if verb in _STEERING and doer.noun.puppet in _HUMAN and _carries(found.noun, verb):
            doer.noun, doer.word, doer.action, doer.verb = found.noun, found.word, found.noun.action, None
            doer.colour = found.colour or doer.colour
            self._last = doer
            return True
        if verb == "fly" and found.noun.puppet == "kite":
            doer.action, found.count = "play", max(found.count, doer.count if found.count > 1 else 1)
        elif verb in _ROWING and found.noun.action == "float":
            doer.action = "sit"
        elif verb == "ride":
            doer.action, found.action = "sit", "run"
        elif found.noun.action == "idle" and doer.action in _SHARED:
            found.action = doer.action
        return False

    def _known(self, noun: Noun, phrase: Phrase) -> Found | None:
        """The same thing, named again: "a cat ... the cat", "a wizard ... the man"."""
        if not phrase.definite:
            return None
        same = [found for found in self.found if found.noun.name == noun.name]
        if not same and noun.name in _GENERIC:
            same = [found for found in self.found if found.noun.living and found.noun.puppet in (*_HUMAN, None)]
        return same[-1] if same else None

    def _wearer(self) -> Found | None:
        return next((found for found in reversed(self.found) if found.noun.living), None)

    def _dress(self, colour: str | None) -> bool:
        """Clothes give their colour to who wears them. Whether they did."""
        wearer, self._last = self._wearer(), None
        if wearer is None or wearer.colour is not None or colour is None:
            return False
        wearer.colour = colour
        return True

    # ------------------------------------------------------------ verbs

    def _acts(self, text: str, entry: Entry) -> bool:
        """Whether a word that may be a verb is one here: "people watch" and not "a watch"."""
        if entry.quiet == "grammar" or entry.place or (entry.move and not self._after_noun):
            return False
        inflected = text.lower().endswith(("ing", "s", "ed"))
        if entry.noun is not None or entry.scenery is not None:
            return self._after_noun and (inflected or not self._phrase.opened)
        return inflected or not self._phrase.opened or self._after_noun

    def _act(self, entry: Entry, text: str, followed: bool, told: Told) -> None:
        action, verb = entry.verb or "idle", entry.infinitive or ""
        told.act = action
        doers = self._doers or self._thing()
        attributive = not self._after_noun and self._phrase.opened and followed
        if not doers or attributive or (not self._after_noun and followed and self._all_said()):
            self._pending = (action, verb, told)
        else:
            for doer in doers:
                if doer.action in (None, "idle"):
                    doer.action, doer.verb = action, verb
            told.of = doers[-1]
            self._verb = verb
            self._phrase = Phrase()
        self._last, self._after_noun = None, False

    def _thing(self) -> list[Found]:
        """A lifeless thing directly before a verb, which it is then seen doing: "a pizza dancing"."""
        thing = self._last
        return [thing] if thing is not None and self._after_noun and not thing.where else []

    def _all_said(self) -> bool:
        return all(doer.action not in (None, "idle") for doer in self._doers)


def _carries(noun: Noun, verb: str) -> bool:
    """Whether the one who steers it is drawn with it, or sits inside."""
    return noun.puppet in _CARRIERS or (
        verb in ("drive", "fly") and noun.action in ("roll", "fly") and noun.puppet != "kite"
    )


def read(tokens: Sequence[Token], lexicon: Lexicon) -> Reading:
    """Read the words of a prompt, the longest known phrases first."""
    reading, at = Reading(), 0
    spans = list(_spans(tokens, lexicon))
    while at < len(spans):
        text, name, entry = spans[at]
        if name in _MARKS:
            reading.stop(name)
        elif name in lexicon.pictures:
            reading.word(text, Entry(noun=lexicon.pictures[name]), name, False)
        elif entry is None:
            reading.stranger(text, _followed(spans[at + 1 : at + 2]))
        else:
            reading.word(text, entry, name, _followed(spans[at + 1 : at + 4]))
        at += 1
    return reading


_MARKS = frozenset(',.;:!?()\n。、，"')


def _spans(tokens: Sequence[Token], lexicon: Lexicon) -> list[tuple[str, str, Entry | None]]:
    """(as written, as looked up, its meaning) for each phrase or word."""
    spans: list[tuple[str, str, Entry | None]] = []
    at = 0
    while at < len(tokens):
        length, name, entry = _longest(tokens, at, lexicon)
        spans.append((" ".join(token.text for token in tokens[at : at + length]), name, entry))
        at += length
    return spans


def _longest(tokens: Sequence[Token], at: int, lexicon: Lexicon) -> tuple[int, str, Entry | None]:
    run: list[str] = []
    for token in tokens[at : at + LONGEST_PHRASE]:
        if token.stop:
            break
        run.append(token.low)
    for length in range(len(run), 1, -1):
        name = "_".join(run[:length])
        if (entry := lexicon.entry(name)) is not None:
            return length, name, entry
    return 1, tokens[at].low, lexicon.entry(tokens[at].low)


def _followed(spans: Sequence[tuple[str, str, Entry | None]]) -> bool:
    """Whether a noun comes before the phrase ends."""
    for _, name, entry in spans:
        if name in _MARKS or entry is None or entry.quiet == "grammar":
            return False
        if entry.noun is not None:
            return True
        if entry.place or entry.scenery:
            return False
    return False


def fitting(noun: Noun, action: str | None) -> str:
    """The action as this noun does it: a car does not walk and a cat does not roll."""
    if action is None:
        return noun.action
    if noun.puppet == "flying_car" or noun.action in ("roll", "float"):
        return noun.action if action in (*_MOVING_ON, "fly", "float", "swim") else action
    if noun.action == "fly":
        return "fly" if action in ("roll", "float") else action
    if noun.action == "swim":
        return "swim" if action in (*_MOVING_ON, "float") else action
    return "walk" if action == "roll" else action
