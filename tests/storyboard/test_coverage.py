"""No word of a prompt is passed over, and most of them are to be seen."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from filmgate.engines.storyboard.plan import make_plan, understood

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("which", [[], ["--set-aside"]], ids=["grown on", "set aside"])
def test_three_quarters_of_the_words_are_seen_and_none_is_missed(which: list[str]) -> None:
    command = [sys.executable, str(ROOT / "scripts" / "coverage.py"), *which]
    told = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert told.returncode == 0, told.stdout + told.stderr
    assert ("100 prompts" if which else "210 prompts") in told.stdout


def fates(prompt: str) -> dict[str, str]:
    return {word.text: word.fate for word in understood(prompt, seed=7, seconds=8, portrait=False)[1]}


def test_each_word_has_its_fate() -> None:
    assert fates("three red cars driving through the city at night, pan left") == {
        "three": "pictured", "red": "pictured", "cars": "pictured", "driving": "pictured", "city": "pictured",
        "at night": "pictured", "pan left": "pictured",
    }  # fmt: skip
    assert fates("a fluffy dog eats a pizza") == {
        "fluffy": "lettered", "dog": "pictured", "eats": "pictured", "pizza": "stickered",
    }  # fmt: skip


def test_of_two_places_only_the_one_that_is_shown_is_pictured() -> None:
    assert fates("a dog in a kitchen in a forest") | {"dog": "pictured"} == {
        "dog": "pictured", "kitchen": "pictured", "forest": "lettered",
    }  # fmt: skip


def test_more_actors_than_the_stage_holds_are_noted() -> None:
    told = make_plan("a dog, a cat, a fox, a bear and a lion", seed=7, seconds=8, portrait=False)
    assert [subject.noun for subject in told.subjects] == ["dog", "cat", "fox", "bear"]
    assert "lion" in told.noted


def test_what_is_on_the_card_is_not_noted_again() -> None:
    told = make_plan("a painting of Napoleon", seed=7, seconds=8, portrait=False)
    assert "Napoleon" in told.lettered
    assert "Napoleon" not in told.noted
