"""Contact sheets: eight frames of a film on one small JPEG; and some films as small moving pictures (WebP).

    python scripts/gallery.py                                   all of docs/gallery/prompts.txt, into docs/gallery
    python scripts/gallery.py --prompt "a red fox" --out x.png  one prompt
    python scripts/gallery.py --blind DIR                       the sheets under random names, for a blind match

A line of the prompts file is a prompt; "9:16 | " before it makes the film upright, "moving | " also a moving picture,
"#" a comment.
"""

from __future__ import annotations

import argparse
import io
import json
import re
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from filmgate.engines.storyboard.film import from_plan
from filmgate.engines.storyboard.model import FPS
from filmgate.engines.storyboard.plan import make_plan

GALLERY = Path(__file__).resolve().parent.parent / "docs" / "gallery"
MOST_BYTES = 90_000
MOST_MOVING = 600_000  #: bytes of a moving picture
EVERY = 2  #: ... which has every second frame
PAPER = (246, 241, 231)
GAP = 6
INDEX = """# Gallery

Films of the storyboard engine: eight frames each, evenly spread over eight seconds, made by `make gallery` from
[prompts.txt](prompts.txt); some are shown moving, small. [MATCH.md](MATCH.md) tells how well somebody who had only the
first twenty sheets found their prompts.
"""


@dataclass(frozen=True)
class Entry:
    """A line of the prompts file."""

    prompt: str
    portrait: bool
    moving: bool = False

    @property
    def size(self) -> tuple[int, int]:
        return (720, 1280) if self.portrait else (1280, 720)

    @property
    def name(self) -> str:
        words = re.sub(r"[^a-z0-9]+", "-", self.prompt.lower()).strip("-")[:48].strip("-")
        return words or f"prompt-{len(self.prompt)}"


def read_prompts(text: str) -> list[Entry]:
    lines = (line.strip() for line in text.splitlines())
    return [_entry(line) for line in lines if line and not line.startswith("#")]


def _entry(line: str) -> Entry:
    *marks, prompt = line.split(" | ")
    return Entry(prompt, "9:16" in marks, "moving" in marks)


def contact_sheet(entry: Entry, *, frames: int, seed: int, seconds: int) -> Image.Image:
    """``frames`` frames, evenly spread over the film, in rows."""
    film = from_plan(make_plan(entry.prompt, seed=seed, seconds=seconds, portrait=entry.portrait), *entry.size)
    small = (158, 281) if entry.portrait else (320, 180)
    pictures = [_picture(film.frame(index), small) for index in _spread(film.frames, frames)]
    columns = 8 if entry.portrait else 4
    rows = -(-frames // columns)
    columns = min(columns, frames)
    sheet = Image.new("RGB", (columns * (small[0] + GAP) + GAP, rows * (small[1] + GAP) + GAP), PAPER)
    for i, picture in enumerate(pictures):
        sheet.paste(picture, (GAP + i % columns * (small[0] + GAP), GAP + i // columns * (small[1] + GAP)))
    return sheet


def _spread(total: int, count: int) -> Iterator[int]:
    """The middles of ``count`` equal parts of the film."""
    return (int((i + 0.5) * total / count) for i in range(count))


def _picture(frame: np.ndarray, size: tuple[int, int]) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(frame[:, :, 2::-1])).resize(size, Image.Resampling.LANCZOS)


def write(sheet: Image.Image, path: Path) -> None:
    """As PNG, or as the best JPEG that is small enough."""
    if path.suffix.lower() == ".png":
        sheet.save(path)
        return
    for quality in range(88, 20, -6):
        buffer = io.BytesIO()
        sheet.save(buffer, "JPEG", quality=quality, optimize=True, progressive=True)
        if buffer.tell() < MOST_BYTES:
            break
    path.write_bytes(buffer.getvalue())


def write_moving(entry: Entry, path: Path, *, seed: int, seconds: int) -> None:
    """The film, small and without sound, as good as fits."""
    width, height = (size // 2 for size in entry.size)
    film = from_plan(make_plan(entry.prompt, seed=seed, seconds=seconds, portrait=entry.portrait), width, height)
    small = (180, 320) if entry.portrait else (320, 180)
    pictures = [_picture(film.frame(index), small) for index in range(0, film.frames, EVERY)]
    for quality in range(60, 0, -12):
        buffer = io.BytesIO()
        pictures[0].save(
            buffer, "WEBP", save_all=True, append_images=pictures[1:], duration=1000 * EVERY // FPS, loop=0,
            quality=quality, method=4,
        )  # fmt: skip
        if buffer.tell() < MOST_MOVING:
            break
    path.write_bytes(buffer.getvalue())


def make_gallery(entries: Sequence[Entry], folder: Path, options: argparse.Namespace) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, entry in enumerate(entries, 1):
        path = folder / f"{number:02d}-{entry.name}.jpg"
        write(contact_sheet(entry, frames=options.frames, seed=options.seed, seconds=options.seconds), path)
        print(path)
        if entry.moving:
            write_moving(entry, path.with_suffix(".webp"), seed=options.seed, seconds=options.seconds)
    write_index(entries, folder)


def write_index(entries: Sequence[Entry], folder: Path) -> None:
    """A page that shows the sheets with their prompts."""
    shown = (
        f"## {entry.prompt}\n\n![{entry.prompt}]({n:02d}-{entry.name}.jpg)\n"
        + (f"\n![The same, moving]({n:02d}-{entry.name}.webp)\n" if entry.moving else "")
        for n, entry in enumerate(entries, 1)
    )
    (folder / "README.md").write_text(INDEX + "\n" + "\n".join(shown), encoding="utf-8")


def make_blind(entries: Sequence[Entry], folder: Path, options: argparse.Namespace) -> None:
    """Sheets under random names and the prompts in alphabetical order; which is which lies beside the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    key = {}
    for entry in entries:
        name = f"{secrets.token_hex(4)}.jpg"
        write(contact_sheet(entry, frames=options.frames, seed=options.seed, seconds=options.seconds), folder / name)
        key[name] = entry.prompt
    (folder / "prompts.txt").write_text("\n".join(sorted(key.values())) + "\n", encoding="utf-8")
    sealed = folder.with_name(folder.name + "-key.json")
    sealed.write_text(json.dumps(key, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{len(key)} sheets in {folder}; the key is {sealed}: do not open it before the answers are written down.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prompts", type=Path, default=GALLERY / "prompts.txt")
    parser.add_argument("--prompt", help="only this prompt")
    parser.add_argument("--portrait", action="store_true", help="with --prompt: an upright film")
    parser.add_argument("--out", type=Path, help="a folder, or with --prompt a .jpg or .png file")
    parser.add_argument("--blind", type=Path, metavar="DIR")
    parser.add_argument("--frames", type=int, default=8)
    parser.add_argument("--seed", type=int, default=24680)
    parser.add_argument("--seconds", type=int, choices=(4, 6, 8), default=8)
    options = parser.parse_args()
    if options.prompt is not None:
        entry = Entry(options.prompt, options.portrait)
        sheet = contact_sheet(entry, frames=options.frames, seed=options.seed, seconds=options.seconds)
        write(sheet, options.out or Path(f"{entry.name}.jpg"))
        return
    entries = read_prompts(options.prompts.read_text(encoding="utf-8"))
    if options.blind is not None:
        make_blind(entries, options.blind, options)
    else:
        make_gallery(entries, options.out or GALLERY, options)


if __name__ == "__main__":
    main()
