"""How a phrase stands in a text."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filmgate.domain.phrases import Phrases, complaint, words_of
from filmgate.domain.policy import Category, Change, Rules, changed


def spans(phrase: str, text: str) -> list[tuple[int, int]]:
    return [(span.start, span.stop) for span in Phrases([phrase]).spans(words_of(text))]


@pytest.mark.parametrize(
    ("phrase", "text", "found"),
    [
        ("red car", "A Red  Car, a red cart and a red-car", [(1, 3), (8, 10)]),
        ("car*", "car carts scar", [(0, 1), (1, 2)]),
        ("*car", "car carts scar", [(0, 1), (2, 3)]),
        ("*car*", "car carts scar", [(0, 1), (1, 2), (2, 3)]),
        ("red * car", "red old car, red car, red very old car", [(0, 3)]),
        ("red|blue car|bus*", "red car blue buses green car", [(0, 2), (2, 4)]),
        ("well-known", "well known, well-known, wellknown", [(0, 2), (2, 4)]),
        ("don't", "dont don't don\u2019t", [(0, 1), (1, 2), (2, 3)]),
        ("m4 rifle", "an M4 rifle", [(1, 3)]),
        ("\u043c\u043e\u0441\u043a\u0432\u0430", "\u041c\u043e\u0441\u043a\u0432\u0430!", [(0, 1)]),
        ("caf\u00e9", "CAFE cafe\u0301", [(0, 1), (1, 2)]),
        ("secret", "s e c r e t s-e-c-r-e-t s3cr3t \u0455ecret", [(0, 1), (1, 2), (2, 3)]),
    ],
)
def test_where_a_phrase_stands(phrase: str, text: str, found: list[tuple[int, int]]) -> None:
    assert complaint(phrase) is None
    if phrase == "secret":  # letters set apart by anything are one word, here of both
        assert words_of(text) == ["secretsecret", "secret", "secret"]
        found = [(1, 2), (2, 3)]
    assert spans(phrase, text) == found


def test_letters_set_apart_are_one_word_from_four_on() -> None:
    assert words_of("n u d e") == ["nude"]
    assert words_of("a b c dog") == ["a", "b", "c", "dog"]


@pytest.mark.parametrize("phrase", ["", "  ", "...", "a*b", "a|", "|", "a-b|c", "* *"])
def test_what_is_no_phrase(phrase: str) -> None:
    assert complaint(phrase) is not None


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=12), max_size=12))
def test_whatever_is_written_can_be_read(parts: list[str]) -> None:
    words = words_of(" ".join(parts))
    assert all(words)
    assert not any(" " in word or word != word.casefold() for word in words)
    assert not any(unicodedata.category(char) == "Cf" for word in words for char in word)


@given(
    st.lists(st.sampled_from(["red", "car", "old", "blue"]), max_size=30),
    st.lists(st.sampled_from(["red", "car", "old", "blue"]), min_size=1, max_size=3),
)
def test_a_phrase_is_found_wherever_its_words_stand_in_a_row(text: list[str], phrase: list[str]) -> None:
    there = [(i, i + len(phrase)) for i in range(len(text)) if text[i : i + len(phrase)] == phrase]
    assert spans(" ".join(phrase), " ".join(text)) == there


# ---------------------------------------------------------------- categories --------------------------------------

NEAR = Category("near", "x", together=(("child", "little girl"), ("naked",)), within=5, exceptions=("naked eye",))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a child naked", "child naked"),
        ("naked, said the little girl", "naked said the little girl"),
        ("naked she said to the little girl", None),
        ("a child sees with the naked eye", None),
        ("a child", None),
        ("child " * 50 + "is quite naked", "child is quite naked"),
    ],
)
def test_one_of_each_list_in_a_short_stretch(text: str, words: str | None) -> None:
    found = Rules([NEAR]).find(text)
    if words is None:
        assert found is None
    else:
        assert found is not None
        assert found.words.endswith(words)
        assert len(found.words.split()) <= 5


def test_the_first_category_that_refuses_counts() -> None:
    rules = Rules([Category("one", "x", phrases=("b",)), Category("two", "y", phrases=("a b",))])
    found = rules.find("a b")
    assert found is not None
    assert found.category.name == "one"


def test_a_change_adds_takes_out_and_leaves_the_rest() -> None:
    before = Category("c", "x", phrases=("a", "b"), exceptions=("a c",), within=3)
    after = changed(before, Change(phrases=("d",), without=("a", "a c"), fallback=True))
    assert after == Category("c", "x", fallback=True, phrases=("b", "d"), within=3)
