"""Movement: any action for any puppet is finite, continuous and in time with its sounds."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filmgate.engines.storyboard.actions import ACTIONS, footfalls, perform
from filmgate.engines.storyboard.model import Pose
from filmgate.engines.storyboard.puppets import Puppet, load, names

actions = st.sampled_from(ACTIONS)
puppets = st.sampled_from(names()).map(load)
times = st.floats(0.0, 12.0)
phases = st.floats(0.0, 1.0)
speeds = st.floats(0.0, 6.0)
tempos = st.floats(0.6, 2.5)


def values(pose: Pose) -> list[float]:
    return [*pose.joints.values(), pose.dx, pose.dy, pose.turn, pose.stretch]


@given(actions, puppets, times, phases, speeds, tempos)
def test_every_pose_is_finite_and_moves_only_parts_that_exist(
    action: str, puppet: Puppet, t: float, phase: float, speed: float, tempo: float
) -> None:
    pose = perform(action, puppet, t, phase=phase, speed=speed, height=puppet.height, tempo=tempo)
    assert all(math.isfinite(value) for value in values(pose))
    assert all(name in puppet for name in pose.joints)
    assert 0.7 < pose.stretch < 1.4
    assert -1.6 < pose.dy < 0.8


@given(actions, puppets, times, phases, speeds)
def test_movement_has_no_jumps(action: str, puppet: Puppet, t: float, phase: float, speed: float) -> None:
    def at(time: float) -> Pose:
        return perform(action, puppet, time, phase=phase, speed=speed, height=puppet.height)

    before, after = at(t), at(t + 1e-4)
    assert set(before.joints) == set(after.joints)
    for name, angle in before.joints.items():
        assert abs(after.joints[name] - angle) < 1.5, name
    assert abs(after.dx - before.dx) < 0.01
    assert abs(after.dy - before.dy) < 0.01
    assert abs(after.turn - before.turn) < 1.0
    assert abs(after.stretch - before.stretch) < 0.01


@given(actions, puppets, phases, speeds, st.floats(0.0, 5.0), st.floats(0.0, 6.0))
def test_footfalls_are_in_order_and_inside_the_window(
    action: str, puppet: Puppet, phase: float, speed: float, start: float, span: float
) -> None:
    window = {"start": start, "end": start + span}
    instants = footfalls(action, puppet, phase=phase, speed=speed, height=puppet.height, **window)
    assert instants == sorted(instants)
    assert all(start <= instant < start + span for instant in instants)
    assert len(instants) <= 16 * (span + 1)


@pytest.mark.parametrize(("name", "action"), [("person", "walk"), ("person", "run"), ("dog", "walk"), ("horse", "run")])
def test_a_foot_is_farthest_ahead_when_it_falls(name: str, action: str) -> None:
    puppet = load(name)
    legs = [part.name for part in puppet.parts if part.name.startswith("leg") and not part.name.endswith("lower")]
    stride = {"speed": puppet.height * 0.8, "height": puppet.height}
    instants = footfalls(action, puppet, end=3.0, **stride)
    assert len(instants) >= 4

    def leg_angles(t: float) -> list[float]:
        pose = perform(action, puppet, t, **stride)
        return [pose.joints[leg] + pose.joints.get("body", 0.0) for leg in legs]

    ahead = min(min(leg_angles(i / 100)) for i in range(300))
    for instant in instants[1:]:
        assert min(leg_angles(instant)) < 0.4 * ahead


@pytest.mark.parametrize("speed", [1.5, 2.5, 3.5])
def test_a_standing_foot_does_not_slide(speed: float) -> None:
    puppet = load("person")
    hip = -puppet.part("leg_near").pivot[1]
    steps = []
    for i in range(400):
        pose = perform("walk", puppet, i / 200, speed=speed, height=puppet.height)
        if pose.joints["leg_near_lower"] == 0.0:
            foot = -hip * math.sin(math.radians(pose.joints["leg_near"]))
            steps.append((i, foot + speed / puppet.height * i / 200))
    slides = [abs(b - a) for (i, a), (j, b) in pairwise(steps) if j == i + 1]
    assert len(slides) > 50
    assert max(slides) < 0.002


def test_wheels_turn_by_what_they_have_travelled() -> None:
    car = load("car")
    radius = -car.part("wheel_front").pivot[1] * car.height
    before, after = (perform("roll", car, t, speed=2.0, height=car.height).joints["wheel_front"] for t in (1.0, 2.0))
    assert math.radians(after - before) * radius == pytest.approx(2.0)
    assert perform("roll", car, 3.0).joints["wheel_front"] == 0.0


def test_a_riders_feet_stay_on_the_pedals() -> None:
    bicycle = load("bicycle")
    for i in range(24):
        pose = perform("roll", bicycle, i / 12, speed=3.0, height=bicycle.height)
        for side in ("near", "far"):
            leg = carried(bicycle, pose, (f"leg_{side}", f"leg_{side}_lower"), f"foot_{side}")
            pedal = carried(bicycle, pose, ("crank",), f"pedal_{side}")
            rest = complex(*bicycle.part(f"foot_{side}").pivot) - complex(*bicycle.part(f"pedal_{side}").pivot)
            assert abs(leg - pedal - rest) < 0.012


def carried(puppet: Puppet, pose: Pose, chain: tuple[str, ...], last: str) -> complex:
    """Where the pivot of ``last`` is, when the parts of the chain have turned."""
    point = complex(*puppet.part(last).pivot)
    for name in reversed(chain):
        pivot, angle = complex(*puppet.part(name).pivot), math.radians(pose.joints[name])
        point = pivot + (point - pivot) * complex(math.cos(angle), math.sin(angle))
    return point


def test_a_higher_sea_rocks_a_ship_more() -> None:
    ship = load("ship")

    def roll(sea: float) -> float:
        return max(abs(perform("float", ship, i / 10, tempo=sea).turn) for i in range(100))

    assert roll(2.5) > 2 * roll(1.0)


def test_every_rig_does_more_than_one_thing() -> None:
    for name in ("dog", "person", "bird", "fish", "car"):
        puppet = load(name)
        poses = {tuple(values(perform(action, puppet, 0.73))) for action in ACTIONS}
        assert len(poses) >= 4, name


def test_phases_keep_a_group_out_of_step() -> None:
    for name in names():
        puppet = load(name)
        assert perform("idle", puppet, 1.0, phase=0.0) != perform("idle", puppet, 1.0, phase=0.4), name


def test_a_machine_dances_in_steps() -> None:
    def moving(name: str) -> int:
        dances = [perform("dance", load(name), i / 50).joints["torso"] for i in range(200)]
        return sum(abs(b - a) > 1e-9 for a, b in pairwise(dances))

    assert moving("robot") < moving("dancer") / 2


def test_an_unknown_action_is_an_error_that_lists_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"'moonwalk'.*idle.*walk"):
        perform("moonwalk", load("dog"), 0.0)


def test_the_silent_make_no_sound_and_the_train_clatters() -> None:
    assert footfalls("sit", load("cat"), end=8.0) == []
    assert footfalls("sway", load("tree"), end=8.0) == []
    assert footfalls("roll", load("train"), end=8.0) == []
    assert len(footfalls("roll", load("train"), speed=2.0, end=8.0)) == pytest.approx(20, abs=1)


@pytest.mark.parametrize("name", ["dog", "person"])
@pytest.mark.parametrize("phase", [0.0, 0.3])
def test_a_jump_lands_when_it_is_heard(name: str, phase: float) -> None:
    puppet = load(name)
    for instant in footfalls("jump", puppet, phase=phase, end=6.0):
        assert perform("jump", puppet, instant - 0.08, phase=phase).dy < -0.03
        assert perform("jump", puppet, instant + 0.02, phase=phase).dy > -0.02


@pytest.mark.parametrize("phase", [0.0, 0.3])
def test_a_dance_is_lowest_on_its_beats(phase: float) -> None:
    dog = load("dog")
    for instant in footfalls("dance", dog, phase=phase, start=0.1, end=4.0):
        heights = [perform("dance", dog, instant + d, phase=phase).dy for d in (-0.06, 0.0, 0.06)]
        assert heights[1] == max(heights)


def test_a_bird_that_lives_on_the_ground_beats_its_wings_only_in_the_air() -> None:
    penguin = load("penguin")
    assert penguin.lift == 0
    assert footfalls("idle", penguin, end=4.0) == []
    assert len(footfalls("walk", penguin, end=4.0)) == 12
    assert len(footfalls("fly", penguin, end=4.0)) == 11
