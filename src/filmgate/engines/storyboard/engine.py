"""The storyboard engine: any prompt becomes a film in a paper theatre, on a CPU, with nothing to download.

Importing this module, and asking for the capabilities, needs none of the libraries that draw: a server without them
can still say what is missing.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from ...domain.errors import Cancelled, EngineFailed, EngineUnavailable
from ...domain.routing import Capabilities
from ...domain.spec import Kind
from ...ports import Clip, Job
from .model import Plan

if TYPE_CHECKING:
    from pathlib import Path

    from .pool import Pool

MISSING = (
    "The storyboard engine needs the system libraries libegl1, libgl1 and libexpat1: "
    "run `apt-get install libegl1 libgl1 libexpat1` (Debian, Ubuntu) or install your system's packages of EGL, OpenGL "
    "and Expat."
)
_CRF = {720: 20.0, 1080: 21.0, 2160: 22.0}


class StoryboardEngine:
    """Films any prompt. The state of a clip is its plan: it can be shot again at any size."""

    name = "storyboard"

    def capabilities(self) -> Capabilities:
        return Capabilities(
            kinds=frozenset({Kind.GENERATE, Kind.UPGRADE_1080P, Kind.UPGRADE_4K}), audio=True, seeded=True
        )

    def load(self) -> None:
        """Raises EngineUnavailable where a library is missing."""
        try:
            from . import film, pool, sound  # noqa: F401
        except ImportError as error:
            raise EngineUnavailable(_what_is_missing(error)) from error

    def render(self, job: Job) -> Clip:
        """Raises Cancelled, and EngineFailed where a render process fails."""
        self.load()
        from .pool import Pool, RenderError

        job.report(0.0, "reading the prompt")
        plan = plan_of(job)
        width, height = job.spec.size
        path = job.workdir / "film.mp4"
        job.report(0.02, "cutting the paper")
        try:
            with Pool(plan, width, height, job.workdir, processes(job.options)) as pool:
                self._film(job, plan, pool, path)
        except RenderError as error:
            raise EngineFailed(str(error)) from error
        job.report(1.0, "done")
        return Clip(path, msgspec.json.encode(plan))

    def _film(self, job: Job, plan: Plan, pool: Pool, path: Path) -> None:
        """Sound is made while the render processes still cut their paper."""
        from ...media.encode import Encoder
        from .shots import stage_play
        from .sound import compose

        width, height = job.spec.size
        sound = compose(stage_play(plan))
        job.report(0.06, "filming")
        total = plan.seconds * 24
        with Encoder(path, width, height, crf=_CRF[min(width, height)]) as encoder:
            encoder.audio(sound)
            for number, frame in enumerate(pool.frames(), 1):
                if job.cancelled():
                    raise Cancelled
                encoder.frame_yuv(frame)
                job.report(0.06 + 0.92 * number / total, "filming")
            job.report(0.98, "joining picture and sound")

    def close(self) -> None:
        """Nothing outlives a render."""


def plan_of(job: Job) -> Plan:
    """The plan of the film that is shot again, or a new one."""
    from .plan import make_plan

    if job.state:
        return msgspec.json.decode(job.state, type=Plan)
    spec = job.spec
    return make_plan(spec.prompt, seed=spec.seed or 0, seconds=spec.seconds, portrait=spec.portrait)


def processes(options: Mapping[str, Any]) -> int:
    """How many render processes: the option ``processes``, else two where there are two cores."""
    if "processes" in options:
        return max(1, int(options["processes"]))
    return min(2, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


def _what_is_missing(error: ImportError) -> str:
    if ".so" in str(error):
        return f"{MISSING} ({error})"
    return f"The storyboard engine cannot be loaded ({error}): run `pip install filmgate` again."
