"""Films: the same everywhere, whole at every camera move, and made by any number of processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from filmgate.engines.storyboard import cards, emoji, lettering, stickers
from filmgate.engines.storyboard.film import Film, from_plan
from filmgate.engines.storyboard.lettering import Face
from filmgate.engines.storyboard.model import Actor, Move, Plan, Stage, Subject
from filmgate.engines.storyboard.pool import Pool, RenderError
from filmgate.engines.storyboard.script import Script
from filmgate.media.encode import Converter

DOG = Subject("dog", "dog", None, action="run")
PIZZA = Subject("pizza", None, "🍕", action="dance")
PLAN = Plan("a dog and a pizza in a park", 12345, 4, False, (DOG, PIZZA), "park")
SMALL = (320, 180)


def small(plan: Plan) -> Film:
    width, height = SMALL
    return from_plan(plan, height, width) if plan.portrait else from_plan(plan, width, height)


def test_a_frame_depends_on_nothing_but_its_index() -> None:
    one, other = small(PLAN), small(PLAN)
    wanted = one.frame(40).copy()
    for index in (90, 3, 41):
        other.frame(index)
    assert np.array_equal(other.frame(40), wanted)


def test_frames_differ_and_so_do_seeds() -> None:
    film = small(PLAN)
    first = film.frame(0).copy()
    assert not np.array_equal(first, film.frame(30))
    assert not np.array_equal(first, small(replace(PLAN, seed=54321)).frame(0))


@pytest.mark.parametrize("portrait", [False, True])
@pytest.mark.parametrize("move", get_args(Move))
def test_no_move_uncovers_the_end_of_the_set(move: Move, portrait: bool) -> None:
    """Where no sheet lies, a frame would be transparent."""
    film = small(replace(PLAN, move=move, portrait=portrait))
    for index in (0, 30, 60, 95):
        film._pixels[:] = 0
        pixels = film.frame(index)
        assert pixels.shape == ((320, 180, 4) if portrait else (180, 320, 4))
        assert pixels[..., 3].min() == 255


def test_the_same_film_at_another_size_shows_the_same() -> None:
    large = from_plan(PLAN, 640, 360).frame(30).astype(np.float32)
    halved = large.reshape(180, 2, 320, 2, 4).mean(axis=(1, 3))
    assert np.abs(halved - small(PLAN).frame(30)).mean() < 6


def test_the_subject_is_seen() -> None:
    """With and without it: a good part of the frame in its main shot is another."""
    alone = replace(PLAN, subjects=(DOG,))
    empty = replace(PLAN, subjects=(replace(DOG, size=0.001),))
    film, other = small(alone), small(empty)
    x_ray = np.abs(film.frame(60).astype(int) - other.frame(60)).max(axis=2) > 24
    assert x_ray.mean() > 0.02


# ---------------------------------------------------------------- words -------------------------------------------


def test_words_hang_in_the_film() -> None:
    bare = replace(PLAN, subjects=(), setting="plain")
    lettered = replace(bare, lettered=("quantum", "entropy"))
    difference = np.abs(small(lettered).frame(40).astype(int) - small(bare).frame(40)).max(axis=2) > 40
    assert 0.05 < difference.mean() < 0.5


def test_what_is_said_is_shown_in_the_middle_of_the_film_and_not_at_its_ends() -> None:
    said, silent = small(replace(PLAN, dialogue="Where is my ball?")), small(PLAN)
    changed = [bool((said.frame(i) != silent.frame(i)).any()) for i in (0, 48, 95)]
    assert changed == [False, True, False]


def test_letters_that_no_typeface_has_are_left_out() -> None:
    assert lettering.showable("caf\u0065\u0301  \ue000 Ω Ж\n") == "café Ω Ж"
    assert lettering.showable("\ue000\ue001") == ""
    assert lettering.showable("to the 🌙 and back") == "to the 🌙 and back"


def test_letters_are_kerned() -> None:
    apart = lettering.measure("A", 1.0, Face.BOLD) + lettering.measure("V", 1.0, Face.BOLD)
    assert lettering.measure("AV", 1.0, Face.BOLD) < apart - 0.02


@pytest.mark.parametrize("text", ["a", "the sound of quantum entanglement", "pneumono" * 12, "word " * 120])
def test_type_fits_its_box(text: str) -> None:
    setting = lettering.fit(text, 8.0, 3.0, 1.2)
    assert setting.width <= 8.0 + 1e-6
    assert setting.height <= 3.0 + 1e-6
    assert all(lettering.measure(line, setting.size, Face.BOLD) <= 8.0 + 0.7 for line in setting.lines)


def test_a_card_beside_subjects_hangs_on_the_other_side() -> None:
    assert cards.place_for(Stage(False), False, 3.0).x < 0 < cards.place_for(Stage(False), False, -3.0).x


def test_an_emoji_without_a_drawing_says_what_to_do() -> None:
    with pytest.raises(emoji.StickerError, match="another emoji"):
        emoji.drawing("x")


def test_stickers_move() -> None:
    actor = Actor(PIZZA, 0.0, 0.0, 1.0, 2.0)
    assert len({stickers.pose(actor, i / 8).turn for i in range(6)}) > 3


def test_stickers_that_only_stand_are_never_seen_in_a_mirror_and_those_that_go_look_ahead() -> None:
    standing, going = Actor(PIZZA, 0.0, 0.0, 1.0, 2.0), Actor(replace(PIZZA, action="walk"), 0.0, 0.0, 1.0, 2.0)
    assert [stickers.turned(replace(standing, facing=facing)) for facing in (1, -1)] == [False, True]
    assert [stickers.turned(replace(going, facing=facing)) for facing in (1, -1)] == [True, True]


# ---------------------------------------------------------------- render processes --------------------------------


def rendered(plan: Plan, folder: Path, processes: int) -> list[bytes]:
    folder.mkdir()
    with Pool(Script((plan,)), *SMALL, folder, processes) as pool:
        return [frame.tobytes() for frame in pool.frames()]


def test_one_or_two_processes_make_the_same_film(tmp_path: Path) -> None:
    one, two = rendered(PLAN, tmp_path / "one", 1), rendered(PLAN, tmp_path / "two", 2)
    assert len(one) == 96
    assert one == two
    assert one[50] == Converter(*SMALL).yuv(small(PLAN).frame(50)).tobytes()


def test_a_render_process_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(RenderError, match="nowhere"):
        rendered(replace(PLAN, setting="nowhere"), tmp_path / "job", 1)


def test_a_render_process_that_is_killed_ends_the_film(tmp_path: Path) -> None:
    with Pool(Script((PLAN,)), *SMALL, tmp_path, 1) as pool:
        frames = pool.frames()
        next(frames)
        os.kill(pool._keeper.pid, signal.SIGKILL)
        with pytest.raises(RenderError, match="ended early"):
            list(frames)


def test_a_render_process_ends_with_its_orders() -> None:
    done = subprocess.run([sys.executable, "-m", "filmgate.engines.storyboard.pool", "0:1"], input=b"", timeout=60)
    assert done.returncode == 0


def test_render_processes_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from filmgate.engines.storyboard.pool import Pool\n"
        "from filmgate.engines.storyboard.plan import make_plan\n"
        "from filmgate.engines.storyboard.script import Script\n"
        "plan = make_plan('a dog', seed=10000, seconds=8, portrait=False)\n"
        "pool = Pool(Script((plan,)), 320, 180, Path(sys.argv[1]), 1); frames = pool.frames(); next(frames)\n"
        "print(pool._keeper.pid, flush=True); sys.stdin.read()"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    parent.kill()
    parent.communicate()
    deadline = time.monotonic() + 30
    while _lives(child) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _lives(child)


def _lives(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
