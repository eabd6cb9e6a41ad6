"""The sound track: its level, its length, its ends, and that it is the sound of this film."""

from __future__ import annotations

import numpy as np
import pytest

from filmgate.engines.storyboard.model import Screenplay
from filmgate.engines.storyboard.plan import make_plan
from filmgate.engines.storyboard.shots import stage_play
from filmgate.engines.storyboard.sound import FOLEY, compose, cues
from filmgate.engines.storyboard.sound.ambience import BEDS, flashes
from filmgate.engines.storyboard.sound.mix import limited, loudness, true_peak
from filmgate.engines.storyboard.sound.synthesis import chance

RATE = 48_000
PROMPTS = [
    "A dog playing in a park",
    "a ship in a storm at night",
    "A futuristic city with flying cars at sunset",
    "a steam train crossing the mountains in winter",
    "a quiet room",
    "fish swimming underwater",
]


def staged(prompt: str, seconds: int = 4, seed: int = 2) -> Screenplay:
    return stage_play(make_plan(prompt, seed=seed, seconds=seconds, portrait=False))


@pytest.mark.parametrize("prompt", PROMPTS)
def test_the_level_of_a_film(prompt: str) -> None:
    sound = compose(staged(prompt))
    assert sound.shape == (4 * RATE, 2)
    assert sound.dtype == np.float32
    assert loudness(sound.astype(np.float64), RATE) == pytest.approx(-16.0, abs=1.0)
    assert true_peak(sound.astype(np.float64)) < -1.0
    assert np.abs(sound.mean(axis=0)).max() < 1e-3, "no direct current"


@pytest.mark.parametrize("seconds", [4, 6, 8])
def test_it_is_as_long_as_the_film_and_silent_at_both_ends(seconds: int) -> None:
    sound = compose(staged("a girl riding a bicycle in the rain", seconds))
    assert len(sound) == seconds * RATE
    assert np.abs(sound[[0, -1]]).max() == 0.0
    assert np.abs(np.diff(sound[: RATE // 100], axis=0)).max() < 0.01, "no click at the beginning"


def test_it_is_in_stereo_and_hangs_together() -> None:
    sound = compose(staged("A dog playing in a park"))
    assert 0.05 < float(np.corrcoef(sound[:, 0], sound[:, 1]).ravel()[1]) < 0.95
    left, right = (float(np.mean(sound[:, side].astype(np.float64) ** 2)) for side in (0, 1))
    assert 0.5 < left / right < 2.0


def test_the_same_film_has_the_same_sound_and_another_seed_another() -> None:
    one, again, other = (compose(staged("a horse running", seed=seed)) for seed in (1, 1, 2))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize(
    ("prompt", "sounds"),
    [
        ("a horse galloping", {"hoof"}),
        ("a robot walking", {"clank", "servo"}),
        ("a man walking in a park", {"step"}),
        ("a train in the mountains", {"chug", "whistle"}),
        ("a bird flying", {"flap", "chirp"}),
        ("a ship at sea", {"splash", "creak", "ship_bell"}),
        ("a girl riding a bicycle", {"bell"}),
        ("children flying kites", {"flutter"}),
        ("a fox jumping in a forest", {"paw"}),
        ("a koala jumping in a forest", {"rustle"}),
    ],
)
def test_the_foley_of_an_action(prompt: str, sounds: set[str]) -> None:
    listed = cues(staged(prompt, 8))
    assert sounds <= {cue.sound for cue in listed} <= set(FOLEY)
    assert [cue.at for cue in listed] == sorted(cue.at for cue in listed)
    assert all(0.0 <= cue.at < 8.0 and abs(cue.pan) <= 0.9 and cue.gain > 0 for cue in listed)


def test_a_sleeping_cat_is_not_heard() -> None:
    assert cues(staged("a cat sleeping")) == ()


def test_thunder_follows_lightning() -> None:
    play = staged("a ship in a storm", 8)
    strikes = flashes(play.plan)
    assert strikes
    quiet = compose(staged("a ship in the rain")).astype(np.float64)
    stormy = compose(play).astype(np.float64)
    assert _rumble(stormy) > 2.0 * _rumble(quiet)


def _rumble(sound: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float:
    """The part of the energy that lies below 90 Hz."""
    spectrum = np.abs(np.fft.rfft(sound.mean(axis=1))) ** 2
    return float(spectrum[: int(90 * len(sound) / RATE)].sum() / spectrum.sum())


@pytest.mark.parametrize("name", sorted(FOLEY))
def test_every_sound_begins_and_ends_in_silence(name: str) -> None:
    sound = FOLEY[name](RATE, chance(1, name))
    assert np.isfinite(sound).all()
    assert 0.02 < np.abs(sound).max() < 4.0
    assert np.abs(sound[[0, -1]]).max() < 0.05


@pytest.mark.parametrize("name", sorted(BEDS))
def test_every_bed_is_stereo_and_fills_its_time(name: str) -> None:
    bed = BEDS[name](RATE * 4, RATE, chance(1, name))
    assert bed.shape == (RATE * 4, 2)
    assert np.isfinite(bed).all()
    for half in (bed[: RATE * 2], bed[RATE * 2 :]):
        assert np.sqrt(np.mean(half**2, axis=0)).min() > 1e-3


def test_the_meter_reads_a_reference_tone() -> None:
    """A sine of 997 Hz at -23 dBFS on both sides reads -23 LUFS, by the standard's definition."""
    t = np.arange(RATE * 5) / RATE
    tone = 10 ** (-23 / 20) * np.sin(2 * np.pi * 997 * t)
    assert loudness(np.stack([tone, tone], axis=1), RATE) == pytest.approx(-23.0, abs=0.1)
    assert true_peak(np.stack([tone, tone], axis=1)) == pytest.approx(-23.0, abs=0.1)


def test_silence_has_no_loudness() -> None:
    assert loudness(np.zeros((RATE, 2)), RATE) == float("-inf")


def test_the_limiter_holds_the_ceiling_and_leaves_the_rest_alone() -> None:
    quiet = 0.1 * np.sin(2 * np.pi * 220 * np.arange(RATE) / RATE)
    sound = np.stack([quiet, quiet], axis=1)
    sound[RATE // 2] = 3.0
    held = limited(sound, RATE, -6.0)
    assert np.abs(held).max() <= 10 ** (-6 / 20) * 1.02
    assert np.allclose(held[: RATE // 4], sound[: RATE // 4])
