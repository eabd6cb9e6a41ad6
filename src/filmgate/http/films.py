"""What came of a task, as every dialect tells it: addresses, sizes, charges. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from posixpath import splitext
from typing import Any, Final

import msgspec

from ..domain.errors import SourceUnusable
from ..domain.spec import AspectRatio, Mode, Resolution
from ..domain.task import Artifact, Role, Status, Task
from ..storage.links import Links

GENERATION_TYPE: Final = {
    Mode.TEXT: "TEXT_2_VIDEO",
    Mode.FRAMES: "FIRST_AND_LAST_FRAMES_2_VIDEO",
    Mode.REFERENCE: "REFERENCE_2_VIDEO",
}

SUCCEEDED: Final = "Veo3.1 video generated successfully."
SUCCEEDED_BY_FALLBACK: Final = "Veo3.1 video generated successfully (using fallback model)."
DELETED: Final = "record result data is blank. The films of this task have been deleted."
SUCCEEDED_4K: Final = "4K Video generated successfully."


def result_urls(task: Task, links: Links) -> list[str]:
    """The films of a succeeded task, else none."""
    return urls_of(task, Role.RESULT, links)


def urls_of(task: Task, role: Role, links: Links) -> list[str]:
    """The files of this role of a succeeded task, under names that say which task they are from."""
    if task.status is not Status.SUCCEEDED:
        return []
    artifacts = task.artifacts_of(role)
    names = [_name(task, role, number if len(artifacts) > 1 else 0) for number in range(1, len(artifacts) + 1)]
    return [
        links.link(task.origin.public_base, each.key, each.expires_ms, name + splitext(each.key)[1])
        for name, each in zip(names, artifacts, strict=True)
    ]


def _name(task: Task, role: Role, number: int) -> str:
    return task.id + ("-full" if role is Role.FULL else "") + (f"-{number}" if number else "")


def origin_urls(task: Task, links: Links) -> list[str] | None:
    """Upright films have them, wide ones do not."""
    if ratio_of(task) != AspectRatio.PORTRAIT:
        return None
    return urls_of(task, Role.ORIGIN, links) or result_urls(task, links)


def full_urls(task: Task, links: Links) -> list[str] | None:
    """Of extensions: what was extended and its continuation in one film."""
    return urls_of(task, Role.FULL, links) or None


def media_ids(task: Task) -> list[str]:
    """A name of 32 hex digits for each film: always the same one."""
    return [sha256(film.key.encode()).hexdigest()[:32] for film in task.artifacts_of(Role.RESULT)]


def ratio_of(task: Task) -> AspectRatio:
    """The ratio in effect: Auto is known once there is a film."""
    film = next(iter(task.artifacts_of(Role.RESULT)), None)
    if task.spec.aspect_ratio is not AspectRatio.AUTO or film is None:
        return task.spec.aspect_ratio
    return AspectRatio.PORTRAIT if film.height > film.width else AspectRatio.LANDSCAPE


def resolution_of(task: Task) -> str:
    """Of the film itself, whatever was ordered."""
    short = min((min(film.width, film.height) for film in task.artifacts_of(Role.RESULT)), default=0)
    return next((r.value for r in Resolution if r.lines == short), task.spec.resolution.value)


def charged(task: Task) -> int:
    """Credits: only a film costs something."""
    return task.price if task.status is Status.SUCCEEDED else 0


def check_kept(task: Task, now_ms: int) -> None:
    """Raises SourceUnusable where the films of the task could be had once, and no longer."""
    films: Sequence[Artifact] = task.artifacts_of(Role.RESULT)
    if films and all(film.expires_ms <= now_ms for film in films):
        raise SourceUnusable("Temporarily supports records within 14 days.")


def shown(task: Task, now_ms: int) -> Task:
    """As it is told in a list: without the films that cannot be had any more."""
    kept = tuple(artifact for artifact in task.artifacts if artifact.expires_ms > now_ms)
    return task if kept == task.artifacts else replace(task, artifacts=kept)


def check_told(task: Task, now_ms: int) -> None:
    """Raises SourceUnusable for a task whose films could be had once, and no longer."""
    if task.status is Status.SUCCEEDED and not task.artifacts_of(Role.RESULT):
        raise SourceUnusable(DELETED)
    check_kept(task, now_ms)


def check_films(task: Task, now_ms: int) -> None:
    """Raises SourceUnusable where a task has succeeded and there is nothing that could be made larger."""
    films = task.artifacts_of(Role.RESULT)
    if task.status is Status.SUCCEEDED and not films:
        raise SourceUnusable(DELETED)
    if any(film.bytes == 0 for film in films):
        raise SourceUnusable("record result data is empty.")
    check_kept(task, now_ms)


def json_text(value: Any) -> str:
    """JSON in a string, for fields that hold such."""
    return msgspec.json.encode(value).decode()
