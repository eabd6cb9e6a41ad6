"""The recipes: how each model is asked for a film, as plain data. Nothing of diffusers or torch is needed to read them.

``docs/engines.md`` shows them as a table, which a test compares with this one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from .fit import Grid


class Start(StrEnum):
    """What a model begins from."""

    TEXT = "text"
    FIRST = "first frame"
    BOTH = "first and last frame"
    REFERENCES = "references"
    SEQUEL = "the end of a film"


class Speed(StrEnum):
    """How much time a film may take."""

    QUALITY = "quality"
    FAST = "fast"
    LITE = "lite"


#: Of the public models; any other is made with quality.
SPEEDS: Mapping[str, Speed] = MappingProxyType(
    {"veo3": Speed.QUALITY, "veo3_fast": Speed.FAST, "veo3_lite": Speed.LITE}
)


@dataclass(frozen=True, slots=True)
class Pace:
    steps: int
    cache: float = 0.0  #: threshold of the first-block cache; 0: every block is computed in every step


@dataclass(frozen=True, slots=True)
class Recipe:
    name: str
    title: str
    repos: tuple[str, ...]  #: where the weights are published
    licence: str
    #: By what it begins from: the pipeline that does it.
    starts: Mapping[Start, str]
    size: tuple[int, int]  #: of a landscape, in pixels
    grid: Grid
    paces: Mapping[Speed, Pace]
    #: Arguments of every call: guidance, above all.
    arguments: Mapping[str, float] = field(default_factory=dict)
    negative: str = ""  #: what should not be seen
    warning: str = ""  #: printed when it is loaded: what the licence asks or forbids
    portrait: bool = True
    seconds: tuple[int, ...] = (4, 6, 8)
    sound: bool = False
    languages: tuple[str, ...] = ("en",)  #: of prompts that it was trained with
    references: int = 0
    overlap: int = 1  #: frames of a film's end that the next one begins with
    upscaler: str = ""  #: the pipeline that makes its films larger, where ``upscaler`` names the weights
    fine: tuple[str, ...] = ()  #: parts that are kept in 32 bits
    distilled: bool = False  #: its steps are at sigmas of its own
    half_first: bool = False  #: with an upscaler: made at half size, doubled as latents, and refined

    @property
    def classes(self) -> frozenset[str]:
        """The pipelines whose folders it takes."""
        return frozenset(self.starts.values())


def _paces(quality: int, fast: int, lite: int, *, cache: tuple[float, float] = (0.0, 0.0)) -> Mapping[Speed, Pace]:
    return {Speed.QUALITY: Pace(quality), Speed.FAST: Pace(fast, cache[0]), Speed.LITE: Pace(lite, cache[1])}


_APACHE = "Apache-2.0"
_WAN_NEGATIVE = (
    "overexposed, static, blurred details, subtitles, worst quality, low quality, JPEG artifacts, ugly, mutilated, "
    "extra fingers, badly drawn hands, badly drawn face, deformed, fused fingers, still picture, messy background, "
    "three legs, walking backwards"
)
_LTX_NEGATIVE = "worst quality, inconsistent motion, blurry, jittery, distorted, static"
_LTX_WARNING = (
    "The LTX-2 Community License asks companies above a yearly revenue that it names for a paid licence, and forbids "
    "some uses: read it before you serve others."
)
_HUNYUAN_WARNING = (
    "The Tencent Hunyuan Community License does not apply in the European Union, the United Kingdom and South Korea, "
    "and asks services above 100 million monthly users for a licence of their own."
)
_COG_WARNING = (
    "The CogVideoX License asks for a registration before commercial use, and limits it above 1 million visits."
)
_KANDINSKY_WARNING = "Read the licence on the model's page before you serve others: we have not been able to check it."
_BOTH_TONGUES = ("en", "zh")
_WAN: dict[str, Any] = {
    "licence": _APACHE, "negative": _WAN_NEGATIVE, "languages": _BOTH_TONGUES, "fine": ("vae",),
}  # fmt: skip
_WAN_720: dict[str, Any] = {"size": (1280, 720), "grid": Grid(16, 4, 16)}
_LTX: dict[str, Any] = {
    "starts": {
        Start.TEXT: "LTX2Pipeline",
        **dict.fromkeys((Start.FIRST, Start.BOTH, Start.SEQUEL), "LTX2ConditionPipeline"),
    },
    "licence": "LTX-2 Community License",
    "warning": _LTX_WARNING,
    "negative": _LTX_NEGATIVE,
    "sound": True,
    "overlap": 17,
    "upscaler": "LTX2LatentUpsamplePipeline",
}
_COG: dict[str, Any] = {
    "licence": "CogVideoX License",
    "warning": _COG_WARNING,
    "paces": _paces(50, 30, 20, cache=(0.1, 0.15)),
    "arguments": {"guidance_scale": 6.0},
}
_KANDINSKY: dict[str, Any] = {
    "starts": dict.fromkeys((Start.TEXT, Start.FIRST, Start.SEQUEL), "Kandinsky6TI2VAPipeline"),
    "licence": "see the model's page",
    "warning": _KANDINSKY_WARNING,
    "size": (864, 480),
    "grid": Grid(16, 4, 24),
    "sound": True,
    "languages": ("en", "ru"),
    "upscaler": "Kandinsky6SRPipeline",
}

_ALL = (
    Recipe(
        "wan-2.2-ti2v-5b", "Wan 2.2 TI2V-5B", ("Wan-AI/Wan2.2-TI2V-5B-Diffusers",),
        starts={Start.TEXT: "WanPipeline", **dict.fromkeys((Start.FIRST, Start.SEQUEL), "WanImageToVideoPipeline")},
        size=(1280, 736), grid=Grid(32, 4, 24), paces=_paces(50, 30, 20, cache=(0.08, 0.12)),
        arguments={"guidance_scale": 5.0}, **_WAN,
    ),
    Recipe(
        "wan-2.2-t2v-a14b", "Wan 2.2 T2V-A14B", ("Wan-AI/Wan2.2-T2V-A14B-Diffusers",),
        starts={Start.TEXT: "WanPipeline"}, **_WAN_720, paces=_paces(40, 26, 16, cache=(0.08, 0.12)),
        arguments={"guidance_scale": 4.0, "guidance_scale_2": 3.0}, **_WAN,
    ),
    Recipe(
        "wan-2.2-i2v-a14b", "Wan 2.2 I2V-A14B", ("Wan-AI/Wan2.2-I2V-A14B-Diffusers",),
        starts=dict.fromkeys((Start.FIRST, Start.BOTH, Start.SEQUEL), "WanImageToVideoPipeline"),
        **_WAN_720, paces=_paces(40, 26, 16, cache=(0.08, 0.12)),
        arguments={"guidance_scale": 3.5, "guidance_scale_2": 3.5}, **_WAN,
    ),
    Recipe(
        "wan-2.1-vace-14b", "Wan 2.1 VACE 14B", ("Wan-AI/Wan2.1-VACE-14B-diffusers",),
        starts=dict.fromkeys(Start, "WanVACEPipeline"), **_WAN_720, paces=_paces(50, 30, 20),
        arguments={"guidance_scale": 5.0}, **_WAN, references=3, overlap=13,
    ),
    Recipe(
        "wan-2.1-t2v-1.3b", "Wan 2.1 T2V-1.3B", ("Wan-AI/Wan2.1-T2V-1.3B-Diffusers",),
        starts={Start.TEXT: "WanPipeline"}, size=(832, 480), grid=Grid(16, 4, 16),
        paces=_paces(50, 30, 20, cache=(0.08, 0.12)), arguments={"guidance_scale": 5.0}, **_WAN,
    ),
    Recipe(
        "wan-2.1-i2v-14b", "Wan 2.1 I2V-14B", ("Wan-AI/Wan2.1-I2V-14B-720P-Diffusers",),
        starts=dict.fromkeys((Start.FIRST, Start.SEQUEL), "WanImageToVideoPipeline"),
        **_WAN_720, paces=_paces(50, 30, 20, cache=(0.08, 0.12)),
        arguments={"guidance_scale": 5.0}, **_WAN,
    ),
    Recipe(
        "ltx-2", "LTX-2, 2.3 and 2.5", ("Lightricks/LTX-2", "Lightricks/LTX-2.5-Diffusers"),
        **_LTX, size=(1280, 736), grid=Grid(32, 8, 24), paces=_paces(40, 25, 15),
    ),
    Recipe(
        "ltx-2-distilled", "LTX-2 distilled", ("rootonchair/LTX-2-19b-distilled",),
        **_LTX, size=(1280, 768), grid=Grid(64, 8, 24), paces=_paces(8, 8, 8), distilled=True, half_first=True,
        arguments={
            "guidance_scale": 1.0, "stg_scale": 0.0, "modality_scale": 1.0, "guidance_rescale": 0.0,
            "audio_guidance_scale": 1.0, "audio_stg_scale": 0.0, "audio_modality_scale": 1.0,
            "audio_guidance_rescale": 0.0,
        },
    ),
    Recipe(
        "hunyuanvideo-1.5-t2v", "HunyuanVideo-1.5, from text",
        ("hunyuanvideo-community/HunyuanVideo-1.5-Diffusers-720p_t2v",), "Tencent Hunyuan Community License",
        starts={Start.TEXT: "HunyuanVideo15Pipeline"}, size=(1280, 720), grid=Grid(16, 4, 24),
        paces=_paces(50, 30, 20), warning=_HUNYUAN_WARNING, languages=_BOTH_TONGUES,
    ),
    Recipe(
        "hunyuanvideo-1.5-i2v", "HunyuanVideo-1.5, from an image",
        ("hunyuanvideo-community/HunyuanVideo-1.5-Diffusers-720p_i2v",), "Tencent Hunyuan Community License",
        starts=dict.fromkeys((Start.FIRST, Start.SEQUEL), "HunyuanVideo15ImageToVideoPipeline"), size=(1280, 720),
        grid=Grid(16, 4, 24), paces=_paces(50, 30, 20), warning=_HUNYUAN_WARNING, languages=_BOTH_TONGUES,
    ),
    Recipe(
        "cogvideox-1.5-t2v", "CogVideoX1.5-5B", ("zai-org/CogVideoX1.5-5B",),
        starts={Start.TEXT: "CogVideoXPipeline"}, size=(1360, 768), grid=Grid(16, 16, 16), **_COG,
    ),
    Recipe(
        "cogvideox-1.5-i2v", "CogVideoX1.5-5B-I2V", ("zai-org/CogVideoX1.5-5B-I2V",),
        starts=dict.fromkeys((Start.FIRST, Start.SEQUEL), "CogVideoXImageToVideoPipeline"), size=(1360, 768),
        grid=Grid(16, 16, 16), **_COG,
    ),
    Recipe(
        "cogvideox-t2v", "CogVideoX-5B and 2B", ("zai-org/CogVideoX-5b", "zai-org/CogVideoX-2b"),
        starts={Start.TEXT: "CogVideoXPipeline"}, size=(720, 480), grid=Grid(16, 8, 8), portrait=False,
        seconds=(4, 6), **_COG,
    ),
    Recipe(
        "cogvideox-i2v", "CogVideoX-5B-I2V", ("zai-org/CogVideoX-5b-I2V",),
        starts=dict.fromkeys((Start.FIRST, Start.SEQUEL), "CogVideoXImageToVideoPipeline"), size=(720, 480),
        grid=Grid(16, 8, 8), portrait=False, seconds=(4, 6), **_COG,
    ),
    Recipe(
        "kandinsky-6", "Kandinsky 6", ("kandinskylab/Kandinsky-6.0-Lite-5s-Diffusers",), **_KANDINSKY,
        paces=_paces(50, 30, 20), arguments={"guidance_scale": 5.0},
    ),
    Recipe(
        "kandinsky-6-distilled", "Kandinsky 6 distilled", ("kandinskylab/Kandinsky-6.0-Pro-distill-5s-Diffusers",),
        **_KANDINSKY, paces=_paces(16, 16, 16), arguments={"guidance_scale": 1.0},
    ),
    Recipe(
        "text-to-video", "any other pipeline that makes films from text", (), "see the model's page",
        starts={Start.TEXT: ""}, size=(832, 480), grid=Grid(16, 4, 24), paces=_paces(50, 30, 20),
        warning="We know nothing of this model's licence: read it before you serve others.",
    ),
    Recipe(
        "image-to-video", "any other pipeline that makes films from an image", (), "see the model's page",
        starts=dict.fromkeys((Start.FIRST, Start.SEQUEL), ""), size=(832, 480), grid=Grid(16, 4, 24),
        paces=_paces(50, 30, 20),
        warning="We know nothing of this model's licence: read it before you serve others.",
    ),
)  # fmt: skip

RECIPES: Mapping[str, Recipe] = MappingProxyType({recipe.name: recipe for recipe in _ALL})

#: Models that people ask for and that cannot be had this way, and why.
REFUSED: Mapping[str, str] = MappingProxyType(
    {
        "ovi": "diffusers has no pipeline for Ovi: for films with sound, take LTX-2 or Kandinsky 6.",
        "minimax-h3": "diffusers has MiniMax-H3 as a modular pipeline only, which cannot be loaded here; its licence "
        "also excludes the European Union, the United Kingdom, South Korea and the United States.",
        "hunyuanvideo-1.5-sr": "diffusers has no super-resolution stage for HunyuanVideo-1.5: its films are made at "
        "720p, and larger versions of them are scaled up.",
        "wan-2.2-vace": "there are no weights of VACE for Wan 2.2 in the form of diffusers that we know: take "
        "wan-2.1-vace-14b.",
    }
)
