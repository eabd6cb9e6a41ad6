"""An engine for tests that are not about pixels, installed as a third party's would be: by an entry point.

Its films are flat colours, made in a fraction of a second. Words in the prompt make it misbehave:

    slow 2.5      takes so many seconds, and reports progress all the while
    crash         dies of a segmentation fault
    crash till 2  dies in every attempt before the second
    hang          never comes back and says nothing
    reject / fail / bug     refuses; cannot; raises something that is not a TaskError
    small         makes a film of the wrong size
    babble        writes something that is no message to the runner
    echo          answers a second time, for another order
    elsewhere     leaves its film outside the folder that it was given
    gorge 500     takes so many megabytes of memory
    stamp         prints the time at which it was given the job
    stock         takes a film of that size and length that was made before, and writes task and attempt behind it;
                  says when it is made
    prominent / underage    refuses as for a prominent person; for a minor
    blobs         makes a film that looks unsafe to those that look for nudity, and shows ellipses

There is a second one, ``trial2``, which heeds what stands after "then": "reject then fail". It reads German too, makes
no extensions, and its films are white. And there is a translator, which says what it was given.

Of the same engine there is a gentle one, which leaves its work when it is told to:

    patient 60    takes so many seconds, unless it is told to leave
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import stat
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from filmgate.domain.errors import Cancelled, ContentRejected, EngineFailed, MinorRejected, PersonRejected
from filmgate.domain.routing import Capabilities
from filmgate.domain.spec import Kind, Mode
from filmgate.ports import Clip, Job, Secret

if TYPE_CHECKING:
    import numpy as np


#: (x, y, half width, half height) of ellipses in the colour of skin.
BLOBS = ((75, 2, 77, 196), (21, 35, 80, 70), (212, 215, 243, 87), (31, 347, 87, 178), (594, 147, 257, 110))


class TrialEngine:
    name = "trial"

    def capabilities(self) -> Capabilities:
        """Everything but the upgrades: those of its films are scaled up."""
        return Capabilities(
            kinds=frozenset({Kind.GENERATE, Kind.EXTEND}),
            modes=frozenset(Mode),
            max_references=3,
            audio=True,
            seeded=True,
        )

    def load(self) -> None:
        pass

    def render(self, job: Job) -> Clip:
        if "stamp" in job.spec.prompt:
            print(f"stamp {job.task_id} {time.time()}", file=sys.stderr, flush=True)
        return _tried(job, job.spec.prompt.partition(" then ")[0], (job.spec.seed or 0) % 200)

    def close(self) -> None:
        pass


class GentleEngine(TrialEngine):
    name = "gentle"

    def capabilities(self) -> Capabilities:
        return replace(super().capabilities(), leaves_within_s=1.0)

    def render(self, job: Job) -> Clip:
        if patient := re.search(r"patient ([\d.]+)", job.spec.prompt):
            _wait(job, float(patient[1]))
        return super().render(job)


def _wait(job: Job, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if job.cancelled():
            raise Cancelled
        job.report(0.1, "waiting")
        time.sleep(0.02)


class ToldEngine(TrialEngine):
    """Is told things by the operator, and prints what is no secret of them."""

    name = "told"

    class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        house: str
        api_key: Secret = Secret("")
        weights: Path | None = None
        tries: int = 3

    def __init__(self, config: Config) -> None:
        self._config = config

    def load(self) -> None:
        told = self._config
        key = "a key" if told.api_key else "no key"
        print(f"told {told.house} {told.weights} {told.tries} {key}", file=sys.stderr, flush=True)


class SecondTrialEngine(TrialEngine):
    name = "trial2"

    def capabilities(self) -> Capabilities:
        return Capabilities(
            modes=frozenset(Mode), max_references=3, audio=True, seeded=True, languages=frozenset({"en", "de"})
        )

    def render(self, job: Job) -> Clip:
        return _tried(job, job.spec.prompt.partition(" then ")[2], 255)


class TrialTranslator:
    name = "trial"

    def translate(self, text: str, languages: frozenset[str]) -> str:
        if "untranslatable" in text:
            raise EngineFailed("The trial translator fails when it is told to.")
        print(f"translated {text!r} from {sorted(languages)}", file=sys.stderr, flush=True)
        return "a dog in a park"


def _tried(job: Job, prompt: str, grey: int) -> Clip:
    job.report(0.1, "trying")
    print(f"prompt {job.spec.prompt!r}", file=sys.stderr, flush=True)
    _misbehave(job, prompt)
    if slow := re.search(r"slow ([\d.]+)", prompt):
        _dawdle(job, float(slow[1]))
    return _stock(job) if "stock" in prompt else _film(job, prompt, grey)


def _misbehave(job: Job, prompt: str) -> None:
    crash = re.search(r"crash(?: till (\d+))?", prompt)
    if crash and (crash[1] is None or job.attempt < int(crash[1])):
        os.kill(os.getpid(), signal.SIGSEGV)
    if "hang" in prompt:
        time.sleep(3600)
    if "reject" in prompt:
        raise ContentRejected("Your prompt was flagged as a trial of rejection.")
    if "prominent" in prompt:
        raise PersonRejected("The trial engine knows that face.")
    if "underage" in prompt:
        raise MinorRejected("The trial engine sees a minor.")
    if "fail" in prompt:
        raise EngineFailed("The trial engine fails when it is told to.")
    if "babble" in prompt:
        _tell_runner(b"this is no message\n")
        time.sleep(60)
    if "echo" in prompt:
        _tell_runner(b'{"type":"Report","order":"another:1","fraction":0.5,"stage":"lying"}\n')
        time.sleep(60)
    if gorge := re.search(r"gorge (\d+)", prompt):
        bytearray(int(gorge[1]) * 2**20)
    if "bug" in prompt:
        raise ZeroDivisionError("a bug with a secret in its message")


def _dawdle(job: Job, seconds: float) -> None:
    start = time.monotonic()
    while (gone := time.monotonic() - start) < seconds:
        job.report(0.1 + 0.8 * gone / seconds, "dawdling")
        time.sleep(0.05)


def _tell_runner(line: bytes) -> None:
    """Past the slot, on the pipe to the runner: the one pipe that this process can write to beside standard error."""
    for name in os.listdir("/proc/self/fd"):
        fd = int(name)
        with contextlib.suppress(OSError):
            if fd > 2 and stat.S_ISFIFO(os.fstat(fd).st_mode) and os.write(fd, line):
                return


def _film(job: Job, prompt: str, grey: int) -> Clip:
    import numpy as np

    width, height = (320, 180) if "small" in prompt else job.spec.size
    picture = np.full((height, width, 4), 255, dtype=np.uint8)
    picture[:, :, :3] = grey
    if "blobs" in prompt:
        picture[:, :, :3] = blobs(width, height)[:, :, ::-1]
    path = (job.workdir.parent if "elsewhere" in prompt else job.workdir) / "trial.mp4"
    _encode(path, picture, job.spec.seconds)
    return Clip(path, state=b"trial")


def _encode(path: Path, picture: np.ndarray[Any, Any], seconds: int) -> None:
    import numpy as np

    from filmgate.media.encode import Converter, Encoder

    height, width = picture.shape[:2]
    planes = Converter(width, height).yuv(picture)  # once for all frames: it takes longer than encoding one
    with Encoder(path, width, height) as film:
        for _ in range(seconds * 24):
            film.frame_yuv(planes)
        film.audio(np.zeros((seconds * 48000, 2), dtype=np.float32))


def _stock(job: Job) -> Clip:
    """Nothing is encoded, so that a small machine can make several films in a second."""
    path = job.workdir / "trial.mp4"
    path.write_bytes(_shelf(job).read_bytes() + signature(job.task_id, job.attempt))
    print(f"made {job.task_id} {job.attempt}", file=sys.stderr, flush=True)
    return Clip(path, state=b"trial")


def _shelf(job: Job) -> Path:
    """The film that all of this size and length begin with; made by whoever needs it first."""
    return _kept(*job.spec.size, job.spec.seconds)


def trial_film(width: int, height: int, seconds: int) -> bytes:
    """For those that need a film, and not one that was made for them."""
    return _kept(width, height, seconds).read_bytes()


def _kept(width: int, height: int, seconds: int) -> Path:
    import numpy as np

    kept = Path(tempfile.gettempdir()) / f"filmgate-trial-{os.getuid()}-{width}x{height}-{seconds}.mp4"
    if not kept.exists():
        made = kept.with_stem(f"{kept.stem}-{os.getpid()}")
        _encode(made, np.full((height, width, 4), 128, dtype=np.uint8), seconds)
        made.replace(kept)
    return kept


def signature(task_id: str, attempt: int) -> bytes:
    """The end of a stock film: a box that players pass over."""
    said = f"filmgate trial {task_id} {attempt}".encode()
    return (8 + len(said)).to_bytes(4, "big") + b"free" + said


def blobs(width: int, height: int) -> np.ndarray[Any, Any]:
    """Soft ellipses on brown, RGB: what open_nsfw is surest about of all the ellipses that were tried."""
    import numpy as np

    y, x = np.mgrid[0:height, 0:width] * (360 / height)
    picture = np.full((height, width, 3), (90, 60, 50), float)
    for middle_x, middle_y, half_x, half_y in BLOBS:
        far = ((x - middle_x) / half_x) ** 2 + ((y - middle_y) / half_y) ** 2
        share = np.clip(1.2 - far, 0, 1)[..., None]
        picture = picture * (1 - share) + np.array((226, 170, 140)) * share
    return picture.clip(0, 255).astype(np.uint8)
