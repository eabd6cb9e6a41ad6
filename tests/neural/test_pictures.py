"""Pictures and sound on their way into a model and out of it, with no model in between."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from filmgate.engines.diffusers.pictures import Fitter, end_of, framed, sound_of
from filmgate.media.encode import AUDIO_RATE, Encoder, Pixels


def grey(tone: int, width: int = 96, height: int = 64) -> Pixels:
    return np.full((height, width, 3), tone, np.uint8)


def test_an_image_comes_back_where_it_was() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (720, 1280, 3), np.uint8)
    seen = np.asarray(framed(Image.fromarray(noise), (1280, 736), (1280, 720)))
    assert seen.shape == (736, 1280, 3)
    assert np.array_equal(seen[8:-8], noise)
    assert np.array_equal(seen[:8], noise[7::-1]), "around it lies its mirror image"


@pytest.mark.parametrize("made", [(720, 480), (480, 720), (96, 64), (1360, 768)])
@pytest.mark.parametrize("source", [(640, 640), (2000, 300), (300, 2000)])
def test_an_image_of_any_shape_fills_the_window(made: tuple[int, int], source: tuple[int, int]) -> None:
    shown = (1280, 720) if made[0] > made[1] else (720, 1280)
    assert framed(Image.new("RGBA", source, "red"), made, shown).size == made


def test_pictures_keep_their_colours_and_the_last_is_held() -> None:
    red = np.zeros((64, 96, 3), np.uint8)
    red[:, :, 0] = 255
    planes = list(Fitter((96, 64), 1280, 720).planes([red, red], 24, 5))
    assert [each.shape for each in planes] == [(1080, 1280)] * 5
    luma, chroma = planes[4][:720], planes[4][720:].reshape(2, 360, 640)
    assert np.abs(luma.astype(int) - 63).max() <= 1, "red in BT.709, limited range"
    assert np.abs(chroma[0].astype(int) - 102).max() <= 1
    assert np.abs(chroma[1].astype(int) - 240).max() <= 1


@pytest.mark.parametrize("fps", [8, 16])
def test_pictures_between_those_of_a_slow_model(fps: int) -> None:
    """A block that goes to the right at a steady pace does so at 24 pictures a second too."""
    pictures = []
    for number in range(2 * fps):
        picture = grey(40, 320, 180)
        left = 40 + number * 96 // fps
        picture[60:120, left : left + 60] = 220
        pictures.append(picture)
    planes = list(Fitter((320, 180), 320, 180).planes(pictures, fps, 48))
    assert len(planes) == 48
    middles = [float((each[:180] > 130).nonzero()[1].mean()) for each in planes]
    assert middles[0] == pytest.approx(69.5, abs=2)
    steps = np.diff(middles[: 48 - 24 // fps])
    assert (steps > -0.5).all()
    assert middles[-1] - middles[0] == pytest.approx((2 * fps - 1) * 96 / fps, abs=3)


def test_the_end_of_a_film_is_its_last_pictures_at_the_model_s_own_speed(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    with Encoder(path, 96, 64, 24, sound=False, crf=1) as encoder:
        for number in range(120):
            encoder.frame_bgra(np.dstack((grey(2 * number), np.full((64, 96), 255, np.uint8))))
    for count, fps, expected in ((1, 24, [119]), (4, 24, [116, 117, 118, 119]), (3, 16, [116, 117, 119]),
                                 (3, 8, [113, 116, 119])):  # fmt: skip
        tones = [np.asarray(picture).mean() / 2 for picture in end_of(path, count, fps)]
        assert tones == pytest.approx(expected, abs=0.9)


def test_the_end_of_a_film_that_is_too_short_begins_with_its_first_picture(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    with Encoder(path, 96, 64, 24, sound=False) as encoder:
        for _ in range(3):
            encoder.frame_bgra(np.zeros((64, 96, 4), np.uint8))
    assert len(end_of(path, 17, 24)) == 17


@pytest.mark.parametrize("shape", [(1, 2, 24_000), (2, 24_000), (1, 24_000), (24_000,)])
def test_sound_of_any_shape_is_stereo_at_48_khz_without_what_came_before(shape: tuple[int, ...]) -> None:
    waves = np.broadcast_to(np.sin(np.arange(24_000) * 2 * np.pi * 440 / 24_000), shape).astype(np.float32)
    sound = sound_of(waves, 24_000, 0.25)
    assert sound is not None
    assert sound.shape[1] == 2
    assert len(sound) == pytest.approx(0.75 * AUDIO_RATE, abs=50)
    assert float(np.abs(sound).max()) > 0.6


def test_no_sound_is_none_and_not_silence() -> None:
    assert sound_of(None, 0, 0.0) is None
