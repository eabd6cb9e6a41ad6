"""Write the table of what each engine can make into docs/engines.md, from their capabilities."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from filmgate.domain.routing import Capabilities
from filmgate.domain.spec import AspectRatio, Kind, Mode, Resolution
from filmgate.engines.diffusers.orders import capabilities_of
from filmgate.engines.diffusers.recipes import RECIPES
from filmgate.engines.google_veo import GoogleVeoEngine
from filmgate.engines.openai_videos import SERVERS, OpenAIVideosEngine
from filmgate.engines.storyboard.engine import StoryboardEngine
from filmgate.engines.veo3_upstream import Veo3UpstreamEngine
from filmgate.ports import Secret

PAGE = Path(__file__).resolve().parent.parent / "docs" / "engines.md"
BEGIN, END = "<!-- capabilities: begin -->\n", "<!-- capabilities: end -->\n"
_NOWHERE = "http://127.0.0.1:1/v1"  # nobody is asked: capabilities are known without
_HEAD = ("engine", "text", "frames", "references", "extension", "larger", "sizes", "shapes", "seconds", "sound")


def table() -> str:
    """Engine x mode x size x sound."""
    rows = (_row(name, can) for name, can in engines())
    return "\n".join(["| " + " | ".join(_HEAD) + " |", "|---" * len(_HEAD) + "|", *rows]) + "\n"


def engines() -> Iterator[tuple[str, Capabilities]]:
    """Each as it is without further settings; of openai_videos, each server whose model takes all that it passes on."""
    yield "`storyboard`", StoryboardEngine().capabilities()
    for recipe in RECIPES.values():
        yield f"`diffusers`, `{recipe.name}`", capabilities_of(recipe, upscales=False)
    yield "`google_veo`", GoogleVeoEngine(GoogleVeoEngine.Config(project="films-1")).capabilities()
    for name, server in SERVERS.items():
        takes = {"frames": server.frames, "references": server.references}
        config = msgspec.convert({"base_url": _NOWHERE, "server": name, **takes}, OpenAIVideosEngine.Config)
        yield f"`openai_videos`, `{name}`", OpenAIVideosEngine(config).capabilities()
    upstream = Veo3UpstreamEngine.Config(base_url=_NOWHERE, api_key=Secret("fg_"))
    yield "`veo3_upstream`", Veo3UpstreamEngine(upstream).capabilities()


def written(page: str) -> str:
    """The page with the table put between its marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{table()}{END}{after}"


def _row(name: str, can: Capabilities) -> str:
    frames = {0: "", 1: "first", 2: "first, last"}[can.max_frames] if Mode.FRAMES in can.modes else ""
    larger = (Kind.UPGRADE_1080P, "1080p"), (Kind.UPGRADE_4K, "4k")
    cells = (
        name,
        _yes(Mode.TEXT in can.modes),
        frames,
        str(can.max_references) if Mode.REFERENCE in can.modes else "",
        _yes(Kind.EXTEND in can.kinds),
        " ".join(size for kind, size in larger if kind in can.kinds),
        " ".join(str(each) for each in Resolution if each in can.resolutions),
        " ".join(str(each) for each in AspectRatio if each in can.aspect_ratios),
        " ".join(str(each) for each in can.seconds),
        _yes(can.audio),
    )
    return "| " + " | ".join(cells) + " |"


def _yes(can: bool) -> str:
    return "yes" if can else ""


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
