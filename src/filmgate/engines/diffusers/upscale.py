"""Films made larger by a model that was trained for it: LTX-2's latent upsampler, or Kandinsky 6's super-resolution."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...domain.errors import EngineUnavailable
from .config import Config
from .device import Device
from .recipes import Recipe
from .weights import INDEX, folder_of

if TYPE_CHECKING:
    import torch
    from PIL import Image

    from .model import Model
    from .steps import Steps

_PIECE = 97  #: frames that are enlarged at once: more do not fit beside the weights on most GPUs
_UPSAMPLER = "latent_upsampler"  #: what its folder is called in those that have it beside the model
SCALE = 2


def upscaler_of(config: Config, recipe: Recipe, pipe: Any, device: Device) -> Any:
    """The pipeline that enlarges, or None where no weights are named. Raises EngineUnavailable."""
    if not config.upscaler:
        return None
    if recipe.upscaler == "LTX2LatentUpsamplePipeline":
        return _latent(config.upscaler, pipe, device)
    from .model import read

    pipe = read(folder_of(config.upscaler, INDEX), recipe, device)
    if device.is_gpu:  # its attention is sparse, and takes the memory of a dense one unless it is compiled
        pipe.transformer.compile_repeated_blocks()
    return pipe


def _latent(repo: str, pipe: Any, device: Device) -> Any:
    from diffusers import LTX2LatentUpsamplePipeline
    from diffusers.pipelines.ltx2.latent_upsampler import LTX2LatentUpsamplerModel

    folder = _upsampler_folder(repo)
    try:
        model = LTX2LatentUpsamplerModel.from_pretrained(
            folder, dtype=device.dtype, use_safetensors=True, local_files_only=True
        )
    except (OSError, ValueError, RuntimeError) as error:
        raise EngineUnavailable(f"The upscaler in {folder} cannot be loaded: {error}.") from error
    return LTX2LatentUpsamplePipeline(vae=pipe.vae, latent_upsampler=model)


def _upsampler_folder(repo: str) -> Path:
    """In the folder of a whole model, or by itself."""
    within = f"{_UPSAMPLER}/config.json"
    try:
        return folder_of(repo, within) / _UPSAMPLER
    except EngineUnavailable:
        return folder_of(repo, "config.json")


def enlarged(
    model: Model, film: Iterable[Image.Image], size: tuple[int, int], seed: int, steps: Steps
) -> Iterator[torch.Tensor]:
    """(frames, 3, height, width) of 0 to 1, piece by piece: together as many as the film has.

    ``size``: of the pictures in ``film``.
    """
    import torch

    pipe = model.pipeline(model.recipe.upscaler)
    pipe.progress_bar = steps
    step = model.recipe.grid.frame_step
    for piece in _pieces(film, _PIECE):
        filled = [*piece, *[piece[-1]] * (-(len(piece) - 1) % step)]
        generator = torch.Generator("cpu").manual_seed(seed)
        if "latent_upsampler" in pipe.components:
            (frames,) = pipe(
                video=filled, width=size[0], height=size[1], output_type="pt", generator=generator, return_dict=False
            )
        else:
            (frames,) = pipe(
                video=filled, resolution_scale=SCALE, output_type="pt", generator=generator, return_dict=False
            )
        yield frames[0][: len(piece)]


def _pieces(film: Iterable[Image.Image], length: int) -> Iterator[Sequence[Image.Image]]:
    piece: list[Image.Image] = []
    for picture in film:
        piece.append(picture)
        if len(piece) == length:
            yield piece
            piece = []
    if piece:
        yield piece
