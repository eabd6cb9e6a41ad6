"""A larger film: the same pictures at the exact size, the same speed, the very same sound."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from filmgate.domain.errors import OutputUnusable
from filmgate.domain.task import Role
from filmgate.media.encode import AUDIO_RATE, Converter, Encoder
from filmgate.media.pictures import pace
from filmgate.media.probe import probe, starts_fast
from filmgate.media.sharp import Sharpen
from filmgate.media.upscale import Way, upscale
from support.footage import SIZE, SMALLER, bgra, nearness, small_film, truth


def film(path: Path, *, sound: bool = True, fps: int | Fraction = 24, portrait: bool = False) -> Path:
    """Two seconds of a picture with a slope, a red field and a bar that moves; noise to be heard."""
    width, height = (180, 320) if portrait else (320, 180)
    slope = np.linspace(30, 220, width, dtype=np.uint8)[None, :, None].repeat(height, 0).repeat(4, 2)
    slope[: height // 2, : width // 2] = (0, 0, 200, 255)
    with Encoder(path, width, height, fps, sound=sound) as encoder:
        if sound:
            encoder.audio((0.3 * np.random.default_rng(1).standard_normal((2 * AUDIO_RATE, 2))).astype(np.float32))
        for number in range(48):
            picture = slope.copy()
            picture[height * 3 // 4 :, number * 3 : number * 3 + 20] = 255
            encoder.frame_bgra(picture)
    return path


def sound_packets(path: Path) -> list[tuple[int | None, int | None, bytes]]:
    with av.open(str(path)) as opened:
        return [(p.pts, p.duration, bytes(p)) for p in opened.demux(audio=0) if p.dts is not None]


def picture(path: Path, number: int, width: int, height: int) -> np.ndarray:
    """One picture in RGB, brought to this size by averages alone."""
    with av.open(str(path)) as opened:
        for at, frame in enumerate(opened.decode(video=0)):
            if at == number:
                shown = frame.to_ndarray(format="rgb24").astype(np.float64)
                break
    ways = (height, shown.shape[0] // height, width, shown.shape[1] // width, 3)
    return np.asarray(shown.reshape(ways).mean(axis=(1, 3)))


@pytest.mark.parametrize("portrait", [False, True])
def test_a_film_grows_to_the_exact_size(portrait: bool, tmp_path: Path) -> None:
    size = (540, 960) if portrait else (960, 540)
    source = film(tmp_path / "source.mp4", portrait=portrait)
    made = upscale(source, size, tmp_path / "larger.mp4", lambda fraction, stage: None)
    found = probe(made.path)
    assert (found.width, found.height) == (made.width, made.height) == size
    assert (made.role, made.has_audio, made.seconds) == (Role.RESULT, True, 2.0)
    assert found.plays_everywhere
    assert starts_fast(made.path)
    assert pace(made.path) == pace(source)
    with av.open(str(made.path)) as opened:
        assert opened.duration == 2_000_000
        assert [stream.start_time for stream in opened.streams] == [0, 0]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["larger.mp4", "source.mp4"]


def test_the_pictures_are_the_same_in_shape_and_colour(tmp_path: Path) -> None:
    source = film(tmp_path / "source.mp4")
    made = upscale(source, (960, 540), tmp_path / "larger.mp4", lambda fraction, stage: None)
    for number in (0, 20, 47):
        difference = picture(made.path, number, 320, 180) - picture(source, number, 320, 180)
        assert np.sqrt((difference**2).mean()) < 4
        assert np.abs(difference.mean(axis=(0, 1))).max() < 1


def test_the_sound_is_copied_packet_for_packet(tmp_path: Path) -> None:
    source = film(tmp_path / "source.mp4")
    made = upscale(source, (640, 360), tmp_path / "larger.mp4", lambda fraction, stage: None)
    assert sound_packets(made.path) == sound_packets(source)


def test_a_silent_film_stays_silent(tmp_path: Path) -> None:
    made = upscale(film(tmp_path / "s.mp4", sound=False), (640, 360), tmp_path / "l.mp4", lambda fraction, stage: None)
    assert not made.has_audio
    assert not probe(made.path).has_audio


@pytest.mark.parametrize("fps", [16, 30, Fraction(24000, 1001)])
def test_the_speed_is_kept(fps: int | Fraction, tmp_path: Path) -> None:
    source = film(tmp_path / "source.mp4", fps=fps)
    upscale(source, (640, 360), tmp_path / "larger.mp4", lambda fraction, stage: None)
    assert pace(tmp_path / "larger.mp4") == pace(source)
    assert pace(source).fps == fps


def test_progress_is_told_with_every_picture(tmp_path: Path) -> None:
    told: list[float] = []
    upscale(film(tmp_path / "s.mp4"), (640, 360), tmp_path / "l.mp4", lambda fraction, stage: told.append(fraction))
    assert told == sorted(told)
    assert len(told) == 48


@pytest.mark.parametrize("content", [b"", b"no film", b"\0\0\0\x18ftypmp42" + b"\0" * 64])
def test_what_is_no_film_is_refused_and_leaves_nothing(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "source.mp4").write_bytes(content)
    with pytest.raises(OutputUnusable):
        upscale(tmp_path / "source.mp4", (640, 360), tmp_path / "larger.mp4", lambda fraction, stage: None)
    assert [path.name for path in tmp_path.iterdir()] == ["source.mp4"]


def test_a_film_of_which_the_end_is_missing_is_refused(tmp_path: Path) -> None:
    content = film(tmp_path / "source.mp4").read_bytes()
    (tmp_path / "source.mp4").write_bytes(content[: len(content) * 6 // 10])
    with pytest.raises(OutputUnusable, match="incomplete"):
        upscale(tmp_path / "source.mp4", (640, 360), tmp_path / "larger.mp4", lambda fraction, stage: None)
    assert [path.name for path in tmp_path.iterdir()] == ["source.mp4"]


@pytest.mark.parametrize("smaller", SMALLER)
@pytest.mark.parametrize("times", [1.5, 3.0])
def test_sharp_is_nearer_to_what_a_larger_film_would_have_shown(times: float, smaller: str, tmp_path: Path) -> None:
    shown = truth("chelsea.png", frames=4)
    source = small_film(tmp_path / "source.mp4", shown, times, SMALLER[smaller])
    found = {}
    for way in (Way.LANCZOS, Way.SHARP):
        made = upscale(source, SIZE, tmp_path / f"{way}.mp4", lambda fraction, stage: None, way)
        assert sound_packets(made.path) == sound_packets(source)
        assert pace(made.path) == pace(source)
        convert = Converter(*SIZE)
        pairs = zip([convert.yuv(bgra(each)) for each in shown], planes(made.path), strict=True)
        found[way] = np.mean([nearness(true[: SIZE[1]], seen[: SIZE[1]]) for true, seen in pairs], axis=0)
    (psnr, ssim), (lanczos_psnr, lanczos_ssim) = found[Way.SHARP], found[Way.LANCZOS]
    assert psnr > lanczos_psnr
    assert ssim > lanczos_ssim - 0.005


def planes(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as opened:
        return [frame.to_ndarray() for frame in opened.decode(video=0)]


def test_sharp_leaves_colours_and_plain_fields_as_they_are(tmp_path: Path) -> None:
    source = film(tmp_path / "source.mp4")
    ways = (Way.LANCZOS, Way.SHARP)
    plain, sharp = (
        planes(upscale(source, (960, 540), tmp_path / f"{way}.mp4", lambda fraction, stage: None, way).path)
        for way in ways
    )
    for before, after in zip(plain, sharp, strict=True):
        difference = np.abs(after.astype(int) - before)
        assert difference[540:].mean() < 0.5  # the encoder decides a little differently
        assert difference[20:240, 500:900].max() <= 4  # the slope, far from any edge


def test_no_edge_gets_a_halo(tmp_path: Path) -> None:
    step = np.full((90, 160), 60, np.uint8)
    step[:, 80:] = 180
    larger = Sharpen((160, 90), (480, 270))(step)
    assert larger.shape == (270, 480)
    assert 48 <= larger.min() < larger.max() <= 192  # a tenth of the step beyond it


def test_what_does_not_grow_is_not_sharpened(tmp_path: Path) -> None:
    source = film(tmp_path / "source.mp4")
    made = [
        upscale(source, (320, 180), tmp_path / f"{way}.mp4", lambda fraction, stage: None, way).path.read_bytes()
        for way in (Way.LANCZOS, Way.SHARP)
    ]
    assert made[0] == made[1]
