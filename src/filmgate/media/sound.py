"""The sound of a film as samples, and samples as a sound track."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np

from .encode import AUDIO_RATE, BLOCK, Sound, add_sound, open_film, sound_frame
from .probe import reading


def read_sound(film: Path) -> Sound:
    """(samples, 2) at 48 kHz, each sample where its time stamp says: an encoder's lead-in does not shift the rest."""
    with reading(film) as opened:
        resampler = av.AudioResampler(format="fltp", layout="stereo", rate=AUDIO_RATE)
        parts = [
            (round((part.pts or 0) * float(part.time_base or 0) * AUDIO_RATE), part.to_ndarray())
            for frame in opened.decode(audio=0)
            for part in resampler.resample(frame)
        ]
    end = max((at + part.shape[1] for at, part in parts), default=0)
    sound = np.zeros((max(0, end), 2), np.float32)
    for at, part in parts:
        cut = max(0, -at)
        sound[at + cut : at + part.shape[1]] = part[:, cut:].T
    return sound


def write_sound(sound: Sound, path: Path) -> None:
    """One AAC track and nothing else; its first sample at 0, its last where the sound ends."""
    with open_film(path) as file:
        stream = add_sound(file)
        for at in range(0, len(sound), BLOCK):
            file.mux(stream.encode(sound_frame(sound[at : at + BLOCK], at)))
        file.mux(stream.encode(None))


def fitted(sound: Sound, samples: int) -> Sound:
    """Cut, or filled up with silence, to this length."""
    return np.pad(sound[:samples], ((0, max(0, samples - len(sound))), (0, 0)))
