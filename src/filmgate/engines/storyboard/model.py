"""The values of the paper theatre: what passes between plan, shots, sets, puppets and the renderer.

Space is measured in *stage units*. At rest a landscape frame shows 16 x 9 units and a portrait frame 9 x 16, so one
unit is always (short side / 9) pixels. ``x`` grows to the right and is 0 in the middle of the frame; ``y`` grows
*downwards* and is 0 on the boards, the line on which the puppets stand. ``depth`` is the distance from the lens: 1 is
the puppets' own plane, smaller is nearer (foreground), larger is farther (sky: 20 and more). Everything is authored
where the camera at rest sees it; depth decides only how much it shifts and grows when the camera moves.

Time is measured in seconds from the beginning of the film. A frame is a pure function of its time: nothing here
carries state from one frame to the next, which is what allows several processes to render one film.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from .draw import Brush
    from .ways import Way

FPS = 24

Time = Literal["dawn", "day", "golden_hour", "sunset", "night", "moonlight"]
Part = Literal["day", "sunset", "night"]  #: the part of the day by which lamps, windows, skies and crickets go
Weather = Literal["clear", "rain", "storm", "snow", "fog"]
Mood = Literal["calm", "happy", "tense", "epic", "melancholy", "funny"]
Style = Literal["watercolor", "noir", "neon", "pastel", "vintage", "blueprint"]
Move = Literal["static", "pan", "tilt", "dolly_in", "dolly_out", "crane", "tracking", "drone", "handheld", "orbit"]

PARTS: Mapping[Time, Part] = {
    "dawn": "sunset", "day": "day", "golden_hour": "sunset", "sunset": "sunset", "night": "night", "moonlight": "night",
}  # fmt: skip

# ---------------------------------------------------------------- what the prompt means (plan.py) -----------------


@dataclass(frozen=True)
class Subject:
    """One thing that the film is about."""

    noun: str  #: as the prompt says it, in the singular: "dog", "ship", "robot"
    puppet: str | None  #: the name of a puppet of ours, or None
    sticker: str | None  #: else the emoji that is cut out as a paper sticker, or None
    count: int = 1  #: 1 to 5; a bare plural is 3
    colour: str | None = None  #: "#rrggbb" where the prompt names one
    size: float = 1.0  #: "giant" 2, "tiny" 0.5
    action: str = "idle"  #: one of actions.ACTIONS
    picture: int | None = None  #: the number of the reference image that is cut out for it
    shape: float = 1.0  #: ... and the width of that, in its heights


@dataclass(frozen=True)
class Plan:
    """What a prompt was understood to say. Plain data: it is stored with the film, so that it can be shot again."""

    prompt: str
    seed: int
    seconds: int  #: 4, 6 or 8
    portrait: bool
    subjects: tuple[Subject, ...]
    setting: str  #: one of sets.SETS
    time: Time = "day"
    weather: Weather = "clear"
    mood: Mood = "calm"
    move: Move | None = None  #: the camera move that the prompt asks for
    dialogue: str | None = None  #: what somebody says, as quoted in the prompt
    lettered: tuple[str, ...] = ()  #: words that cannot be pictured: set in type on a paper card
    noted: tuple[str, ...] = ()  #: what else is not to be seen: small, on a slip at the edge
    style: Style | None = None  #: the manner of picture that the prompt asks for
    pace: float = 1.0  #: how fast everything goes: 0.6 in slow motion


# ---------------------------------------------------------------- the theatre -------------------------------------


@dataclass(frozen=True)
class Stage:
    """The opening of the theatre: which part of space the camera at rest sees."""

    portrait: bool

    @property
    def width(self) -> float:
        return 9.0 if self.portrait else 16.0

    @property
    def height(self) -> float:
        return 16.0 if self.portrait else 9.0

    @property
    def top(self) -> float:
        """The y of the upper edge of the frame: the boards lie at 3/4 of the height (2/3 in portrait)."""
        return -self.height * (2 / 3 if self.portrait else 3 / 4)

    @property
    def bottom(self) -> float:
        return self.top + self.height

    @property
    def left(self) -> float:
        return -self.width / 2

    @property
    def right(self) -> float:
        return self.width / 2

    def span(self, depth: float) -> tuple[float, float, float, float]:
        """(left, top, right, bottom) of what a sheet at this depth must cover so that no camera move shows its end.

        The camera never travels more than 3 units sideways and 2 units up or down (``shots.py`` keeps to it).
        """
        across, along = 3.0 / min(depth, 6.0) + 0.7, 2.0 / min(depth, 6.0) + 0.5
        return self.left - across, self.top - along, self.right + across, self.bottom + along


@dataclass(frozen=True)
class Sheet:
    """One sheet of the set: painted once, in stage units, and then only moved."""

    name: str
    depth: float
    paint: Callable[[Brush], None]
    box: tuple[float, float, float, float]  #: (left, top, right, bottom) in stage units: what paint may touch
    opaque: bool = False  #: only the backmost sheet, which fills its box
    drift: Callable[[float], tuple[float, float]] | None = None  #: seconds -> (dx, dy): clouds, waves, leaves


@dataclass(frozen=True)
class Pose:
    """How a puppet stands at one instant."""

    joints: Mapping[str, float] = field(default_factory=dict)  #: part name -> turn in degrees, clockwise on screen
    dx: float = 0.0  #: displacement of the whole puppet in its own heights, towards where it faces
    dy: float = 0.0  #: in its own heights; negative is up
    turn: float = 0.0  #: turn of the whole puppet about its foot point, degrees, clockwise when it faces right
    stretch: float = 1.0  #: squash and stretch: height factor; the width becomes 1 / stretch


@dataclass(frozen=True)
class Actor:
    """A puppet (or sticker) in a scene."""

    subject: Subject
    x: float  #: foot point at the beginning of the film
    y: float  #: 0 = on the boards; flying and floating things are higher up
    depth: float
    height: float  #: stage units from the foot point to the crown
    facing: int = 1  #: 1 right, -1 left
    phase: float = 0.0  #: 0 to 1: keeps a group out of step
    speed: float = 0.0  #: stage units a second along ``facing``
    way: Way | None = None  #: in films that go on: what it does from when on, instead of x, y, facing and speed


@dataclass(frozen=True)
class View:
    """Where the camera is at one instant."""

    x: float = 0.0  #: sideways travel, stage units
    y: float = 0.0  #: up (negative) and down
    zoom: float = 1.0  #: 1 shows the frame at rest; 2 shows half of it
    dolly: float = 0.0  #: travel into the set, in depths: sheets grow by depth / (depth - dolly)
    roll: float = 0.0  #: degrees


@dataclass(frozen=True)
class Shot:
    """An uncut stretch of film."""

    start: float
    end: float
    view: Callable[[float], View]  #: seconds from the beginning of the *film* -> View


@dataclass(frozen=True)
class Cue:
    """Something that is heard at an instant: a footfall, a splash, a bell."""

    at: float
    sound: str  #: one of sound.FOLEY
    pan: float = 0.0  #: -1 left to 1 right
    gain: float = 1.0


@dataclass(frozen=True)
class Screenplay:
    """The plan, staged: who stands where, and what the camera does."""

    plan: Plan
    actors: tuple[Actor, ...]
    shots: tuple[Shot, ...]
