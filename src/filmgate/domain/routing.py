"""Which engine makes a film: a Route is the list of engines, in order of preference, behind a model's public name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .errors import Unsupported
from .spec import AspectRatio, Kind, Mode, Resolution, Spec

UPSCALE = "upscale"  #: in place of an engine's name: the film was scaled up, not made anew


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an engine can do. An engine that leaves something out is never asked for it."""

    kinds: frozenset[Kind] = frozenset({Kind.GENERATE})
    modes: frozenset[Mode] = frozenset({Mode.TEXT})
    aspect_ratios: frozenset[AspectRatio] = frozenset({AspectRatio.LANDSCAPE, AspectRatio.PORTRAIT})
    resolutions: frozenset[Resolution] = frozenset(Resolution)
    seconds: tuple[int, ...] = (4, 6, 8)
    audio: bool = False
    seeded: bool = False  #: same seed, same film
    max_frames: int = 2  #: images that a film can start from: the first frame, or the first and the last
    max_references: int = 0
    languages: frozenset[str] = frozenset({"en"})  #: of prompts that it reads; "*" is any
    translates: bool = False  #: it puts prompts into one of them by itself, where the order allows it
    #: How its films come about, in IPTC's words: trainedAlgorithmicMedia for what is called AI, algorithmicMedia else.
    source_type: str = "trainedAlgorithmicMedia"
    #: It asks ``Job.cancelled`` and then ends within so many seconds. 0: it does not ask, and its process is ended.
    leaves_within_s: float = 0.0
    #: Of engines that render elsewhere: an order that is sent there again under the same ``order_key`` is taken once.
    starts_once: bool = False
    answers_within_s: float = 0.0  #: for an order; more than the usual where it is answered when the film is done

    def lacks(self, spec: Spec) -> str | None:
        """What this engine cannot do of the order, in words, or None.

        A larger version is of whatever film there is, and an extension starts from a film, not from text or images.
        """
        new, larger = spec.kind is Kind.GENERATE, spec.kind.is_upgrade
        checks = (
            (spec.kind in self.kinds, f"tasks of kind {spec.kind}"),
            (not new or spec.mode in self.modes, f"films that start from {_START[spec.mode]}"),
            (self._fits(spec.aspect_ratio), f"the aspect ratio {spec.aspect_ratio}"),
            (larger or spec.resolution in self.resolutions, f"{spec.resolution} films"),
            (larger or spec.seconds in self.seconds, f"films of {spec.seconds} seconds"),
            (not new or self._takes(spec.mode, len(spec.images)), _TOO_MANY.get(spec.mode, "")),
        )
        return next((what for can, what in checks if not can), None)

    def reads(self, languages: frozenset[str], *, translate: bool) -> bool:
        """Whether it makes something of a prompt that is in one of these languages."""
        return bool(self.languages & (languages | {"*"})) or (translate and self.translates)

    def _takes(self, mode: Mode, images: int) -> bool:
        return images <= {Mode.FRAMES: self.max_frames, Mode.REFERENCE: self.max_references}.get(mode, images)

    def _fits(self, ratio: AspectRatio) -> bool:
        """Auto becomes one of the two when the first image is seen: then an engine must be able to do both."""
        wanted = {AspectRatio.LANDSCAPE, AspectRatio.PORTRAIT} if ratio is AspectRatio.AUTO else {ratio}
        return wanted <= self.aspect_ratios


_TOO_MANY = {Mode.FRAMES: "films with a last frame", Mode.REFERENCE: "so many reference images"}
_START = {Mode.TEXT: "text", Mode.FRAMES: "a first or last frame", Mode.REFERENCE: "reference images"}


@dataclass(frozen=True, slots=True)
class Route:
    """A model's engines in order of preference, and the options of each."""

    model: str
    engines: tuple[str, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    failover: bool = True  #: whether the next one is asked where one breaks down, or takes nothing at the moment

    def healthy(self, resting: Callable[[str], bool]) -> Route:
        """Without the engines that rest, unless all do, or the operator wants none to be replaced."""
        awake = tuple(name for name in self.engines if not resting(name))
        return replace(self, engines=awake) if awake and self.failover else self


def choose(route: Route, spec: Spec, capabilities: Callable[[str], Capabilities]) -> str:
    """The first engine of the route that can do the order. Raises Unsupported, naming what is missing."""
    lacking = {name: capabilities(name).lacks(spec) for name in route.engines}
    fit = next((name for name, lack in lacking.items() if lack is None), None)
    if fit is None:
        said = "; ".join(f"{name} cannot make {lack}" for name, lack in lacking.items())
        raise Unsupported(f"No engine behind model {route.model} can do this: {said}.")
    return fit


def further(route: Route, engine: str, spec: Spec, capabilities: Callable[[str], Capabilities]) -> Sequence[str]:
    """The engines of the route after this one that can do the order too: fallbacks, in order of preference."""
    after = route.engines[route.engines.index(engine) + 1 :] if engine in route.engines else ()
    return [name for name in after if capabilities(name).lacks(spec) is None]
