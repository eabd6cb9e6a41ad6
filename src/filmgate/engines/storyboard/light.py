"""The light of a scene: what the time of day and the weather do to colours."""

from __future__ import annotations

from dataclasses import dataclass

from .model import PARTS, Part, Stage, Style, Time, Weather

SNOW = "#f4f8ff"


@dataclass(frozen=True)
class Light:
    """The lighting of one scene. ``on`` is the only way by which a colour gets into a picture."""

    time: Part
    weather: Weather
    side: int  #: the sun (or moon) stands at the right (1) or at the left (-1)
    sky: tuple[str, str, str]  #: zenith, middle, horizon
    sun: str
    ambient: tuple[float, float, float]  #: factors for red, green, blue
    haze: str  #: the colour into which distance fades
    density: float  #: how much of the haze lies between depth 1 and depth 2
    air: float = 0.0  #: how much of the haze lies before depth 1: it keeps the blacks of a night readable
    hour: Time = "day"  #: the hour itself; ``time`` is the part of the day that it belongs to
    style: Style | None = None

    def on(self, colour: str, depth: float) -> tuple[int, int, int]:
        """The daylight colour "#rrggbb" as this light shows it at this depth, 0-255 each."""
        veil = 1.0 - (1.0 - self.air) * (1.0 - self.density) ** max(0.0, depth - 1.0)
        lit = (value * factor for value, factor in zip(_rgb(colour), self.ambient, strict=True))
        red, green, blue = (
            min(255, round(near * (1 - veil) + far * veil)) for near, far in zip(lit, _rgb(self.haze), strict=True)
        )
        return red, green, blue

    @property
    def lamps_on(self) -> bool:
        """Whether people have put their lamps on."""
        return self.time != "day" or self.weather == "storm"

    @property
    def snow_cover(self) -> float:
        """How much of what lies open to the sky is under snow, 0 to 1."""
        return 1.0 if self.weather == "snow" else 0.0

    @property
    def wet(self) -> float:
        """How wet the ground is, 0 to 1: wet ground is darker and mirrors the sky."""
        return {"rain": 0.8, "storm": 1.0}.get(self.weather, 0.0)

    @property
    def overcast(self) -> bool:
        """Whether clouds hide the sun or the moon altogether."""
        return self.weather in ("rain", "storm")

    def open(self, colour: str, amount: float = 0.9) -> str:
        """The daylight colour of a thing that lies open to the weather; ``amount`` of it would be under snow."""
        if self.snow_cover:
            return mix(colour, SNOW, amount * self.snow_cover)
        return mix(colour, "#1d2733", 0.22 * self.wet * amount)

    def sun_position(self, stage: Stage) -> tuple[float, float]:
        """Where the sun (or the moon) stands, in stage units of the frame at rest."""
        if self.time == "sunset":
            return self.side * 0.36 * stage.width / 2, -2.75 if not stage.portrait else -3.9
        return self.side * 0.56 * stage.width / 2, stage.top + 0.19 * stage.height


def light_for(time: Time, weather: Weather, side: int, style: Style | None = None) -> Light:
    """The light of a time of day in a weather, with the sun at the right (``side`` 1) or at the left (-1)."""
    sky, ambient, haze, density, air = _NEON if style == "neon" else _palette(time, weather)
    sun = "#ff7ad9" if style == "neon" else _SUNS[time]
    part: Part = "night" if style == "neon" else PARTS[time]
    return Light(part, weather, side, sky, sun, ambient, haze, density, air, time, style)


def _palette(time: Time, weather: Weather) -> _Row:
    """The colours of an hour; those between the parts of the day lend something of their own to the other weathers."""
    part = PARTS[time]
    if time == part:
        return _PALETTES[part, weather]
    own, share = _HOURS[time], _OWN[time]
    if weather == "clear":
        return own
    sky, ambient, haze, density, air = _PALETTES[part, weather]
    blended = [a + (b - a) * share for a, b in zip(ambient, own[1], strict=True)]
    zenith, middle, horizon = (mix(a, b, share) for a, b in zip(sky, own[0], strict=True))
    return (zenith, middle, horizon), (blended[0], blended[1], blended[2]), mix(haze, own[2], share), density, air


def seen_at(light: Light, colour: str, depth: float) -> str:
    """A daylight colour as the light shows it at a depth, for landmarks that must be made out through more air."""
    return "#" + "".join(f"{value:02x}" for value in light.on(colour, depth))


def mix(first: str, second: str, share: float) -> str:
    """The colour "#rrggbb" between two: 0 is the first, 1 the second."""
    mixed = (round(a + (b - a) * share) for a, b in zip(_rgb(first), _rgb(second), strict=True))
    return "#" + "".join(f"{max(0, min(255, value)):02x}" for value in mixed)


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


_SUNS: dict[Time, str] = {
    "dawn": "#ffe2c8", "day": "#fff3c4", "golden_hour": "#ffd271", "sunset": "#ffdc8a", "night": "#f6f2dc",
    "moonlight": "#eef4ff",
}  # fmt: skip

_Row = tuple[tuple[str, str, str], tuple[float, float, float], str, float, float]

#: How much of its colour an hour between the parts of the day keeps when it is not clear.
_OWN: dict[Time, float] = {"dawn": 0.65, "golden_hour": 0.65, "moonlight": 0.4}
#: Hours between the parts of the day, when it is clear; the rows are those of _PALETTES.
_HOURS: dict[Time, _Row] = {
    "dawn": (("#5d7fc6", "#eaa9bd", "#ffe3bf"), (0.93, 0.86, 0.93), "#f0cbd2", 0.13, 0.02),
    "golden_hour": (("#63a3cf", "#f6d28f", "#ffdf9a"), (1.08, 0.92, 0.70), "#fcdb9c", 0.11, 0.0),
    "moonlight": (("#17295f", "#3f60ac", "#9db6e8"), (0.62, 0.73, 1.02), "#86a0dc", 0.11, 0.07),
}
#: What lamps make of a night: violet air, magenta horizon.
_NEON: _Row = (("#08051f", "#3b1273", "#d8309a"), (0.62, 0.48, 1.0), "#7a2fb6", 0.12, 0.05)

# sky from the zenith to the horizon, ambient factors, haze, density, air
_PALETTES: dict[tuple[Part, Weather], _Row] = {
    ("day", "clear"): (("#3f9fdc", "#97d3ef", "#fdf0d2"), (1.02, 1.0, 0.95), "#cbe4ee", 0.085, 0.0),
    ("day", "rain"): (("#76889a", "#9dadb9", "#c3cdd0"), (0.72, 0.80, 0.88), "#b3c0c8", 0.14, 0.04),
    ("day", "storm"): (("#343a52", "#565d74", "#969aa6"), (0.52, 0.54, 0.65), "#7d8496", 0.13, 0.05),
    ("day", "snow"): (("#8aa5c2", "#b3c6da", "#dfe8f0"), (0.89, 0.94, 1.01), "#ccd9e6", 0.13, 0.03),
    ("day", "fog"): (("#bcc8cc", "#d2d9d8", "#e6e6de"), (0.88, 0.91, 0.92), "#dde3e1", 0.30, 0.12),
    ("sunset", "clear"): (("#47387f", "#e0647a", "#ffca6a"), (1.02, 0.76, 0.66), "#f7a478", 0.10, 0.0),
    ("sunset", "rain"): (("#4a4667", "#94697f", "#dda48a"), (0.76, 0.64, 0.70), "#bd8f90", 0.14, 0.04),
    ("sunset", "storm"): (("#2a2343", "#663b5a", "#d2734f"), (0.60, 0.46, 0.54), "#94586a", 0.13, 0.05),
    ("sunset", "snow"): (("#7570ac", "#d498b4", "#ffdcb8"), (0.93, 0.85, 0.95), "#e6c0cc", 0.13, 0.02),
    ("sunset", "fog"): (("#9886a4", "#dca692", "#f6d2a0"), (0.92, 0.77, 0.72), "#efc5a2", 0.29, 0.10),
    ("night", "clear"): (("#0b1136", "#20327a", "#6076c0"), (0.52, 0.58, 0.90), "#4f66b2", 0.10, 0.06),
    ("night", "rain"): (("#0f172e", "#253456", "#566c92"), (0.46, 0.53, 0.73), "#42557a", 0.14, 0.07),
    ("night", "storm"): (("#0e0a22", "#292048", "#6a5da6"), (0.48, 0.45, 0.70), "#50457f", 0.13, 0.08),
    ("night", "snow"): (("#1a2653", "#3b4d90", "#8b9dd0"), (0.52, 0.60, 0.88), "#6d80b8", 0.13, 0.06),
    ("night", "fog"): (("#1f2944", "#384766", "#6b7b99"), (0.42, 0.48, 0.64), "#64759a", 0.28, 0.13),
}
