"""Where a model's weights lie on this machine, and what they are; without torch, and without ever fetching anything.

Weights are many gigabytes: the operator fetches them beforehand, once, with `hf download`. So a server starts in the
time that loading takes, and never calls an address that nobody knows of.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...domain.errors import EngineUnavailable
from .config import Config, named
from .recipes import RECIPES, Recipe

INDEX = "model_index.json"
_SUFFIX = ".safetensors"


def folder_of(repo: str, holding: str = INDEX) -> Path:
    """The folder of a model, which has the file ``holding``. Raises EngineUnavailable, saying what to do."""
    if not repo:
        raise EngineUnavailable(
            "The engine has to be told which model to load: write repo = "
            '"Wan-AI/Wan2.2-TI2V-5B-Diffusers", or a folder, in its table in filmgate.toml.'
        )
    folder = Path(repo).expanduser() if _is_path(repo) else _snapshot(repo)
    if folder is None or not folder.is_dir():
        wanted = f"run `hf download {repo}`" if not _is_path(repo) else "correct the path, or put the weights there"
        raise EngineUnavailable(f"The weights of {repo} are not on this machine: {wanted}.")
    if not (folder / holding).is_file():
        raise EngineUnavailable(
            f"The folder {folder} has no {holding}: name one that was saved by diffusers, such as "
            "Wan-AI/Wan2.2-TI2V-5B-Diffusers."
        )
    return folder


def index_of(folder: Path) -> Mapping[str, Any]:
    """What the pipeline is made of. Raises EngineUnavailable for a file that is damaged, or no pipeline's."""
    try:
        read = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        kind = read["_class_name"]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise EngineUnavailable(
            f"{folder / INDEX} cannot be read as that of a pipeline ({type(error).__name__}: {error}): fetch it again."
        ) from error
    if not isinstance(kind, str):
        raise EngineUnavailable(f"{folder / INDEX} does not say which pipeline it is: name one that diffusers has.")
    return dict(read)


def check_whole(folder: Path, index: Mapping[str, Any]) -> None:
    """Raises EngineUnavailable where a part is missing, or kept in a form that could run a program when it is read."""
    for part, of in index.items():
        if part.startswith("_") or not isinstance(of, list) or of[:1] == [None]:
            continue
        if not (folder / part).is_dir():
            raise EngineUnavailable(f"The folder {folder} is incomplete: it has no {part}. Fetch the model again.")
        files = [file.name for file in (folder / part).iterdir()]
        unsafe = [name for name in files if name.endswith((".bin", ".pt", ".pth", ".ckpt"))]
        if unsafe and not any(name.endswith(_SUFFIX) for name in files):
            raise EngineUnavailable(
                f"{folder / part / unsafe[0]} is a pickle, which may run any program when it is read: take weights "
                "that are saved as safetensors."
            )


def recipe_of(config: Config) -> Recipe:
    """The recipe that the operator names, or the one that fits the weights. Raises EngineUnavailable.

    A server that has no weights, since its films are made by workers on other machines, has to be told the name.
    """
    if config.recipe:
        return named(config.recipe)
    folder = folder_of(config.repo)
    return found(index_of(folder), config.repo)


def found(index: Mapping[str, Any], repo: str) -> Recipe:
    """The recipe for a pipeline with this index. Raises EngineUnavailable where none is known."""
    kind = index["_class_name"]
    if kind.endswith("ModularPipeline"):
        raise EngineUnavailable(f"{repo} is a modular pipeline ({kind}), which cannot be loaded here.")
    published = next((each for each in RECIPES.values() if repo in each.repos), None)
    if published is not None and kind in published.classes:
        return published
    name = _name(kind, index, repo.lower())
    if not name:
        raise EngineUnavailable(
            f'{kind} of {repo} is not in the table of recipes: write recipe = "text-to-video" or "image-to-video" in '
            "the engine's table, and size and fps as the model's page has them."
        )
    return named(name)


def _name(kind: str, index: Mapping[str, Any], repo: str) -> str:
    """Of the recipe, or "". ``repo`` in small letters: of some models only its name tells which it is."""
    distilled = "-distilled" if "distill" in repo or "PiflowScheduler" in index.get("scheduler", ()) else ""
    cog = "cogvideox-1.5" if "1.5" in repo else "cogvideox"
    if kind in ("WanPipeline", "WanImageToVideoPipeline"):
        return _wan(kind, index)
    return {
        "WanVACEPipeline": "wan-2.1-vace-14b",
        **dict.fromkeys(("LTX2Pipeline", "LTX2ImageToVideoPipeline", "LTX2ConditionPipeline"), f"ltx-2{distilled}"),
        "HunyuanVideo15Pipeline": "hunyuanvideo-1.5-t2v",
        "HunyuanVideo15ImageToVideoPipeline": "hunyuanvideo-1.5-i2v",
        "CogVideoXPipeline": f"{cog}-t2v",
        "CogVideoXImageToVideoPipeline": f"{cog}-i2v",
        "Kandinsky6TI2VAPipeline": f"kandinsky-6{distilled}",
    }.get(kind, "")


def _wan(kind: str, index: Mapping[str, Any]) -> str:
    if index.get("expand_timesteps"):
        return "wan-2.2-ti2v-5b"
    two_experts = _has(index, "transformer_2")
    if kind == "WanPipeline":
        return "wan-2.2-t2v-a14b" if two_experts else "wan-2.1-t2v-1.3b"
    return "wan-2.2-i2v-a14b" if two_experts else "wan-2.1-i2v-14b"


def _has(index: Mapping[str, Any], part: str) -> bool:
    of = index.get(part)
    return isinstance(of, list) and of[:1] != [None]


def _is_path(repo: str) -> bool:
    return repo.startswith(("/", ".", "~"))


def _snapshot(repo: str) -> Path | None:
    """Where `hf download` has put it."""
    cache = os.environ.get("HF_HUB_CACHE") or Path(os.environ.get("HF_HOME", "~/.cache/huggingface")) / "hub"
    place = Path(cache).expanduser() / f"models--{repo.replace('/', '--')}"
    try:
        commit = (place / "refs" / "main").read_text(encoding="utf-8").strip()
    except OSError:
        return None
    return place / "snapshots" / commit
