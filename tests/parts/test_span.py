"""Films enlarged by a network: real tensors in a file of the published form, run on the CPU."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from filmgate.domain.errors import EngineUnavailable, OutputUnusable
from filmgate.media import span
from filmgate.media.encode import Encoder
from filmgate.media.probe import probe
from filmgate.media.upscale import Way, upscale
from support.command import filmgate
from support.tools import package

FEATURES = 8
NAMES = ("conv_1", "conv_2", *(f"block_{n}.c{k}_r" for n in range(1, span.BLOCKS + 1) for k in (1, 2, 3)))


def tiny(scale: int, *, seed: int = 1) -> dict[str, Any]:
    """All tensors of a SPAN network with few features, at random: as it is trained, in several branches."""
    package("torch")
    import torch

    torch.manual_seed(seed)
    found = {}
    for name in NAMES:
        into = 3 if name == "conv_1" else FEATURES
        for part, shape in {
            "sk": (FEATURES, into, 1, 1),
            "conv.0": (2 * into, into, 1, 1),
            "conv.1": (2 * FEATURES, 2 * into, 3, 3),
            "conv.2": (FEATURES, 2 * FEATURES, 1, 1),
            "eval_conv": (FEATURES, into, 3, 3),
        }.items():
            found[f"{name}.{part}.weight"] = torch.randn(shape) / (shape[1] * shape[2] ** 2) ** 0.5
            found[f"{name}.{part}.bias"] = torch.randn(shape[0]) / 10
    found["conv_cat.weight"] = torch.randn(FEATURES, 4 * FEATURES, 1, 1) / 6
    found["conv_cat.bias"] = torch.zeros(FEATURES)
    found["upsampler.0.weight"] = torch.randn(3 * scale**2, FEATURES, 3, 3) / 8
    found["upsampler.0.bias"] = torch.full((3 * scale**2,), 0.5)
    return found


def faithful(scale: int) -> dict[str, Any]:
    """One that makes each pixel ``scale`` x ``scale`` pixels of the same colour, whatever its blocks come to."""
    found = tiny(scale) | {"no_norm": np.zeros(1)}
    package("torch")
    import torch

    found["no_norm"] = torch.zeros(1)
    for part in ("sk", "conv.0", "conv.1", "conv.2"):
        found[f"conv_1.{part}.weight"].zero_()
        found[f"conv_1.{part}.bias"].zero_()
    for name in ("conv_cat", "upsampler.0"):
        found[f"{name}.weight"].zero_()
        found[f"{name}.bias"].zero_()
    for colour in range(3):
        found["conv_1.sk.weight"][colour, colour] = 1
        found["conv_cat.weight"][colour, colour] = 1
        found["upsampler.0.weight"][colour * scale**2 : (colour + 1) * scale**2, colour, 1, 1] = 1
    return found


def saved(path: Path, tensors: dict[str, Any], under: str | None = "params_ema") -> Path:
    package("torch")
    import torch

    torch.save({under: tensors} if under else tensors, path)
    return path


def film(path: Path) -> Path:
    with Encoder(path, 96, 64, sound=False, crf=4) as encoder:
        for number in range(6):
            picture = np.zeros((64, 96, 4), np.uint8)
            picture[:, :48], picture[:, 48:] = (40, 60, 200, 0), (200, 160, 20 * number, 0)
            encoder.frame_bgra(picture)
    return path


def shown(path: Path) -> np.ndarray:
    with av.open(str(path)) as opened:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in opened.decode(video=0)]).astype(int)


def larger(source: Path, weights: Path | None, out: Path, size: tuple[int, int] = (192, 128)) -> Path:
    return upscale(source, size, out, lambda fraction, stage: None, Way.BEST, weights).path


@pytest.mark.parametrize("scale", [2, 4])
@pytest.mark.parametrize("under", ["params_ema", "params", None])
def test_what_a_faithful_network_shows_is_the_film(scale: int, under: str | None, tmp_path: Path) -> None:
    source = film(tmp_path / "source.mp4")
    made = larger(source, saved(tmp_path / "w.pth", faithful(scale), under), tmp_path / "made.mp4")
    found = probe(made)
    assert (found.width, found.height) == (192, 128)
    difference = shown(made)[:, ::2, ::2] - shown(source)
    away = np.abs(difference[:, :, np.abs(np.arange(96) - 48) > 4])  # from the edge between the colours
    assert away.max() <= 4


def test_a_random_network_shows_something_else_and_always_the_same(tmp_path: Path) -> None:
    source = film(tmp_path / "source.mp4")
    weights = saved(tmp_path / "w.pth", tiny(2))
    first, second = (larger(source, weights, tmp_path / f"{name}.mp4") for name in "ab")
    assert first.read_bytes() == second.read_bytes()
    assert np.abs(shown(first)[:, ::2, ::2] - shown(source)).mean() > 10


def test_branches_become_one_convolution() -> None:
    package("torch")
    import torch

    functional = torch.nn.functional
    tensors, name = tiny(2), "block_1.c1_r"
    seen = torch.randn(1, FEATURES, 12, 12)
    branch = functional.pad(seen, (1, 1, 1, 1))
    for number in range(3):
        branch = functional.conv2d(
            branch, tensors[f"{name}.conv.{number}.weight"], tensors[f"{name}.conv.{number}.bias"]
        )
    beside = functional.conv2d(seen, tensors[f"{name}.sk.weight"], tensors[f"{name}.sk.bias"])
    one = span._convolution(tensors, name)
    made = functional.conv2d(seen, one[f"{name}.weight"], one[f"{name}.bias"], padding=1)
    inside = (slice(None), slice(None), slice(1, -1), slice(1, -1))
    assert torch.allclose(made[inside], (branch + beside)[inside], atol=1e-5)


def test_one_that_was_joined_already_is_read_too(tmp_path: Path) -> None:
    tensors = faithful(2)
    joined = {name: each for name, each in tensors.items() if ".sk." not in name and ".conv." not in name}
    for name in NAMES:
        for part, tensor in span._convolution(tensors, name).items():
            joined[part.replace(f"{name}.", f"{name}.eval_conv.")] = tensor
    source = film(tmp_path / "source.mp4")
    made = [
        larger(source, saved(tmp_path / f"{name}.pth", each), tmp_path / f"{name}.mp4").read_bytes()
        for name, each in (("branches", tensors), ("joined", joined))
    ]
    assert made[0] == made[1]


@pytest.mark.parametrize("content", [b"", b"no weights at all", b"PK\3\4"])
def test_what_is_no_network_is_refused_and_leaves_nothing(content: bytes, tmp_path: Path) -> None:
    package("torch")
    source, weights = film(tmp_path / "source.mp4"), tmp_path / "w.pth"
    weights.write_bytes(content)
    with pytest.raises(EngineUnavailable, match="holds no SPAN network"):
        larger(source, weights, tmp_path / "made.mp4")
    assert not (tmp_path / "made.mp4").exists()


def test_a_file_that_would_run_something_is_refused(tmp_path: Path) -> None:
    package("torch")
    saved(tmp_path / "w.pth", {"conv_1.sk.weight": Path("/")}, None)
    with pytest.raises(EngineUnavailable, match="holds no SPAN network"):
        larger(film(tmp_path / "source.mp4"), tmp_path / "w.pth", tmp_path / "made.mp4")


def test_the_film_is_judged_before_the_weights(tmp_path: Path) -> None:
    (tmp_path / "source.mp4").write_bytes(b"no film")
    with pytest.raises(OutputUnusable):
        larger(tmp_path / "source.mp4", None, tmp_path / "made.mp4")


def test_without_torch_or_weights_the_program_does_not_start(tmp_path: Path) -> None:
    told = filmgate({"HOME": str(tmp_path), "FILMGATE_MEDIA__UPSCALE": "best"}, "generate", "a dog", code=4).stderr
    assert "media.upscale is best, which needs" in told
    assert "or set media.upscale to sharp" in told
