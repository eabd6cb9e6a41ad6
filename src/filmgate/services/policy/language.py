"""Which language a prompt is in, where that is sure. Nothing is said of short prompts and lists of names.

By script first, which needs nothing; then by py3langid, where the extra ``language`` is installed. That takes half a
second to load, and is loaded for the first prompt in Latin letters.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from typing import Any

from ...domain.scripts import foreign_script, languages_of

ENGLISH = frozenset({"en"})

#: Those that are told apart. The more there are, the more often a list of names is taken for one of them.
_CANDIDATES = ["en", "de", "fr", "es", "it", "pt", "nl", "pl", "sv", "da", "fi", "tr", "cs", "ro", "hu", "id", "vi"]
_FEWEST_WORDS, _FEWEST_LETTERS = 5, 20
_SURE = 0.8  #: probability of the language
_SURELY_NOT = 0.002  #: probability of English


def identifies() -> bool:
    """Whether languages in Latin letters can be told apart here."""
    return find_spec("py3langid") is not None


def languages_in(prompt: str) -> frozenset[str]:
    """The languages that the prompt may be in: several share a script; English where nothing else is sure."""
    script = foreign_script(prompt)
    if script is not None:
        return languages_of(script)
    if not identifies() or not _is_long_enough(prompt):
        return ENGLISH
    ranks: dict[str, float] = dict(_identifier().rank(prompt))
    best = max(ranks, key=lambda language: ranks[language])
    sure = ranks[best] >= _SURE and ranks["en"] <= _SURELY_NOT
    return frozenset({best}) if sure else ENGLISH


def _is_long_enough(prompt: str) -> bool:
    return len(prompt.split()) >= _FEWEST_WORDS and sum(map(str.isalpha, prompt)) >= _FEWEST_LETTERS


@cache
def _identifier() -> Any:
    from py3langid import langid

    identifier = langid.LanguageIdentifier.from_model_file(langid.MODEL_FILE, norm_probs=True)
    identifier.set_languages(_CANDIDATES)
    return identifier
