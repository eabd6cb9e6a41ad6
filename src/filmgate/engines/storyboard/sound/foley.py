"""Foley: what is heard of the actors. ``cues`` is the list of what sounds when; ``FOLEY`` has the sounds themselves.

A cue is placed where its actor is seen at that moment, and is a little louder in a close shot.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from ..actions import footfalls
from ..blocking import where
from ..model import Actor, Cue, Screenplay, Stage, View
from ..puppets import load
from .synthesis import Signal, chance, decay, decibels, filtered, noise, pulse, ramp, sine

Maker = Callable[[int, np.random.Generator], Signal]

# ---------------------------------------------------------------- the sounds --------------------------------------


def _thud(rate: int, rng: np.random.Generator, hertz: float, length: float, scuff: float) -> Signal:
    """Something soft comes down: a low knock and a little of the ground."""
    n = int(length * rate)
    knock = sine(hertz * (1.0 + 0.8 * decay(n, rate, 0.001, 0.012)), n, rate) * decay(n, rate, 0.002, length * 0.14)
    ground = noise(n, rate, rng, [(300, -20), (1200, 0), (4000, -8), (9000, -26)]) * decay(n, rate, 0.004, length * 0.1)
    return np.asarray(0.8 * knock + scuff * ground)


def _step(rate: int, rng: np.random.Generator) -> Signal:
    return _thud(rate, rng, rng.uniform(78, 96), 0.24, 0.22)


def _paw(rate: int, rng: np.random.Generator) -> Signal:
    return 0.7 * _thud(rate, rng, rng.uniform(120, 150), 0.16, 0.3)


def _hoof(rate: int, rng: np.random.Generator) -> Signal:
    """Two knocks close together: the wood block of the radio play."""
    n = int(0.2 * rate)
    hertz = rng.uniform(480, 620)
    knock = sine(hertz, n, rate) * decay(n, rate, 0.001, 0.012) + 0.5 * sine(hertz * 1.6, n, rate) * decay(
        n, rate, 0.001, 0.007
    )
    return np.asarray(0.7 * knock + 0.6 * _thud(rate, rng, 95.0, 0.2, 0.15)[:n])


_IRON = ((1.0, 0.5, 0.05), (2.76, 0.3, 0.035), (4.1, 0.2, 0.02))  #: partial, level, half-life
_BRASS = ((2093.0, 0.5, 0.16), (4180.0, 0.25, 0.09), (5630.0, 0.12, 0.05))  #: Hz, level, half-life


def _clank(rate: int, rng: np.random.Generator) -> Signal:
    """A metal foot: an inharmonic ring over a thud."""
    n = int(0.35 * rate)
    base = rng.uniform(310, 360)
    ring = sum(a * sine(base * k, n, rate) * decay(n, rate, 0.001, life) for k, a, life in _IRON)
    return np.asarray(0.45 * ring + 0.6 * np.pad(_thud(rate, rng, 84.0, 0.24, 0.1), (0, n - int(0.24 * rate))))


def _servo(rate: int, rng: np.random.Generator) -> Signal:
    """A joint turns: a short rising whirr."""
    n = int(0.28 * rate)
    t = np.linspace(0.0, 1.0, n)
    pitch = rng.uniform(300, 380) * (1.0 + 0.7 * np.sin(np.pi * t))
    return np.asarray(0.3 * (sine(pitch, n, rate) + 0.3 * sine(2.02 * pitch, n, rate)) * np.sin(np.pi * t) ** 2)


def _flap(rate: int, rng: np.random.Generator) -> Signal:
    n = int(0.22 * rate)
    air = noise(n, rate, rng, [(150, -10), (500, 0), (1600, -6), (6000, -30)])
    return np.asarray(0.35 * air * pulse(n, rate, 0.07, 0.03, 0.05))


def _splash(rate: int, rng: np.random.Generator) -> Signal:
    n = int(1.1 * rate)
    body = noise(n, rate, rng, [(150, -14), (600, 0), (3000, -3), (9000, -14)]) * decay(n, rate, 0.03, 0.13)
    spray = noise(n, rate, rng, [(1500, -24), (5000, 0), (12000, -6)]) * pulse(n, rate, 0.2, 0.08, 0.25)
    return np.asarray(0.6 * body + 0.25 * spray)


def _bubble(rate: int, rng: np.random.Generator) -> Signal:
    n = int(0.12 * rate)
    rise = rng.uniform(420, 900) * (1.0 + 0.9 * np.linspace(0.0, 1.0, n) ** 2)
    return np.asarray(0.4 * sine(rise, n, rate) * decay(n, rate, 0.008, 0.025))


def _bell(rate: int, rng: np.random.Generator) -> Signal:
    """A bicycle bell: two strokes."""
    n = int(1.0 * rate)
    once = sum(a * sine(f, n, rate) * decay(n, rate, 0.001, life) for f, a, life in _BRASS)
    again = np.pad(once, (int(0.16 * rate), 0))[:n]
    return np.asarray(0.5 * (once + 0.8 * again))


def _ship_bell(rate: int, rng: np.random.Generator) -> Signal:
    n = int(2.2 * rate)
    parts = ((620.0, 0.5, 0.5), (1240.0, 0.3, 0.3), (1560.0, 0.22, 0.25), (2480.0, 0.1, 0.12))
    return np.asarray(0.6 * sum(a * sine(f, n, rate) * decay(n, rate, 0.002, life) for f, a, life in parts))


def _whistle(rate: int, rng: np.random.Generator) -> Signal:
    """A steam whistle: a chord of pipes with breath in it."""
    n = int(1.5 * rate)
    t = ramp(n, rate)
    bend = 1.0 - 0.05 * np.exp(-t * 9.0) - 0.04 * np.clip((t - 1.1) / 0.4, 0.0, 1.0)
    pipes = sum(sine(f * bend, n, rate) for f in (466.0, 554.0, 698.0)) / 3.0
    breath = noise(n, rate, rng, [(400, -14), (900, 0), (3000, -10), (9000, -24)])
    return np.asarray((0.5 * pipes + 0.1 * breath) * np.clip(t / 0.12, 0, 1) * np.clip((1.5 - t) / 0.35, 0, 1))


def _chug(rate: int, rng: np.random.Generator) -> Signal:
    n = int(0.3 * rate)
    steam = noise(n, rate, rng, [(80, -4), (300, 0), (900, -4), (4000, -18), (9000, -30)])
    return np.asarray(0.6 * steam * decay(n, rate, 0.02, 0.045))


def _joint(rate: int, rng: np.random.Generator) -> Signal:
    """A wheel passes from one rail to the next."""
    n = int(0.12 * rate)
    iron = noise(n, rate, rng, [(300, -10), (900, 0), (2400, -6), (7000, -24)]) * decay(n, rate, 0.001, 0.012)
    return np.asarray(0.3 * iron + 0.3 * sine(170.0, n, rate) * decay(n, rate, 0.001, 0.02))


def _horn(rate: int, rng: np.random.Generator) -> Signal:
    """A little car horn: two friendly notes."""
    n = int(0.42 * rate)
    t = ramp(n, rate)
    reed = sum(sine(f * k, n, rate) / k for f in (392.0, 494.0) for k in (1.0, 2.0, 3.0, 4.0))
    return np.asarray(0.16 * reed * np.clip(t / 0.015, 0, 1) * np.clip((0.42 - t) / 0.06, 0, 1))


def _creak(rate: int, rng: np.random.Generator) -> Signal:
    """Timber: a slow row of clicks through a hollow body."""
    n = int(0.9 * rate)
    clicks = np.zeros(n)
    at = np.cumsum(rng.uniform(0.014, 0.03, 40) * rate).astype(int)
    clicks[at[at < n]] = rng.uniform(0.4, 1.0, int(np.sum(at < n)))
    body = filtered(clicks, rate, [(120, -24), (320, 0), (480, -6), (900, 0), (2400, -20)])
    return np.asarray(3.5 * body * np.sin(np.pi * np.linspace(0.0, 1.0, n)) ** 2)


def _burner(rate: int, rng: np.random.Generator) -> Signal:
    """The flame of a balloon."""
    n = int(1.5 * rate)
    roar = noise(n, rate, rng, [(60, -3), (180, 0), (800, -8), (4000, -20)])
    return np.asarray(0.4 * roar * pulse(n, rate, 0.5, 0.16, 0.42))


def _chirp(rate: int, rng: np.random.Generator) -> Signal:
    """A small bird: a few quick whistled sweeps."""
    n = int(0.5 * rate)
    sound, at = np.zeros(n), 0.0
    for _ in range(int(rng.integers(2, 5))):
        m = int(rng.uniform(0.05, 0.1) * rate)
        sweep = np.linspace(rng.uniform(2600, 3600), rng.uniform(3200, 4800), m)
        begin = int(at * rate)
        note = sine(sweep, m, rate) * np.sin(np.pi * np.linspace(0.0, 1.0, m)) ** 2
        sound[begin : begin + m] += note[: max(0, n - begin)]
        at += rng.uniform(0.09, 0.14)
    return np.asarray(0.3 * sound)


def _flutter(rate: int, rng: np.random.Generator) -> Signal:
    """Kite cloth in the wind."""
    n = int(0.7 * rate)
    cloth = noise(n, rate, rng, [(300, -12), (1000, 0), (3500, -6), (9000, -26)])
    beat = 0.5 + 0.5 * sine(19.0, n, rate)
    return np.asarray(0.3 * cloth * beat**3 * np.sin(np.pi * np.linspace(0.0, 1.0, n)) ** 2)


def _rustle(rate: int, rng: np.random.Generator) -> Signal:
    """Paper that moves: the sound of a sticker, and of everything that has no other."""
    n = int(0.3 * rate)
    paper = noise(n, rate, rng, [(800, -16), (2500, 0), (6000, -4), (12000, -20)])
    return np.asarray(0.3 * paper * pulse(n, rate, 0.1, 0.04, 0.06))


def _boing(rate: int, rng: np.random.Generator) -> Signal:
    """A jump, as in a cartoon, but quietly."""
    n = int(0.35 * rate)
    t = np.linspace(0.0, 1.0, n)
    return np.asarray(0.35 * sine(180.0 + 320.0 * t, n, rate) * np.sin(np.pi * t) ** 2)


#: Every sound that a Cue may name.
FOLEY: dict[str, Maker] = {
    "step": _step, "paw": _paw, "hoof": _hoof, "clank": _clank, "servo": _servo, "flap": _flap, "splash": _splash,
    "bubble": _bubble, "bell": _bell, "ship_bell": _ship_bell, "whistle": _whistle, "chug": _chug, "horn": _horn,
    "creak": _creak, "burner": _burner, "chirp": _chirp, "flutter": _flutter, "rustle": _rustle, "boing": _boing,
    "joint": _joint,
}  # fmt: skip

# ---------------------------------------------------------------- the cue list ------------------------------------

#: What the beats of each rig are (feet landing, wings beating, rails, hulls), and how loud.
_BEATS = {
    "quadruped": ("paw", 0.7), "biped": ("step", 0.75), "bird": ("flap", 0.4), "fish": ("bubble", 0.35),
    "wheeled": ("joint", 0.6), "vessel": ("splash", 0.3),
}  # fmt: skip
_SHOD = {"horse": "hoof", "cow": "hoof", "robot": "clank", "elephant": "step"}
#: (first, every) seconds, sound and level of what else they are heard by.
_HABITS: dict[str, tuple[tuple[float, float, str, float], ...]] = {
    "bird": ((0.9, 2.3, "chirp", 0.5),),
    "butterfly": ((0.3, 0.25, "flap", 0.12),),
    "robot": ((0.4, 1.0, "servo", 0.4),),
    "bicycle": ((1.1, 4.2, "bell", 0.5),),
    "train": ((0.05, 0.26, "chug", 0.5), (0.9, 5.0, "whistle", 0.55)),
    "car": ((1.3, 5.2, "horn", 0.5),),
    "boat": ((1.3, 3.1, "creak", 0.3),),
    "ship": ((1.1, 2.7, "creak", 0.5), (2.0, 6.5, "ship_bell", 0.5)),
    "balloon": ((0.7, 3.4, "burner", 0.8),),
    "kite": ((0.4, 1.1, "flutter", 0.6),),
    "whale": ((0.6, 2.5, "splash", 0.5),),
    "rocket": ((0.3, 1.1, "burner", 0.7),),
    "dragon": ((0.3, 0.6, "flap", 0.9),),
}
_STILL = frozenset({"idle", "sleep", "sit"})
_HOPPING = frozenset({"jump", "play", "dance", "run", "walk"})
_HEARD = 3  #: of a group: more feet only make mud


def cues(screenplay: Screenplay) -> tuple[Cue, ...]:
    """What is heard when, in order of time."""
    heard: list[Cue] = []
    seen: dict[int, int] = {}
    for actor in screenplay.actors:
        number = seen[id(actor.subject)] = seen.get(id(actor.subject), -1) + 1
        if number < _HEARD:
            heard += [
                _placed(screenplay, actor, at, sound, gain * 0.75**number)
                for at, sound, gain in _moments(screenplay, actor)
            ]
    return tuple(sorted(heard, key=lambda cue: (cue.at, cue.sound)))


def _moments(screenplay: Screenplay, actor: Actor) -> Iterator[tuple[float, str, float]]:
    """(second, sound, gain) of everything that one actor lets be heard."""
    end, action, puppet = (
        screenplay.plan.seconds - 0.3,
        actor.subject.action,
        actor.subject.puppet or actor.subject.noun,
    )
    wet = screenplay.plan.setting in ("ocean", "underwater")
    if actor.subject.puppet is not None:
        yield from _beats(actor, end, wet or screenplay.plan.setting == "space")
    for first, every, sound, gain in _HABITS.get(puppet, ()) if action not in _STILL else ():
        yield from ((at, sound, gain) for at in np.arange(first + 0.31 * actor.phase, end, every))
    if actor.subject.sticker is not None and action in _HOPPING:
        yield from ((at, "rustle", 0.5) for at in np.arange(0.3 + 0.4 * actor.phase, end, 0.62))
    if wet and action in ("jump", "play", "swim"):
        yield from ((at, "splash", 0.7) for at in np.arange(0.5 + actor.phase, end - 0.3, 1.6))


def _beats(actor: Actor, end: float, footless: bool) -> Iterator[tuple[float, str, float]]:
    """The beats of a puppet's own movement, as its performance has them."""
    puppet = load(actor.subject.puppet or "")
    on_legs, in_water = puppet.rig in ("biped", "quadruped"), puppet.rig == "vessel"
    if puppet.rig not in _BEATS or (on_legs and footless) or ((on_legs or in_water) and actor.y < -0.6):
        return
    sound, gain = _BEATS[puppet.rig]
    instants = footfalls(
        actor.subject.action, puppet, phase=actor.phase, speed=actor.speed, end=end, height=actor.height
    )
    if actor.subject.action == "jump":
        yield from ((max(0.0, at - 0.55), "boing", 0.35) for at in instants)
    for number, at in enumerate(instants):
        yield at, _SHOD.get(puppet.name, sound), gain * (0.8 if number % 2 else 1.0)


def _placed(screenplay: Screenplay, actor: Actor, at: float, sound: str, gain: float) -> Cue:
    view = _view(screenplay, at)
    half = Stage(screenplay.plan.portrait).width / 2 / view.zoom
    aside = (where(actor, at)[0] - view.x) / half
    return Cue(float(at), sound, float(np.clip(0.65 * aside, -0.9, 0.9)), float(gain * view.zoom**0.5))


def _view(screenplay: Screenplay, t: float) -> View:
    shot = next((shot for shot in screenplay.shots if shot.start <= t < shot.end), screenplay.shots[-1])
    return shot.view(t)


def voices(names: frozenset[str], seed: int, rate: int) -> dict[str, list[Signal]]:
    """Three takes of each sound, so that no two steps are the same step."""
    takes: dict[str, list[Signal]] = {}
    for name in sorted(names):
        rng = chance(seed, f"foley {name}")
        takes[name] = [FOLEY[name](rate, rng) * decibels(float(rng.uniform(-1.0, 1.0))) for _ in range(3)]
    return takes
