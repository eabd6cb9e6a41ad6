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
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import stat
import sys
import time

from filmgate.domain.errors import ContentRejected, EngineFailed
from filmgate.domain.routing import Capabilities
from filmgate.domain.spec import Kind, Mode
from filmgate.ports import Clip, Job


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
        job.report(0.1, "trying")
        _misbehave(job)
        if slow := re.search(r"slow ([\d.]+)", job.spec.prompt):
            _dawdle(job, float(slow[1]))
        return _film(job)

    def close(self) -> None:
        pass


def _misbehave(job: Job) -> None:
    prompt = job.spec.prompt
    crash = re.search(r"crash(?: till (\d+))?", prompt)
    if crash and (crash[1] is None or job.attempt < int(crash[1])):
        os.kill(os.getpid(), signal.SIGSEGV)
    if "hang" in prompt:
        time.sleep(3600)
    if "reject" in prompt:
        raise ContentRejected("Your prompt was flagged as a trial of rejection.")
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


def _film(job: Job) -> Clip:
    import numpy as np

    from filmgate.media.encode import Encoder

    width, height = (320, 180) if "small" in job.spec.prompt else job.spec.size
    picture = np.full((height, width, 4), 255, dtype=np.uint8)
    picture[:, :, :3] = (job.spec.seed or 0) % 200
    path = (job.workdir.parent if "elsewhere" in job.spec.prompt else job.workdir) / "trial.mp4"
    with Encoder(path, width, height) as film:
        for _ in range(job.spec.seconds * 24):
            film.frame_bgra(picture)
        film.audio(np.zeros((job.spec.seconds * 48000, 2), dtype=np.float32))
    return Clip(path, state=b"trial")
