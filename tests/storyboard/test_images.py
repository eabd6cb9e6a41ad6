"""Films that start from images: the first and last frame are the images, and references are known again."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from filmgate.domain.errors import EngineFailed
from filmgate.domain.spec import AspectRatio, Kind, Mode, Resolution, Spec
from filmgate.engines.storyboard.cutouts import featuring
from filmgate.engines.storyboard.depths import Deep
from filmgate.engines.storyboard.engine import StoryboardEngine, script_of
from filmgate.engines.storyboard.filming import Shown, film_of
from filmgate.engines.storyboard.images import cut_out, fitted, shape_of
from filmgate.engines.storyboard.pictures import silent_cast
from filmgate.engines.storyboard.plan import make_plan
from filmgate.engines.storyboard.script import Script, decoded
from filmgate.ports import Job
from storyboard.photographs import landscape, street, toy

PROMPTS = ["a quiet morning", "snow falls at night", "a storm", 'she says "hello" at sunset', "fog"]


def psnr(one: npt.NDArray[np.uint8], other: npt.NDArray[np.uint8]) -> float:
    error = np.mean((one.astype(np.float64) - other) ** 2)
    return float(10 * np.log10(255**2 / max(1e-9, float(error))))


def job(folder: Path, spec: Spec, images: tuple[Path, ...] = (), state: bytes = b"") -> Job:
    return Job("task", 1, spec, folder, lambda fraction, stage: None, lambda: False, images=images, state=state)


def filmed(prompt: str, images: list[Path], *, portrait: bool = False, seconds: int = 4) -> Shown:
    plan = silent_cast(make_plan(prompt, seed=12345, seconds=seconds, portrait=portrait))
    return film_of(Script((plan,), "frames"), images, *((180, 320) if portrait else (320, 180)))


@pytest.mark.parametrize("portrait", [False, True])
@pytest.mark.parametrize("prompt", PROMPTS)
def test_the_film_begins_and_ends_with_the_images(tmp_path: Path, prompt: str, portrait: bool) -> None:
    size = (180, 320) if portrait else (320, 180)
    one, two = landscape(tmp_path / "one.png", 500, 400), street(tmp_path / "two.png", 300, 333)
    film = filmed(prompt, [one, two], portrait=portrait)
    assert np.array_equal(film.frame(0), fitted(one, *size))
    assert np.array_equal(film.frame(film.frames - 1), fitted(two, *size))
    assert np.abs(film.frame(1).astype(int) - fitted(one, *size)).mean() < 3, "the picture is left slowly"
    assert np.abs(film.frame(film.frames - 2).astype(int) - fitted(two, *size)).mean() < 3


def test_one_image_is_the_first_frame_and_is_gone_into(tmp_path: Path) -> None:
    one = landscape(tmp_path / "one.png", 640, 360)
    film = filmed("a quiet morning", [one], seconds=6)
    assert np.array_equal(film.frame(0), fitted(one, 320, 180))
    steps = [film.frame(i).copy().astype(int) for i in (0, 1, 40, 41, film.frames - 1)]
    assert np.abs(steps[1] - steps[0]).mean() < 3 < np.abs(steps[4] - steps[0]).mean()
    assert np.abs(steps[3] - steps[2]).mean() < 3


def test_the_fit_covers_and_crops_about_the_middle(tmp_path: Path) -> None:
    wide = Image.new("RGB", (400, 100), (255, 0, 0))
    wide.paste((0, 0, 255), (150, 0, 250, 100))
    wide.save(tmp_path / "wide.png")
    pixels = fitted(tmp_path / "wide.png", 100, 100)
    assert (pixels[:, 4:-4] == (255, 0, 0, 255)).all(), "only the blue middle is left (BGRA)"


def test_an_image_of_the_films_size_is_not_touched(tmp_path: Path) -> None:
    path = landscape(tmp_path / "one.png", 320, 180)
    assert np.array_equal(fitted(path, 320, 180)[..., 2::-1], np.asarray(Image.open(path)))


def test_the_net_never_folds_and_never_shows_the_edge() -> None:
    deep = Deep(np.full((90, 160, 4), 255, np.uint8), way=-1)
    for since in (-8.0, -2.0, 0.0, 1.0, 4.5, 9.0, 30.0):
        x, y = deep.moved(since)
        assert (np.diff(x, axis=1) > 0).all()
        assert (np.diff(y, axis=0) > 0).all()
        assert max(x[:, 0].max(), y[0].max()) <= 1e-9
        assert min(x[:, -1].min(), y[-1].min()) >= 1 - 1e-9


def test_decoded_the_first_and_last_frame_are_the_images(tmp_path: Path) -> None:
    """At the real size, through the encoder; the first frame is a key frame."""
    one, two = landscape(tmp_path / "one.png", 1500, 1000), street(tmp_path / "two.png", 1280, 720)
    spec = Spec("a quiet morning", "veo3", mode=Mode.FRAMES, seconds=4, seed=12345, images=("one", "two"))
    clip = StoryboardEngine().render(job(tmp_path, spec, (one, two)))
    with av.open(str(clip.path)) as file:
        frames = list(file.decode(video=0))
    assert frames[0].key_frame
    assert len(frames) == 96
    for frame, path in ((frames[0], one), (frames[-1], two)):
        shown = frame.to_ndarray(format="rgb24").astype(np.uint8)
        assert psnr(shown, fitted(path, 1280, 720)[..., 2::-1]) >= 35.0
    larger = Spec("", "veo3", kind=Kind.UPGRADE_1080P, resolution=Resolution.P1080, seconds=4, seed=12345)
    script = script_of(job(tmp_path, larger, (one, two), clip.state))
    assert np.array_equal(film_of(script, [one, two], 1920, 1080).frame(0), fitted(one, 1920, 1080))
    with pytest.raises(EngineFailed, match="1 to 2 images"):
        script_of(job(tmp_path, larger, (), clip.state))


# ---------------------------------------------------------------- references --------------------------------------


def test_a_subject_before_a_plain_wall_is_cut_out_and_keeps_its_belly(tmp_path: Path) -> None:
    pixels, cut = cut_out(toy(tmp_path / "toy.png"))
    height, width = pixels.shape[:2]
    assert cut
    assert width / height == pytest.approx(220 / 410, abs=0.03), "cropped to its outline"
    assert pixels[4, 4, 3] == 0
    assert pixels[int(0.72 * height), width // 2, 3] == 255, "the white belly is no hole"


def test_a_photograph_stays_a_print(tmp_path: Path) -> None:
    pixels, cut = cut_out(landscape(tmp_path / "one.png", 300, 200))
    assert not cut
    assert pixels.shape == (200, 300, 4)
    assert shape_of(tmp_path / "one.png") == pytest.approx(1.5)


def test_an_image_with_transparency_is_cut_along_it(tmp_path: Path) -> None:
    picture = Image.new("RGBA", (100, 100), (0, 0, 0, 0))
    picture.paste((200, 30, 30, 255), (20, 10, 60, 90))
    picture.save(tmp_path / "clear.png")
    pixels, cut = cut_out(tmp_path / "clear.png")
    assert cut
    assert pixels.shape == (80, 40, 4)


def test_the_first_reference_plays_the_first_subject() -> None:
    plan = make_plan("a robot dances on a beach", seed=12345, seconds=4, portrait=False)
    (one,) = featuring(plan, (0.6,)).subjects
    assert (one.picture, one.puppet, one.action, one.shape) == (0, None, "dance", 0.6)
    assert [subject.picture for subject in featuring(plan, (0.6, 1.5, 1.0)).subjects] == [0, 1, 2]
    assert featuring(plan, (0.6, 1.5, 1.0)).setting == "beach"


@pytest.mark.parametrize("portrait", [False, True])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_references_are_seen_in_their_own_colours(tmp_path: Path, count: int, portrait: bool) -> None:
    paths = []
    for number, colour in enumerate(((255, 0, 0), (0, 0, 255), (255, 0, 255))[:count]):
        paths.append(tmp_path / f"{number}.png")
        Image.new("RGB", (90, 120), colour).save(paths[-1])
    spec = Spec("a walk in a park", "veo3", mode=Mode.REFERENCE, seconds=4, seed=12345,
                aspect_ratio=AspectRatio.PORTRAIT if portrait else AspectRatio.LANDSCAPE)  # fmt: skip
    script = script_of(job(tmp_path, spec, tuple(paths)))
    film = film_of(script, paths, *((180, 320) if portrait else (320, 180)))
    for index in (20, 60, 90):
        blue, green, red = (film.frame(index)[..., channel].astype(int) for channel in range(3))
        seen = [(red > 110) & (green < 80) & (blue < 90), (blue > 110) & (green < 80) & (red < 90)]
        seen.append((red > 110) & (blue > 110) & (green < 90))
        assert all(mask.mean() > 0.02 for mask in seen[:count])


def test_the_state_knows_what_the_images_were(tmp_path: Path) -> None:
    spec = Spec("a walk in a park", "veo3", mode=Mode.REFERENCE, seconds=4, seed=12345)
    script = script_of(job(tmp_path, spec, (toy(tmp_path / "toy.png"),)))
    assert script.start == "reference"
    assert script.plan.subjects[0].picture == 0


def test_capabilities_name_all_of_this() -> None:
    can = StoryboardEngine().capabilities()
    assert can.modes == frozenset(Mode)
    assert can.kinds == frozenset(Kind)
    assert can.max_references == 3


def test_the_state_of_a_film_of_the_first_version_is_still_read() -> None:
    old = b'{"prompt":"x","seed":10001,"seconds":4,"portrait":false,"subjects":[],"setting":"park"}'
    script = decoded(old)
    assert (script.plan.setting, script.start, script.begins) == ("park", "text", 0)
