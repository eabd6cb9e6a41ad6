"""What the diffusers engine does besides making films: stops, runs out of memory, is refused, looks for a GPU."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from filmgate.domain.errors import Cancelled, EngineFailed, EngineUnavailable, Unsupported
from filmgate.domain.spec import Spec
from filmgate.engines.diffusers import DiffusersEngine
from filmgate.ports import Job
from support.neural import Studio, Watcher, digest, from_images

NAME = "wan-2.2-ti2v-5b"


def loaded(engine: DiffusersEngine) -> Any:
    """Its model."""
    assert engine._model is not None
    return engine._model


def test_a_cancelled_film_ends_with_its_step_and_the_next_one_is_as_ever(studio: Studio) -> None:
    engine = studio.engine(NAME)
    whole = digest(studio.film(engine))
    watcher = Watcher(until="denoising, step 1 ")
    with pytest.raises(Cancelled):
        studio.film(engine, watcher=watcher, options={"steps": 50})
    assert watcher.stages == ["reading the prompt", "denoising, step 1 of 50"]
    with pytest.raises(Cancelled):
        studio.film(engine, watcher=Watcher(until="encoding"))
    assert list(studio.folder.glob("work-*/*.mp4")) == [studio.folder / "work-0" / "film.mp4"]
    assert digest(studio.film(engine)) == whole


class Forgetful:
    """A hook on a real part of a pipeline that is out of memory the first times that it is used."""

    def __init__(self, times: int) -> None:
        self.left = times

    def __call__(self, *_: Any) -> None:
        import torch

        if self.left:
            self.left -= 1
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")


def test_out_of_memory_is_tried_once_more_with_a_smaller_plan(studio: Studio, caplog: pytest.LogCaptureFixture) -> None:
    engine = studio.engine(NAME)
    whole = digest(studio.film(engine))
    loaded(engine).part.transformer.register_forward_pre_hook(Forgetful(1))
    assert digest(studio.film(engine)) == whole
    assert "event=smaller_plan from=none to=model" in caplog.text
    assert digest(studio.film(engine)) == whole, "and it stays with the plan that suffices"
    loaded(engine).part.transformer.register_forward_pre_hook(Forgetful(2))
    with pytest.raises(EngineFailed, match=r"ran out of memory on the CPU.*a smaller size than \[96, 64\]"):
        studio.film(engine)
    assert digest(studio.film(engine)) == whole, "one layer at a time makes the same film"


def test_steps_that_change_little_are_left_out(studio: Studio) -> None:
    engine = studio.engine(NAME)
    calls: list[int] = []
    loaded(engine).part.transformer.blocks[1].ffn.register_forward_hook(lambda *_: calls.append(1))
    studio.film(engine, options={"steps": 6})
    every = len(calls)
    calls.clear()
    studio.film(engine, options={"steps": 6, "cache": 10})
    assert 0 < len(calls) < every
    calls.clear()
    studio.film(engine, options={"steps": 6})
    assert len(calls) == every, "the next film computes all of them again"


def test_compiled_blocks_and_a_warm_up(studio: Studio) -> None:
    import torch

    with torch.compiler.set_stance("force_eager"):  # what is compiled, and not how well
        engine = studio.engine(NAME, compile=True, warm_up=True, fps=2)
        assert studio.film(engine).is_file()


def test_what_is_loaded_is_said(studio: Studio, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    studio.engine("cogvideox-t2v")
    assert "event=licence" in caplog.text
    assert "The CogVideoX License asks for a registration" in caplog.text
    assert "event=plan the film is made on the CPU" in caplog.text
    assert "attention=native" in caplog.text


def test_an_order_without_what_it_needs_is_refused(studio: Studio) -> None:
    engine, watcher = studio.engine(NAME), Watcher()

    def render(spec: Spec, **fields: Any) -> None:
        engine.render(Job("task", 1, spec, studio.folder, watcher.report, watcher.cancelled, **fields))

    with pytest.raises(Unsupported, match="makes no films from first and last frame"):
        render(from_images(2))
    with pytest.raises(EngineFailed, match="none came with it"):
        render(from_images(1))
    with pytest.raises(EngineFailed, match="has the option stpes"):
        render(Spec("a dog", "veo3", seconds=4), options={"stpes": 2})
    with pytest.raises(EngineFailed, match="before it was loaded"):
        studio.film(DiffusersEngine(DiffusersEngine.Config(repo="/nowhere", recipe=NAME)))


def test_an_option_that_the_pipeline_does_not_know_is_named(studio: Studio) -> None:
    engine = studio.engine("hunyuanvideo-1.5-t2v")
    with pytest.raises(EngineFailed, match="HunyuanVideo15Pipeline knows no guidance_scale"):
        studio.film(engine, options={"steps": 2, "guidance_scale": 3})


def test_weights_that_are_not_whole_are_refused(studio: Studio, weights: Callable[[str], Path]) -> None:
    def broken(name: str, change: Callable[[Path], object]) -> str:
        folder = studio.folder / name
        shutil.copytree(weights(NAME), folder)
        change(folder)
        return str(folder)

    def pickled(folder: Path) -> None:
        (folder / "vae" / "diffusion_pytorch_model.safetensors").rename(folder / "vae" / "weights.bin")

    def cut(folder: Path) -> None:
        file = folder / "transformer" / "diffusion_pytorch_model.safetensors"
        file.write_bytes(file.read_bytes()[:1000])

    def renamed(folder: Path) -> None:
        index = json.loads((folder / "model_index.json").read_text())
        (folder / "model_index.json").write_text(json.dumps({**index, "_class_name": "NoSuchPipeline"}))

    for change, words, told in (
        (lambda folder: shutil.rmtree(folder / "vae"), "incomplete: it has no vae", {}),
        (pickled, "is a pickle, which may run any program", {}),
        (cut, "cannot be loaded", {}),
        (renamed, "cannot be loaded", {"recipe": "text-to-video"}),
    ):
        repo = broken(f"broken-{words[:8]}-{len(told)}", change)
        with pytest.raises(EngineUnavailable, match=words):
            DiffusersEngine(DiffusersEngine.Config(repo=repo, warm_up=False, **told)).load()  # type: ignore[arg-type]
    with pytest.raises(EngineUnavailable, match=r"is for HunyuanVideo15Pipeline, and .* has a WanPipeline"):
        studio.engine(NAME, recipe="hunyuanvideo-1.5-t2v")


def test_attention_that_is_fetched_or_unknown_is_refused(studio: Studio) -> None:
    with pytest.raises(EngineUnavailable, match="fetches a program"):
        studio.engine(NAME, attention="_flash_3_hub")
    with pytest.raises(EngineUnavailable, match="attention = 'warp' cannot be used here"):
        studio.engine(NAME, attention="warp")


def test_without_a_gpu_one_cannot_be_asked_for(studio: Studio) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    with pytest.raises(EngineUnavailable, match="torch finds no GPU here"):
        studio.engine(NAME, device="cuda")


def test_slots_spread_over_the_gpus(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, weights: object) -> None:
    import os
    import tempfile

    from filmgate.engines.diffusers.device import _least_used

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    taken = [_least_used(2) for _ in range(4)]
    assert [number for number, _ in taken] == [0, 1, 0, 1]
    os.close(taken[1][1])  # a slot on GPU 1 has ended
    assert _least_used(2)[0] == 1


@pytest.mark.filterwarnings("ignore:flex_attention called without")  # on a GPU its blocks are compiled
def test_kandinsky_s_super_resolution_keeps_every_picture(weights: Callable[[str], Path]) -> None:
    import torch
    from PIL import Image

    from filmgate.engines.diffusers.device import Device
    from filmgate.engines.diffusers.model import Model, read
    from filmgate.engines.diffusers.plan import Placement
    from filmgate.engines.diffusers.recipes import RECIPES
    from filmgate.engines.diffusers.steps import Steps
    from filmgate.engines.diffusers.upscale import enlarged

    recipe, device = RECIPES["kandinsky-6"], Device(torch.device("cpu"), "the CPU", torch.float32)
    model = Model(read(weights("kandinsky-6-sr"), recipe, device), recipe, device, Placement.NONE)
    film = [Image.new("RGB", (64, 32), (number, 0, 0)) for number in range(7)]
    ticks: list[int] = []
    (piece,) = enlarged(model, film, (64, 32), 1, Steps(ticks.append))
    assert tuple(piece.shape) == (7, 3, 64, 128)
    assert ticks == [1, 2, 3, 4]
