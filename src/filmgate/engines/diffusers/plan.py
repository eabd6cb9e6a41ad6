"""Where the weights go while a film is made: decided from sizes alone, and said in words."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

GIB = 2**30
_SPARE = 0.06  #: of the memory that is free: fragments, kernels, and what else we do not count


class Placement(StrEnum):
    """From fast and large to slow and small."""

    NONE = "none"  #: all weights stay on the device
    MODEL = "model"  #: one part of the pipeline at a time is there
    GROUP = "group"  #: one layer at a time is there

    @property
    def smaller(self) -> Placement | None:
        steps = list(Placement)
        place = steps.index(self) + 1
        return steps[place] if place < len(steps) else None


def place(weights: Mapping[str, int], work: int, free: int) -> Placement:
    """``weights``: bytes of each part; ``work``: what a film takes beside them; ``free``: on the device."""
    room = free * (1 - _SPARE) - work
    if sum(weights.values()) <= room:
        return Placement.NONE
    return Placement.MODEL if max(weights.values(), default=0) <= room else Placement.GROUP


def work_of(width: int, height: int, frames: int) -> int:
    """Bytes that a film of this size takes beside the weights, as a rule of thumb: latents, attention, and decoding,
    which holds all pictures several times over."""
    pictures = width * height * frames * 3
    return 2 * GIB + pictures * 4 * 4


def said(placement: Placement, weights: Mapping[str, int], free: int, device: str) -> str:
    """For the log."""
    total, largest = sum(weights.values()) / GIB, max(weights.values(), default=0) / GIB
    have = f"{free / GIB:.1f} GiB are free on {device}, and the weights take {total:.1f} GiB"
    return {
        Placement.NONE: f"{have}: all of them stay there",
        Placement.MODEL: f"{have}: one part is there at a time, the largest with {largest:.1f} GiB; this is slower",
        Placement.GROUP: f"{have}: one layer is there at a time, the rest waits in main memory; this is much slower",
    }[placement]
