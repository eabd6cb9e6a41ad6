"""How long the storyboard engine takes for a film, beside what its colour conversion and encoding alone must take.

The floor is that same film's frames, converted from BGRA and encoded by libx264 (veryfast, CRF 20, two threads), in the
same run. Both are CPU seconds, of all processes together: the machines that this runs on are shared, and CPU seconds
are what a film costs. The wall time of the 720p film is printed beside its length.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

from filmgate.media.encode import Converter
from measure import RUNS, Row, calibration, peak_of, show

PROMPT = "A dog playing in a park"
SIZES = {"720p": (1280, 720, 8, RUNS), "1080p": (1920, 1080, 8, 3), "2160p": (3840, 2160, 4, 1)}
MEMORY = {"720p": 700.0, "1080p": 1024.0, "2160p": 1536.0}  #: MiB
RATIO = 2.2  #: of the floor
_FILM = """
import sys
from pathlib import Path
from types import SimpleNamespace
from filmgate.domain.spec import Kind, Mode
from filmgate.engines.storyboard.engine import StoryboardEngine
prompt, width, height, seconds, folder, count = sys.argv[1:]
spec = SimpleNamespace(kind=Kind.GENERATE, mode=Mode.TEXT, prompt=prompt, seed=24680, seconds=int(seconds),
                       portrait=False, size=(int(width), int(height)))
job = SimpleNamespace(spec=spec, workdir=Path(folder), images=(), state=None, options={"processes": int(count)},
                      report=lambda share, stage: None, cancelled=lambda: False)
StoryboardEngine().render(job)
"""


@dataclass(frozen=True)
class Cost:
    """What a film took."""

    wall: float  #: seconds
    cpu: float
    mib: float
    film: bytes


def made(width: int, height: int, seconds: int, processes: int = 2) -> Cost:
    """A film with sound, made by a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", _FILM, PROMPT, *map(str, (width, height, seconds)), folder, str(processes)]
        before, start = os.times(), time.perf_counter()
        with subprocess.Popen(command) as process, peak_of(process.pid) as peak:
            code = process.wait(timeout=900)
        after = os.times()
        if code:
            raise SystemExit(f"the film could not be made (exit status {code})")
        used = after.children_user + after.children_system - before.children_user - before.children_system
        return Cost(time.perf_counter() - start, used, peak.mib, (Path(folder) / "film.mp4").read_bytes())


def floor(film: bytes, folder: Path) -> float:
    """CPU seconds that conversion and encoding of the film's frames take: with them, less without them."""
    path = folder / "film.mp4"
    path.write_bytes(film)
    return _passed(path, encoding=True) - _passed(path, encoding=False)


def _passed(path: Path, *, encoding: bool) -> float:
    start = time.process_time()
    with av.open(str(path)) as source, av.open(str(path.with_name("floor.mp4")), "w") as target:
        video = source.streams.video[0]
        video.thread_count = 1
        stream = target.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = video.width, video.height, "yuv420p"
        stream.options = {"preset": "veryfast", "crf": "20"}
        stream.codec_context.thread_count = 2
        convert = Converter(video.width, video.height)
        for frame in source.decode(video):
            pixels: npt.NDArray[np.uint8] = frame.to_ndarray(format="bgra")  # type: ignore[assignment]  # eight bits
            if encoding:
                target.mux(stream.encode(av.VideoFrame.from_ndarray(convert.yuv(pixels), format="yuv420p")))
        if encoding:
            target.mux(stream.encode(None))
    return time.process_time() - start


def rows_for(name: str, calibrations: list[float]) -> list[Row]:
    width, height, seconds, runs = SIZES[name]
    ratios, walls, peaks = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(runs):
            calibrations.append(calibration())
            cost = made(width, height, seconds)
            least = floor(cost.film, Path(folder))
            print(f"  {name}: {cost.cpu:.2f} s of CPU, floor {least:.2f} s, wall {cost.wall:.2f} s", flush=True)
            ratios.append(cost.cpu / least)
            walls.append(cost.wall)
            peaks.append(cost.mib)
    rows = [
        Row(f"{name}, {seconds} s with sound: CPU over the floor", statistics.median(ratios), RATIO, "x"),
        Row(f"{name}: memory of all its processes at the peak", max(peaks), MEMORY[name], "MiB"),
    ]
    return [*rows, Row("720p: wall", statistics.median(walls), float(seconds), "s")] if name == "720p" else rows


def main() -> int:
    calibrations: list[float] = []
    rows = [row for name in sys.argv[1:] or SIZES for row in rows_for(name, calibrations)]
    one, two = (made(1280, 720, 4, processes).film for processes in (1, 2))
    rows.append(Row("the same bytes from one and from two processes", float(one == two), 1.0, "", at_least=True))
    return 0 if show("The storyboard engine", rows, calibrations) else 1


if __name__ == "__main__":
    sys.exit(main())
