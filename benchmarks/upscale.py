"""What the ways of making a film larger are worth, and what they cost.

    python benchmarks/upscale.py [--weights FILE]      with those of a SPAN network, `best` too

Photographs, moved by a camera, are the truth; small films are made of them and enlarged by `filmgate.media.upscale`,
and what comes out is held against the truth: PSNR and SSIM of the brightness, and VMAF where an ffmpeg has it.
Time and memory are those of a 720p film. The bound is on the processor time of all threads together, since a machine
that does other things too makes the time by the clock longer: on two cores of one's own that is shorter.

Exit code 1 where `sharp` takes more than 20 times the clip's length, has not a higher PSNR than Lanczos, or an SSIM
that is lower by more than 0.005, whichever way the film became small.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from PIL import Image

from measure import calibration

sys.path.append(str(Path(__file__).parents[1] / "tests"))

from filmgate.media.encode import Converter, Encoder
from filmgate.media.upscale import Way, upscale
from support.footage import PHOTOGRAPHS, SIZE, SMALLER, bgra, cases, nearness, small_film, truth

TIMED_FRAMES = 48
LARGER = {"1080p": (1920, 1080), "4K": (3840, 2160)}
MOST_TIMES, LEAST_SSIM = 20.0, -0.005


@dataclass(frozen=True)
class Worth:
    """The mean over all photographs and frames."""

    psnr: float
    ssim: float
    vmaf: float | None


def brightness(film: Path) -> list[np.ndarray]:
    with av.open(str(film)) as opened:
        return [frame.to_ndarray()[: frame.height] for frame in opened.decode(video=0)]


def worth(way: Way, times: float, smaller: str, weights: Path | None, folder: Path) -> Worth:
    found = [_worth_of(name, way, times, smaller, weights, folder) for name in PHOTOGRAPHS]
    vmafs = [each.vmaf for each in found if each.vmaf is not None]
    return Worth(
        statistics.mean(each.psnr for each in found),
        statistics.mean(each.ssim for each in found),
        statistics.mean(vmafs) if vmafs else None,
    )


def _worth_of(name: str, way: Way, times: float, smaller: str, weights: Path | None, folder: Path) -> Worth:
    shown = truth(name)
    small = small_film(folder / "small.mp4", shown, times, SMALLER[smaller])
    made = upscale(small, SIZE, folder / "made.mp4", lambda fraction, stage: None, way, weights)
    convert = Converter(*SIZE)
    pairs = [
        (convert.yuv(bgra(each))[: SIZE[1]], seen) for each, seen in zip(shown, brightness(made.path), strict=True)
    ]
    return Worth(
        statistics.mean(nearness(true, seen)[0] for true, seen in pairs),
        statistics.mean(nearness(true, seen)[1] for true, seen in pairs),
        _vmaf(shown, made.path, folder),
    )


def _vmaf(shown: Sequence[Image.Image], made: Path, folder: Path) -> float | None:
    ffmpeg = _ffmpeg_with_vmaf()
    if ffmpeg is None:
        return None
    with Encoder(folder / "truth.mp4", *SIZE, sound=False, crf=1) as film:
        for each in shown:
            film.frame_bgra(bgra(each))
    command = [ffmpeg, "-v", "error", "-i", str(made), "-i", str(folder / "truth.mp4")]
    command += ["-lavfi", f"libvmaf=log_fmt=json:log_path={folder / 'vmaf.json'}", "-f", "null", "-"]
    subprocess.run(command, check=True)
    told = json.loads((folder / "vmaf.json").read_text())
    return float(told["pooled_metrics"]["vmaf"]["mean"])


def _ffmpeg_with_vmaf() -> str | None:
    ffmpeg = shutil.which("ffmpeg")
    if ffmpeg is None:
        return None
    filters = subprocess.run([ffmpeg, "-hide_banner", "-filters"], capture_output=True, text=True, check=True).stdout
    return ffmpeg if "libvmaf" in filters else None


def timed_film(path: Path) -> Path:
    """720p, of one photograph: what is in it hardly matters for the time."""
    with Encoder(path, 1280, 720) as film:
        for picture in truth(PHOTOGRAPHS[0], TIMED_FRAMES):
            film.frame_bgra(bgra(picture.resize((1280, 720), Image.Resampling.BICUBIC)))
    return path


@dataclass(frozen=True)
class Cost:
    """``busy``: seconds of all threads; ``mib``: at the peak."""

    seconds: float
    busy: float
    mib: float


def cost(film: Path, size: tuple[int, int], way: Way, weights: Path | None) -> Cost:
    """In a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_cost, (film, size, way, weights))


def _cost(film: Path, size: tuple[int, int], way: Way, weights: Path | None) -> Cost:
    start, busy = time.perf_counter(), time.process_time()
    upscale(film, size, film.with_name("timed.mp4"), lambda fraction, stage: None, way, weights)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Cost(time.perf_counter() - start, time.process_time() - busy, most)


def measured_worth(ways: Sequence[Way], weights: Path | None, folder: Path) -> bool:
    """Whether `sharp` keeps its bounds."""
    kept = True
    print(f"\nWorth ({len(PHOTOGRAPHS)} photographs, {SIZE[0]}x{SIZE[1]}: PSNR in dB, SSIM, VMAF)")
    for times, smaller in cases():
        of = {way: worth(way, times, smaller, weights, folder) for way in ways}
        for way, each in of.items():
            vmaf = "-" if each.vmaf is None else f"{each.vmaf:.1f}"
            print(f"  x{times:g} {smaller:<8} {way:<8} {each.psnr:6.2f} {each.ssim:.4f} {vmaf:>5}")
        gain, like = of[Way.SHARP].psnr - of[Way.LANCZOS].psnr, of[Way.SHARP].ssim - of[Way.LANCZOS].ssim
        good = gain > 0 and like >= LEAST_SSIM
        verdict = "ok" if good else "TOO LITTLE"
        print(f"  x{times:g} {smaller:<8} sharp over Lanczos: {gain:+.2f} dB, {like:+.4f} {verdict}")
        kept = kept and good
    return kept


def measured_cost(ways: Sequence[Way], weights: Path | None, folder: Path) -> bool:
    """Whether `sharp` keeps its bound."""
    kept, film = True, timed_film(folder / "film.mp4")
    print(f"\nCost (720p, {TIMED_FRAMES} frames; calibration loop: {calibration():.2f} s)")
    for name, size in LARGER.items():
        for way in ways:
            took = cost(film, size, way, weights)
            lengths = took.busy / (TIMED_FRAMES / 24)
            bound = MOST_TIMES if way is Way.SHARP else float("inf")
            kept = kept and lengths <= bound
            told = "" if way is not Way.SHARP else f"of {bound:g} {'ok' if lengths <= bound else 'TOO MUCH'}"
            print(
                f"  to {name:<5} {way:<8} {took.seconds / TIMED_FRAMES:6.3f} s a frame by the clock, "
                f"{took.busy / TIMED_FRAMES:6.3f} s of processors, {took.mib:4.0f} MiB; "
                f"{lengths:5.2f} times the clip's length {told}"
            )
    return kept


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", type=Path, help="measure `best` too, with these")
    weights = parser.parse_args().weights
    ways = [way for way in Way if way is not Way.BEST or weights]
    with tempfile.TemporaryDirectory() as folder:
        kept = [measured_worth(ways, weights, Path(folder)), measured_cost(ways, weights, Path(folder))]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
