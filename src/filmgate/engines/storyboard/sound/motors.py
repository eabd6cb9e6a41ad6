"""Motors: what sounds for as long as it is there, and moves with its actor from side to side."""

from __future__ import annotations

import numpy as np

from ..blocking import where
from ..model import Actor, Screenplay, Stage
from .synthesis import Signal, chance, noise, ramp, sine, swell

_CHORUS = 2  #: of a group, how many are heard


def engines(screenplay: Screenplay, rate: int, take: int = 0) -> Signal:
    """All engines of the film, (seconds * rate, 2), each of RMS about 1."""
    bus = np.zeros((screenplay.plan.seconds * rate, 2))
    running = [
        actor for actor in screenplay.actors if actor.subject.puppet in MOTORS and actor.subject.action != "idle"
    ]
    for number, actor in enumerate(running[:_CHORUS]):
        rng = chance(screenplay.plan.seed, f"motor {number}{f' {take}' if take else ''}")
        bus += _moving(MOTORS[actor.subject.puppet or ""](len(bus), rate, rng), actor, screenplay, rate)
    return bus


def _moving(sound: Signal, actor: Actor, screenplay: Screenplay, rate: int) -> Signal:
    """The sound, panned to where its actor is on the stage from second to second."""
    seconds, half = screenplay.plan.seconds, Stage(screenplay.plan.portrait).width / 2
    begins = screenplay.shots[0].start
    instants = np.linspace(begins, begins + seconds, 4 * seconds + 1)
    places = [float(np.clip(0.6 * where(actor, float(t))[0] / half, -0.8, 0.8)) for t in instants]
    place = np.interp(np.linspace(begins, begins + seconds, len(sound)), instants, places)
    angle = (place + 1.0) * np.pi / 4.0
    return np.stack([sound * np.cos(angle), sound * np.sin(angle)], axis=1)


def _engine(n: int, rate: int, rng: np.random.Generator) -> Signal:
    """A small engine at an easy pace: the harmonics of its firing, and the road."""
    pace = 44.0 * (1.0 + 0.06 * swell(n, rate, rng, 0.3, -1.0, 1.0))
    firing = sum(a * sine(k * pace, n, rate) for k, a in ((1.0, 0.8), (2.0, 0.6), (3.0, 0.3), (4.0, 0.25), (6.0, 0.1)))
    road = noise(n, rate, rng, [(60, -8), (300, 0), (1200, -10), (5000, -30)])
    return np.asarray(0.6 * firing + 0.5 * road)


def _hover(n: int, rate: int, rng: np.random.Generator) -> Signal:
    """A machine that floats: two tones that beat, and air."""
    bend = 1.0 + 0.05 * swell(n, rate, rng, 0.5, -1.0, 1.0)
    tones = sine(146.0 * bend, n, rate) + 0.6 * sine(147.3 * bend, n, rate) + 0.25 * sine(293.0 * bend, n, rate)
    air = noise(n, rate, rng, [(200, -14), (900, 0), (3000, -8), (9000, -26)])
    return np.asarray(0.6 * tones + 0.3 * air * swell(n, rate, rng, 0.5, 0.4, 1.0))


def _freewheel(n: int, rate: int, rng: np.random.Generator) -> Signal:
    """A chain and a hub: quiet clicks, and tyres on gravel."""
    t = ramp(n, rate)
    click = np.maximum(0.0, np.sin(2 * np.pi * 11.0 * t)) ** 40
    metal = noise(n, rate, rng, [(1500, -24), (4000, 0), (9000, -6)])
    tyres = noise(n, rate, rng, [(200, -10), (900, 0), (4000, -10), (10000, -26)])
    return np.asarray(0.7 * click * metal + 0.3 * tyres)


def _rails(n: int, rate: int, rng: np.random.Generator) -> Signal:
    """Wheels on rails: a rumble with a knock at every joint."""
    t = ramp(n, rate)
    knock = np.exp(-((t * 1.9) % 1.0) * 16.0) + 0.7 * np.exp(-((t * 1.9 + 0.78) % 1.0) * 16.0)
    rumble = noise(n, rate, rng, [(40, 0), (140, 0), (500, -10), (2500, -26)])
    iron = noise(n, rate, rng, [(300, -16), (900, 0), (2200, -6), (7000, -26)])
    return np.asarray(0.7 * rumble + 0.6 * knock * iron)


MOTORS = {"car": _engine, "flying_car": _hover, "bicycle": _freewheel, "train": _rails, "airplane": _engine}
