"""The cast: jointed paper puppets, each of which is a drawing in ``cast/NAME.toml`` and nothing else.

A puppet is drawn facing right in *puppet space*: x = 0 between the feet, y = 0 on the ground, up is negative, and the
crown at -1. The files use a finer ``grid``: 100 to the height unless they say otherwise. This is a whole puppet:

    rig = "quadruped"        # how it moves: one of RIGS, whose canonical joints are listed there
    height = 1.9             # natural height in stage units
    lift = 0.0               # how high above the boards it is at home, in its own heights (birds, balloons)
    main = "coat"            # the colour that a colour word in the prompt replaces
    stepped = true           # optional: it moves in steps, as machines do

    [colours]
    coat = "#d9a066"
    ink = "#2b2230"

    [[variants]]             # optional: how the second, third ... of a group differ
    coat = "#b5764a"

    [[part]]
    name = "body"
    pivot = [-20, -45]       # the joint about which it turns
    z = 5                    # parts are laid on each other in this order, smallest first
    shapes = [
      { path = "-30,-50 0,-62 32,-55 20,-36! -25,-34", fill = "coat" },
      { oval = [10, -50, 6, 4], fill = "coat-light", inside = true },
    ]

    [[part]]
    name = "leg_front_near"
    parent = "body"
    pivot = [20, -42]
    z = 7
    shapes = [{ limb = "20,-42,7 20,-20,5", fill = "coat" }]

    [[part]]
    name = "leg_front_far"
    parent = "body"
    z = 2
    copy = "leg_front_near"  # the same shapes and pivot ...
    move = [4, 0]            # ... elsewhere ...
    tone = "dark"            # ... and darker ("mirror = true" would also swap left and right, about x = 0)

A shape is one of

    path = "..."             # closed: SVG path data (begins with M), or points "x,y x,y" that a smooth curve runs
                             # through; "x,y!" is a corner
    oval = [x, y, rx, ry]
    rect = [left, top, right, bottom], radius = r
    limb = "x,y,r x,y,r"     # a rounded, tapering limb along its middle line
    line = "..."             # a pen stroke along SVG path data or points, width = w

with ``fill`` (for a line also called ``stroke``): a key of [colours], with any number of the suffixes -dark, -deep,
-light and -pale, or "#rrggbb"; and with ``alpha`` (0 to 1), ``raw = true`` (it shines: lamps), ``card = true`` or
``false`` (throws a small shadow; the first shape of a part does, later ones do not unless told to) and ``inside =
true`` (shown only where it lies on the first shape of its part: spots, stripes, shaded bellies), and ``eye = true`` (it
is an eye, or lies on one: it blinks). Limbs overlap at their joints with round ends, so that turning never shows a gap.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib import resources
from itertools import chain
from typing import Any

import skia

from .draw import Brush
from .shapes import Shape, channels, cut, lids, limb, mix, scaled, stroke, tinted

RIGS: Mapping[str, tuple[str, ...]] = {
    "quadruped": ("body", "head", "tail", "leg_front_near", "leg_front_far", "leg_back_near", "leg_back_far"),
    "biped": ("torso", "head", "arm_near", "arm_far", "leg_near", "leg_far"),
    "bird": ("body", "head", "wing_near", "wing_far", "tail"),
    "fish": ("body", "tail", "fin"),
    "insect": ("body", "wing_near", "wing_far"),
    "wheeled": ("body",),
    "vessel": ("hull",),
    "aerostat": ("envelope", "basket"),
    "kite": ("kite", "tail"),
    "still": ("body",),
}

LASHES = "#2b2028"  #: the colour of shut eyes where a puppet has no ink
_MARGIN = 0.04  # of the height: what shadows need around a part


class CastError(ValueError):
    """A drawing in ``cast/`` cannot be used; the text says where and what to do."""


@dataclass(frozen=True, eq=False)
class Part:
    """What is cut from one piece of card and turns about its pivot."""

    name: str
    parent: str | None
    pivot: tuple[float, float]  #: puppet space
    z: int
    shapes: tuple[Shape, ...]
    height: float = 1.0  #: of the puppet, in stage units: paper shadows are as long as everywhere else on the stage

    @property
    def box(self) -> tuple[float, float, float, float]:
        """(left, top, right, bottom) in puppet space of all that ``paint`` touches."""
        bounds = [shape.cut.computeTightBounds() for shape in self.shapes if not shape.inside]
        return (
            min(b.left() for b in bounds) - _MARGIN,
            min(b.top() for b in bounds) - _MARGIN,
            max(b.right() for b in bounds) + _MARGIN,
            max(b.bottom() for b in bounds) + _MARGIN,
        )

    @property
    def sees(self) -> bool:
        """Whether there are eyes in it."""
        return any(shape.eye for shape in self.shapes)

    def paint(self, brush: Brush, colours: Mapping[str, str], *, shut: bool = False) -> None:
        """Paints the part at rest, in puppet space, in these colours (from ``colours_for``); ``shut``: its eyes are."""
        brush.canvas.save()
        brush.canvas.scale(1 / self.height, 1 / self.height)
        for shape in self.shapes:
            if not (shut and shape.eye):
                self._paint_shape(brush, shape, tinted(shape.fill, colours))
        for lid in lids(self.shapes) if shut else ():
            brush.fill(scaled(lid, self.height), colours.get("ink", LASHES), card=False)
        brush.canvas.restore()

    def _paint_shape(self, brush: Brush, shape: Shape, colour: str) -> None:
        brush.canvas.save()
        if shape.inside:
            brush.canvas.clipPath(scaled(self.shapes[0].cut, self.height), doAntiAlias=True)
        brush.fill(scaled(shape.cut, self.height), colour, alpha=shape.alpha, raw=shape.raw, card=shape.card)
        brush.canvas.restore()


@dataclass(frozen=True, eq=False)
class Puppet:
    """A drawing that can be performed with. Parts are in the order in which they are laid on each other."""

    name: str
    rig: str
    height: float  #: natural height in stage units
    lift: float  #: natural height above the boards, in its own heights
    main: str  #: the colour key that a prompt's colour replaces
    colours: Mapping[str, str]
    variants: tuple[Mapping[str, str], ...]
    parts: tuple[Part, ...]
    stepped: bool = False  #: moves in steps, as machines do

    @cached_property
    def _named(self) -> Mapping[str, Part]:
        return {part.name: part for part in self.parts}

    def __contains__(self, name: str) -> bool:
        return name in self._named

    def part(self, name: str) -> Part:
        """Raises KeyError where the puppet has no such part."""
        if name not in self._named:
            raise KeyError(f"the puppet {self.name} has no part {name}")
        return self._named[name]

    @property
    def box(self) -> tuple[float, float, float, float]:
        """(left, top, right, bottom) of the puppet at rest, in puppet space."""
        boxes = [part.box for part in self.parts]
        lefts, tops, rights, bottoms = zip(*boxes, strict=True)
        return min(lefts), min(tops), max(rights), max(bottoms)


def names() -> tuple[str, ...]:
    """Every puppet of the cast, in alphabetical order."""
    files = resources.files(__package__).joinpath("cast").iterdir()
    return tuple(sorted(file.name.removesuffix(".toml") for file in files if file.name.endswith(".toml")))


@lru_cache(maxsize=64)
def load(name: str) -> Puppet:
    """A puppet of the cast. Raises KeyError for an unknown name, CastError for a drawing that cannot be used."""
    if name not in names():
        raise KeyError(f"there is no puppet {name!r}; the cast is {', '.join(names())}")
    text = resources.files(__package__).joinpath("cast", f"{name}.toml").read_text(encoding="utf-8")
    return parse(name, text)


def colours_for(puppet: Puppet, colour: str | None = None, variation: int = 0) -> dict[str, str]:
    """The colours to paint a puppet in: those of the ``variation``-th of a group, with the colour that a prompt names.

    A very dark or very bright colour is softened a little, so that its shades can still be told apart.
    """
    looks: Sequence[Mapping[str, str]] = ({}, *puppet.variants)
    colours = {**puppet.colours, **looks[variation % len(looks)]}
    if colour is not None:
        colours[puppet.main] = _paintable(colour)
    return colours


def _paintable(colour: str) -> str:
    brightness = sum(share * c for share, c in zip((0.3, 0.59, 0.11), channels(colour), strict=True))
    if brightness < 62:
        return mix(colour, "#6b6a86", 0.42)
    return mix(colour, "#d8d2cc", 0.35) if brightness > 238 else colour


# ---------------------------------------------------------------- reading a drawing -------------------------------


def parse(name: str, text: str) -> Puppet:
    """A puppet from the text of its file. Raises CastError, naming the file, the part and what to do."""
    where = f"cast/{name}.toml"
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CastError(f"{where} is not TOML ({error}); correct that line.") from error
    missing = [key for key in ("rig", "height", "main", "colours", "part") if key not in data]
    if missing:
        raise CastError(f"{where} lacks {', '.join(missing)}; add what the docstring of puppets.py describes.")
    if data["rig"] not in RIGS:
        raise CastError(f"{where}: there is no rig {data['rig']!r}; use one of {', '.join(RIGS)}.")
    if data["main"] not in data["colours"]:
        raise CastError(f"{where}: main is {data['main']!r}, which [colours] lacks; add it there.")
    height = float(data["height"])
    parts = _parts(where, data, height)
    puppet = Puppet(
        name=name,
        rig=data["rig"],
        height=height,
        lift=float(data.get("lift", 0.0)),
        main=data["main"],
        colours=data["colours"],
        variants=tuple(data.get("variants", ())),
        parts=tuple(sorted(parts, key=lambda part: part.z)),
        stepped=bool(data.get("stepped", False)),
    )
    _check(where, puppet)
    return puppet


def _parts(where: str, data: Mapping[str, Any], height: float) -> list[Part]:
    grid = float(data.get("grid", 100.0))
    written: dict[str, dict[str, Any]] = {}
    for entry in data["part"]:
        written[entry.get("name", "")] = _copied(where, entry, written)
    return [_part(f"{where}, part {name!r}", entry, grid, height) for name, entry in written.items()]


def _copied(where: str, entry: Mapping[str, Any], written: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """The entry with all that it takes over from the part it copies."""
    if "copy" not in entry:
        return dict(entry)
    original = written.get(entry["copy"])
    if original is None:
        raise CastError(f"{where}, part {entry.get('name')!r}: copies {entry['copy']!r}; name a part above it.")
    return {
        **original,
        "tone": "",
        "move": [0, 0],
        "mirror": False,
        **entry,
        "shapes": entry.get("shapes", original["shapes"]),
    }


def _part(where: str, entry: Mapping[str, Any], grid: float, height: float) -> Part:
    try:
        place = skia.Matrix.Translate(*entry.get("move", (0, 0)))
        place.preScale(-1 if entry.get("mirror") else 1, 1)
        place.postScale(1 / grid, 1 / grid)
        tone = f"-{entry['tone']}" if entry.get("tone") else ""
        shapes = tuple(_shape(shape, i == 0, place, tone) for i, shape in enumerate(entry["shapes"]))
        pivot = place.mapXY(*entry["pivot"])
        return Part(entry["name"], entry.get("parent"), (pivot.x(), pivot.y()), int(entry["z"]), shapes, height)
    except KeyError as error:
        raise CastError(f"{where}: lacks {error}; add it.") from error
    except (ValueError, TypeError) as error:
        raise CastError(f"{where}: {error}; correct the shape.") from error


def _shape(data: Mapping[str, Any], first: bool, place: skia.Matrix, tone: str) -> Shape:
    placed = skia.Path()
    _outline(data).transform(place, placed)
    return Shape(
        cut=placed,
        fill=(data["fill"] if "fill" in data else data["stroke"]) + tone,
        alpha=float(data.get("alpha", 1.0)),
        raw=bool(data.get("raw", False)),
        card=bool(data.get("card", first)),
        inside=bool(data.get("inside", False)),
        eye=bool(data.get("eye", False)),
    )


def _outline(data: Mapping[str, Any]) -> skia.Path:
    if "path" in data:
        return cut(data["path"], closed=True)
    if "limb" in data:
        return limb(data["limb"])
    if "line" in data:
        return stroke(cut(data["line"], closed=False), float(data["width"]))
    path = skia.Path()
    if "oval" in data:
        x, y, rx, ry = data["oval"]
        path.addOval(skia.Rect.MakeLTRB(x - rx, y - ry, x + rx, y + ry))
    elif "rect" in data:
        path.addRoundRect(skia.Rect.MakeLTRB(*data["rect"]), data.get("radius", 0), data.get("radius", 0))
    else:
        raise ValueError(f"a shape needs path, oval, rect, limb or line, not only {', '.join(data)}")
    return path


def _check(where: str, puppet: Puppet) -> None:
    known = {part.name for part in puppet.parts}
    lacking = [joint for joint in RIGS[puppet.rig] if joint not in known]
    if lacking:
        raise CastError(f"{where}: a {puppet.rig} needs the parts {', '.join(lacking)}; draw them.")
    for part in puppet.parts:
        if part.parent is not None and part.parent not in known:
            raise CastError(f"{where}, part {part.name!r}: its parent {part.parent!r} does not exist; draw it.")
        _check_descent(where, puppet, part)
        _check_fills(where, puppet, part)


def _check_descent(where: str, puppet: Puppet, part: Part) -> None:
    ancestors, parent = [part.name], part.parent
    while parent is not None:
        if parent in ancestors:
            raise CastError(f"{where}, part {part.name!r}: it is its own ancestor; give it another parent.")
        ancestors.append(parent)
        parent = puppet.part(parent).parent


def _check_fills(where: str, puppet: Puppet, part: Part) -> None:
    for shape, look in chain.from_iterable(((s, v) for v in ({}, *puppet.variants)) for s in part.shapes):
        try:
            tinted(shape.fill, {**puppet.colours, **look})
        except KeyError as error:
            raise CastError(
                f"{where}, part {part.name!r}: no colour or tone {error} in {shape.fill!r}; add it."
            ) from error
