"""Tended nature: the park, the garden and the plain rolling land of a prompt that names no place."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import TYPE_CHECKING

from ..light import mix
from ..model import Sheet
from .cuts import Point, box, curve, disc, joined, land, poly, rolling
from .flora import BLOOMS, bush, flower, poplar, post, tree, tulip
from .land import boards, bough, daisies, fringe, height_at, hills, pebbles, tufts
from .site import Site
from .sky import skies

if TYPE_CHECKING:
    from ..draw import Brush

LEAVES = ("#5fa651", "#7fb64f", "#4c9a63", "#8fbf5a")


def park(site: Site) -> list[Sheet]:
    def distant(brush: Brush, rng: Random, crest: Sequence[Point]) -> None:
        _grove(brush, rng, site, crest, 17, (0.7, 1.25), ("#6aa886", "#5c9c84"))

    def middle(brush: Brush, rng: Random, crest: Sequence[Point]) -> None:
        _grove(brush, rng, site, crest, 9, (1.7, 2.5), LEAVES, gap=0.3)

    def near(brush: Brush, rng: Random, crest: Sequence[Point]) -> None:
        _pavilion(brush, -site.light.side * site.x(0.52), height_at(crest, -site.light.side * site.x(0.52)) + 0.1)
        for share in (-1.35, -0.86, 0.8, 1.3):
            x, h = site.x(share + rng.uniform(-0.05, 0.05)), rng.uniform(3.5, 4.3) * site.tall
            kind = tree if share != 0.8 or rng.random() < 0.5 else poplar
            kind(brush, rng, x, height_at(crest, x) + 0.15, h, rng.choice(LEAVES))

    def dress(brush: Brush, rng: Random) -> None:
        winding_path(brush, site, "#e9cf9f", -1.25)
        tufts(brush, rng, site, "#4f8f3f", -0.9)
        daisies(brush, rng, site, BLOOMS, -0.8)
        _bench(brush, site.light.side * site.x(0.62), -0.55, 1.5)
        post(brush, -site.light.side * site.x(0.68), -0.45, 3.5 * site.tall**0.5)
        for share in (-0.98, -0.8, 0.9, 1.12):
            bush(brush, rng, site.x(share), -0.75, 1.2, rng.choice(LEAVES), rng.choice(BLOOMS))

    return [
        *skies(site),
        hills(site, "far hills", 11.0, -2.0 * site.tall, "#8fbfae", swell=0.4, step=6.0),
        hills(site, "far trees", 7.0, -1.75, "#8cc07c", swell=0.18, reach=1.5, dress=distant),
        hills(site, "grove", 4.2, -1.5, "#93c765", swell=0.22, reach=3.0, dress=middle),
        hills(site, "near trees", 2.2, -1.25, "#82bd57", swell=0.14, reach=4.6 * site.tall, dress=near),
        boards(site, -0.95, ("#8cc958", "#7cbb4d", "#6bac45", "#5d9c40"), dress, reach=3.7 * site.tall),
        fringe(site, ("#3f7f3e", "#5b9f43"), blooms=BLOOMS),
        bough(site, "#4f9448"),
    ]


def _grove(
    brush: Brush,
    rng: Random,
    site: Site,
    crest: Sequence[Point],
    count: int,
    heights: tuple[float, float],
    leaves: Sequence[str],
    gap: float = 0.0,
) -> None:
    """Trees along a crest; within ``gap`` (a share of the half width) of the middle they are low."""
    left, right = crest[0][0], crest[-1][0]
    for i in range(count):
        x = left + (right - left) * (i + rng.uniform(0.2, 0.8)) / count
        low = 0.5 if abs(x) < gap * site.half else 1.0
        kind = rng.choice((tree, tree, poplar))
        kind(brush, rng, x, height_at(crest, x) + 0.1, rng.uniform(*heights) * low * site.tall**0.6, rng.choice(leaves))


def winding_path(brush: Brush, site: Site, colour: str, top: float) -> None:
    """A path that winds from the far edge of the boards to the front, wider as it comes."""
    bend, bottom = site.light.side * 0.55, site.stage.bottom + 3.0
    spine = [
        (2.6, top, 0.2),
        (1.5, -0.72, 0.34),
        (-0.2, -0.1, 0.6),
        (-1.2, 0.8, 0.95),
        (-0.6, 2.2, 1.35),
        (1.0, bottom, 2.4),
    ]
    left = [(x * bend - w, y) for x, y, w in spine]
    right = [(x * bend + w, y) for x, y, w in reversed(spine)]
    path = curve([*left, *right], closed=True)
    brush.fill(path, brush.light.open(mix(colour, "#8a6a3c", 0.3), 0.75), card=False)
    brush.canvas.save()
    brush.canvas.translate(0.05 * brush.light.side, 0.05)
    brush.fill(path, brush.light.open(colour, 0.8), card=False)
    brush.canvas.restore()


def _bench(brush: Brush, x: float, y: float, w: float) -> None:
    wood, iron = "#b9733f", "#3c4650"
    legs = [box(x + d * w * 0.42 - 0.04, y - 0.42, x + d * w * 0.42 + 0.04, y) for d in (-1, 1)]
    backs = [box(x + d * w * 0.42 - 0.03, y - 0.85, x + d * w * 0.42 + 0.03, y - 0.4) for d in (-1, 1)]
    brush.fill(joined([*legs, *backs]), iron)
    for up in (0.84, 0.66):
        brush.rect(x - w / 2, y - up, x + w / 2, y - up + 0.13, wood, radius=0.03)
    brush.rect(
        x - w * 0.54, y - 0.46, x + w * 0.54, y - 0.35, brush.light.open(mix(wood, "#ffffff", 0.12), 0.8), radius=0.03
    )


def _pavilion(brush: Brush, x: float, y: float) -> None:
    """A bandstand: a pointed roof on slim posts."""
    cream, roof = "#f4e6cb", brush.light.open("#cf5b4a", 0.95)
    brush.fill(joined([box(x + d - 0.035, y - 1.3, x + d + 0.035, y) for d in (-0.85, -0.5, 0.5, 0.85)]), cream)
    brush.rect(x - 1.0, y - 0.2, x + 1.0, y + 0.05, cream)
    brush.rect(x - 0.88, y - 0.5, x + 0.88, y - 0.43, cream)
    if brush.light.lamps_on:
        brush.glow(x, y - 0.95, 0.9, "#ffcf7a", 0.7)
    brush.svg(
        f"M{x - 1.2} {y - 1.22} Q{x - 0.3} {y - 1.5} {x} {y - 2.15} Q{x + 0.3} {y - 1.5} {x + 1.2} {y - 1.22} Z", roof
    )
    brush.line(f"M{x} {y - 2.1} V{y - 2.45}", cream, 0.04)


def garden(site: Site) -> list[Sheet]:
    home = -site.light.side

    def distant(brush: Brush, rng: Random, crest: Sequence[Point]) -> None:
        _grove(brush, rng, site, crest, 11, (1.2, 2.1), ("#79b27d", "#8cbb78"))

    def behind(brush: Brush, rng: Random, crest: Sequence[Point]) -> None:
        cottage(brush, home * site.x(0.7), -1.0, site.tall**0.5)
        tree(brush, rng, -home * site.x(0.82), -1.0, 4.1 * site.tall, "#79b552")
        _apples(brush, rng, -home * site.x(0.82), -1.0 - 2.7 * site.tall, 1.0 * site.tall)

    def dress(brush: Brush, rng: Random) -> None:
        _stones(brush, rng, site)
        tufts(brush, rng, site, "#4f8f3f", -0.3, 20)
        daisies(brush, rng, site, ("#ffffff", "#ffd84d", "#f78fb3"), -0.3, 16)

    return [
        *skies(site),
        hills(site, "far hills", 9.0, -2.1 * site.tall, "#97c7a0", swell=0.45, step=6.0, reach=2.8, dress=distant),
        hills(site, "house", 2.6, -1.15, "#86bf5d", swell=0.08, reach=5.4 * site.tall, dress=behind),
        site.sheet("fence", 1.7, lambda brush, rng: _fence(brush, rng, site), top=-2.75),
        site.sheet("border", 1.35, lambda brush, rng: _border(brush, rng, site), top=-2.1),
        boards(site, -0.72, ("#8fcb5c", "#80bf50", "#70b048", "#62a243"), dress),
        site.sheet("beds", 1.02, lambda brush, rng: _beds(brush, rng, site), top=-3.6),
        fringe(site, ("#3d7d3f", "#569a45"), blooms=BLOOMS, tallest=2.2),
        bough(site, "#579c4b"),
    ]


def cottage(brush: Brush, x: float, y: float, k: float, roof: str = "#c8543f", wall: str = "#f6e3c2") -> None:
    """A house of one room with a steep roof, a chimney, a door and two windows."""
    roof, wood = brush.light.open(roof, 0.95), "#7d4f38"
    w, h = 1.7, 1.7 * k
    brush.rect(x - 1.1, y - h - 1.75 * k, x - 0.65, y - h - 0.5, "#b2705a")
    brush.rect(x - w, y - h, x + w, y + 0.3, wall)
    brush.fill(
        poly(
            (x - w - 0.35, y - h + 0.12),
            (x - w + 0.55, y - h - 1.45 * k),
            (x + w - 0.55, y - h - 1.45 * k),
            (x + w + 0.35, y - h + 0.12),
        ),
        roof,
    )
    for row in range(1, 4):
        up = y - h + 0.12 - row * 0.36 * k
        inset = 0.22 * row
        brush.line(f"M{x - w - 0.3 + inset} {up} H{x + w + 0.3 - inset}", mix(roof, "#3a1c1a", 0.28), 0.03)
    brush.rect(x - 0.3, y - 1.1 * k, x + 0.3, y + 0.2, "#4f8b92", radius=0.06)
    brush.oval(x + 0.2, y - 0.5 * k, 0.04, 0.04, "#f2d06b", card=False)
    for d in (-1.0, 1.0):
        window(brush, x + d, y - 1.0 * k, 0.62, 0.62 * k, wood)
    smoke(brush, x - 0.88, y - h - 1.85 * k)


def smoke(brush: Brush, x: float, y: float) -> None:
    """Three puffs over a chimney, blown away from the sun."""
    for dx, dy, r in ((0.04, 0.0, 0.13), (0.2, 0.3, 0.19), (0.5, 0.62, 0.27)):
        brush.fill(disc(x - brush.light.side * dx, y - dy, r * 1.25, r), "#f6f4ef", alpha=0.8, card=False)


def window(brush: Brush, x: float, y: float, w: float, h: float, frame: str) -> None:
    """A window with a cross-bar and a flower box."""
    on = brush.light.lamps_on
    brush.rect(x - w / 2 - 0.05, y - h / 2 - 0.05, x + w / 2 + 0.05, y + h / 2 + 0.05, frame)
    brush.rect(x - w / 2, y - h / 2, x + w / 2, y + h / 2, "#ffd777" if on else "#cfe6ee", raw=on, card=False)
    brush.line(f"M{x} {y - h / 2} V{y + h / 2} M{x - w / 2} {y} H{x + w / 2}", frame, 0.04)
    if on:
        brush.glow(x, y, w * 1.7, "#ffc766", 0.5)
    brush.rect(x - w * 0.62, y + h / 2 + 0.04, x + w * 0.62, y + h / 2 + 0.16, "#a5603f")
    brush.fill(
        joined([disc(x + d * w * 0.24, y + h / 2, 0.07, 0.07) for d in (-2, -1, 0, 1, 2)]),
        brush.light.open("#e8505b", 0.6),
        card=False,
    )


def _apples(brush: Brush, rng: Random, x: float, y: float, r: float) -> None:
    if not brush.light.snow_cover:
        apples = [disc(x + rng.uniform(-0.9, 0.9) * r, y + rng.uniform(-0.5, 0.7) * r, 0.09, 0.09) for _ in range(11)]
        brush.fill(joined(apples), "#e5483f")


def _fence(brush: Brush, rng: Random, site: Site) -> None:
    """Pickets, a hedge before their feet."""
    left, _, right, bottom = site.stage.span(1.7)
    pale = "#fbf4e4"
    rails = [box(left, y, right, y + 0.1) for y in (-1.62, -1.08)]
    pickets, x = [], left
    while x < right:
        h = 1.3 + rng.uniform(-0.04, 0.04)
        pickets.append(poly((x, -0.7), (x, -0.7 - h), (x + 0.11, -0.88 - h), (x + 0.22, -0.7 - h), (x + 0.22, -0.7)))
        x += 0.42
    brush.fill(joined(rails), mix(pale, "#9aa6b0", 0.25))
    brush.fill(joined(pickets), pale)
    crest = rolling(rng, left, right, -0.82, 0.06, 1.2)
    brush.fill(land(crest, bottom), brush.light.open("#79b552", 0.9))


def _border(brush: Brush, rng: Random, site: Site) -> None:
    """A border of low flowers along the foot of the fence, lowest in the middle."""
    left, _, right, bottom = site.stage.span(1.35)
    brush.fill(land(rolling(rng, left, right, -0.78, 0.03, 1.6), bottom), brush.light.open("#5f9f47", 0.9))
    x = left
    while x < right and not brush.light.snow_cover:
        h = rng.uniform(0.42, 0.6) * (1.0 + 0.7 * min(1.0, abs(x) / site.half))
        bloom = rng.choice(BLOOMS)
        if rng.random() < 0.55:
            tulip(brush, rng, x, -0.68, h, bloom)
        else:
            flower(brush, rng, x, -0.68, h, bloom)
        x += rng.uniform(0.2, 0.42)


def _beds(brush: Brush, rng: Random, site: Site) -> None:
    """Flower beds at both sides of the lawn: tulips, daisies and sunflowers, tall at the edges of the frame."""
    for side in (-1, 1):
        x0 = side * site.x(0.98 if not site.stage.portrait else 1.06)
        brush.fill(disc(x0, -0.1, 2.5 if not site.stage.portrait else 1.5, 0.34), brush.light.open("#7a5238", 0.9))
        bush(brush, rng, x0 + side * 0.9, -0.25, 2.2, "#5fa651", "#f78fb3")
        bush(brush, rng, x0 - side * 0.7, -0.18, 1.2, "#6fae4f", "#ffffff")
        if brush.light.snow_cover:
            continue
        for i in range(9):
            x, h = x0 + side * (i - 4) * 0.3 + rng.uniform(-0.1, 0.1), 0.75 + 0.17 * i
            y = rng.uniform(-0.12, 0.12)
            if i % 3 == 2:
                flower(brush, rng, x, y, min(h * 1.25, 2.5), "#ffc531", "#7a4524")
            elif i % 3 == 1:
                tulip(brush, rng, x, y, min(h, 1.3), rng.choice(BLOOMS[:5]))
            else:
                flower(brush, rng, x, y, min(h, 1.5), rng.choice(BLOOMS))


def _stones(brush: Brush, rng: Random, site: Site) -> None:
    """Stepping stones."""
    for i in range(6):
        y = -0.42 + 0.42 * i + 0.1 * i * i
        size = 0.34 + 0.13 * i
        x = site.light.side * (0.8 - 0.5 * i + 0.12 * i * i)
        brush.fill(disc(x, y, size, size * 0.3), brush.light.open(mix("#cfc5b4", "#b7b2a8", rng.random()), 0.8))


def plain(site: Site) -> list[Sheet]:
    """No place in particular: hills of plain paper, a few trees in the shape of leaves."""
    rng = site.pick("plain tone")
    family = rng.choice(
        (
            ("#9fc4a8", "#a3b96a", "#b3b04e", "#cfd06a", "#bdc459"),
            ("#8fc0b4", "#7fb98f", "#6aa878", "#b9d58b", "#a6c878"),
            ("#a9b0d6", "#9aa7b8", "#7f9f7c", "#b4d083", "#a2c26e"),
        )
    )

    def dotted(brush: Brush, rng: Random, crest: Sequence[Point]) -> None:
        for share in (-1.25, -0.78, -0.6, 0.66, 0.9, 1.3):
            x = site.x(share + rng.uniform(-0.06, 0.06))
            poplar(
                brush,
                rng,
                x,
                height_at(crest, x) + 0.1,
                rng.uniform(1.6, 2.7) * site.tall,
                mix(family[2], "#2c4a52", 0.25),
            )

    def dress(brush: Brush, rng: Random) -> None:
        _ribbons(brush, rng, site, family[4])
        tufts(brush, rng, site, mix(family[2], "#2c4a52", 0.35), -0.9, 16)
        pebbles(brush, rng, site, mix(family[3], "#5a4a52", 0.35), -0.6)
        daisies(brush, rng, site, ("#ffffff", "#fff3c4", "#f78fb3"), -0.7, 14)

    dark = mix(family[2], "#22323c", 0.55)
    return [
        *skies(site),
        hills(site, "far hills", 12.0, -2.9 * site.tall, family[0], swell=0.7, step=6.5),
        hills(site, "hills", 7.0, -2.15 * site.tall**0.7, family[1], swell=0.5, step=5.5),
        hills(site, "near hills", 3.6, -1.55, family[2], swell=0.35, reach=2.8 * site.tall, dress=dotted),
        boards(
            site, -0.95, (family[3], family[4], mix(family[4], family[2], 0.4), mix(family[4], family[2], 0.7)), dress
        ),
        fringe(site, (dark, mix(dark, family[2], 0.35)), tallest=1.4),
    ]


def _ribbons(brush: Brush, rng: Random, site: Site, colour: str) -> None:
    """Long thin cuts that follow the lie of the land."""
    left, _, right, _ = site.stage.span(1.05)
    for y in (-0.55, 0.3, 1.2, 2.0, 3.2):
        crest = rolling(rng, left, right, y, 0.05, 5.0)
        under = [(x, py + 0.03 + 0.012 * (y + 1)) for x, py in reversed(crest)]
        path = curve(crest)
        for point in under:
            path.lineTo(*point)
        brush.fill(path, brush.light.open(mix(colour, "#4a3a44", 0.16), 0.6), alpha=0.7, card=False)
