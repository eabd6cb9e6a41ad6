"""The storyboard engine: any prompt becomes a film in a paper theatre, on a CPU, with nothing to download.

Importing this module, and asking for the capabilities, needs none of the libraries that draw: a server without them
can still say what is missing.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...domain.errors import Cancelled, EngineFailed, EngineUnavailable
from ...domain.routing import Capabilities
from ...domain.spec import Kind, Mode
from ...ports import Clip, Job
from .model import Plan
from .script import Script, Unreadable, decoded, encoded

if TYPE_CHECKING:
    from pathlib import Path

    from .pool import Pool

MISSING = (
    "The storyboard engine needs the system libraries libegl1, libgl1 and libexpat1: "
    "run `apt-get install libegl1 libgl1 libexpat1` (Debian, Ubuntu) or install your system's packages of EGL, OpenGL "
    "and Expat."
)
_IMAGES = {"text": (0, 0), "frames": (1, 2), "reference": (1, 3)}
PRESET = "superfast"  #: a third quicker than "veryfast", as good, and a tenth larger
_CRF = {720: 20.0, 1080: 21.0, 2160: 22.0}


class StoryboardEngine:
    """Films any prompt. The state of a clip is its script: it can be shot again at any size, and gone on with."""

    name = "storyboard"

    def capabilities(self) -> Capabilities:
        return Capabilities(
            kinds=frozenset(Kind),
            modes=frozenset(Mode),
            audio=True,
            seeded=True,
            source_type="algorithmicMedia",
            max_references=3,
            leaves_within_s=0.5,  # it asks before each frame
        )

    def load(self) -> None:
        """Raises EngineUnavailable where a library is missing."""
        try:
            from . import film, filming, pool, sound  # noqa: F401
        except ImportError as error:
            raise EngineUnavailable(_what_is_missing(error)) from error

    def render(self, job: Job) -> Clip:
        """Raises Cancelled, and EngineFailed where a render process fails or something that is needed is not there."""
        self.load()
        from .pool import Pool, RenderError

        job.report(0.0, "reading the prompt")
        script = script_of(job)
        width, height = job.spec.size
        path = job.workdir / "film.mp4"
        job.report(0.02, "cutting the paper")
        try:
            with Pool(script, width, height, job.workdir, processes(job.options), job.images) as pool:
                raised = self._film(job, script, pool, path)
        except RenderError as error:
            raise EngineFailed(str(error)) from error
        job.report(1.0, "done")
        return Clip(path, encoded(script.sounding(raised)))

    def _film(self, job: Job, script: Script, pool: Pool, path: Path) -> tuple[float, ...]:
        """Sound is made while the render processes still cut their paper. Returns how much it was raised."""
        from ...media.encode import Encoder
        from .sequel import plays
        from .sound import composed

        width, height = job.spec.size
        staged, raised = plays(script), script.raised[: len(script.plans) - 1]
        for known in range(len(raised) + 1, len(staged)):  # films of the first version did not keep it
            raised = (*raised, composed(staged[:known], raised)[1])
        sound, last = composed(staged, raised)
        job.report(0.06, "filming")
        total = script.plan.seconds * 24
        pictures = (0, total - 1) if script.start == "frames" else ()  # these two frames are somebody's images
        with Encoder(path, width, height, preset=PRESET, crf=_CRF[min(width, height)], faithful=pictures) as encoder:
            encoder.audio(sound)
            for number, frame in enumerate(pool.frames(), 1):
                if job.cancelled():
                    raise Cancelled
                encoder.frame_yuv(frame)
                job.report(0.06 + 0.92 * number / total, "filming")
            job.report(0.98, "joining picture and sound")
        return (*raised, last)

    def close(self) -> None:
        """Nothing outlives a render."""


def script_of(job: Job) -> Script:
    """The script of the film that is shot again, that goes on from another, or a new one. Raises EngineFailed."""
    try:
        source = decoded(job.state) if job.state else None
    except Unreadable as error:
        raise EngineFailed(str(error)) from error
    if job.spec.kind is Kind.EXTEND:
        if source is None:
            raise EngineFailed("The plan of the film that should go on is not there: make that film anew.")
        script = _continued(source, job)
    else:
        script = source or _new(job)
    least = _IMAGES[script.start]
    if not least[0] <= len(job.images) <= least[1] and script.start != "text":
        raise EngineFailed(f"The film starts from {least[0]} to {least[1]} images, and {len(job.images)} came with it.")
    return script


def _new(job: Job) -> Script:
    from .plan import make_plan

    spec = job.spec
    plan = make_plan(spec.prompt, seed=spec.seed or 0, seconds=spec.seconds, portrait=spec.portrait)
    if spec.mode is Mode.REFERENCE and job.images:
        from .cutouts import featuring
        from .images import shape_of

        return Script((featuring(plan, tuple(map(shape_of, job.images))),), "reference")
    if spec.mode is Mode.FRAMES and job.images:
        from .pictures import silent_cast

        return Script((silent_cast(plan),), "frames")
    return Script((plan,))


def _continued(source: Script, job: Job) -> Script:
    from .continuing import next_plan

    plan = next_plan(source.plan, job.spec.prompt, job.spec.seconds)
    if source.start == "frames":
        from .pictures import silent_cast

        plan = silent_cast(plan)
    return source.followed_by(plan)


def plan_of(job: Job) -> Plan:
    """The plan of the film that a job makes."""
    return script_of(job).plan


def processes(options: Mapping[str, Any]) -> int:
    """How many render processes: the option ``processes``, else two where there are two cores."""
    if "processes" in options:
        return max(1, int(options["processes"]))
    return min(2, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


def _what_is_missing(error: ImportError) -> str:
    if ".so" in str(error):
        return f"{MISSING} ({error})"
    return f"The storyboard engine cannot be loaded ({error}): run `pip install filmgate` again."
