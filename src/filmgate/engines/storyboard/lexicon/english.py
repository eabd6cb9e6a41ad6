"""Words out of text: a tokenizer for any script, and the few rules of English inflection that the lexicon needs."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass

#: No prompt is read beyond this: understanding must take the same short time whatever is sent.
LONGEST_PROMPT = 4_000
LONGEST_WORD = 24

_PLURALS = {
    "children": "child", "mice": "mouse", "geese": "goose", "people": "person", "men": "man", "women": "woman",
    "teeth": "tooth", "oxen": "ox", "cacti": "cactus", "dice": "dice", "feet": "foot", "octopi": "octopus",
    "firemen": "fireman", "policemen": "policeman", "snowmen": "snowman", "fishermen": "fisherman", "lice": "louse",
    "businessmen": "businessman", "businesswomen": "businesswoman", "mermen": "merman", "cowboys": "cowboy",
    "tornadoes": "tornado", "stairs": "stair", "calves": "calf", "puppies": "puppy", "selves": "self",
    "schoolchildren": "child", "folks": "person", "folk": "person", "kids": "kid", "shelves": "shelf",
}  # fmt: skip
_UNCHANGED = frozenset(
    {"bus", "lens", "gas", "cactus", "octopus", "walrus", "lotus", "hibiscus", "santa_claus", "circus"}
)
_VERBS = {
    "ran": "run", "flew": "fly", "flown": "fly", "swam": "swim", "swum": "swim", "sat": "sit", "slept": "sleep",
    "ate": "eat", "eaten": "eat", "drove": "drive", "driven": "drive", "rode": "ride", "ridden": "ride", "spun": "spin",
    "leapt": "leap", "swung": "swing", "drank": "drink", "sang": "sing", "sung": "sing", "spoke": "speak",
    "said": "say",
    "went": "go", "stood": "stand", "lay": "lie", "lying": "lie", "dove": "dive", "crept": "creep", "fled": "flee",
    "fought": "fight", "held": "hold", "wore": "wear", "threw": "throw", "caught": "catch", "rose": "rise",
    "hid": "hide",
    "built": "build", "drew": "draw", "wrote": "write", "dug": "dig", "fed": "feed", "blew": "blow", "told": "tell",
    "made": "make", "knelt": "kneel", "strode": "stride",
}  # fmt: skip


@dataclass(frozen=True)
class Token:
    """A word, an emoji or a stop of the prompt."""

    text: str  #: as it is written
    low: str  #: as it is looked up: lower case, without apostrophes
    stop: bool = False  #: a comma, a full stop: what stands before it does not qualify what comes after it


def tokens(prompt: str, pictures: Callable[[str], int]) -> list[Token]:
    """The words of a prompt in any script. ``pictures(text)`` tells how many characters an emoji at its start has."""
    return list(_scan(unicodedata.normalize("NFC", prompt[:LONGEST_PROMPT]), pictures))


def _scan(text: str, pictures: Callable[[str], int]) -> Iterator[Token]:
    at = 0
    while at < len(text):
        if length := pictures(text[at : at + 10]):
            yield Token(text[at : at + length], text[at : at + length])
            at += length
        elif _letter(text[at]):
            end = _end_of_word(text, at)
            yield Token(text[at:end][:LONGEST_WORD], _plain(text[at:end])[:LONGEST_WORD])
            at = end
        else:
            if text[at] in ",.;:!?()\n。、，":
                yield Token(text[at], text[at], stop=True)
            at += 1


def _letter(char: str) -> bool:
    return unicodedata.category(char)[0] in "LMN"


def _end_of_word(text: str, at: int) -> int:
    """Letters with their marks; an apostrophe between two letters belongs to the word."""
    while at < len(text) and (_letter(text[at]) or (text[at] in "'’" and _letter(text[at + 1 : at + 2] or " "))):
        at += 1
    return at


def _plain(word: str) -> str:
    low = word.lower().replace("’", "'")
    return low.removesuffix("'s").replace("'", "")


def lemmas(word: str) -> Iterator[tuple[str, bool]]:
    """The nouns that a word may be a form of, likeliest first: (noun, whether the word is its plural)."""
    yield word, False
    if word in _PLURALS:
        yield _PLURALS[word], True
    elif word.endswith("s") and not word.endswith(("ss", "us", "is")) and word not in _UNCHANGED and len(word) > 3:
        for singular in _singulars(word):
            yield singular, True
    elif word.endswith("uses") and len(word) > 5:
        yield word[:-2], True


def _singulars(word: str) -> Iterator[str]:
    if word.endswith("ies"):
        yield word[:-3] + "y"
    if word.endswith("ves"):
        yield word[:-3] + "f"
        yield word[:-3] + "fe"
    yield word[:-1]
    if word.endswith("es"):
        yield word[:-2]


def infinitives(word: str) -> Iterator[str]:
    """The verbs that a word may be a form of, likeliest first."""
    if word in _VERBS:
        yield _VERBS[word]
    yield word
    for ending in ("ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) > len(ending) + 1:
            yield from _stems(word[: -len(ending)], ending)


def _stems(stem: str, ending: str) -> Iterator[str]:
    if ending in ("ing", "ed"):
        if len(stem) > 2 and stem[-1] == stem[-2]:
            yield stem[:-1]
        yield stem + "e"
    if stem.endswith("i") and ending != "ing":
        yield stem[:-1] + "y"
    yield stem
