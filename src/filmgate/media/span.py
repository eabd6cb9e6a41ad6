"""SPAN (Wan et al., CVPR 2024), a small network that enlarges pictures, from weights of the operator's.

Weights are read in the form in which they are published: a file of tensors, as ``torch.save`` writes it, of which
nothing is run. Of the convolutions that were trained in several branches one 3 x 3 convolution each is made.
PyTorch is imported here and nowhere else; without a GPU a film takes very long.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib.util import find_spec
from math import isqrt
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace

from ..domain.errors import EngineUnavailable
from .encode import Pixels
from .pictures import Fitting, colours, frames

BLOCKS = 6
_MEAN, _RANGE = (0.4488, 0.4371, 0.4040), 255.0  #: what most of these networks were trained to have taken off

Tensors = Mapping[str, Any]


def check(weights: Path | None) -> None:
    """Raises EngineUnavailable, with what to install or set."""
    if find_spec("torch") is None:
        raise EngineUnavailable(
            "media.upscale is best, which needs PyTorch: install the torch that is made for your GPU, or set "
            "media.upscale to sharp."
        )
    if weights is None or not weights.is_file():
        raise EngineUnavailable(
            f"media.upscale is best, which needs the weights of a SPAN network, but media.upscale_weights names "
            f"{weights or 'no file'}: name a file that you have, or set media.upscale to sharp."
        )


def network_pictures(film: Path, width: int, height: int, weights: Path) -> Iterator[Pixels]:
    """As ``pictures`` gives them, enlarged by the network and brought to this size. Raises EngineUnavailable."""
    enlarge, fit = network(weights), Fitting(width, height)
    for frame in frames(film):
        shown = frame.reformat(format="rgb24", src_colorspace=colours(frame), dst_colorspace=Colorspace.ITU709)
        larger = av.VideoFrame.from_ndarray(enlarge(shown.to_ndarray()), format="rgb24")
        larger.colorspace, larger.color_range = Colorspace.ITU709, ColorRange.JPEG
        yield fit(larger)


@cache
def network(weights: Path) -> Callable[[Any], Pixels]:
    """(height, width, 3) RGB -> the same so many times larger. Raises EngineUnavailable where the file is none."""
    check(weights)
    import torch

    try:
        stored = torch.load(weights, map_location="cpu", weights_only=True)
        tensors = _joined(stored.get("params_ema") or stored.get("params") or stored)
        device = "cuda" if torch.cuda.is_available() else "cpu"
        kind = torch.float16 if device == "cuda" else torch.float32
        ready = {name: tensor.to(device, kind) for name, tensor in tensors.items()}
        scale = isqrt(ready["upsampler.0.weight"].shape[0] // 3)
    except Exception as error:  # what a damaged file makes of its reader has no name in common
        raise EngineUnavailable(
            f"{weights} holds no SPAN network ({type(error).__name__}: {error}): set media.upscale_weights to one."
        ) from error

    def enlarge(picture: Any) -> Pixels:
        with torch.inference_mode():
            seen = torch.from_numpy(np.ascontiguousarray(picture)).to(device, kind).permute(2, 0, 1)[None] / 255
            made = _run(seen, ready, scale)[0].clamp(0, 1).mul(255).round().to(torch.uint8)
            larger: Pixels = made.permute(1, 2, 0).cpu().numpy()
        return larger

    return enlarge


def _run(picture: Any, tensors: Tensors, scale: int) -> Any:
    """(1, 3, height, width), 0 to 1 -> the same, ``scale`` times as large."""
    import torch
    from torch.nn import functional

    def convolved(name: str, seen: Any) -> Any:
        weight = tensors[f"{name}.weight"]
        return functional.conv2d(seen, weight, tensors[f"{name}.bias"], padding=weight.shape[-1] // 2)

    def block(name: str, seen: Any) -> tuple[Any, Any]:
        first = functional.silu(convolved(f"{name}.c1_r", seen))
        second = functional.silu(convolved(f"{name}.c2_r", first))
        third = convolved(f"{name}.c3_r", second)
        return (third + seen) * (torch.sigmoid(third) - 0.5), first

    if "no_norm" not in tensors:
        picture = (picture - picture.new_tensor(_MEAN).view(1, 3, 1, 1)) * _RANGE
    features = passed = convolved("conv_1", picture)
    outcomes = []
    for number in range(1, BLOCKS + 1):
        passed, inner = block(f"block_{number}", passed)
        outcomes.append(passed)
    joined = torch.cat([features, convolved("conv_2", passed), outcomes[0], inner], 1)
    return functional.pixel_shuffle(convolved("upsampler.0", convolved("conv_cat", joined)), scale)


def _joined(stored: Tensors) -> Tensors:
    """The convolutions by name, each as one weight and one bias."""
    names = ["conv_1", "conv_2", *(f"block_{n}.c{k}_r" for n in range(1, BLOCKS + 1) for k in (1, 2, 3))]
    plain = {f"{name}.{part}": stored[f"{name}.{part}"] for name in ("conv_cat", "upsampler.0") for part in _PARTS}
    kept = {"no_norm": stored["no_norm"]} if "no_norm" in stored else {}
    return plain | kept | {key: tensor for name in names for key, tensor in _convolution(stored, name).items()}


_PARTS = ("weight", "bias")


def _convolution(stored: Tensors, name: str) -> Tensors:
    """1 x 1, 3 x 3 and 1 x 1 after each other, and 1 x 1 beside them: all of them are linear, so one can do it."""
    if f"{name}.sk.weight" not in stored:
        return {f"{name}.{part}": stored[f"{name}.eval_conv.{part}"] for part in _PARTS}
    import torch

    into, across, out = (stored[f"{name}.conv.{number}.weight"].double() for number in range(3))
    biases = [stored[f"{name}.conv.{number}.bias"].double() for number in range(3)]
    weight = torch.einsum("ob,bayx,ai->oiyx", out[:, :, 0, 0], across, into[:, :, 0, 0])
    bias = out[:, :, 0, 0] @ (across.sum((2, 3)) @ biases[0] + biases[1]) + biases[2]
    weight[:, :, 1, 1] += stored[f"{name}.sk.weight"][:, :, 0, 0].double()
    bias = bias + stored[f"{name}.sk.bias"].double()
    return {f"{name}.weight": weight.float(), f"{name}.bias": bias.float()}
