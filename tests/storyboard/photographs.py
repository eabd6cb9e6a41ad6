"""Pictures for tests, drawn here: a landscape, a street at night, and a toy before a plain wall."""

from __future__ import annotations

import math
from pathlib import Path
from random import Random

import numpy as np
from PIL import Image, ImageDraw


def landscape(path: Path, width: int, height: int) -> Path:
    """Sky, hills, a house: soft gradients and hard edges, with the noise of a photograph."""
    y = np.linspace(0, 1, height)[:, None, None]
    sky = np.array([60, 110, 180]) * (1 - y) + np.array([240, 215, 180]) * y
    grain = np.random.default_rng(4).normal(0, 2.5, (height, width, 1))
    picture = Image.fromarray(np.clip(sky + grain, 0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(picture)
    for number, colour in enumerate(((120, 140, 165), (80, 110, 105), (70, 120, 60))):
        top = [(x, height * (0.5 + 0.14 * number - 0.07 * math.sin(x / width * 7 + number))) for x in range(width + 1)]
        draw.polygon([*top, (width, height), (0, height)], fill=colour)
    draw.rectangle((0.42 * width, 0.5 * height, 0.58 * width, 0.75 * height), fill=(176, 84, 62))
    picture.save(path)
    return path


def street(path: Path, width: int, height: int) -> Path:
    """Dark houses with lit windows."""
    rng, picture = Random(5), Image.new("RGB", (width, height), (34, 26, 70))
    draw = ImageDraw.Draw(picture)
    for house in range(7):
        left, top = width * house / 7, height * rng.uniform(0.2, 0.5)
        draw.rectangle((left, top, left + width / 7.6, 0.8 * height), fill=(48, 42, 78))
        for window in range(12):
            x, y = left + width * (window % 3 + 0.5) / 26, top + height * (window // 3 + 0.5) * 0.07
            draw.rectangle((x, y, x + width / 60, y + height / 32), fill=(250, 214, 130))
    picture.save(path)
    return path


def toy(path: Path) -> Path:
    """A blue figure with a red hat before a plain wall; its white belly must not become a hole."""
    picture = Image.new("RGB", (400, 460), (243, 243, 240))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((170, 30, 230, 90), fill=(216, 64, 58))
    draw.ellipse((130, 70, 270, 210), fill=(44, 110, 190))
    draw.ellipse((90, 180, 310, 440), fill=(44, 110, 190))
    draw.ellipse((150, 250, 250, 400), fill=(243, 243, 240))
    picture.save(path)
    return path
