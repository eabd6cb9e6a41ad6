"""SVG path data (SVG 1.1, section 8.3) -> skia paths: the notation of outlines in sets and puppets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

import skia

_TOKEN = re.compile(r"[MmLlHhVvCcSsQqTtAaZz]|[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_ARITY = {"M": 2, "L": 2, "H": 1, "V": 1, "C": 6, "S": 4, "Q": 4, "T": 2, "A": 7, "Z": 0}


@lru_cache(maxsize=4096)
def outline(data: str) -> skia.Path:
    """The path that the data describe. Raises ValueError where they are not path data."""
    path = skia.Path()
    x = y = start_x = start_y = 0.0
    bend: tuple[float, float] | None = None  # the last control point, for the smooth commands S and T
    bent_by = ""
    for command, n in _commands(data):
        verb = command.upper()
        ox, oy = (x, y) if command.islower() else (0.0, 0.0)
        if bent_by not in {"S": "CS", "T": "QT"}.get(verb, ""):
            bend = None
        if verb == "M":
            x, y = ox + n[0], oy + n[1]
            start_x, start_y = x, y
            path.moveTo(x, y)
        elif verb in "LHV":
            x = ox + n[0] if verb != "V" else x
            y = oy + n[-1] if verb != "H" else y
            path.lineTo(x, y)
        elif verb in "CS":
            first = (ox + n[0], oy + n[1]) if verb == "C" else _mirror(x, y, bend)
            bend = (ox + n[-4], oy + n[-3])
            x, y = ox + n[-2], oy + n[-1]
            path.cubicTo(*first, *bend, x, y)
        elif verb in "QT":
            bend = (ox + n[0], oy + n[1]) if verb == "Q" else _mirror(x, y, bend)
            x, y = ox + n[-2], oy + n[-1]
            path.quadTo(*bend, x, y)
        elif verb == "A":
            rx, ry, tilt, large, sweep = n[:5]
            x, y = ox + n[5], oy + n[6]
            size = skia.Path.kLarge_ArcSize if large else skia.Path.kSmall_ArcSize
            path.arcTo(rx, ry, tilt, size, skia.PathDirection.kCW if sweep else skia.PathDirection.kCCW, x, y)
        else:
            x, y = start_x, start_y
            path.close()
        bent_by = verb
    return path


def _mirror(x: float, y: float, bend: tuple[float, float] | None) -> tuple[float, float]:
    return (x, y) if bend is None else (2 * x - bend[0], 2 * y - bend[1])


def _commands(data: str) -> Iterator[tuple[str, list[float]]]:
    """(command, its numbers) with repeated commands written out; after M come implicit L."""
    if _TOKEN.sub("", data).strip(" ,\t\n"):
        raise ValueError(f"not SVG path data: {data[:60]!r}")
    tokens = _TOKEN.findall(data)
    at, command = 0, ""
    while at < len(tokens):
        if tokens[at].isalpha():
            command, at = tokens[at], at + 1
        elif command in ("", "Z", "z"):
            raise ValueError(f"a number without a command in SVG path data: {data[:60]!r}")
        arity = _ARITY[command.upper()]
        numbers = tokens[at : at + arity]
        if len(numbers) < arity or any(n.isalpha() for n in numbers):
            raise ValueError(f"too few numbers after {command} in SVG path data: {data[:60]!r}")
        yield command, [float(n) for n in numbers]
        at += arity
        command = {"M": "L", "m": "l"}.get(command, command)
