"""In which language a prompt is, where that is sure; and what follows."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from filmgate.domain.errors import ContentRejected, LanguageRejected
from filmgate.domain.routing import Capabilities
from filmgate.domain.scripts import foreign_script
from filmgate.domain.spec import Kind, Spec
from filmgate.services.policy import language
from filmgate.services.policy.judging import Policy, Verdict
from filmgate.services.policy.language import languages_in
from filmgate.services.policy.reading import read_rules
from support.tools import package

ENGLISH_ONLY = Policy(english_only=True)
READS_ENGLISH = Capabilities()
GERMAN = "Ein Hund spielt in einem Park, und die Sonne scheint"


@pytest.mark.parametrize(
    ("prompt", "script"),
    [
        ("A dog in a park", None),
        ("\u0421\u043e\u0431\u0430\u043a\u0430 \u0438\u0433\u0440\u0430\u0435\u0442", "CYRILLIC"),
        ("\u516c\u56ed\u91cc\u7684\u72d7", "CJK"),
        ("\u516c\u5712\u3067\u904a\u3076\u72ac", "HIRAGANA"),
        ("\uacf5\uc6d0\uc5d0\uc11c \ub178\ub294 \uac1c", "HANGUL"),
        ("\u0643\u0644\u0628 \u064a\u0644\u0639\u0628", "ARABIC"),
        ("a sign that reads \u6b22\u8fce above the door", None),
        ("\u03a9", None),
        ("the letter \u03c0 in neon", None),
        ("1080p 24 fps!!!", None),
        ("", None),
        ("caf\u00e9 \u00e0 Montr\u00e9al, \u0141\u00f3d\u017a", None),
    ],
)
def test_the_script_of_most_letters(prompt: str, script: str | None) -> None:
    assert foreign_script(prompt) == script


# Prompts that a careless classifier takes for something else: names, lists, foreign words among English ones.
ENGLISH = """
Neon cat
A cat
Dog park sunset cinematic 4k
A dog playing in a park
cinematic drone shot, golden hour, fjord, Norway, ultra detailed
Kyoto ramen shop, neon, rain, bokeh
Salsa dancers in La Habana, vintage cars, cinematic
tango, Buenos Aires, noir
Schnitzel and Bratwurst at an Oktoberfest beer tent in Munich
Le Tour de France peloton, Alpe d'Huez, drone
Leonardo da Vinci, Mona Lisa smiles, Louvre, oil painting style
La Dolce Vita, Roma, Fontana di Trevi, black and white
hyperrealistic macro, dew, spider web, morning
Pokemon anime style girl, Shibuya, vaporwave, lo-fi
crash till 2
Hola amigo
"""

OTHERS = {
    GERMAN: "de",
    "Un chien joue dans un parc au coucher du soleil": "fr",
    "Un perro juega en el parque mientras llueve sobre la ciudad": "es",
    "Um cachorro brincando no parque ao p\u00f4r do sol": "pt",
    "Een hond speelt in het park bij zonsondergang": "nl",
    "Pies bawi si\u0119 w parku o zachodzie s\u0142o\u0144ca": "pl",
    "K\u00f6pek parkta oynuyor ve g\u00fcne\u015f bat\u0131yor": "tr",
    "Seekor anjing bermain di taman saat matahari terbenam": "id",
}


@pytest.mark.parametrize("prompt", [line for line in ENGLISH.splitlines() if line])
def test_what_may_be_english_is_taken_for_it(prompt: str) -> None:
    package("py3langid")
    assert languages_in(prompt) == {"en"}


@pytest.mark.parametrize(("prompt", "said"), OTHERS.items())
def test_a_whole_sentence_of_another_language_is_told_apart(prompt: str, said: str) -> None:
    package("py3langid")
    assert languages_in(prompt) == {said}


def test_without_the_extra_only_scripts_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language, "identifies", lambda: False)
    assert languages_in(GERMAN) == {"en"}
    assert languages_in("\uacf5\uc6d0\uc5d0\uc11c \ub178\ub294 \uac1c") == {"ko"}


# ---------------------------------------------------------------- what follows ------------------------------------


class Parrot:
    name = "parrot"

    def translate(self, text: str, languages: frozenset[str]) -> str:
        return f"{text} from {', '.join(sorted(languages))}"


def judged(policy: Policy, prompt: str, engines: Mapping[str, Capabilities] | None = None, **fields: Any) -> Verdict:
    spec = Spec(prompt, "veo3", **fields)
    return asyncio.run(policy.judge(spec, engines or {"first": READS_ENGLISH}))


KOREAN = "\uacf5\uc6d0\uc5d0\uc11c \ub178\ub294 \uac1c"


def test_a_prompt_that_nobody_reads_is_refused_under_english_only() -> None:
    with pytest.raises(LanguageRejected):
        judged(ENGLISH_ONLY, KOREAN)
    assert judged(Policy(), KOREAN).spec.prompt == KOREAN
    assert judged(ENGLISH_ONLY, "a dog").spec.prompt == "a dog"


def test_the_engine_of_the_route_that_reads_it_makes_it() -> None:
    engines = {"first": READS_ENGLISH, "second": Capabilities(languages=frozenset({"ko"}))}
    assert judged(ENGLISH_ONLY, KOREAN, engines).engine == "second"
    assert judged(ENGLISH_ONLY, "a dog", engines).engine == "first"
    assert judged(ENGLISH_ONLY, KOREAN, {"any": Capabilities(languages=frozenset({"*"}))}).engine == "any"


def test_a_translator_puts_it_into_english_unless_the_order_says_no() -> None:
    with_one = Policy(english_only=True, translator=Parrot())
    assert judged(with_one, KOREAN).spec.prompt == f"{KOREAN} from ko"
    assert judged(with_one, "a dog").spec.prompt == "a dog"
    with pytest.raises(LanguageRejected):
        judged(with_one, KOREAN, translate=False)
    any_language = Policy(translator=Parrot())
    assert judged(any_language, KOREAN).spec.prompt == f"{KOREAN} from ko"
    assert judged(any_language, KOREAN, translate=False).spec.prompt == KOREAN


def test_what_a_translator_returns_is_judged_too() -> None:
    class Blunt(Parrot):
        def translate(self, text: str, languages: frozenset[str]) -> str:
            return "a nude woman"

    with pytest.raises(ContentRejected):
        judged(Policy(read_rules(), translator=Blunt()), KOREAN)


def test_an_engine_that_translates_by_itself_is_given_the_prompt_as_it_is() -> None:
    engines = {"first": READS_ENGLISH, "second": Capabilities(translates=True)}
    both = Policy(english_only=True, translator=Parrot())
    assert judged(both, KOREAN, engines).engine == "second"
    assert judged(both, KOREAN, engines).spec.prompt == KOREAN
    with pytest.raises(LanguageRejected):
        judged(ENGLISH_ONLY, KOREAN, engines, translate=False)


def test_the_larger_version_of_a_film_is_not_judged_again() -> None:
    strict = Policy(english_only=True)
    assert judged(strict, KOREAN, kind=Kind.UPGRADE_4K, source_id="1").spec.prompt == KOREAN
    with pytest.raises(LanguageRejected):
        judged(strict, KOREAN, kind=Kind.EXTEND, source_id="1")
