"""The file that comes out plays everywhere: measured by opening it."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange, Colorspace

from filmgate.media.encode import BLOCK, Converter, EncodeError, Encoder

WIDTH, HEIGHT = 192, 108


def picture(number: int) -> np.ndarray:
    """Red, with a green bar that moves."""
    pixels = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    pixels[..., 2], pixels[..., 3] = 255, 255
    pixels[:, number : number + 16] = (0, 255, 0, 255)
    return pixels


def tone(seconds: float) -> np.ndarray:
    wave = 0.2 * np.sin(np.arange(round(seconds * 48_000)) * 0.06)
    return np.stack([wave, wave], axis=1).astype(np.float32)


def film(path: Path, seconds: int, sound_seconds: float) -> Path:
    with Encoder(path, WIDTH, HEIGHT) as encoder:
        encoder.audio(tone(sound_seconds))
        for number in range(24 * seconds):
            encoder.frame_bgra(picture(number))
    return path


@pytest.mark.parametrize("seconds", [4, 6, 8])
@pytest.mark.parametrize("sound", [0.97, 1.0, 1.05])
def test_the_duration_is_exact_however_long_the_sound_is(tmp_path: Path, seconds: int, sound: float) -> None:
    with av.open(str(film(tmp_path / "film.mp4", seconds, seconds * sound))) as found:
        assert found.duration == seconds * 1_000_000
        for stream in found.streams:
            assert stream.duration is not None
            assert stream.time_base is not None
            assert float(stream.duration * stream.time_base) == pytest.approx(seconds, abs=BLOCK / 48_000)
            assert stream.start_time == 0


def lights(seed: int) -> np.ndarray:
    """Night, with many small lights of strong colours: nothing is harder for chroma at half size."""
    rng = np.random.default_rng(seed)
    pixels = np.full((HEIGHT, WIDTH, 4), (70, 26, 34, 255), np.uint8)
    for x, y in zip(rng.integers(0, WIDTH - 4, 60), rng.integers(0, HEIGHT - 6, 60), strict=True):
        pixels[y : y + 5, x : x + 3, :3] = rng.choice([(40, 60, 255), (90, 255, 60), (130, 214, 250), (255, 120, 80)])
    return pixels


def error_of(shown: np.ndarray, meant: np.ndarray) -> float:
    """In decibels (PSNR)."""
    return float(10 * np.log10(255**2 / np.mean((shown.astype(float) - meant[..., 2::-1].astype(float)) ** 2)))


def test_a_faithful_frame_is_as_near_as_the_format_allows(tmp_path: Path) -> None:
    frames = [lights(number) for number in range(48)]
    convert = Converter(WIDTH, HEIGHT)
    with Encoder(tmp_path / "film.mp4", WIDTH, HEIGHT, sound=False, faithful=(0, 47)) as encoder:
        for pixels in frames:
            encoder.frame_bgra(pixels)
    with av.open(str(tmp_path / "film.mp4")) as found:
        shown = [frame.to_ndarray(format="rgb24") for frame in found.decode(video=0)]
    for number in (0, 47):
        held = av.VideoFrame.from_ndarray(convert.yuv(frames[number]), format="yuv420p")
        held.colorspace, held.color_range = Colorspace.ITU709, ColorRange.MPEG
        most = error_of(held.to_ndarray(format="rgb24"), frames[number])
        assert error_of(shown[number], frames[number]) > most - 0.1
    assert error_of(shown[24], frames[24]) < error_of(shown[47], frames[47]) - 0.5, "an ordinary frame is not"


def test_pictures_are_h264_high_in_bt709_at_24_frames_a_second(tmp_path: Path) -> None:
    with av.open(str(film(tmp_path / "film.mp4", 4, 4))) as found:
        video = found.streams.video[0]
        context = video.codec_context
        assert (context.name, context.profile, context.pix_fmt) == ("h264", "High", "yuv420p")
        assert (context.color_primaries, context.color_trc, context.colorspace, context.color_range) == (1, 1, 1, 1)
        assert video.average_rate == 24
        assert video.frames == 96
        frames = list(found.decode(video))
    assert [frame.time for frame in frames] == pytest.approx([i / 24 for i in range(96)])
    assert [i for i, frame in enumerate(frames) if frame.key_frame] == [0, 48]


def test_colours_survive(tmp_path: Path) -> None:
    with av.open(str(film(tmp_path / "film.mp4", 4, 4))) as found:
        first = next(found.decode(video=0)).to_ndarray(format="rgb24")
    assert np.abs(first[50, 150].astype(int) - (255, 0, 0)).max() < 6
    assert np.abs(first[50, 8].astype(int) - (0, 255, 0)).max() < 10


def test_sound_is_aac_stereo_at_48_khz_and_begins_with_the_picture(tmp_path: Path) -> None:
    with av.open(str(film(tmp_path / "film.mp4", 4, 4))) as found:
        audio = found.streams.audio[0]
        assert (audio.codec_context.name, audio.codec_context.layout.name, audio.rate) == ("aac", "stereo", 48_000)
        heard = np.concatenate([frame.to_ndarray() for frame in found.decode(audio)], axis=1)[0]
    loud = np.abs(heard[: 4 * 48_000]) > 0.1
    assert loud[:3000].any()
    assert loud[-3000:].any()
    assert np.abs(heard).max() == pytest.approx(0.2, abs=0.03)


def test_the_index_comes_before_the_pictures_and_the_file_says_nothing_about_us(tmp_path: Path) -> None:
    data = film(tmp_path / "film.mp4", 4, 4).read_bytes()
    assert 0 < data.find(b"moov") < data.find(b"mdat")
    head = data[: data.find(b"mdat")]
    assert b"Lavf" not in head
    assert b"ctts" not in head, "pictures are shown in the order in which they are stored"
    made = head[head.find(b"mvhd") + 8 : head.find(b"mvhd") + 16]
    assert made == bytes(8), "neither a date of creation nor one of change"


def test_the_same_film_gives_the_same_bytes(tmp_path: Path) -> None:
    assert film(tmp_path / "a.mp4", 4, 4).read_bytes() == film(tmp_path / "b.mp4", 4, 4).read_bytes()


def test_ready_made_planes_give_the_same_film(tmp_path: Path) -> None:
    convert = Converter(WIDTH, HEIGHT)
    with Encoder(tmp_path / "b.mp4", WIDTH, HEIGHT) as encoder:
        encoder.audio(tone(4))
        for number in range(96):
            encoder.frame_yuv(convert.yuv(picture(number)))
    assert (tmp_path / "b.mp4").read_bytes() == film(tmp_path / "a.mp4", 4, 4).read_bytes()


def test_a_film_without_sound_track(tmp_path: Path) -> None:
    with Encoder(tmp_path / "film.mp4", WIDTH, HEIGHT, sound=False) as encoder:
        encoder.frame_bgra(picture(0))
        with pytest.raises(EncodeError, match="without a sound track"):
            encoder.audio(tone(1))
    with av.open(str(tmp_path / "film.mp4")) as found:
        assert [stream.type for stream in found.streams] == ["video"]


def test_nothing_half_written_remains(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    with pytest.raises(EncodeError), Encoder(path, WIDTH, HEIGHT) as encoder:
        encoder.frame_bgra(picture(0)[:5])
    assert not path.exists()


def test_an_empty_film_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    with pytest.raises(EncodeError, match="at least one frame"), Encoder(path, WIDTH, HEIGHT):
        pass
    assert not path.exists()


@pytest.mark.parametrize("size", [(191, 108), (192, 107), (8, 8)])
def test_odd_sizes_are_refused(tmp_path: Path, size: tuple[int, int]) -> None:
    with pytest.raises(EncodeError, match="even both ways"):
        Encoder(tmp_path / "film.mp4", *size)


def test_frames_and_sound_of_the_wrong_shape_are_refused(tmp_path: Path) -> None:
    with Encoder(tmp_path / "film.mp4", WIDTH, HEIGHT) as encoder:
        encoder.frame_bgra(picture(0))
        with pytest.raises(EncodeError, match="a frame must be"):
            encoder.frame_bgra(picture(0)[:50])
        with pytest.raises(EncodeError, match="sound must have"):
            encoder.audio(np.zeros(100, np.float32))
