"""Engines over tiny pipelines, and orders for them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

from filmgate.domain.spec import Mode, Spec
from filmgate.engines.diffusers import DiffusersEngine
from filmgate.ports import Job

SIZE = (96, 64)
SPEC = Spec("a dog in a park", "veo3", seconds=4, seed=12345)
TWO_STEPS = {"steps": 2}


@dataclass
class Watcher:
    """Notes what an engine reports, and does not want it any more after the stage that begins with ``until``."""

    until: str = "never"
    said: list[tuple[float, str]] = field(default_factory=list)

    def report(self, fraction: float, stage: str) -> None:
        self.said.append((fraction, stage))

    def cancelled(self) -> bool:
        return any(stage.startswith(self.until) for _, stage in self.said)

    @property
    def stages(self) -> list[str]:
        return list(dict.fromkeys(stage for _, stage in self.said))


@dataclass
class Studio:
    weights: Callable[[str], Path]
    folder: Path

    def engine(self, name: str, **config: Any) -> DiffusersEngine:
        """Loaded, with pictures so small and so few that a CPU makes them in a moment."""
        told = {"repo": str(self.weights(name)), "size": SIZE, "fps": 4, "warm_up": False, **config}
        engine = DiffusersEngine(DiffusersEngine.Config(**told))
        engine.load()
        return engine

    def images(self, count: int) -> tuple[Path, ...]:
        """Pictures that do not look like each other."""
        paths = tuple(self.folder / f"image-{number}.png" for number in range(count))
        for number, path in enumerate(paths):
            Image.linear_gradient("L").rotate(90 * number).resize((320, 240)).convert("RGB").save(path)
        return paths

    def film(
        self,
        engine: DiffusersEngine,
        spec: Spec = SPEC,
        *,
        images: Sequence[Path] = (),
        source: Path | None = None,
        options: Mapping[str, Any] = TWO_STEPS,
        watcher: Watcher | None = None,
    ) -> Path:
        """What the engine makes of an order, in a folder of its own. The engine must have said that it can."""
        assert engine.capabilities().lacks(spec) is None
        watcher = watcher or Watcher()
        workdir = self.folder / f"work-{len(list(self.folder.glob('work-*')))}"
        workdir.mkdir()
        job = Job(
            "task", 1, spec, workdir, watcher.report, watcher.cancelled,
            images=tuple(images), source=source, options=options,
        )  # fmt: skip
        return engine.render(job).path


def from_images(count: int, mode: Mode = Mode.FRAMES) -> Spec:
    return Spec("a dog", "veo3", mode=mode, seconds=4, seed=12345, images=tuple("abc"[:count]))


def digest(film: Path) -> str:
    return hashlib.sha256(film.read_bytes()).hexdigest()
