"""What becomes of the words of many prompts: pictured, cut out as a sticker, set in type, or missed.

    python scripts/coverage.py                  the prompts that the lexicon may be grown on
    python scripts/coverage.py --set-aside      the hundred that it may not, which is what counts
    python scripts/coverage.py --words          and each prompt with the fate of every word

A word counts unless it is the small change of the language ("the", "with") or speaks of the film as such ("4k",
"shot"); what is quoted does not count, since it is a caption. Pictured: a puppet, a set, an hour, a weather, a mood, a
movement, a colour, a number, a camera move or a manner that the film shows. Stickered: the emoji that the lexicon
lists the word under. Lettered: on the card or on the slip at the edge. Missed: nowhere.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from filmgate.engines.storyboard.model import Plan
from filmgate.engines.storyboard.plan import understood

PROMPTS = Path(__file__).resolve().parent.parent / "tests" / "prompts.txt"
SET_ASIDE = 100
LEAST = 0.75  #: of the words of the prompts set aside
MARKS = {"pictured": "", "stickered": "°", "lettered": "*", "missed": "!!"}


def prompts(text: str) -> tuple[list[str], list[str]]:
    """(the prompts to grow on, those set aside): the hundred whose hashes come first, in the order of the file."""
    lines = [line for line in map(str.strip, text.splitlines()) if line and not line.startswith(("#", "["))]
    chosen = set(sorted(lines, key=lambda line: hashlib.sha256(line.encode()).hexdigest())[:SET_ASIDE])
    return [line for line in lines if line not in chosen], [line for line in lines if line in chosen]


def told(prompt: str) -> list[tuple[str, str]]:
    """(word, fate) for each word of a prompt that counts."""
    plan, words = understood(prompt, seed=24680, seconds=8, portrait=False)
    return [(word.text, _fate(word.text, word.fate, plan)) for word in words]


def _fate(text: str, fate: str, plan: Plan) -> str:
    shown = {part.casefold() for word in (*plan.lettered, *plan.noted) for part in (word, *word.split())}
    whole = plan.prompt if plan.setting == "plain" and not plan.subjects else ""  # such a card shows all of it
    seen = text.casefold()[:24] in shown or text in whole
    return fate if fate != "lettered" or seen else "missed"


def counted(lines: Sequence[str], *, words: bool) -> Counter[str]:
    fates: Counter[str] = Counter()
    for line in lines:
        found = told(line)
        fates.update(fate for _, fate in found)
        if words:
            print(f"{line}\n    {' '.join(text.replace(' ', '_') + MARKS[fate] for text, fate in found)}")
    return fates


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prompts", type=Path, default=PROMPTS)
    parser.add_argument("--set-aside", action="store_true")
    parser.add_argument("--words", action="store_true", help="° stickered, * lettered, !! missed, else pictured")
    options = parser.parse_args()
    grown, aside = prompts(options.prompts.read_text(encoding="utf-8"))
    lines = aside if options.set_aside else grown
    fates = counted(lines, words=options.words)
    total = sum(fates.values())
    print(f"{len(lines)} prompts, {total} words that count")
    for fate in MARKS:
        print(f"  {fate:<10} {fates[fate]:>5}  {fates[fate] / total:6.1%}")
    share = (fates["pictured"] + fates["stickered"]) / total
    print(f"  pictured or stickered {share:.1%} (at least {LEAST:.0%}), missed {fates['missed']} (none)")
    return 0 if share >= LEAST and not fates["missed"] else 1


if __name__ == "__main__":
    sys.exit(main())
