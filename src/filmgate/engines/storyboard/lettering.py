"""Type on paper: Inter in a few weights, a fallback for what Inter lacks, and lines broken to fit a card.

Nothing here ever shows a tofu box: a character for which this machine has no letter is left out.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

import fontpkg_inter  # type: ignore[import-untyped]
import skia


class Face(Enum):
    """Weights of Inter that are used."""

    MEDIUM = 500
    BOLD = 720


@lru_cache(maxsize=4)
def face(which: Face) -> skia.Typeface:
    """The typeface of a weight (the variable font, set to it)."""
    regular = skia.Typeface.MakeFromFile(str(fontpkg_inter.ROOT / "files" / "Inter[opsz,wght].ttf"))
    coordinates = skia.FontArguments.VariationPosition.Coordinates(
        [_coordinate("wght", float(which.value)), _coordinate("opsz", 32.0)]
    )
    position = skia.FontArguments.VariationPosition(coordinates)
    arguments = skia.FontArguments()
    arguments.setVariationDesignPosition(position)
    return regular.makeClone(arguments) or regular


def _coordinate(axis: str, value: float) -> skia.FontArguments.VariationPosition.Coordinate:
    return skia.FontArguments.VariationPosition.Coordinate(int.from_bytes(axis.encode("ascii"), "big"), value)


@lru_cache(maxsize=2048)
def _typeface_of(character: str, which: Face) -> skia.Typeface | None:
    """A typeface that has the character: Inter, else one of this machine's, else none."""
    if character.isspace() or face(which).unicharToGlyph(ord(character)):
        return face(which)
    if unicodedata.bidirectional(character) in ("R", "AL"):
        return None  # such scripts need shaping, without which they would be misspelt
    return skia.FontMgr.RefDefault().matchFamilyStyleCharacter("", skia.FontStyle.Bold(), ["en"], ord(character))


def showable(text: str, which: Face = Face.BOLD) -> str:
    """The text as far as it can be set on this machine, in one line."""
    composed = unicodedata.normalize("NFC", " ".join(text.split()))
    kept = "".join(c for c in composed if c.isprintable() and _typeface_of(c, which) is not None)
    return " ".join(kept.split())


@dataclass(frozen=True)
class Setting:
    """Lines of text at a size; lengths in stage units."""

    lines: tuple[str, ...]
    size: float
    width: float
    leading: float
    face: Face

    @property
    def height(self) -> float:
        return self.leading * (len(self.lines) - 1) + self.size


def fit(text: str, width: float, height: float, largest: float, which: Face = Face.BOLD) -> Setting:
    """The text in the largest size, up to ``largest``, at which it fits a box; very long texts end in an ellipsis."""
    smallest = largest / 4.5
    size = largest
    while size > smallest:
        lines = _broken(text, width, size, which)
        if size * (1.22 * (len(lines) - 1) + 1) <= height and _widest(lines, size, which) <= width:
            break
        size *= 0.94
    else:
        lines = _shortened(_broken(text, width, smallest, which), max(1, int(height / (smallest * 1.22))))
    return Setting(tuple(lines), size, _widest(lines, size, which), size * 1.22, which)


def _shortened(lines: Sequence[str], most: int) -> list[str]:
    return list(lines) if len(lines) <= most else [*lines[: most - 1], lines[most - 1].rstrip(" ,.;:") + " …"]


def _widest(lines: Sequence[str], size: float, which: Face) -> float:
    return max(measure(line, size, which) for line in lines)


def _broken(text: str, width: float, size: float, which: Face) -> list[str]:
    """Lines of about equal length, none wider than ``width`` unless a single word is."""
    greedy = _greedy(text, width, size, which)
    if len(greedy) == 1:
        return greedy
    narrow = width
    while narrow > width / 2:  # as narrow as the same number of lines allows: no widow in the last line
        tried = _greedy(text, narrow * 0.95, size, which)
        if len(tried) > len(greedy):
            break
        greedy, narrow = tried, narrow * 0.95
    return greedy


def _greedy(text: str, width: float, size: float, which: Face) -> list[str]:
    lines: list[str] = []
    for word in _words(text, width, size, which):
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and measure(longer, size, which) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _words(text: str, width: float, size: float, which: Face) -> list[str]:
    """Words; what is too long for a line (a script without blanks, an address) is cut."""
    words: list[str] = []
    for word in text.split():
        while measure(word, size, which) > width and len(word) > 1:
            length = next(n for n in range(len(word) - 1, 0, -1) if n == 1 or measure(word[:n], size, which) <= width)
            words.append(word[:length])
            word = word[length:]
        words.append(word)
    return words


def measure(text: str, size: float, which: Face) -> float:
    """The width of a line, in the unit of ``size``."""
    return sum(float(font.measureText(run)) for run, font in _runs(text, which, 100.0)) * size / 100.0


def _runs(text: str, which: Face, size: float) -> list[tuple[str, skia.Font]]:
    """The text in stretches of one typeface."""
    runs: list[tuple[str, skia.Typeface]] = []
    for character in text:
        typeface = _typeface_of(character, which)
        if typeface is None:
            continue
        if runs and (runs[-1][1].uniqueID() == typeface.uniqueID()):
            runs[-1] = (runs[-1][0] + character, typeface)
        else:
            runs.append((character, typeface))
    return [(run, _font(typeface, size)) for run, typeface in runs]


def _font(typeface: skia.Typeface, size: float) -> skia.Font:
    font = skia.Font(typeface, size)
    font.setSubpixel(True)
    font.setLinearMetrics(True)
    font.setHinting(skia.FontHinting.kNone)
    return font


def draw(canvas: skia.Canvas, setting: Setting, x: float, top: float, paint: skia.Paint) -> None:
    """Sets the lines centred about ``x``, the first line's letters beginning at ``top``."""
    baseline = top + setting.size * 0.86
    for line in setting.lines:
        left = x - measure(line, setting.size, setting.face) / 2
        for run, font in _runs(line, setting.face, 100.0):
            canvas.save()
            canvas.translate(left, baseline)
            canvas.scale(setting.size / 100.0, setting.size / 100.0)
            canvas.drawString(run, 0, 0, font, paint)
            canvas.restore()
            left += font.measureText(run) * setting.size / 100.0
        baseline += setting.leading
