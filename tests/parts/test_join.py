"""Two films in one: every picture of both, in time, and nothing to be heard where they meet."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest
from av.stream import Stream
from hypothesis import given
from hypothesis import strategies as st

from filmgate.domain.errors import OutputUnusable
from filmgate.domain.task import Role
from filmgate.media.edit import join
from filmgate.media.encode import AUDIO_RATE, BLOCK, Encoder, Sound
from filmgate.media.mux import alike
from filmgate.media.pictures import pace
from filmgate.media.probe import probe, starts_fast
from filmgate.media.seam import foretold, joined
from filmgate.media.sound import read_sound

WIDTH, HEIGHT = 320, 180
Pictures = npt.NDArray[np.uint8]


def ignore(fraction: float, stage: str) -> None:
    """Progress is not looked at here."""


def sine(start_s: float, seconds: float, hertz: float = 441.0) -> Sound:
    """A part of one endless tone."""
    at = np.arange(round(start_s * AUDIO_RATE), round((start_s + seconds) * AUDIO_RATE))
    return (0.4 * np.sin(2 * np.pi * hertz * at / AUDIO_RATE))[:, None].repeat(2, 1).astype(np.float32)


def clicks(seconds: float, *at_s: float) -> Sound:
    sound = np.zeros((round(seconds * AUDIO_RATE), 2), np.float32)
    for at in at_s:
        start = round(at * AUDIO_RATE)
        sound[start : start + 96] = 0.8 * np.sin(np.arange(96) * 0.5)[:, None]
    return sound


def film(
    path: Path, frames: int, sound: Sound | None = None, *, fps: int = 24, size: tuple[int, int] = (WIDTH, HEIGHT),
    first: int = 0, crf: float = 20.0,
) -> Path:  # fmt: skip
    """A bar that moves on with every picture, ``first`` being its first place."""
    width, height = size
    with Encoder(path, width, height, fps, sound=sound is not None, crf=crf) as encoder:
        if sound is not None:
            encoder.audio(sound)
        for number in range(first, first + frames):
            pixels = np.full((height, width, 4), 60, np.uint8)
            pixels[:, number * 2 % width : number * 2 % width + 24] = (40, 160, 220, 255)
            encoder.frame_bgra(pixels)
    return path


def pictures(path: Path) -> Pictures:
    with av.open(str(path)) as opened:
        return np.stack([frame.to_ndarray(format="gray") for frame in opened.decode(video=0)])


def times(path: Path) -> list[float]:
    with av.open(str(path)) as opened:
        return [float(frame.time) for frame in opened.decode(video=0)]


def places(shown: Pictures) -> list[int]:
    """Where the bar begins in each picture, in steps."""
    return [int(np.argmax(picture[90] > 100)) // 2 for picture in shown]


def lasts(stream: Stream) -> float:
    return float((stream.duration or 0) * (stream.time_base or 0))


def onsets(sound: Sound) -> list[float]:
    """When something loud begins after a silence, in seconds."""
    loud = np.flatnonzero(np.abs(sound[:, 0]) > 0.2)
    begins = loud[np.concatenate([[True], np.diff(loud) > 2000])]
    return [float(at) / AUDIO_RATE for at in begins]


# ------------------------------------------------------------ the pictures --------------------------------------------


@pytest.mark.parametrize(("one", "two"), [(96, 96), (97, 49), (1, 1), (48, 1), (1, 100)])
def test_every_picture_of_both_in_order_bit_for_bit(one: int, two: int, tmp_path: Path) -> None:
    first = film(tmp_path / "first.mp4", one, sine(0, one / 24))
    second = film(tmp_path / "second.mp4", two, sine(one / 24, two / 24), first=one)
    made = join(first, second, tmp_path / "full.mp4", ignore)
    assert (pictures(made.path) == np.concatenate([pictures(first), pictures(second)])).all()
    assert times(made.path) == pytest.approx([number / 24 for number in range(one + two)])
    assert (made.role, made.mime, made.width, made.height) == (Role.FULL, "video/mp4", WIDTH, HEIGHT)
    assert made.seconds == pytest.approx((one + two) / 24)


def test_what_comes_out_is_one_film_that_plays_everywhere(tmp_path: Path) -> None:
    first = film(tmp_path / "first.mp4", 96, sine(0, 4))
    second = film(tmp_path / "second.mp4", 192, sine(4, 8), first=96)
    made = join(first, second, tmp_path / "full.mp4", ignore)
    assert probe(made.path).plays_everywhere
    assert starts_fast(made.path)
    data = made.path.read_bytes()
    assert b"Lavf" not in data[: data.find(b"mdat")]
    with av.open(str(made.path)) as opened:
        assert opened.duration == 12_000_000
        assert [stream.type for stream in opened.streams] == ["video", "audio"]
        assert [stream.start_time for stream in opened.streams] == [0, 0]
        video, audio = opened.streams
        assert lasts(video) == 12
        assert lasts(audio) == pytest.approx(12, abs=BLOCK / AUDIO_RATE)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first.mp4", "full.mp4", "second.mp4"]


def test_a_joined_film_can_be_joined_again(tmp_path: Path) -> None:
    parts = [film(tmp_path / f"{n}.mp4", 48, sine(2 * n, 2), first=48 * n) for n in range(3)]
    once = join(parts[0], parts[1], tmp_path / "once.mp4", ignore)
    assert alike(once.path, parts[2])
    twice = join(once.path, parts[2], tmp_path / "twice.mp4", ignore)
    assert places(pictures(twice.path)) == list(range(144))
    assert len(read_sound(twice.path)) == pytest.approx(6 * AUDIO_RATE, abs=BLOCK)


def test_films_of_other_makers_are_encoded_anew(tmp_path: Path) -> None:
    """Other parameters, pictures stored in another order than shown."""
    foreign = tmp_path / "first.mp4"
    with av.open(str(foreign), "w") as out:
        stream = out.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.options = {"bf": "3", "preset": "medium"}
        for planes in pictures(film(tmp_path / "shown.mp4", 60)):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(planes, format="gray").reformat(format="yuv420p")))
        out.mux(stream.encode(None))
    second = film(tmp_path / "second.mp4", 48, sine(0, 2), first=60)
    assert not alike(foreign, second)
    made = join(foreign, second, tmp_path / "full.mp4", ignore)
    assert places(pictures(made.path)) == list(range(108))
    assert times(made.path) == pytest.approx([number / 24 for number in range(108)])
    assert probe(made.path).plays_everywhere


def test_another_size_and_speed_are_made_to_fit(tmp_path: Path) -> None:
    first = film(tmp_path / "first.mp4", 48, sine(0, 2))
    second = film(tmp_path / "second.mp4", 32, sine(2, 2), fps=16, size=(640, 360))
    made = join(first, second, tmp_path / "full.mp4", ignore)
    assert (made.width, made.height, made.seconds) == (WIDTH, HEIGHT, 4.0)
    assert pace(made.path).fps == 24
    assert pictures(made.path).shape == (96, HEIGHT, WIDTH)


def test_progress_rises_to_its_end(tmp_path: Path) -> None:
    told: list[float] = []
    first = film(tmp_path / "first.mp4", 24)
    second = film(tmp_path / "second.mp4", 24, crf=30.0, fps=12)
    join(first, second, tmp_path / "full.mp4", lambda fraction, stage: told.append(fraction))
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert len(told) > 20


# ------------------------------------------------------------ the sound -----------------------------------------------


@pytest.mark.parametrize("frames", [96, 97, 101])
def test_a_tone_that_runs_through_the_seam_is_not_interrupted(frames: int, tmp_path: Path) -> None:
    seam_s = frames / 24
    first = film(tmp_path / "first.mp4", frames, sine(0, seam_s))
    second = film(tmp_path / "second.mp4", 96, sine(seam_s, 4))
    heard = read_sound(join(first, second, tmp_path / "full.mp4", ignore).path)
    wanted = sine(0, seam_s + 4)[: len(heard)]
    heard = heard[: len(wanted)]
    seam = round(seam_s * AUDIO_RATE)
    elsewhere = np.abs(np.diff(heard[4800 : seam - 4800, 0])).max()
    around = slice(seam - 2400, seam + 2400)
    assert np.abs(np.diff(heard[around, 0])).max() < 1.5 * elsewhere, "no click"
    loudness = np.sqrt(np.convolve(heard[around, 0] ** 2, np.full(480, 1 / 480), "valid"))
    assert loudness.min() > 0.8 * loudness.max(), "no gap"
    assert np.abs(heard[around] - wanted[around]).max() < 0.12, "in time on both sides"


def test_clicks_stay_where_they_were(tmp_path: Path) -> None:
    first = film(tmp_path / "first.mp4", 96, clicks(4, 0.5, 2.25, 3.9))
    second = film(tmp_path / "second.mp4", 96, clicks(4, 0.1, 1.75))
    heard = read_sound(join(first, second, tmp_path / "full.mp4", ignore).path)
    assert onsets(heard) == pytest.approx([0.5, 2.25, 3.9, 4.1, 5.75], abs=0.001)


def test_the_sound_drifts_at_no_seam_of_many(tmp_path: Path) -> None:
    part = film(tmp_path / "part.mp4", 25, clicks(25 / 24, 0.5))
    full = part
    for number in range(4):
        full = join(full, part, tmp_path / f"full-{number}.mp4", ignore).path
    assert onsets(read_sound(full)) == pytest.approx([0.5 + number * 25 / 24 for number in range(5)], abs=0.001)


def test_silence_where_one_film_has_no_sound(tmp_path: Path) -> None:
    silent = film(tmp_path / "silent.mp4", 48)
    sounding = film(tmp_path / "sounding.mp4", 48, sine(0, 2))
    after = read_sound(join(silent, sounding, tmp_path / "one.mp4", ignore).path)
    assert np.abs(after[: 2 * AUDIO_RATE - 4800]).max() < 0.01
    assert np.abs(after[2 * AUDIO_RATE + 4800 :]).max() > 0.3
    before = read_sound(join(sounding, silent, tmp_path / "two.mp4", ignore).path)
    assert np.abs(before[2 * AUDIO_RATE + 4800 :]).max() < 0.01
    assert np.abs(np.diff(before[:, 0])).max() < 0.1, "it fades and does not break off"


def test_two_silent_films_make_a_silent_one(tmp_path: Path) -> None:
    part = film(tmp_path / "part.mp4", 24)
    made = join(part, part, tmp_path / "full.mp4", ignore)
    assert not made.has_audio
    assert not probe(made.path).has_audio


def test_a_leap_between_the_sounds_is_smoothed() -> None:
    before, after = sine(0, 1.0, 100)[:-120], -sine(0.25, 1.0, 100)  # from a crest to a trough
    straight = np.abs(np.diff(np.concatenate([before, after]), axis=0)).max()
    smooth = np.abs(np.diff(joined(before, after), axis=0)).max()
    assert smooth < 0.1 < straight


@given(st.integers(0, 600), st.integers(0, 600), st.floats(-1, 1), st.floats(-1, 1), st.sampled_from([0.0, 0.001, 0.3]))
def test_smoothing_moves_nothing(one: int, two: int, low: float, high: float, noise: float) -> None:
    chance = np.random.default_rng(one * 601 + two)
    before = (low + noise * chance.standard_normal((one, 2))).astype(np.float32)
    after = (high + noise * chance.standard_normal((two, 2))).astype(np.float32)
    full = joined(before, after)
    assert full.shape == (one + two, 2)
    assert full.dtype == np.float32
    assert (full[: max(0, one - 120)] == before[: max(0, one - 120)]).all()
    assert (full[one + 120 :] == after[120:]).all()
    assert np.isfinite(full).all()


@given(st.integers(0, 2**32 - 1), st.sampled_from([300, 2048, 5000]), st.floats(0.001, 1))
def test_a_forecast_never_runs_away(seed: int, length: int, loudness: float) -> None:
    wave = loudness * np.random.default_rng(seed).standard_normal(length).cumsum() / 10
    assert np.abs(foretold(wave, 240)).max() <= 8 * np.abs(wave).max()


def test_tones_are_foretold_and_noise_is_left_alone() -> None:
    tones = [sine(0, 0.2, hertz)[:, 0].astype(np.float64) for hertz in (220, 441, 1730)]
    chord = np.mean(tones, axis=0)
    assert np.abs(foretold(chord[:8000], 240) - chord[8000:8240]).max() < 0.04
    noise = (0.2 * np.random.default_rng(3).standard_normal((9600, 2))).astype(np.float32)
    assert (joined(noise[:4800], noise[4800:]) == noise).all()


# ------------------------------------------------------------ what cannot be joined -----------------------------------


@pytest.mark.parametrize("broken", ["first", "second"])
def test_what_is_no_film_is_refused_and_leaves_nothing(broken: str, tmp_path: Path) -> None:
    good, bad = film(tmp_path / "good.mp4", 24), tmp_path / "bad.mp4"
    bad.write_bytes(b"no film")
    pair = (bad, good) if broken == "first" else (good, bad)
    with pytest.raises(OutputUnusable, match="cannot be opened as a film"):
        join(*pair, tmp_path / "full.mp4", ignore)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.mp4", "good.mp4"]


def test_speeds_that_are_no_whole_number(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    with Encoder(path, WIDTH, HEIGHT, Fraction(24000, 1001), sound=True) as encoder:
        encoder.audio(sine(0, 3))
        for _ in range(48):
            encoder.frame_bgra(np.full((HEIGHT, WIDTH, 4), 99, np.uint8))
    assert pace(path).fps == Fraction(24000, 1001)
    made = join(path, path, tmp_path / "full.mp4", ignore)
    assert pace(made.path).frames == 96
    assert made.seconds == pytest.approx(96 * 1001 / 24000)
    assert times(made.path) == pytest.approx([number * 1001 / 24000 for number in range(96)], abs=1e-4)
