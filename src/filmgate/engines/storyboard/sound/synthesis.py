"""The bench: shaped noise, tones, envelopes and room, as whole arrays. Everything audible is made of these.

A mono signal is a float64 array (n,), a stereo signal (n, 2). Nothing here is random but through the generator given.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Signal = npt.NDArray[np.float64]


def chance(seed: int, name: str) -> np.random.Generator:
    """A generator of its own for each named thing, the same on every machine."""
    digest = hashlib.sha256(f"{seed}:{name}".encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:8], "little")))


def decibels(value: float) -> float:
    """The factor of a gain in dB."""
    return float(10.0 ** (value / 20.0))


def ramp(n: int, rate: int) -> Signal:
    """The seconds of ``n`` samples."""
    return np.arange(n, dtype=np.float64) / rate


# ---------------------------------------------------------------- noise -------------------------------------------


def noise(n: int, rate: int, rng: np.random.Generator, curve: Sequence[tuple[float, float]]) -> Signal:
    """Noise of RMS 1 whose spectrum follows ``curve``: (Hz, dB) points, joined in log frequency."""
    spectrum = np.fft.rfft(rng.standard_normal(n))
    shaped = np.fft.irfft(spectrum * _response(n, rate, curve), n)
    return np.asarray(shaped / max(1e-12, float(np.sqrt(np.mean(shaped**2)))))


def filtered(signal: Signal, rate: int, curve: Sequence[tuple[float, float]]) -> Signal:
    """The signal through a zero-phase filter with the response ``curve`` ((Hz, dB) points); its level is kept as is."""
    n = len(signal)
    return np.asarray(np.fft.irfft(np.fft.rfft(signal) * _response(n, rate, curve), n))


def _response(n: int, rate: int, curve: Sequence[tuple[float, float]]) -> Signal:
    frequencies = np.maximum(np.fft.rfftfreq(n, 1.0 / rate), 1e-3)
    points = np.log(np.array([hertz for hertz, _ in curve]))
    response = 10.0 ** (np.interp(np.log(frequencies), points, [level for _, level in curve]) / 20.0)
    response[frequencies < 20.0] = 0.0
    return np.asarray(response)


def swell(n: int, rate: int, rng: np.random.Generator, hertz: float, low: float = 0.0, high: float = 1.0) -> Signal:
    """A slow random movement between ``low`` and ``high``, with about ``hertz`` turns a second."""
    knots = max(3, int(np.ceil(n / rate * hertz * 2)) + 2)
    values = rng.uniform(0.0, 1.0, knots)
    place = np.linspace(0.0, knots - 1.000001, n)
    at = place.astype(int)
    blend = 0.5 - 0.5 * np.cos(np.pi * (place - at))
    return np.asarray(low + (high - low) * (values[at] * (1.0 - blend) + values[at + 1] * blend))


def wide(
    n: int, rate: int, rng: np.random.Generator, curve: Sequence[tuple[float, float]], common: float = 0.5
) -> Signal:
    """Noise in stereo; ``common`` is the part that both sides share, which keeps it in the middle."""
    middle = noise(n, rate, rng, curve) * np.sqrt(0.5 + 0.5 * common)
    side = noise(n, rate, rng, curve) * np.sqrt(0.5 - 0.5 * common)
    return np.stack([middle + side, middle - side], axis=1)


# ---------------------------------------------------------------- tones -------------------------------------------


def sine(frequency: Signal | float, n: int, rate: int, phase: float = 0.0) -> Signal:
    """A sine of a frequency that may change from sample to sample.

    The rounds are counted in double precision; of the round that is left a single one knows the sine well enough
    (below -130 dB), and much faster.
    """
    rounds = frequency * ramp(n, rate) if isinstance(frequency, float) else np.cumsum(frequency) / rate
    rounds += phase / (2.0 * np.pi)
    rounds -= np.floor(rounds)
    return np.sin((2.0 * np.pi * rounds).astype(np.float32)).astype(np.float64)


def decay(n: int, rate: int, attack: float, half_life: float) -> Signal:
    """Rises in ``attack`` seconds, then halves every ``half_life`` seconds, and is 0 at its end."""
    t = ramp(n, rate)
    tail = np.minimum(1.0, (n - 1 - np.arange(n)) / max(1.0, 0.02 * rate))
    fall = np.exp2((np.minimum(0.0, attack - t) / half_life).astype(np.float32))
    return np.asarray(np.minimum(1.0, t / max(attack, 1.0 / rate)) * fall * tail)


def pulse(n: int, rate: int, at: float, rise: float, fall: float) -> Signal:
    """A smooth hump with its top at ``at`` seconds: gaussian flanks of ``rise`` and ``fall`` seconds."""
    t = ramp(n, rate) - at
    return np.asarray(np.exp(-0.5 * (t / np.where(t < 0.0, rise, fall)) ** 2))


# ---------------------------------------------------------------- space -------------------------------------------


def panned(signal: Signal, pan: float) -> Signal:
    """A mono signal in stereo at equal power; -1 is left, 1 is right."""
    angle = (min(1.0, max(-1.0, pan)) + 1.0) * np.pi / 4.0
    return np.stack([signal * np.cos(angle), signal * np.sin(angle)], axis=1)


def add(bus: Signal, signal: Signal, at: int) -> None:
    """Mixes a stereo signal into the bus from sample ``at`` on; what would lie outside is cut off."""
    begin, end = max(0, at), min(len(bus), at + len(signal))
    if end > begin:
        bus[begin:end] += signal[begin - at : end - at]


def hall(signal: Signal, rate: int, rng: np.random.Generator, seconds: float = 1.3, wet: float = 0.25) -> Signal:
    """A stereo signal in a room: convolved with a decaying, darkening noise. It keeps its length."""
    n, m = len(signal), int(seconds * rate)
    t = ramp(m, rate)
    early = np.minimum(1.0, t / 0.012)[:, None]
    bright = rng.standard_normal((m, 2)) * np.exp(-t * 11.0 / seconds)[:, None]
    dark = np.stack([_lowpassed(rng.standard_normal(m), rate, 1800.0) for _ in range(2)], axis=1)
    tail = early * (0.35 * bright + dark * np.exp(-t * 6.0 / seconds)[:, None])
    tail /= np.sqrt(np.sum(tail**2, axis=0))
    size = 1 << int(n + m - 1).bit_length()
    sound = np.fft.irfft(np.fft.rfft(signal, size, axis=0) * np.fft.rfft(tail, size, axis=0), size, axis=0)[:n]
    return np.asarray(signal * (1.0 - 0.5 * wet) + wet * sound)


def _lowpassed(signal: Signal, rate: int, hertz: float) -> Signal:
    return filtered(signal, rate, [(40.0, -12.0), (120.0, 0.0), (hertz, 0.0), (hertz * 4, -24.0)])
