"""Tables: coloured and fitted on a terminal; elsewhere plain columns that a program can cut."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from .saying import plain, say


@dataclass(frozen=True, slots=True)
class Row:
    cells: tuple[str, ...]
    dim: bool = False


def show_table(heads: Sequence[str], rows: Sequence[Row]) -> None:
    """Print it on standard output."""
    rows = [Row(tuple(map(plain, row.cells)), row.dim) for row in rows]
    if sys.stdout.isatty():
        _show_rich(heads, rows)
        return
    lines = [tuple(heads), *(row.cells for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(heads))]
    for line in lines:
        say("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def show_lines(lines: Sequence[tuple[str, str]]) -> None:
    """Print names and values on standard output; those without a value are left out."""
    for name, value in lines:
        if value:
            say(f"{name:<9} {value}")


def moment(ms: int) -> str:
    """UTC milliseconds as "2026-01-31T10:30:00Z"."""
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _show_rich(heads: Sequence[str], rows: Sequence[Row]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold yellow")
    for i, head in enumerate(heads):
        table.add_column(head, overflow="fold", no_wrap=i == 0)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row.cells), style="dim" if row.dim else None)
    Console().print(table)
