"""The tables of docs/ that tests go through row by row."""

from __future__ import annotations

from functools import cache
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"

#: Codes that every address can answer with, as the contract says below its table.
EVERYWHERE = frozenset({200, 405, 413, 414})
#: Told before the request is read: HTTP says the same in every edition.
UNREAD = frozenset({414})


def rows(page: str, table: str) -> list[tuple[str, ...]]:
    """The rows between the marks of a table, without its head, as plain text."""
    text = (DOCS / page).read_text(encoding="utf-8")
    body = text.split(f"<!-- {table}: begin -->")[1].split(f"<!-- {table}: end -->")[0]
    lines = [line.strip().strip("|").replace("`", "") for line in body.splitlines() if line.strip()]
    return [tuple(cell.strip() for cell in line.split("|")) for line in lines[2:]]


@cache
def documented(path: str) -> frozenset[int]:
    """Every code that an address may answer with, a fault of ours aside."""
    named = {int(code) for endpoint, code, cause in rows("contract.md", "cells") if endpoint.split(" ")[-1] == path}
    assert named, f"the contract's table does not name {path}"
    return frozenset(named - {500}) | EVERYWHERE
