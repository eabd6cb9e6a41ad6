"""A take becomes pictures and sound."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ...domain.errors import EngineFailed
from .calls import Take, call_of
from .model import Model
from .recipes import Start
from .steps import Steps

if TYPE_CHECKING:
    import torch
    from PIL import Image

LATENT_UPSAMPLER = "LTX2LatentUpsamplePipeline"
REFINING = 3  #: steps after the doubling


@dataclass(frozen=True)
class Made:
    frames: torch.Tensor  #: (frames, 3, height, width), 0 to 1, where the model has left them
    sound: Any = None  #: whatever the model makes; None for a model that is silent
    rate: int = 0  #: samples a second

    @property
    def size(self) -> tuple[int, int]:
        height, width = self.frames.shape[-2:]
        return int(width), int(height)


def steps_of(model: Model, take: Take) -> int:
    """How many there will be in all."""
    return take.steps + (REFINING if in_two_stages(model) else 0)


def in_two_stages(model: Model) -> bool:
    return model.recipe.half_first and model.has(LATENT_UPSAMPLER)


def make(model: Model, take: Take, steps: Steps) -> Made:
    """Raises Cancelled between two steps, and whatever the pipeline raises."""
    with model.caching(take.cache):
        name = model.recipe.starts[take.start]
        made = _doubled(model, name, take, steps) if in_two_stages(model) else _called(model, name, take, steps)
    pictures, sound = made.frames, getattr(made, "audio", None)
    check(pictures[0])
    return Made(pictures[0], sound, rate_of(model.part) if sound is not None else 0)


def _called(model: Model, name: str, take: Take, steps: Steps, **other: Any) -> Any:
    pipe = model.pipeline(name)
    pipe.progress_bar = steps
    return pipe(**{**call_of(pipe, take), **other})


def _doubled(model: Model, name: str, take: Take, steps: Steps) -> Any:
    """At half the size first, where a step costs a quarter or less; doubled as latents, and refined."""
    from diffusers.pipelines.ltx2.utils import STAGE_2_DISTILLED_SIGMA_VALUES as sigmas

    width, height = take.size[0] // 2, take.size[1] // 2
    small = replace(take, size=(width, height), images=[each.resize((width, height)) for each in take.images])
    first = _called(model, name, small, steps, output_type="latent")
    upsampler = model.pipeline(LATENT_UPSAMPLER)
    (larger,) = upsampler(
        latents=first.frames, width=width, height=height, num_frames=take.frames, output_type="latent",
        return_dict=False,
    )  # fmt: skip
    return _called(
        model, name, take, steps, latents=larger, audio_latents=first.audio, sigmas=sigmas,
        num_inference_steps=REFINING, noise_scale=sigmas[0],
    )  # fmt: skip


def check(frames: torch.Tensor) -> None:
    """Raises EngineFailed for a film of nothing: what comes of a precision that the model does not bear."""
    import torch

    if not bool(torch.isfinite(frames[0]).all()):
        raise EngineFailed('The model made no pictures, only noise without numbers: write dtype = "float32" for it.')


def rate_of(pipe: Any) -> int:
    """Samples a second of the sound that this pipeline makes."""
    if hasattr(pipe, "audio_sample_rate"):
        return int(pipe.audio_sample_rate)
    return int(pipe.vocoder.config.output_sampling_rate)


def warm_up(model: Model, *, whole: bool) -> None:
    """Two steps in each shape that films have, so that the first order finds kernels chosen and weights in place.

    ``whole``: at the full length, since compiled code is made for a length; else with as few frames as there can be.
    """
    recipe = model.recipe
    start = Start.TEXT if Start.TEXT in recipe.starts else Start.FIRST
    frames = recipe.grid.frames(max(recipe.seconds)) if whole else recipe.grid.frame_step + 1
    for size in (recipe.size, recipe.size[::-1]) if whole and recipe.portrait else (recipe.size,):
        take = Take(
            start, "a film", size, frames, recipe.grid.fps, steps=2, seed=0, arguments=recipe.arguments,
            images=() if start is Start.TEXT else (_grey(size),), distilled=recipe.distilled,
        )  # fmt: skip
        make(model, take, Steps())
        model.tidy()


def _grey(size: tuple[int, int]) -> Image.Image:
    from PIL import Image

    return Image.new("RGB", size, (127, 127, 127))
