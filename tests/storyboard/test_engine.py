"""The storyboard engine behind the engine port."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from filmgate.domain.errors import Cancelled, EngineFailed
from filmgate.domain.spec import AspectRatio, Kind, Resolution, Spec
from filmgate.engines.storyboard.engine import StoryboardEngine, plan_of, processes
from filmgate.media.probe import probe
from filmgate.ports import Job

SPEC = Spec("a cat sleeping in a room at night", "veo3", seconds=4, seed=12345)


@dataclass
class Watcher:
    """Notes what an engine reports, and can cancel it."""

    said: list[tuple[float, str]] = field(default_factory=list)
    cancel_after: int = 10**9

    def report(self, fraction: float, stage: str) -> None:
        self.said.append((fraction, stage))

    def cancelled(self) -> bool:
        return len(self.said) > self.cancel_after

    def job(self, folder: Path, spec: Spec = SPEC, state: bytes = b"") -> Job:
        return Job("task", 1, spec, folder, self.report, self.cancelled, state=state)


def python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=60)


def test_a_film_is_made_and_its_state_makes_it_again(tmp_path: Path) -> None:
    watcher, engine = Watcher(), StoryboardEngine()
    engine.load()
    clip = engine.render(watcher.job(tmp_path))
    found = probe(clip.path)
    assert (found.width, found.height, found.seconds, found.fps, found.has_audio) == (1280, 720, 4.0, 24.0, True)
    fractions = [fraction for fraction, _ in watcher.said]
    assert fractions == sorted(fractions)
    assert (fractions[0], fractions[-1]) == (0.0, 1.0)
    assert list(dict.fromkeys(stage for _, stage in watcher.said))[:3] == [
        "reading the prompt", "cutting the paper", "filming",
    ]  # fmt: skip
    other = Spec("something else", "veo3", kind=Kind.UPGRADE_1080P, resolution=Resolution.P1080, seed=1)
    assert plan_of(watcher.job(tmp_path, other, clip.state)) == plan_of(watcher.job(tmp_path))


def test_the_plan_is_upright_where_the_film_is() -> None:
    upright = Spec("a dog", "veo3", aspect_ratio=AspectRatio.PORTRAIT, seconds=6, seed=20000)
    plan = plan_of(Watcher().job(Path(), upright))
    assert (plan.portrait, plan.seconds, plan.seed) == (True, 6, 20000)


def test_cancelling_ends_the_render_and_leaves_no_film(tmp_path: Path) -> None:
    with pytest.raises(Cancelled):
        StoryboardEngine().render(Watcher(cancel_after=5).job(tmp_path))
    assert not (tmp_path / "film.mp4").exists()


def test_a_render_process_that_fails_is_an_engine_that_failed(tmp_path: Path) -> None:
    state = b'{"prompt":"x","seed":1,"seconds":4,"portrait":false,"subjects":[],"setting":"nowhere"}'
    with pytest.raises(EngineFailed, match="nowhere"):
        StoryboardEngine().render(Watcher().job(tmp_path, state=state))
    assert not (tmp_path / "film.mp4").exists()


def test_asking_what_it_can_do_needs_no_library_that_draws() -> None:
    done = python(
        "import sys; from filmgate.engines.storyboard.engine import StoryboardEngine as S; c = S().capabilities();"
        "print(sorted({'skia', 'av', 'numpy'} & set(sys.modules)), c.audio, c.seeded)"
    )
    assert done.stdout.strip() == "[] True True", done.stderr


def test_a_missing_system_library_is_named_in_one_sentence(tmp_path: Path) -> None:
    """What importing skia does on a machine without EGL."""
    said = "libEGL.so.1: cannot open shared object file: No such file or directory"
    (tmp_path / "skia.py").write_text(f"raise ImportError({said!r})")
    done = python(
        "from filmgate.engines.storyboard.engine import StoryboardEngine as S\n"
        "from filmgate.domain.errors import EngineUnavailable\n"
        "try:\n    S().load()\nexcept EngineUnavailable as error:\n    print(error)",
        PYTHONPATH=str(tmp_path),
    )
    assert "apt-get install libegl1 libgl1 libexpat1" in done.stdout, done.stderr
    assert "libEGL.so.1" in done.stdout
    assert done.stdout.count("\n") == 1


def test_the_number_of_render_processes_can_be_set() -> None:
    assert processes({"processes": 3}) == 3
    assert processes({"processes": 0}) == 1
    assert 1 <= processes({}) <= 2
