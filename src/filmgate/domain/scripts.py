"""The script that a text is written in, and the languages that use it. Pure."""

from __future__ import annotations

import unicodedata
from collections import Counter

LATIN = "LATIN"

#: Script, as Unicode calls it -> languages (ISO 639-1) that are written in it.
LANGUAGES = {
    "CYRILLIC": frozenset({"ru", "uk", "bg", "sr", "be", "mk", "kk"}),
    "GREEK": frozenset({"el"}),
    "HEBREW": frozenset({"he"}),
    "ARABIC": frozenset({"ar", "fa", "ur"}),
    "DEVANAGARI": frozenset({"hi", "mr", "ne"}),
    "BENGALI": frozenset({"bn"}),
    "TAMIL": frozenset({"ta"}),
    "TELUGU": frozenset({"te"}),
    "THAI": frozenset({"th"}),
    "HANGUL": frozenset({"ko"}),
    "HIRAGANA": frozenset({"ja"}),
    "KATAKANA": frozenset({"ja"}),
    "CJK": frozenset({"zh", "ja"}),
    "GEORGIAN": frozenset({"ka"}),
    "ARMENIAN": frozenset({"hy"}),
    "ETHIOPIC": frozenset({"am"}),
}
_KANA = ("HIRAGANA", "KATAKANA")
_FEWEST = 2  #: letters; one alone may be a name or a sign
_LOOKED_AT = 2000  #: characters, from the beginning


def foreign_script(text: str) -> str | None:
    """The script of most letters where that is not Latin, else None."""
    counts = Counter(script for char in text[:_LOOKED_AT] if (script := _script(char)) is not None)
    foreign = {script: count for script, count in counts.items() if script != LATIN}
    if sum(foreign.values()) < _FEWEST or sum(foreign.values()) <= counts[LATIN]:
        return None
    return next((kana for kana in _KANA if kana in foreign), max(foreign, key=lambda script: foreign[script]))


def languages_of(script: str) -> frozenset[str]:
    """None are named for a script that is not known here: no engine is said to read it."""
    return LANGUAGES.get(script, frozenset())


def _script(char: str) -> str | None:
    return unicodedata.name(char, "").partition(" ")[0] if char.isalpha() else None
