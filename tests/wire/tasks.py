"""Tasks in every state, for the tests of what is said about them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from filmgate.domain.spec import AspectRatio, Spec
from filmgate.domain.task import Artifact, Failure, Origin, Role, Status, Task

ID = "0199a0b1c2d37e4f8a9b0c1d2e3f4a5b"
SOURCE_ID = "0199a0b1c2d37e4f8a9b0c1d2e3f4a00"
CREATED_MS = 1_780_000_000_123  #: 2026-05-28 20:26:40.123 UTC
ENDED_MS = CREATED_MS + 61_000
ORIGIN = Origin("default", "key_0123456789abcdef", "veo3", "https://films.example.org")


def film(width: int = 1280, height: int = 720, *, number: int = 1, has_audio: bool = True) -> Artifact:
    key = f"{ID}/{number}/result.mp4"
    return Artifact(Role.RESULT, key, "video/mp4", 1000, width, height, 8.0, has_audio, expires_ms=ENDED_MS + 1000)


def poster() -> Artifact:
    return Artifact(Role.POSTER, f"{ID}/1/poster.jpg", "image/jpeg", 10, 1280, 720, expires_ms=ENDED_MS + 1000)


def task(
    status: Status = Status.QUEUED,
    *,
    films: tuple[Artifact, ...] | None = None,
    failure: Failure | None = None,
    origin: Origin = ORIGIN,
    fallback_used: bool = False,
    stage: str = "queued",
    progress: float = 0.0,
    **fields: Any,
) -> Task:
    """A task of 60 credits; a succeeded one has a film and a poster unless told otherwise."""
    order = replace(Spec(prompt="a dog in a park", model="veo3_fast", seed=12345), **fields)
    made = (film(720, 1280) if order.aspect_ratio is AspectRatio.PORTRAIT else film(),) if films is None else films
    return Task(
        id=ID,
        origin=origin,
        spec=order,
        created_ms=CREATED_MS,
        status=status,
        price=60,
        ended_ms=ENDED_MS if status.ended else None,
        failure=failure,
        fallback_used=fallback_used,
        stage=stage,
        progress=progress,
        artifacts=(*made, poster()) if status is Status.SUCCEEDED else (),
    )
