"""What may be ordered, as this dialect says it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...domain.offer import Offer
from ...domain.spec import AspectRatio, Kind, Mode, Resolution
from ...http.edition import Edition
from ...http.orders import NOT_FOR_REFERENCES

_GENERATION = {
    Mode.TEXT: "TEXT_2_VIDEO",
    Mode.FRAMES: "FIRST_AND_LAST_FRAMES_2_VIDEO",
    Mode.REFERENCE: "REFERENCE_2_VIDEO",
}


def render_offers(offers: Sequence[Offer], edition: Edition) -> dict[str, Any]:
    """The ``data`` of an answer. Engines are the operator's affair, and are not named."""
    return {"models": [_model(offer, is_default=offer.model == edition.default_model) for offer in offers]}


def _model(offer: Offer, *, is_default: bool) -> dict[str, Any]:
    modes = offer.modes - ({Mode.REFERENCE} if offer.model == NOT_FOR_REFERENCES else set())
    return {
        "model": offer.model,
        "isDefault": is_default,
        "kinds": [kind.value for kind in Kind if kind in offer.kinds],
        "generationTypes": [name for mode, name in _GENERATION.items() if mode in modes],
        "maxReferenceImages": offer.max_references if Mode.REFERENCE in modes else 0,
        "aspectRatios": [ratio.value for ratio in AspectRatio if ratio in offer.aspect_ratios],
        "resolutions": [size.value for size in Resolution if size in offer.resolutions],
        "durations": list(offer.seconds),
        "hasAudio": offer.audio,
        "seeded": offer.seeded,
        "prices": dict(offer.prices),
    }
