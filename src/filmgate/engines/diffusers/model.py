"""A model in memory: its pipelines, all over the same weights, where these lie, and what is done to be fast."""

from __future__ import annotations

import gc
import inspect
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ...domain.errors import EngineUnavailable
from .config import Config
from .device import Device, attention_of
from .plan import Placement, place, said, work_of
from .recipes import Recipe
from .upscale import upscaler_of
from .weights import check_whole, index_of

log = logging.getLogger("filmgate.slot")

_WHOLE = ("audio_vae", "vocoder")  #: parts that read weights past their layers, and are small
_TRANSFORMERS = ("transformer", "transformer_2")


class Model:
    """Not safe for threads: a slot makes one film at a time."""

    def __init__(self, pipe: Any, recipe: Recipe, device: Device, placement: Placement) -> None:
        self.recipe, self.device, self.placement = recipe, device, placement
        self._loaded = pipe
        self._pipes = {type(pipe).__name__: pipe}
        self._placed: Any = None  #: the pipeline that the hooks of the placement belong to
        self._grouped: set[int] = set()  #: the parts of which one layer at a time is on the device

    @property
    def transformers(self) -> list[Any]:
        found = (getattr(self._loaded, name, None) for name in _TRANSFORMERS)
        return [each for each in found if each is not None]

    @property
    def part(self) -> Any:
        """The pipeline as it was loaded, for its parts."""
        return self._loaded

    def add(self, pipe: Any) -> None:
        """Another pipeline, which has parts of its own."""
        self._pipes[type(pipe).__name__] = pipe

    def has(self, name: str) -> bool:
        return name in self._pipes

    def pipeline(self, name: str) -> Any:
        """The pipeline of this class over our weights, ready to be called; "" is the one that was loaded."""
        name = name or type(self._loaded).__name__
        if name not in self._pipes:
            self._pipes[name] = sibling(self._loaded, name)
        if self._placed is not self._pipes[name]:
            self._placed = self._pipes[name]
            self._put(self._placed)
        return self._placed

    def _put(self, pipe: Any) -> None:
        """The weights of a pipeline to where they belong."""
        from diffusers.hooks import apply_group_offloading

        if self.placement is Placement.NONE:
            pipe.to(self.device.torch)
        elif self.placement is Placement.MODEL:
            pipe.enable_model_cpu_offload(device=self.device.torch)
        else:
            for name, part in parts_of(pipe).items():
                if name in _WHOLE:
                    part.to(self.device.torch)
                elif id(part) not in self._grouped:
                    apply_group_offloading(
                        part, onload_device=self.device.torch, offload_type="leaf_level",
                        use_stream=self.device.is_gpu, low_cpu_mem_usage=self.device.is_gpu,
                    )  # fmt: skip
                    self._grouped.add(id(part))

    def shrink(self) -> bool:
        """Need less memory from now on, and be slower. False where that is not possible."""
        smaller = self.placement.smaller
        if smaller is None:
            return False
        log.warning("event=smaller_plan from=%s to=%s out of memory on %s", self.placement, smaller, self.device.name)
        for pipe in self._pipes.values():
            pipe.remove_all_hooks()
            pipe.to("cpu")
        self.placement, self._placed = smaller, None
        self.tidy()
        return True

    @contextmanager
    def caching(self, threshold: float) -> Iterator[None]:
        """While a film is made: steps whose first block comes out almost as before are not computed to the end."""
        if not threshold:
            yield
            return
        from diffusers import FirstBlockCacheConfig

        for each in self.transformers:
            each.enable_cache(FirstBlockCacheConfig(threshold=threshold))
        try:
            yield
        finally:
            for each in self.transformers:
                each.disable_cache()

    def tidy(self) -> None:
        """After a film, however it ended: the next one finds the memory that this one found."""
        import torch

        for pipe in self._pipes.values():
            pipe.maybe_free_model_hooks()
        gc.collect()
        if self.device.is_gpu:
            torch.cuda.empty_cache()


def loaded(config: Config, recipe: Recipe, folder: Path, device: Device) -> Model:
    """Raises EngineUnavailable where the folder does not hold what the recipe is for."""
    index = index_of(folder)
    check_whole(folder, index)
    check_class(index, recipe, folder)
    with device.alone():
        pipe = read(folder, recipe, device)
        upscaler = upscaler_of(config, recipe, pipe, device)
        weights = {name: bytes_of(part) for name, part in {**parts_of(upscaler), **parts_of(pipe)}.items()}
        frames = recipe.grid.frames(max(recipe.seconds), recipe.overlap)
        placement = placement_of(config, weights, work_of(*recipe.size, frames), device)
        model = Model(pipe, recipe, device, placement)
        if upscaler is not None:
            model.add(upscaler)
        prepare(model, config)
        model.pipeline("")
    return model


def check_class(index: Mapping[str, Any], recipe: Recipe, folder: Path) -> None:
    kind = index["_class_name"]
    if recipe.classes != {""} and kind not in recipe.classes and kind.replace("ImageToVideo", "") not in recipe.classes:
        wanted = " or ".join(sorted(recipe.classes))
        raise EngineUnavailable(f"The recipe {recipe.name} is for {wanted}, and {folder} has a {kind}.")


def read(folder: Path, recipe: Recipe, device: Device) -> Any:
    """The pipeline in this folder, in main memory: nothing is fetched, and no program in it is run."""
    import torch
    from diffusers import DiffusionPipeline
    from diffusers.utils import logging as words
    from transformers.utils import logging as more_words

    words.disable_progress_bar()  # bars that are drawn again and again are no lines of a log
    more_words.disable_progress_bar()
    fine = dict.fromkeys(recipe.fine, torch.float32)
    try:
        pipe = DiffusionPipeline.from_pretrained(
            folder, dtype={"default": device.dtype, **fine} if fine else device.dtype,
            use_safetensors=True, local_files_only=True, trust_remote_code=False,
        )  # fmt: skip
    except (OSError, ValueError, KeyError, AttributeError, ImportError, RuntimeError) as error:
        raise EngineUnavailable(
            f"The model in {folder} cannot be loaded ({type(error).__name__}: {error}): fetch it again, or take the "
            "release of diffusers that its page names."
        ) from error
    pipe.set_progress_bar_config(disable=True)
    return pipe


def sibling(pipe: Any, name: str) -> Any:
    """Another pipeline over the same parts: nothing is copied."""
    import diffusers

    cls = getattr(diffusers, name)
    parts = {**pipe.config, **pipe.components}
    wanted = inspect.signature(cls.__init__).parameters
    made = cls(**{part: value for part, value in parts.items() if part in wanted})
    made.set_progress_bar_config(disable=True)
    return made


def parts_of(pipe: Any) -> Mapping[str, Any]:
    """Those that have weights."""
    import torch

    found = {} if pipe is None else pipe.components
    return {name: part for name, part in found.items() if isinstance(part, torch.nn.Module)}


def bytes_of(part: Any) -> int:
    return sum(each.numel() * each.element_size() for each in part.parameters())


def placement_of(config: Config, weights: Mapping[str, int], work: int, device: Device) -> Placement:
    if not device.is_gpu:
        log.info("event=plan the film is made on the CPU, which takes hours for a real model")
        return Placement.NONE
    free = device.free()
    placement = place(weights, work, free) if config.offload == "auto" else Placement(config.offload)
    log.info("event=plan %s", said(placement, weights, free, device.name))
    return placement


def prepare(model: Model, config: Config) -> None:
    """Tiling, attention and compilation, before the weights go to their place. Raises EngineUnavailable."""
    tile = getattr(getattr(model.part, "vae", None), "enable_tiling", None)
    if tile is not None:
        tile()
    attention = attention_of(config, model.device)
    for each in model.transformers:
        if attention != "native":  # which is what it has already
            _set_attention(each, attention)
        if config.compile:
            each.compile_repeated_blocks(fullgraph=True)
    compiled = "compiled blocks" if config.compile else "no compilation"
    log.info("event=prepared attention=%s dtype=%s %s, tiled decoding", attention, model.device.dtype, compiled)


def _set_attention(transformer: Any, name: str) -> None:
    try:
        transformer.set_attention_backend(name)
    except (ValueError, RuntimeError, ImportError) as error:
        raise EngineUnavailable(f"attention = {name!r} cannot be used here: {error}") from error


def is_out_of_memory(error: BaseException) -> bool:
    """On a GPU torch has an error of its own for it; on the CPU, words."""
    import torch

    return isinstance(error, torch.OutOfMemoryError | MemoryError) or "can't allocate memory" in str(error)
