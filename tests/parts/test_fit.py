"""A film that is nearly what was ordered becomes what was ordered."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filmgate.domain.errors import OutputUnusable
from filmgate.domain.spec import AspectRatio, Kind, Spec
from filmgate.media.encode import Encoder
from filmgate.media.fit import fit
from filmgate.media.probe import probe
from support.peer import film

SPEC = Spec(prompt="x", model="veo3", seconds=4, seed=12345)
_EXTENSION = Spec(prompt="x", model="veo3", kind=Kind.EXTEND, seconds=4, seed=12345, source_id="0" * 32)


def _quiet(fraction: float, stage: str) -> None:
    """Looked at in one test only."""


def _fitted(folder: Path, made: bytes, spec: Spec = SPEC, after: bytes | None = None) -> Path:
    clip, source = folder / "clip.mp4", folder / "source.mp4"
    clip.write_bytes(made)
    if after is not None:
        source.write_bytes(after)
    return fit(clip, spec, folder / "out.mp4", _quiet, after=source if after else None).path


def test_what_fits_is_left_alone(tmp_path: Path) -> None:
    assert _fitted(tmp_path, film(1280, 720, 4)) == tmp_path / "clip.mp4"


@pytest.mark.parametrize("size", [(1280, 704), (832, 480), (1920, 1088), (1248, 704), (640, 360)])
def test_another_size_becomes_the_ordered_one(tmp_path: Path, size: tuple[int, int]) -> None:
    found = probe(_fitted(tmp_path, film(*size, 4)))
    assert (found.width, found.height, found.seconds, found.has_audio) == (1280, 720, 4.0, True)


def test_a_portrait_too(tmp_path: Path) -> None:
    portrait = Spec(prompt="x", model="veo3", seconds=4, aspect_ratio=AspectRatio.PORTRAIT)
    found = probe(_fitted(tmp_path, film(480, 832, 4), portrait))
    assert (found.width, found.height) == (720, 1280)


@pytest.mark.parametrize("size", [(512, 512), (720, 1280), (1024, 768)])
def test_another_shape_is_not_what_was_ordered(tmp_path: Path, size: tuple[int, int]) -> None:
    with pytest.raises(OutputUnusable, match=f"{size[0]}x{size[1]} pixels where 1280x720 were ordered"):
        _fitted(tmp_path, film(*size, 1), Spec(prompt="x", model="veo3", seconds=4))
    assert not (tmp_path / "out.mp4").exists()


@settings(max_examples=12, deadline=None)
@given(fps=st.sampled_from([12, 16, 24, 25, 30]), more=st.integers(0, 60))
def test_a_longer_film_is_cut_at_its_own_speed(tmp_path_factory: pytest.TempPathFactory, fps: int, more: int) -> None:
    made = film(160, 90, 4 + more / fps, fps=fps)
    found = probe(_fitted(tmp_path_factory.mktemp("film"), made))
    assert found.seconds == pytest.approx(4, abs=0.05)
    assert found.fps == pytest.approx(fps, abs=0.01)


def test_the_middle_of_the_picture_stays_and_its_edges_go(tmp_path: Path) -> None:
    """White in the middle, black in the outermost columns: of 854x480, scaled to 1281x720, nothing is cut but those."""
    picture = np.full((480, 900, 4), 255, dtype=np.uint8)
    picture[:, :20, :3] = picture[:, -20:, :3] = 0
    with Encoder(tmp_path / "clip.mp4", 900, 480, sound=False) as encoder:
        for _ in range(96):
            encoder.frame_bgra(picture)
    out = fit(tmp_path / "clip.mp4", SPEC, tmp_path / "out.mp4", _quiet)
    with av.open(str(out.path)) as opened:
        shown = next(opened.decode(video=0)).to_ndarray(format="rgb24")
    assert shown.shape == (720, 1280, 3)
    assert shown[:, 8:-8].min() > 235


def test_of_a_film_that_begins_with_another_one_what_is_new_is_kept(tmp_path: Path) -> None:
    """4 seconds of grey, then 7 of white, with a tone from there on."""
    _two_parts(tmp_path / "clip.mp4")
    (tmp_path / "source.mp4").write_bytes(film(320, 180, 4))
    told: list[float] = []
    spec = Spec(prompt="x", model="veo3", kind=Kind.EXTEND, seconds=4, seed=1, source_id="0" * 32)
    out = fit(
        tmp_path / "clip.mp4",
        spec,
        tmp_path / "out.mp4",
        lambda done, _: told.append(done),
        after=tmp_path / "source.mp4",
    )
    found = probe(out.path)
    assert (found.width, found.height) == (1280, 720)
    assert found.seconds == pytest.approx(7, abs=0.05)
    assert told == sorted(told)
    with av.open(str(out.path)) as opened:
        shades = [float(frame.to_ndarray(format="gray").mean()) for frame in opened.decode(video=0)]
    assert len(shades) == 7 * 24
    assert min(shades) > 220
    with av.open(str(out.path)) as opened:
        loud = np.concatenate([frame.to_ndarray()[0] for frame in opened.decode(audio=0)])
    assert np.abs(loud[4800:24000]).max() > 0.2  # the tone is there from the beginning


def _two_parts(path: Path) -> None:
    grey, white = (np.full((180, 320, 4), shade, dtype=np.uint8) for shade in (100, 255))
    tone = (0.5 * np.sin(np.arange(7 * 48000) * 2 * np.pi * 440 / 48000)).astype(np.float32)
    sound = np.concatenate([np.zeros(4 * 48000, np.float32), tone])
    with Encoder(path, 320, 180) as encoder:
        encoder.audio(np.stack([sound, sound], axis=1))
        for number in range(11 * 24):
            encoder.frame_bgra(grey if number < 4 * 24 else white)


def test_a_film_that_does_not_go_on_is_no_extension(tmp_path: Path) -> None:
    with pytest.raises(OutputUnusable, match="does not go on"):
        _fitted(tmp_path, film(320, 180, 3), _EXTENSION, after=film(320, 180, 4))


def test_what_is_no_film_is_unusable(tmp_path: Path) -> None:
    with pytest.raises(OutputUnusable):
        _fitted(tmp_path, b"<html>no film</html>")
    with pytest.raises(OutputUnusable):
        _fitted(tmp_path, film(640, 360, 4)[:-40_000])
