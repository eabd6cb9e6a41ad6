"""The camera shows what it should and never the end of a sheet."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filmgate.engines.storyboard import camera
from filmgate.engines.storyboard.camera import Affine, Motion, magnification, project, seen, within
from filmgate.engines.storyboard.model import Stage, View

STAGES = st.sampled_from([Stage(False), Stage(True)])
DEPTHS = st.one_of(st.floats(0.5, 2.0), st.floats(2.0, 40.0))
VIEWS = st.builds(
    View, x=st.floats(-20, 20), y=st.floats(-20, 20), zoom=st.floats(0.2, 4), dolly=st.floats(-2, 2),
    roll=st.floats(-30, 30),
)  # fmt: skip
MOVES: list[Callable[..., Motion]] = [
    camera.static, camera.pan, camera.tilt, camera.dolly_in, camera.dolly_out, camera.crane, camera.tracking,
    camera.drone, camera.handheld, camera.orbit,
]  # fmt: skip


@given(VIEWS, STAGES, DEPTHS)
def test_no_view_within_the_limits_shows_the_end_of_a_sheet(view: View, stage: Stage, depth: float) -> None:
    left, top, right, bottom = seen(within(view, stage), depth, stage)
    begin, over, end, under = stage.span(depth)
    assert begin <= left
    assert over <= top
    assert right <= end
    assert bottom <= under


@given(VIEWS, STAGES)
def test_a_view_within_the_limits_is_left_alone(view: View, stage: Stage) -> None:
    once = within(view, stage)
    assert within(once, stage) == once


@given(STAGES, DEPTHS, st.floats(20, 240))
def test_at_rest_every_depth_is_shown_as_it_is_authored(stage: Stage, depth: float, unit: float) -> None:
    matrix = project(View(), depth, stage, unit)
    assert matrix(stage.left, stage.top) == pytest.approx((0, 0), abs=1e-6)
    assert matrix(stage.right, stage.bottom) == pytest.approx((stage.width * unit, stage.height * unit))


def test_near_things_shift_and_grow_more_than_far_ones() -> None:
    stage, at_rest = Stage(False), View()
    moved, closer = View(x=1.0), View(dolly=0.3)

    def shift(depth: float) -> float:
        return project(at_rest, depth, stage, 80)(0, 0)[0] - project(moved, depth, stage, 80)(0, 0)[0]

    assert shift(0.5) == pytest.approx(2 * shift(1.0))
    assert shift(1.0) == pytest.approx(80)
    assert magnification(closer, 0.6) > magnification(closer, 1.0) > magnification(closer, 20.0) > 1.0


@pytest.mark.parametrize("move", MOVES)
def test_moves_are_smooth_and_stay_near_the_limits(move: Callable[..., Motion]) -> None:
    """No jump from one frame to the next, and what the limits cut off is nothing that one would see."""
    stage = Stage(False)
    view = move(0.0, 8.0, View())
    path = [view(i / 24) for i in range(193)]
    for a, b in pairwise(path):
        assert abs(a.x - b.x) < 0.06
        assert abs(a.y - b.y) < 0.06
        assert abs(a.zoom - b.zoom) < 0.01
        assert abs(a.dolly - b.dolly) < 0.01
    assert all(math.dist((v.x, v.y), (within(v, stage).x, within(v, stage).y)) < 1e-9 for v in path)


@pytest.mark.parametrize("move", MOVES)
def test_moves_move(move: Callable[..., Motion]) -> None:
    view = move(1.0, 5.0, View())
    assert view(1.0) != view(4.0)


@pytest.mark.parametrize("easing", [camera.ease, camera.glide])
def test_easing_runs_from_0_to_1_and_never_back(easing: Callable[[float], float]) -> None:
    values = [easing(i / 200) for i in range(-20, 221)]
    assert values[0] == 0
    assert values[-1] == pytest.approx(1)
    assert all(b >= a for a, b in pairwise(values))


def test_look_at_puts_a_point_into_the_middle() -> None:
    stage = Stage(False)
    matrix = project(camera.look_at(stage, 2.0, -3.0, 1.5), 1.0, stage, 80)
    assert matrix(2.0, -3.0) == pytest.approx((640, 360))


@given(st.floats(-180, 180), st.floats(-5, 5), st.floats(-5, 5))
def test_matrices_compose(turn: float, x: float, y: float) -> None:
    both = Affine.move(1.0, 2.0) @ Affine.turn(turn, 0.5, -0.5) @ Affine.stretch(2.0, 3.0)
    one_by_one = Affine.move(1.0, 2.0)(*Affine.turn(turn, 0.5, -0.5)(*Affine.stretch(2.0, 3.0)(x, y)))
    assert both(x, y) == pytest.approx(one_by_one, abs=1e-6)


def test_a_turn_is_clockwise_on_screen() -> None:
    assert Affine.turn(90.0)(1.0, 0.0) == pytest.approx((0.0, 1.0))
