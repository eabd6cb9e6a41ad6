"""The diffusers engine behind the engine port.

Importing this module, and asking for the capabilities, needs neither torch nor diffusers.
"""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ...domain.errors import EngineFailed, EngineUnavailable, TaskError
from ...domain.routing import Capabilities
from ...ports import Clip, Job
from . import config as told
from .orders import capabilities_of, take_of
from .recipes import Recipe, Start
from .weights import folder_of, recipe_of

if TYPE_CHECKING:
    from .calls import Take
    from .making import Made
    from .model import Model

log = logging.getLogger("filmgate.slot")

T = TypeVar("T")

FILM = "film.mp4"
MISSING = "run `pip install 'filmgate[diffusers]' torch`, with the build of torch that suits your GPU."
_NEEDED = ("torch", "diffusers", "transformers", "accelerate")
_MARKED = {Start.FIRST: (0,), Start.BOTH: (0, -1)}  #: frames that are somebody's images


class DiffusersEngine:
    """Films by one model. It has one GPU; as many slots as there are GPUs use them all."""

    name = "diffusers"
    Config = told.Config

    def __init__(self, config: told.Config) -> None:
        self._config = config
        self._model: Model | None = None

    def capabilities(self) -> Capabilities:
        """From the recipe. Raises EngineUnavailable where the weights are not there, or fit no recipe."""
        return capabilities_of(self._recipe(), upscales=bool(self._config.upscaler))

    def load(self) -> None:
        """Raises EngineUnavailable with what to install, to fetch or to set."""
        recipe, folder = self._recipe(), folder_of(self._config.repo)
        missing = [name for name in _NEEDED if find_spec(name) is None]
        if missing:
            raise EngineUnavailable(f"The diffusers engine needs {', '.join(missing)}: {MISSING}")
        if recipe.warning:
            log.warning("event=licence model=%s licence=%r %s", self._config.repo, recipe.licence, recipe.warning)
        from .device import chosen
        from .making import warm_up
        from .model import loaded

        self._model = loaded(self._config, recipe, folder, chosen(self._config))
        if self._config.warm_up:
            self._with_enough_memory(lambda model: warm_up(model, whole=self._config.compile))

    def render(self, job: Job) -> Clip:
        """Raises Cancelled between two steps, Unsupported, and EngineFailed where memory does not suffice."""
        job.report(0.0, "reading the prompt")
        recipe, path = self._ready().recipe, job.workdir / FILM
        if job.spec.kind.is_upgrade:
            self._enlarge(job, path)
        else:
            take = take_of(job, recipe)
            self._write(job, take, self._made(job, take), path)
        job.report(1.0, "done")
        return Clip(path)

    def close(self) -> None:
        """The weights go with the process."""
        self._model = None

    def _recipe(self) -> Recipe:
        return told.fitted(recipe_of(self._config), self._config)

    def _ready(self) -> Model:
        """What ``load`` has loaded."""
        if self._model is None:
            raise EngineFailed("The engine was asked for a film before it was loaded.")
        return self._model

    def _made(self, job: Job, take: Take) -> Made:
        from .making import make, steps_of
        from .steps import Steps, denoising

        def once(model: Model) -> Made:
            steps = Steps(denoising(job, steps_of(model, take)))
            made = make(model, take, steps)
            log.info("task=%s event=denoised steps=%d seconds=%.1f", job.task_id, steps.done, steps.seconds)
            return made

        return self._with_enough_memory(once)

    def _write(self, job: Job, take: Take, made: Made, path: Path) -> None:
        from .films import write

        skip = self._ready().recipe.overlap if take.start is Start.SEQUEL else 0
        total = job.spec.seconds * 24
        marked = tuple(number % total for number in _MARKED.get(take.start, ()))
        write(job, made, path, fps=take.fps, skip=skip, marked=marked)

    def _enlarge(self, job: Job, path: Path) -> None:
        from .films import write_larger

        self._with_enough_memory(lambda model: write_larger(job, model, path))

    def _with_enough_memory(self, work: Callable[[Model], T]) -> T:
        """Once more with a smaller plan where memory runs out. Raises EngineFailed, with advice, if it does again."""
        model = self._ready()
        try:
            return self._tidied(model, work)
        except MemoryError:
            if not model.shrink():
                raise EngineFailed(_advice(model)) from None
        try:
            return self._tidied(model, work)
        except MemoryError:
            raise EngineFailed(_advice(model)) from None

    def _tidied(self, model: Model, work: Callable[[Model], T]) -> T:
        """Raises MemoryError for any kind of it, without what it holds: its frames keep whole films in memory."""
        from .model import is_out_of_memory

        try:
            return work(model)
        except TaskError:
            raise
        except Exception as error:
            if not is_out_of_memory(error):
                raise
        finally:
            model.tidy()
        gc.collect()
        raise MemoryError


def _advice(model: Model) -> str:
    width, height = model.recipe.size
    return (
        f"{model.recipe.title} ran out of memory on {model.device.name}, with as few weights there as can be: order a "
        f"shorter film, write a smaller size than [{width}, {height}] in the engine's table, or take a smaller model."
    )
