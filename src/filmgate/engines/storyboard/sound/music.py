"""A little music: four soft instruments, a chord progression in the mood of the plan, and a melody out of its chords.

It fills the film exactly: as many chords as fit in, the last one the home chord, which is left to ring.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from ..model import Mood, Plan
from .synthesis import Signal, add, chance, decay, hall, panned, ramp, sine

MAJOR, MINOR = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10)


@dataclass(frozen=True)
class Style:
    """How a mood is played."""

    tempo: float  #: beats a minute, about: the beat is fitted to the film
    scale: tuple[int, ...]
    progressions: tuple[tuple[int, ...], ...]  #: degrees of the scale; the home chord is put at the end
    pad: float  #: levels of the instruments
    pluck: float
    melody: float
    bass: float
    drum: float
    notes: int  #: plucked notes a beat
    register: int  #: semitones above the middle


STYLES: dict[Mood, Style] = {
    "calm": Style(76, MAJOR, ((0, 5, 3), (0, 2, 3), (0, 3, 4)), 0.9, 0.5, 0.45, 0.5, 0.0, 1, 0),
    "happy": Style(112, MAJOR, ((0, 3, 4), (0, 4, 3), (0, 5, 3)), 0.4, 0.8, 0.7, 0.6, 0.25, 2, 5),
    "tense": Style(92, MINOR, ((0, 5, 3), (0, 1, 5), (0, 3, 5)), 1.0, 0.35, 0.25, 0.8, 0.7, 2, -7),
    "epic": Style(88, MINOR, ((0, 5, 2), (0, 2, 6), (0, 3, 6)), 1.0, 0.5, 0.5, 0.8, 0.8, 2, -2),
    "melancholy": Style(66, MINOR, ((0, 5, 2), (0, 3, 5), (0, 6, 5)), 0.9, 0.5, 0.5, 0.45, 0.0, 1, -3),
    "funny": Style(126, MAJOR, ((0, 1, 4), (0, 3, 4), (0, 5, 4)), 0.2, 0.9, 0.8, 0.8, 0.35, 2, 3),
}


def score(plan: Plan, rate: int) -> Signal:
    """The music of a film in stereo, (seconds * rate, 2), at a peak of about 1."""
    sound = _first(plan, rate)
    return np.asarray(sound / _peak(sound))


def score_on(plans: Sequence[Plan], rate: int, *, whole: bool = False) -> Signal:
    """The music of the last of these films, which goes on from the others in the same key and on the same beat.

    What rings at the end of the film before is heard, too. ``whole``: that film's own music comes first.
    """
    before, plan = plans[-2:]
    split = before.seconds * rate
    bus = np.zeros((split + plan.seconds * rate, 2))
    _perform(bus, rate, plans[0], before, len(plans) - 2, 0.0)
    _perform(bus, rate, plans[0], plan, len(plans) - 1, float(before.seconds))
    sound = _resounding(bus, rate, plan) / _peak(_first(plans[0], rate))
    return np.asarray(sound if whole else sound[split:])


def _perform(bus: Signal, rate: int, first: Plan, plan: Plan, number: int, begins: float) -> None:
    """Plays the music of film ``number`` of a story; the first film decides on its key and its chords."""
    style, rng = STYLES[first.mood], chance(first.seed, "music")
    root = 57 + int(rng.integers(-4, 4)) + style.register
    way = style.progressions[int(rng.integers(len(style.progressions)))]
    rng = rng if number == 0 else chance(first.seed, f"music {number}")
    chords = _chords(way, plan.seconds)
    beat, length = _beat(style, plan.seconds, len(chords)), plan.seconds / len(chords)
    for place, degree in enumerate(chords):
        span = (begins + place * length, length, beat)
        _play(bus, rate, rng, style, span, root, degree, place == len(chords) - 1)


def _resounding(bus: Signal, rate: int, plan: Plan) -> Signal:
    return hall(bus, rate, chance(plan.seed, "hall"), 1.8, 0.4)


def _first(plan: Plan, rate: int) -> Signal:
    bus = np.zeros((plan.seconds * rate, 2))
    _perform(bus, rate, plan, plan, 0, 0.0)
    return _resounding(bus, rate, plan)


def _peak(sound: Signal) -> float:
    """That of the first film of a story is what the music of all of them is measured by."""
    return max(1e-9, float(np.max(np.abs(sound))))


def _chords(way: tuple[int, ...], seconds: int) -> tuple[int, ...]:
    """A chord for every two seconds, the home chord last."""
    return (*way[: max(1, seconds // 2 - 1)], 0)


def _beat(style: Style, seconds: int, chords: int) -> float:
    """Seconds in a beat, so that each chord has a whole number of them."""
    length = seconds / chords
    return length / max(1, round(length * style.tempo / 60.0))


def _pitch(scale: tuple[int, ...], root: int, degree: int) -> float:
    """The frequency of a degree of the scale, Hz; degrees run on beyond the octave."""
    octave, step = divmod(degree, 7)
    return float(440.0 * 2.0 ** ((root + 12 * octave + scale[step] - 69) / 12.0))


Span = tuple[float, float, float]  # start, length, beat


def _play(
    bus: Signal, rate: int, rng: np.random.Generator, style: Style, span: Span, root: int, degree: int, last: bool
) -> None:
    """One chord: pad and bass below, plucked notes through it, a tune above, a soft drum."""
    start, length, _ = span
    tone = partial(_pitch, style.scale, root)
    for voice, step in enumerate((0, 2, 4)):
        sound = pad(tone(degree + step - (7 if degree + step > 6 else 0)), length + 0.9, rate)
        add(bus, panned(style.pad * 0.16 * sound, (-0.5, 0.5, 0.0)[voice]), int(start * rate))
    add(
        bus,
        panned(style.bass * 0.34 * bass(tone(degree - 7 - (7 if degree > 3 else 0)), length, rate), 0.0),
        int(start * rate),
    )
    if style.drum:
        add(bus, panned(style.drum * 0.4 * drum(rate), 0.0), int(start * rate))
    _pluck_through(bus, rate, rng, style, span, [tone(degree + step) for step in (0, 2, 4, 7)], last)
    _tune(bus, rate, rng, style, span, [tone(degree + step + 7) for step in (0, 2, 4)], last)


def _pluck_through(
    bus: Signal, rate: int, rng: np.random.Generator, style: Style, span: Span, tones: list[float], last: bool
) -> None:
    start, length, beat = span
    step = beat / style.notes
    order = (0, 2, 1, 3, 2, 1) if rng.random() < 0.5 else (0, 1, 2, 3, 2, 1)
    count = 1 if last and style.notes == 1 else round(length / step / (2 if last else 1))
    for i in range(count):
        loud = style.pluck * (0.26 if i % style.notes == 0 else 0.18) * rng.uniform(0.85, 1.0)
        sound = pluck(tones[order[i % len(order)]], rate)
        add(bus, panned(loud * sound, 0.35 * np.sin(1.7 * i)), int((start + i * step + rng.uniform(0, 0.008)) * rate))


def _tune(
    bus: Signal, rate: int, rng: np.random.Generator, style: Style, span: Span, tones: list[float], last: bool
) -> None:
    """Two or three notes over a chord, on its beats, never the same twice in a row."""
    start, length, beat = span
    beats = max(1, round(length / beat))
    moments = [0] if last else sorted({0, *(int(b) for b in rng.integers(0, beats, 2))})
    before = -1
    for moment in moments:
        choice = int(rng.integers(0, 3))
        choice = (choice + 1) % 3 if choice == before else choice
        choice, before = (0, choice) if last else (choice, choice)
        sound = glockenspiel(tones[choice], rate)
        add(bus, panned(style.melody * 0.2 * sound, 0.15), int((start + moment * beat) * rate))


# ---------------------------------------------------------------- instruments -------------------------------------


def pad(hertz: float, seconds: float, rate: int) -> Signal:
    """Strings far away: a few soft partials, each doubled a little out of tune."""
    n = int(seconds * rate)
    t = ramp(n, rate)
    sound = np.zeros(n)
    for partial_, level in ((1.0, 1.0), (2.0, 0.32), (3.0, 0.12), (4.0, 0.05)):
        for detune in (0.9985, 1.0015):
            sound += 0.5 * level * sine(hertz * partial_ * detune, n, rate, phase=partial_)
    return np.asarray(sound * np.minimum(1.0, t / 0.5) * np.clip((seconds - t) / 0.9, 0.0, 1.0))


def pluck(hertz: float, rate: int) -> Signal:
    """A harp string: higher partials die sooner."""
    n = int(1.4 * rate)
    partials = ((1.0, 1.0, 0.22), (2.0, 0.45, 0.13), (3.0, 0.22, 0.08), (4.0, 0.1, 0.05), (5.0, 0.05, 0.03))
    return np.asarray(sum(a * sine(hertz * k, n, rate) * decay(n, rate, 0.003, life) for k, a, life in partials))


def glockenspiel(hertz: float, rate: int) -> Signal:
    """A small bell: the partials of a bar."""
    n = int(1.8 * rate)
    partials = ((1.0, 1.0, 0.3), (2.76, 0.22, 0.1), (5.4, 0.06, 0.04))
    return np.asarray(sum(a * sine(hertz * k, n, rate) * decay(n, rate, 0.002, life) for k, a, life in partials))


def bass(hertz: float, seconds: float, rate: int) -> Signal:
    n = int(seconds * rate)
    body = sine(hertz, n, rate) + 0.35 * sine(2.0 * hertz, n, rate) + 0.1 * sine(3.0 * hertz, n, rate)
    return np.asarray(body * decay(n, rate, 0.02, 0.7))


def drum(rate: int) -> Signal:
    """A felt mallet on a low skin."""
    n = int(0.9 * rate)
    t = ramp(n, rate)
    return np.asarray(sine(62.0 + 40.0 * np.exp(-t * 22.0), n, rate) * decay(n, rate, 0.004, 0.12))
