"""Each shape of pipeline that has a recipe, through the engine's real path: loaded from its folder, asked for a film of
every kind that it can make, and encoded. What the films show is noise; their form is what is looked at."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from filmgate.domain.spec import AspectRatio, Kind, Mode, Resolution, Spec
from filmgate.media.encode import Encoder
from filmgate.media.finish import finish
from filmgate.media.probe import probe
from support.neural import SPEC, Studio, Watcher, digest, from_images

EXTEND = Spec("it goes on", "veo3", kind=Kind.EXTEND, seconds=4, seed=12345)
LARGER = Spec("a dog", "veo3", kind=Kind.UPGRADE_1080P, resolution=Resolution.P1080, seconds=4, seed=12345)


def small(path: Path) -> Path:
    """Half a second of a film that is no larger than it must be, with sound."""
    with Encoder(path, 128, 72) as encoder:
        for number in range(12):
            encoder.frame_bgra(np.full((72, 128, 4), 20 * number, np.uint8))
        encoder.audio(np.zeros((24_000, 2), np.float32))
    return path


def check(film: Path, spec: Spec = SPEC, *, sound: bool = False) -> None:
    """As it was ordered, and as it is stored."""
    found = probe(film)
    assert (found.width, found.height) == spec.size
    assert (found.seconds, found.fps, found.has_audio) == (4.0, 24.0, sound)
    assert found.plays_everywhere
    stored, _ = finish(film, spec, film.parent, lambda fraction, stage: None)
    assert stored.has_audio is sound


def test_wan_2_2_ti2v_5b(studio: Studio) -> None:
    engine, watcher = studio.engine("wan-2.2-ti2v-5b"), Watcher()
    assert engine.capabilities().audio is False
    first = studio.film(engine, watcher=watcher)
    assert watcher.stages == [
        "reading the prompt", "denoising, step 1 of 2", "developing the pictures", "encoding", "done",
    ]  # fmt: skip
    fractions = [fraction for fraction, _ in watcher.said]
    assert fractions == sorted(fractions)
    assert (fractions[0], fractions[-1]) == (0.0, 1.0)
    made = digest(first)
    from_image = studio.film(engine, from_images(1), images=studio.images(1))
    assert digest(from_image) != made
    check(from_image, from_images(1))
    check(studio.film(engine, EXTEND, source=first), EXTEND)
    assert digest(studio.film(engine)) == made, "the same seed is the same film, whatever was made in between"
    check(first)


def test_wan_2_2_t2v_a14b_with_two_experts(studio: Studio) -> None:
    upright = Spec("a dog", "veo3", aspect_ratio=AspectRatio.PORTRAIT, seconds=4, seed=12345)
    check(studio.film(studio.engine("wan-2.2-t2v-a14b"), upright, options={"steps": 4}), upright)


def test_wan_2_2_i2v_a14b_with_a_last_image(studio: Studio) -> None:
    engine, images = studio.engine("wan-2.2-i2v-a14b"), studio.images(2)
    one = studio.film(engine, from_images(1), images=images[:1])
    both = studio.film(engine, from_images(2), images=images)
    assert digest(one) != digest(both), "the last image is heeded"
    check(studio.film(engine, EXTEND, source=both), EXTEND)
    check(both, from_images(2))


def test_wan_vace_with_references(studio: Studio) -> None:
    engine, images = studio.engine("wan-2.1-vace-14b"), studio.images(3)
    text = studio.film(engine)
    references = from_images(3, Mode.REFERENCE)
    shown = studio.film(engine, references, images=images)
    assert digest(text) != digest(shown)
    check(shown, references)
    check(studio.film(engine, from_images(2), images=images[:2]), from_images(2))
    check(studio.film(engine, EXTEND, source=text), EXTEND)


def test_ltx_2_with_sound(studio: Studio) -> None:
    engine, images = studio.engine("ltx-2"), studio.images(2)
    assert engine.capabilities().audio is True
    text = studio.film(engine)
    both = studio.film(engine, from_images(2), images=images)
    assert digest(text) != digest(both)
    check(both, from_images(2), sound=True)
    check(studio.film(engine, EXTEND, source=text), EXTEND, sound=True)
    check(text, sound=True)


def test_ltx_2_distilled_at_half_size_first_and_films_made_larger(studio: Studio) -> None:
    upsampler = studio.folder / "weights" / "latent_upsampler"
    upsampler.parent.mkdir()
    upsampler.symlink_to(studio.weights("latent_upsampler"))
    engine = studio.engine("ltx-2", recipe="ltx-2-distilled", size=(128, 64), upscaler=str(upsampler.parent))
    watcher = Watcher()
    film = studio.film(engine, watcher=watcher, options={})
    assert "denoising, step 10 of 11" in watcher.stages, "eight steps at half size, and three to refine"
    check(film, sound=True)
    larger = probe(studio.film(engine, LARGER, source=small(studio.folder / "small.mp4")))
    assert (larger.width, larger.height, larger.has_audio) == (1920, 1080, True)
    assert larger.seconds == pytest.approx(0.5), "every picture is there, and none twice"


def test_hunyuanvideo_1_5_which_has_no_callback_tells_its_steps(studio: Studio) -> None:
    watcher = Watcher()
    film = studio.film(studio.engine("hunyuanvideo-1.5-t2v"), watcher=watcher, options={"steps": 3})
    assert watcher.stages[1:3] == ["denoising, step 1 of 3", "denoising, step 2 of 3"]
    check(film)


def test_cogvideox(studio: Studio) -> None:
    check(studio.film(studio.engine("cogvideox-t2v")))


@pytest.mark.parametrize("name", ["text-to-video"])
def test_any_other_pipeline_by_a_plain_recipe(studio: Studio, name: str) -> None:
    check(studio.film(studio.engine("cogvideox-t2v", recipe=name)))
