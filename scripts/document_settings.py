"""Write the table of docs/settings.md from the settings themselves; ``--check`` only says whether it is up to date."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from filmgate.settings import Setting, known

PAGE = Path(__file__).resolve().parent.parent / "docs" / "settings.md"
BEGIN, END = "<!-- settings: begin -->\n", "<!-- settings: end -->\n"


def table() -> str:
    """Every setting as a row: variable, default, meaning."""
    rows = (f"| `{each.variable}` | {_default(each)} | {_meaning(each)} |" for each in known())
    return "\n".join(["| variable | default | meaning |", "|---|---|---|", *rows]) + "\n"


def written(page: str) -> str:
    """The page with the table put between its marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{table()}{END}{after}"


def _default(setting: Setting) -> str:
    return f"`{setting.facts.default_words}`" if setting.facts.default_words else _words(setting.default)


def _words(value: Any) -> str:
    if value is None or value == ():
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple):
        return f"`{','.join(f'{each:g}' for each in value)}`"
    return f"`{value:.10g}`" if isinstance(value, float) else f"`{value}`"


def _meaning(setting: Setting) -> str:
    return setting.facts.sentence + (" Secret." if setting.facts.secret else "")


if __name__ == "__main__":
    page = PAGE.read_text(encoding="utf-8")
    if "--check" in sys.argv:
        sys.exit(0 if written(page) == page else f"{PAGE.name} is out of date: run {Path(__file__).name}")
    PAGE.write_text(written(page), encoding="utf-8")
