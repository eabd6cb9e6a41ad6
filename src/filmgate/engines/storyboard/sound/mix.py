"""The mixing desk: loudness after ITU-R BS.1770-4, true peak, a limiter, and the level of a finished film."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from .synthesis import Signal, decibels, ramp

TARGET = -16.0  #: LUFS, integrated
LOW = 0.42  #: to which level the last half second of a film sinks
SINK, CLICK = 0.55, 0.006  #: seconds: how long that takes, and how long what keeps the cut from clicking
DRIFT = 6.0  #: dB: how much louder or quieter a film that goes on may become
CEILING = -1.5  #: dBTP, half a decibel below what is promised, since an encoder adds a little


def loudness(signal: Signal, rate: int) -> float:
    """Integrated loudness of a stereo signal in LUFS; minus infinity for silence."""
    weighted = _weighted(signal, rate)
    block, hop = int(0.4 * rate), int(0.1 * rate)
    energy = np.concatenate([[0.0], np.cumsum(np.sum(weighted**2, axis=1))])
    starts = np.arange(0, max(1, len(signal) - block + 1), hop)
    power = (energy[np.minimum(starts + block, len(signal))] - energy[starts]) / block
    power = power[power > 10.0 ** ((-70.0 + 0.691) / 10.0)]
    if not len(power):
        return float("-inf")
    power = power[power > 0.1 * np.mean(power)]
    return float(-0.691 + 10.0 * np.log10(np.mean(power)))


def _weighted(signal: Signal, rate: int) -> Signal:
    """K-weighting, applied to the spectrum: only energies are wanted, so that its phase does not matter."""
    step = 1 << 14  # a transform whose length is a multiple of it is fast
    size = -(-(len(signal) + rate // 4) // step) * step
    spectrum = np.fft.rfft(signal, size, axis=0) * _response(size, rate)[:, None]
    return np.asarray(np.fft.irfft(spectrum, size, axis=0)[: len(signal)])


@lru_cache(maxsize=4)
def _response(size: int, rate: int) -> Signal:
    """K-weighting at each frequency of a transform of this size."""
    z = np.exp(-2j * np.pi * np.fft.rfftfreq(size))
    response = np.ones_like(z)
    for b, a in (_shelf(rate), _highpass(rate)):
        response *= (b[0] + b[1] * z + b[2] * z * z) / (a[0] + a[1] * z + a[2] * z * z)
    return np.asarray(response)


Taps = tuple[float, float, float]


def _shelf(rate: int) -> tuple[Taps, Taps]:
    """The head: four decibels more above two kilohertz. Coefficients as given by the standard's analogue prototype."""
    gain, q, k = decibels(3.999843853973347), 0.7071752369554196, np.tan(np.pi * 1681.974450955533 / rate)
    edge = gain**0.4996667741545416
    b = (gain + edge * k / q + k * k, 2.0 * (k * k - gain), gain - edge * k / q + k * k)
    return b, (1.0 + k / q + k * k, 2.0 * (k * k - 1.0), 1.0 - k / q + k * k)


def _highpass(rate: int) -> tuple[Taps, Taps]:
    q, k = 0.5003270373238773, np.tan(np.pi * 38.13547087602444 / rate)
    scale = 1.0 + k / q + k * k
    return (scale, -2.0 * scale, scale), (scale, 2.0 * (k * k - 1.0), 1.0 - k / q + k * k)


def true_peak(signal: Signal) -> float:
    """The highest level between samples, too, in dBTP: of the signal at four times its rate."""
    n = len(signal)
    spectrum = np.fft.rfft(signal, axis=0)
    upsampled = np.fft.irfft(np.concatenate([spectrum, np.zeros((2 * n + 1 - len(spectrum), 2))]), 4 * n, axis=0) * 4.0
    return float(20.0 * np.log10(max(1e-12, float(np.max(np.abs(upsampled))))))


def limited(signal: Signal, rate: int, ceiling: float) -> Signal:
    """The signal without anything above ``ceiling`` dB: turned down around its peaks, some milliseconds ahead."""
    step = max(1, rate // 1000)
    blocks = -(-len(signal) // step)
    padded = np.zeros(blocks * step)
    padded[: len(signal)] = np.max(np.abs(signal), axis=1)
    need = np.minimum(1.0, decibels(ceiling) / np.maximum(1e-9, padded.reshape(blocks, step).max(axis=1)))
    reach = 6
    around = np.lib.stride_tricks.sliding_window_view(np.pad(need, reach, constant_values=1.0), 2 * reach + 1)
    lowest = around.min(axis=1)
    smooth = np.lib.stride_tricks.sliding_window_view(np.pad(lowest, reach - 2, mode="edge"), 2 * (reach - 2) + 1).mean(
        axis=1
    )
    gain = np.interp(np.arange(len(signal)), (np.arange(blocks) + 0.5) * step, smooth)
    return np.asarray(signal * gain[:, None])


def faded(signal: Signal, rate: int, into: float = 0.25) -> Signal:
    """Silence at both ends; at the beginning reached on a cosine.

    The end sinks to ``LOW`` and is then cut off, softly enough not to click: a film that goes on takes up that level.
    """
    t = ramp(len(signal), rate)
    left = np.sin(0.5 * np.pi * np.clip(t / into, 0.0, 1.0)) ** 2
    return np.asarray(signal * (left * sinking(len(signal), rate)[::-1])[:, None])


def sinking(n: int, rate: int) -> Signal:
    """The level of ``n`` samples of a film that goes on: from silence at once to ``LOW``, then rising to 1."""
    t = ramp(n, rate)
    rise = np.sin(0.5 * np.pi * np.clip(t / SINK, 0.0, 1.0)) ** 2
    return np.asarray((LOW + (1.0 - LOW) * rise) * np.clip(t / CLICK, 0.0, 1.0))


def mastered(signal: Signal, rate: int) -> tuple[Signal, float]:
    """At the loudness in which films are handed out, below the ceiling, without direct current, faded at both ends.

    Also by how many decibels it was raised for that.
    """
    sound, raised = faded(signal - np.mean(signal, axis=0), rate), 0.0
    for _ in range(2):
        level = loudness(sound, rate)
        if not np.isfinite(level):
            return sound, raised
        raised += TARGET - level
        sound = limited(sound * decibels(TARGET - level), rate, CEILING - 0.3)
    excess = max(0.0, true_peak(sound) - CEILING)
    return np.asarray(sound * decibels(-excess)), raised - excess


def carried_on(signal: Signal, rate: int, raised: float) -> tuple[Signal, float]:
    """The same for a film that goes on from one that was raised by so many decibels: it begins as that ended."""
    n = len(signal)
    sound = (signal - np.mean(signal, axis=0)) * (sinking(n, rate) * sinking(n, rate)[::-1])[:, None]
    level = loudness(sound, rate)
    own = min(max(TARGET - level, raised - DRIFT), raised + DRIFT) if np.isfinite(level) else raised
    share = np.clip((ramp(n, rate) - 0.5) / 2.5, 0.0, 1.0)
    gains = 10.0 ** ((raised + (own - raised) * share) / 20.0)
    sound = limited(sound * gains[:, None], rate, CEILING - 0.3)
    excess = max(0.0, true_peak(sound) - CEILING)
    return np.asarray(sound * decibels(-excess)), own - excess
