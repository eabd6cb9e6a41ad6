"""From an order to what the model is asked for; and from a recipe to what orders it can take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...domain.errors import EngineFailed, Unsupported
from ...domain.routing import Capabilities
from ...domain.spec import AspectRatio, Kind, Mode, Resolution, Spec
from ...ports import Job
from .fit import placed
from .recipes import SPEEDS, Pace, Recipe, Speed, Start

if TYPE_CHECKING:
    from PIL import Image

    from .calls import Take

OPTIONS = ("speed", "steps", "guidance_scale", "cache")  #: of a model's table
LEAVES_WITHIN_S = 60.0  #: a cancelled film: a step, or the decoding of all pictures, is not broken off

_MODES = {Start.TEXT: Mode.TEXT, Start.FIRST: Mode.FRAMES, Start.REFERENCES: Mode.REFERENCE}


def capabilities_of(recipe: Recipe, *, upscales: bool) -> Capabilities:
    """``upscales``: the weights of its upscaler are named."""
    modes = frozenset(mode for start, mode in _MODES.items() if start in recipe.starts)
    kinds = {Kind.GENERATE} if modes else set()
    if Start.SEQUEL in recipe.starts:
        kinds.add(Kind.EXTEND)
    if upscales:
        kinds.add(Kind.UPGRADE_1080P)
    ratios = {AspectRatio.LANDSCAPE, AspectRatio.PORTRAIT} if recipe.portrait else {AspectRatio.LANDSCAPE}
    return Capabilities(
        kinds=frozenset(kinds),
        modes=modes,
        aspect_ratios=frozenset(ratios),
        resolutions=frozenset({Resolution.P720}),
        seconds=recipe.seconds,
        audio=recipe.sound,
        seeded=True,
        max_frames=2 if Start.BOTH in recipe.starts else 1,
        max_references=recipe.references,
        languages=frozenset(recipe.languages),
        leaves_within_s=LEAVES_WITHIN_S,
    )


def start_of(spec: Spec) -> Start:
    if spec.kind is Kind.EXTEND:
        return Start.SEQUEL
    if spec.mode is Mode.FRAMES:
        return Start.FIRST if len(spec.images) == 1 else Start.BOTH
    return Start.REFERENCES if spec.mode is Mode.REFERENCE else Start.TEXT


def take_of(job: Job, recipe: Recipe) -> Take:
    """Raises Unsupported for what the model cannot begin from, EngineFailed where something of the order is missing."""
    from .calls import Take

    spec, start = job.spec, start_of(job.spec)
    if start not in recipe.starts:
        raise Unsupported(f"{recipe.title} makes no films from {start}.")
    size = placed(recipe.size, spec.portrait)
    overlap = recipe.overlap if start is Start.SEQUEL else 0
    pace, arguments = pace_of(spec.model, job.options, recipe)
    return Take(
        start=start,
        prompt=spec.prompt,
        size=size,
        frames=recipe.grid.frames(spec.seconds, overlap),
        fps=recipe.grid.fps,
        steps=pace.steps,
        seed=spec.seed or 0,
        cache=pace.cache,
        negative=recipe.negative,
        arguments=arguments,
        images=images_of(job, start, size, overlap, recipe.grid.fps),
        distilled=recipe.distilled,
    )


def pace_of(model: str, options: Mapping[str, Any], recipe: Recipe) -> tuple[Pace, Mapping[str, float]]:
    """Steps and cache, and the arguments of the call; a model's options go before the recipe's. Raises EngineFailed."""
    unknown = sorted(set(options) - set(OPTIONS))
    if unknown:
        raise EngineFailed(f"The model {model} has the option {unknown[0]}; there are {', '.join(OPTIONS)}.")
    speed = options.get("speed", SPEEDS.get(model, Speed.QUALITY))
    if speed not in list(Speed):
        raise EngineFailed(f"The model {model} has speed = {speed!r}: it must be {', '.join(Speed)}.")
    usual = recipe.paces[Speed(speed)]
    steps = int(_number(options, "steps", usual.steps, least=1))
    pace = Pace(steps, _number(options, "cache", usual.cache, least=0))
    guidance = options.get("guidance_scale")
    if guidance is None:
        return pace, recipe.arguments
    return pace, {**recipe.arguments, "guidance_scale": _number(options, "guidance_scale", 1.0, least=0)}


def _number(options: Mapping[str, Any], name: str, usual: float, least: float) -> float:
    value = options.get(name, usual)
    if isinstance(value, bool) or not isinstance(value, int | float) or value < least:
        raise EngineFailed(f"The option {name} is {value!r}: it must be a number from {least:g} on.")
    return value


def images_of(job: Job, start: Start, size: tuple[int, int], overlap: int, fps: int) -> Sequence[Image.Image]:
    """Those that the model is given, in its size; references as they are."""
    from PIL import Image

    from .pictures import end_of, framed

    if start is Start.TEXT:
        return ()
    if start is Start.SEQUEL:
        given = end_of(_source(job), overlap, fps)
    else:
        if not job.images:
            raise EngineFailed("The film starts from images, and none came with it.")
        given = [Image.open(path).convert("RGB") for path in job.images]
    if start is Start.REFERENCES:
        return given
    return [framed(image, size, job.spec.size) for image in given]


def _source(job: Job) -> Path:
    if job.source is None:
        raise EngineFailed("The film that should go on did not come with the order.")
    return job.source
