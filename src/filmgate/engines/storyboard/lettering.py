"""Type on paper: Inter in a few weights, other scripts and emoji where Inter lacks them, lines broken to fit a card.

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

from .emoji import StickerError, drawing


class Face(Enum):
    """Weights of Inter that are used."""

    MEDIUM = 500
    BOLD = 720


#: Where Unicode's word for a script is not what people call it.
_SCRIPTS = {"CJK": "Chinese", "HANGUL": "Korean", "HIRAGANA": "Japanese", "KATAKANA": "Japanese"}


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
    return skia.FontMgr.RefDefault().matchFamilyStyleCharacter("", skia.FontStyle.Bold(), ["en"], ord(character))


@lru_cache(maxsize=512)
def _emoji_of(character: str) -> skia.SVGDOM | None:
    """The drawing of a character that is an emoji and no letter of Inter."""
    if ord(character) < 0x2190 or face(Face.BOLD).unicharToGlyph(ord(character)):
        return None
    try:
        return drawing(character)
    except StickerError:
        return None


def showable(text: str, which: Face = Face.BOLD) -> str:
    """The text as far as it can be set on this machine, in one line."""
    composed = unicodedata.normalize("NFC", " ".join(text.split()))
    kept = "".join(c for c in composed if c.isprintable() and (_emoji_of(c) or _typeface_of(c, which)))
    return " ".join(kept.split())


def script_of(text: str) -> str:
    """What to say in place of a text that cannot be set: "Arabic letters", or "…" where there is no letter in it."""
    names = (unicodedata.name(character, "") for character in text if character.isalpha())
    script = next(names, "").partition(" ")[0]
    return f"{_SCRIPTS.get(script) or script.capitalize()} letters" if script else "…"


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


# ---------------------------------------------------------------- a line ------------------------------------------

_EM = 100.0  # the size at which lines are shaped; they are scaled from there
_EMOJI = 1.2  # the width of an emoji in that size, its share of room included


def measure(text: str, size: float, which: Face) -> float:
    """The width of a line, in the unit of ``size``."""
    return sum(_width(piece, which) for piece in _pieces(text)) * size / _EM


@lru_cache(maxsize=4096)
def _pieces(text: str) -> tuple[str, ...]:
    """The line in stretches of letters and single emoji."""
    pieces: list[str] = []
    letters = False
    for character in text:
        emoji = _emoji_of(character) is not None
        if letters and not emoji:
            pieces[-1] += character
        else:
            pieces.append(character)
        letters = not emoji
    return tuple(pieces)


@lru_cache(maxsize=4096)
def _width(piece: str, which: Face) -> float:
    if _emoji_of(piece[0]) is not None:
        return _EM * _EMOJI
    blank = len(piece) - len(piece.rstrip())  # which a paragraph does not count at its end
    return float(_shaped(piece, which, skia.ColorBLACK).LongestLine) + blank * 0.28 * _EM


def _shaped(text: str, which: Face, colour: int) -> skia.textlayout.Paragraph:
    """The text shaped: kerned, joined and in the order of its script."""
    typefaces = (_typeface_of(character, which) for character in text)
    found = {f"face {typeface.uniqueID()}": typeface for typeface in typefaces if typeface is not None}
    fonts = skia.textlayout.TypefaceFontProvider()
    for name, typeface in found.items():
        fonts.registerTypeface(typeface, name)
    collection = skia.textlayout.FontCollection()
    collection.setDefaultFontManager(fonts)
    style = skia.textlayout.TextStyle()
    style.setFontFamilies(list(found))
    style.setFontSize(_EM)
    style.setColor(colour)
    builder = skia.textlayout.ParagraphBuilder.make(
        skia.textlayout.ParagraphStyle(), collection, skia.Unicode.ICU_Make()
    )
    builder.pushStyle(style)
    builder.addText(text)
    paragraph = builder.Build()
    paragraph.layout(1e6)
    return paragraph


def draw(canvas: skia.Canvas, setting: Setting, x: float, top: float, colour: int) -> None:
    """Sets the lines centred about ``x``, the first line's letters beginning at ``top``."""
    baseline = top + setting.size * 0.86
    for line in setting.lines:
        canvas.save()
        canvas.translate(x - measure(line, setting.size, setting.face) / 2, baseline)
        canvas.scale(setting.size / _EM, setting.size / _EM)
        _draw_line(canvas, line, setting.face, colour)
        canvas.restore()
        baseline += setting.leading


def _draw_line(canvas: skia.Canvas, line: str, which: Face, colour: int) -> None:
    """From (0, 0), which is on the base line, at the size at which lines are shaped."""
    for piece in _pieces(line):
        emoji = _emoji_of(piece[0])
        if emoji is None:
            shaped = _shaped(piece, which, colour)
            shaped.paint(canvas, 0.0, -shaped.AlphabeticBaseline)
        else:
            canvas.save()
            canvas.translate(_EM * 0.1, -_EM * 0.84)
            canvas.scale(_EM, _EM)
            emoji.render(canvas)
            canvas.restore()
        canvas.translate(_width(piece, which), 0.0)
