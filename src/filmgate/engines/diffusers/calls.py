"""One film as a pipeline is asked for it. Pipelines differ in what they call things; that is all in here."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from PIL import Image

from ...domain.errors import EngineFailed
from .recipes import Start

_GREY = (127, 127, 127)
_WORK, _KEEP = 255, 0  #: of VACE's masks: what it is to make, and what it is to leave
_SKIPPED_BLOCK = 28  #: of LTX-2's transformer, for its spatio-temporal guidance


@dataclass(frozen=True)
class Take:
    """What is to be made, in the model's own terms."""

    start: Start
    prompt: str
    size: tuple[int, int]  #: width and height in pixels
    frames: int
    fps: int
    steps: int
    seed: int
    cache: float = 0.0
    negative: str = ""
    arguments: Mapping[str, float] = field(default_factory=dict)
    #: In the model's size: the first frame; first and last; references; or the end of another film.
    images: Sequence[Image.Image] = ()
    distilled: bool = False  #: it has sigmas of its own


def call_of(pipe: Any, take: Take) -> dict[str, Any]:
    """The arguments for this pipeline; of those that every film has, the ones that it takes.

    Raises EngineFailed for one that the operator has set and that it does not know.
    """
    import torch

    takes = inspect.signature(pipe.__call__).parameters
    foreign = sorted(take.arguments.keys() - takes.keys())
    if foreign:
        raise EngineFailed(f"{type(pipe).__name__} knows no {foreign[0]}: leave it out of the model's options.")
    width, height = take.size
    arguments = {
        "prompt": take.prompt,
        "negative_prompt": take.negative or None,
        "width": width,
        "height": height,
        "num_frames": take.frames,
        "frame_rate": float(take.fps),
        "num_inference_steps": take.steps,
        # On the CPU: a seed is the same noise on every machine.
        "generator": torch.Generator("cpu").manual_seed(take.seed),
        "output_type": "pt",
        **take.arguments,
        **_SPECIAL.get(type(pipe).__name__, _with_image)(pipe, take),
    }
    if getattr(pipe.config, "boundary_ratio", None) is None:
        arguments.pop("guidance_scale_2", None)
    return {name: value for name, value in arguments.items() if name in takes}


def _with_image(pipe: Any, take: Take) -> dict[str, Any]:
    """The first frame; and the last, where there are two."""
    if take.start is Start.BOTH:
        return {"image": take.images[0], "last_image": take.images[-1]}
    return {"image": take.images[-1]} if take.images else {}


def _ltx(pipe: Any, take: Take) -> dict[str, Any]:
    from diffusers.pipelines.ltx2.utils import DISTILLED_SIGMA_VALUES

    layers = pipe.transformer.config.num_layers
    return {
        "spatio_temporal_guidance_blocks": [min(_SKIPPED_BLOCK, layers - 1)],
        **({"sigmas": DISTILLED_SIGMA_VALUES[: take.steps]} if take.distilled else {}),
    }


def _ltx_conditions(pipe: Any, take: Take) -> dict[str, Any]:
    from diffusers.pipelines.ltx2.pipeline_ltx2_condition import LTX2VideoCondition

    if take.start is Start.SEQUEL:
        given = [LTX2VideoCondition(frames=list(take.images), index=0)]
    else:
        places = (0, -1)[: len(take.images)]
        pairs = zip(take.images, places, strict=True)
        given = [LTX2VideoCondition(frames=image, index=place) for image, place in pairs]
    return {**_ltx(pipe, take), "conditions": given}


def _vace(pipe: Any, take: Take) -> dict[str, Any]:
    """Frames that are there already, with a mask that says so; everything else is grey, and to be made."""
    if take.start is Start.REFERENCES:
        return {"reference_images": list(take.images)}
    if take.start is Start.TEXT:
        return {}
    kept = dict(enumerate(take.images))
    if take.start is Start.BOTH:
        kept = {0: take.images[0], take.frames - 1: take.images[-1]}
    grey, work, keep = (Image.new("RGB", take.size, tone) for tone in (_GREY, (_WORK,) * 3, (_KEEP,) * 3))
    return {
        "video": [kept.get(number, grey) for number in range(take.frames)],
        "mask": [keep if number in kept else work for number in range(take.frames)],
    }


_SPECIAL: Mapping[str, Callable[[Any, Take], dict[str, Any]]] = {
    "LTX2Pipeline": _ltx,
    "LTX2ConditionPipeline": _ltx_conditions,
    "WanVACEPipeline": _vace,
}
