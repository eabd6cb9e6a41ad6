"""What the diffusers engine knows before anything heavy is loaded: recipes, sizes, weights on the disk, and plans."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filmgate.domain.errors import EngineFailed, EngineUnavailable
from filmgate.domain.spec import AspectRatio, Kind, Mode, Resolution, Spec
from filmgate.engines.diffusers import DiffusersEngine
from filmgate.engines.diffusers.fit import FPS, Grid, window
from filmgate.engines.diffusers.orders import OPTIONS, pace_of
from filmgate.engines.diffusers.plan import GIB, Placement, place, said, work_of
from filmgate.engines.diffusers.recipes import RECIPES, REFUSED, Recipe, Speed, Start

PAGE = Path(__file__).parents[2] / "docs" / "engines.md"
WAN = {"_class_name": "WanPipeline", "_diffusers_version": "0.42.1", "expand_timesteps": True}
SPEC = Spec("a dog", "veo3", seed=12345)

Config = DiffusersEngine.Config


def folder(at: Path, index: dict[str, Any]) -> Path:
    """A model's folder as far as it is looked at before anything is loaded."""
    at.mkdir(parents=True, exist_ok=True)
    (at / "model_index.json").write_text(json.dumps(index), encoding="utf-8")
    return at


def lacks(recipe: str, **fields: Any) -> str | None:
    """What the engine says it cannot do of an order."""
    upscaler = str(fields.pop("upscaler", ""))
    capabilities = DiffusersEngine(Config(repo="/nowhere", recipe=recipe, upscaler=upscaler)).capabilities()
    return capabilities.lacks(replace(SPEC, **fields))


# ---- sizes and frames -----------------------------------------------------------------------------------------------

GRIDS = st.builds(Grid, st.sampled_from((8, 16, 32, 64)), st.sampled_from((1, 4, 8, 16)), st.integers(1, 60))
SIDES = st.integers(16, 4096)


@given(GRIDS, st.sampled_from((4, 6, 8)), st.integers(0, 40))
def test_frames_last_as_long_as_the_film_and_not_a_step_longer(grid: Grid, seconds: int, overlap: int) -> None:
    frames = grid.frames(seconds, overlap)
    assert frames % grid.frame_step == 1 % grid.frame_step
    assert 0 <= frames - overlap - seconds * grid.fps < grid.frame_step


@given(st.tuples(SIDES, SIDES), st.sampled_from(((1280, 720), (720, 1280), (1920, 1080))))
def test_the_window_lies_within_the_picture_and_has_the_shape_of_the_film(
    made: tuple[int, int], shown: tuple[int, int]
) -> None:
    left, top, width, height = window(made, shown)
    assert 0 <= left <= left + width <= made[0]
    assert 0 <= top <= top + height <= made[1]
    assert (width, height)[0] == made[0] or height == made[1]
    assert abs(width - height * shown[0] / shown[1]) <= max(1.0, shown[0] / shown[1])


def test_a_picture_that_is_a_little_too_high_is_cut_and_not_scaled() -> None:
    assert window((1280, 736), (1280, 720)) == (0, 8, 1280, 720)
    assert window((736, 1280), (720, 1280)) == (8, 0, 720, 1280)


@given(GRIDS, st.tuples(SIDES, SIDES))
def test_legal_sizes(grid: Grid, size: tuple[int, int]) -> None:
    assert grid.legal(grid.nearest(size))
    around = grid.around(size)
    assert grid.legal(around)
    assert all(0 <= outer - inner < grid.multiple for outer, inner in zip(around, size, strict=True))


# ---- the recipes ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_a_recipe_can_be_followed(recipe: Recipe) -> None:
    assert recipe.grid.legal(recipe.size)
    assert recipe.size[0] > recipe.size[1]
    assert set(recipe.paces) == set(Speed)
    steps = [recipe.paces[speed].steps for speed in Speed]
    assert steps == sorted(steps, reverse=True)
    assert recipe.starts
    assert Start.BOTH not in recipe.starts or Start.FIRST in recipe.starts
    assert (recipe.references > 0) == (Start.REFERENCES in recipe.starts)
    assert recipe.overlap % recipe.grid.frame_step == 1 % recipe.grid.frame_step
    assert not recipe.half_first or all(side % (recipe.grid.multiple) == 0 for side in recipe.size)
    assert recipe.warning or recipe.licence == "Apache-2.0"


def test_the_table_in_the_documentation_is_that_of_the_recipes() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for recipe in RECIPES.values():
        assert row(recipe) in page, f"docs/engines.md should have: {row(recipe)}"
    for name, why in REFUSED.items():
        assert f"| `{name}` | {why} |" in page, f"docs/engines.md should have: | `{name}` | {why} |"


def test_every_word_and_every_option_is_documented() -> None:
    section = PAGE.read_text(encoding="utf-8").partition("\n## diffusers\n")[2].partition("\n## ")[0]
    words, options = re.findall(r"((?:^\| `\w+` \|.*\n)+)", section, re.MULTILINE)[:2]
    fields = {each.encode_name: each.default for each in msgspec.structs.fields(Config)}
    rows = re.findall(r"^\| `(\w+)` \|([^|]*)\|", words, re.MULTILINE)
    told = {name: default.strip(" `") for name, default in rows}
    assert list(told) == list(fields)
    for name in ("device", "dtype", "offload", "attention", "compile", "warm_up"):
        assert told[name] == str(fields[name]).lower()
    assert re.findall(r"^\| `(\w+)` \|", options, re.MULTILINE) == list(OPTIONS)


def row(recipe: Recipe) -> str:
    steps = "/".join(str(recipe.paces[speed].steps) for speed in Speed)
    cells = (
        f"`{recipe.name}`",
        recipe.title,
        ", ".join(recipe.starts),
        f"{recipe.size[0]}x{recipe.size[1]} at {recipe.grid.fps}",
        " ".join(map(str, recipe.seconds)),
        steps,
        "yes" if recipe.sound else "no",
        recipe.licence,
    )
    return f"| {' | '.join(cells)} |"


def test_what_can_be_ordered_is_known_without_any_weights() -> None:
    assert lacks("wan-2.2-ti2v-5b") is None
    assert lacks("wan-2.2-ti2v-5b", mode=Mode.FRAMES, images=("a",)) is None
    assert lacks("wan-2.2-ti2v-5b", mode=Mode.FRAMES, images=("a", "b")) == "films with a last frame"
    assert lacks("wan-2.2-i2v-a14b", mode=Mode.FRAMES, images=("a", "b")) is None
    assert lacks("wan-2.2-i2v-a14b") == "films that start from text"
    assert lacks("wan-2.2-i2v-a14b", kind=Kind.EXTEND) is None
    assert lacks("wan-2.2-t2v-a14b", kind=Kind.EXTEND) == "tasks of kind extend"
    assert lacks("wan-2.1-vace-14b", mode=Mode.REFERENCE, images=("a", "b", "c")) is None
    assert lacks("ltx-2", mode=Mode.REFERENCE, images=("a",)) == "films that start from reference images"
    assert lacks("cogvideox-t2v") == "films of 8 seconds"
    assert lacks("cogvideox-t2v", seconds=6, aspect_ratio=AspectRatio.PORTRAIT) == "the aspect ratio 9:16"
    assert lacks("ltx-2", resolution=Resolution.P1080) == "1080p films"


def test_films_are_made_larger_where_the_weights_for_it_are_named() -> None:
    larger = {"kind": Kind.UPGRADE_1080P, "resolution": Resolution.P1080, "mode": Mode.FRAMES, "images": ("a", "b")}
    assert lacks("kandinsky-6", **larger) == "tasks of kind upgrade_1080p"
    assert lacks("kandinsky-6", upscaler="/models/sr", **larger) is None
    with pytest.raises(EngineUnavailable, match="has no upscaler"):
        lacks("wan-2.2-ti2v-5b", upscaler="/models/sr")


@pytest.mark.parametrize("name", REFUSED)
def test_a_model_that_cannot_be_had_is_refused_with_the_reason(name: str) -> None:
    with pytest.raises(EngineUnavailable, match="cannot be used") as refused:
        lacks(name)
    assert REFUSED[name] in str(refused.value)


def test_a_size_that_the_model_cannot_make_is_refused_with_one_that_it_can() -> None:
    engine = DiffusersEngine(Config(repo="/nowhere", recipe="ltx-2", size=(1280, 720)))
    with pytest.raises(EngineUnavailable, match=r"multiples of 32, not 1280x720: write size = \[1280, 704\]"):
        engine.capabilities()


def test_models_have_their_speed_and_options_go_before_it() -> None:
    recipe = RECIPES["wan-2.2-ti2v-5b"]
    assert [pace_of(model, {}, recipe)[0].steps for model in ("veo3", "veo3_fast", "veo3_lite", "mine")] == [
        50, 30, 20, 50,
    ]  # fmt: skip
    assert pace_of("veo3", {}, recipe)[0].cache == 0
    assert pace_of("veo3_fast", {}, recipe)[0].cache > 0
    pace, arguments = pace_of("mine", {"speed": "lite", "steps": 7, "guidance_scale": 2, "cache": 0}, recipe)
    assert (pace.steps, pace.cache, arguments["guidance_scale"]) == (7, 0, 2)
    for wrong in ({"stpes": 3}, {"steps": 0}, {"steps": "many"}, {"speed": "warp"}, {"cache": True}):
        with pytest.raises(EngineFailed):
            pace_of("veo3", wrong, recipe)


# ---- the weights ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("index", "repo", "recipe"),
    [
        (WAN, "mine", "wan-2.2-ti2v-5b"),
        ({**WAN, "expand_timesteps": False, "transformer_2": ["diffusers", "X"]}, "mine", "wan-2.2-t2v-a14b"),
        ({**WAN, "expand_timesteps": False, "transformer_2": [None, None]}, "mine", "wan-2.1-t2v-1.3b"),
        ({"_class_name": "WanImageToVideoPipeline", "transformer_2": ["diffusers", "X"]}, "mine", "wan-2.2-i2v-a14b"),
        ({"_class_name": "WanImageToVideoPipeline"}, "mine", "wan-2.1-i2v-14b"),
        ({"_class_name": "WanVACEPipeline"}, "mine", "wan-2.1-vace-14b"),
        ({"_class_name": "LTX2Pipeline"}, "mine", "ltx-2"),
        ({"_class_name": "LTX2Pipeline"}, "ltx-2.3-Distilled", "ltx-2-distilled"),
        ({"_class_name": "HunyuanVideo15Pipeline"}, "mine", "hunyuanvideo-1.5-t2v"),
        ({"_class_name": "CogVideoXPipeline"}, "CogVideoX1.5-5B", "cogvideox-1.5-t2v"),
        ({"_class_name": "CogVideoXImageToVideoPipeline"}, "mine", "cogvideox-i2v"),
        ({"_class_name": "Kandinsky6TI2VAPipeline"}, "mine", "kandinsky-6"),
        ({"_class_name": "Kandinsky6TI2VAPipeline", "scheduler": ["diffusers", "PiflowScheduler"]}, "mine",
         "kandinsky-6-distilled"),
    ],
)  # fmt: skip
def test_the_recipe_is_found_from_the_weights(tmp_path: Path, index: dict[str, Any], repo: str, recipe: str) -> None:
    at = folder(tmp_path / repo, index)
    found, named = (DiffusersEngine(Config(str(at), recipe=name)).capabilities() for name in ("", recipe))
    assert found == named


def test_weights_that_were_fetched_are_found_where_they_lie(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "hub" / "models--Wan-AI--Wan2.2-TI2V-5B-Diffusers"
    folder(place / "snapshots" / "abc", WAN)
    (place / "refs").mkdir()
    (place / "refs" / "main").write_text("abc")
    engine = DiffusersEngine(Config(repo="Wan-AI/Wan2.2-TI2V-5B-Diffusers"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "elsewhere"))
    with pytest.raises(EngineUnavailable, match=r"run `hf download Wan-AI/Wan2\.2-TI2V-5B-Diffusers`"):
        engine.capabilities()
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    assert engine.capabilities().modes == {Mode.TEXT, Mode.FRAMES}


def test_a_wrong_folder_is_refused_with_what_to_do(tmp_path: Path) -> None:
    for at, words in (
        (tmp_path / "nothing", "correct the path"),
        (tmp_path, "has no model_index.json"),
        (folder(tmp_path / "strange", {"_class_name": "StableAudioPipeline"}), "not in the table of recipes"),
        (folder(tmp_path / "modular", {"_class_name": "MiniMaxH3ModularPipeline"}), "modular pipeline"),
        (folder(tmp_path / "listed", {"_class_name": ["pipeline", "Mine"]}), "does not say which pipeline"),
    ):
        with pytest.raises(EngineUnavailable, match=words):
            DiffusersEngine(Config(repo=str(at))).capabilities()
    (tmp_path / "model_index.json").write_text("{")
    with pytest.raises(EngineUnavailable, match="cannot be read"):
        DiffusersEngine(Config(repo=str(tmp_path))).capabilities()
    with pytest.raises(EngineUnavailable, match="There is no recipe 'wan'"):
        DiffusersEngine(Config(repo=str(tmp_path), recipe="wan")).capabilities()


def test_asking_what_it_can_do_imports_neither_torch_nor_diffusers() -> None:
    code = (
        "import sys; from filmgate.engines.diffusers import DiffusersEngine as E; "
        "c = E(E.Config(repo='x/y', recipe='ltx-2')).capabilities(); "
        "print(sorted({'torch', 'diffusers', 'transformers', 'av', 'numpy', 'PIL'} & set(sys.modules)), c.audio)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("[] True\n", "")


def test_a_missing_extra_is_named_with_the_command_that_installs_it(tmp_path: Path) -> None:
    at = folder(tmp_path / "wan", WAN)
    code = (
        "import sys; sys.path = [each for each in sys.path if 'site-packages' not in each]; import msgspec; "
        "from filmgate.engines.diffusers import DiffusersEngine as E; "
        f"E(E.Config(repo={str(at)!r})).load()"
    )
    bare = tmp_path / "bare"
    bare.mkdir()
    (bare / "msgspec").symlink_to(Path(msgspec.__file__).parent)
    path = f"{Path(__file__).parents[2] / 'src'}:{bare}"
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], capture_output=True, text=True, timeout=60, env={"PYTHONPATH": path}
    )
    said = "needs torch, diffusers, transformers, accelerate: run `pip install 'filmgate[diffusers]' torch`"
    assert said in done.stderr


# ---- the plan -------------------------------------------------------------------------------------------------------


def test_the_plan_follows_from_what_is_free() -> None:
    weights = {"transformer": 28 * GIB, "transformer_2": 28 * GIB, "text_encoder": 11 * GIB, "vae": GIB}
    plans = [place(weights, 8 * GIB, free * GIB) for free in (141, 80, 48, 24, 8)]
    assert plans == [Placement.NONE, Placement.MODEL, Placement.MODEL, Placement.GROUP, Placement.GROUP]
    words = said(Placement.MODEL, weights, 48 * GIB, "a GPU")
    assert words.startswith("48.0 GiB are free on a GPU, and the weights take 68.0 GiB: one part is there at a time")


@given(st.dictionaries(st.text(), st.integers(0, 10**12)), st.integers(0, 10**11), st.integers(0, 10**12))
def test_more_memory_never_makes_a_plan_slower(weights: dict[str, int], work: int, free: int) -> None:
    order = list(Placement)
    assert order.index(place(weights, work, free + GIB)) <= order.index(place(weights, work, free))


def test_each_plan_but_the_last_has_a_smaller_one() -> None:
    assert [each.smaller for each in Placement] == [Placement.MODEL, Placement.GROUP, None]
    assert work_of(1280, 720, 193) > work_of(640, 352, 193) > 2 * GIB
    assert FPS == 24
