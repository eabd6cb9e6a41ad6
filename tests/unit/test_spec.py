"""Sizes and shapes of what can be ordered, and the stages of a task."""

from __future__ import annotations

import pytest

from filmgate.domain.callback import Delivery
from filmgate.domain.spec import AspectRatio, Resolution, Spec
from filmgate.domain.task import Artifact, Origin, Role, Status, Task


@pytest.mark.parametrize(
    ("resolution", "ratio", "size"),
    [
        (Resolution.P720, AspectRatio.LANDSCAPE, (1280, 720)),
        (Resolution.P720, AspectRatio.PORTRAIT, (720, 1280)),
        (Resolution.P1080, AspectRatio.LANDSCAPE, (1920, 1080)),
        (Resolution.P1080, AspectRatio.PORTRAIT, (1080, 1920)),
        (Resolution.K4, AspectRatio.LANDSCAPE, (3840, 2160)),
        (Resolution.K4, AspectRatio.PORTRAIT, (2160, 3840)),
        (Resolution.P720, AspectRatio.AUTO, (1280, 720)),
    ],
)
def test_a_film_has_the_size_of_its_resolution_and_shape(
    resolution: Resolution, ratio: AspectRatio, size: tuple[int, int]
) -> None:
    assert Spec("a dog", "veo3", resolution=resolution, aspect_ratio=ratio).size == size


def test_three_statuses_are_ends() -> None:
    assert [status for status in Status if status.ended] == [Status.SUCCEEDED, Status.REJECTED, Status.FAILED]


def test_artifacts_are_found_by_their_role() -> None:
    film, poster = Artifact(Role.RESULT, "r", "video/mp4", 1), Artifact(Role.POSTER, "p", "image/jpeg", 1)
    task = Task("0" * 32, Origin("a", "k", "veo3", ""), Spec("a dog", "veo3"), 0, artifacts=(film, poster))
    assert task.artifacts_of(Role.POSTER) == (poster,)
    assert task.artifacts_of(Role.FULL) == ()


@pytest.mark.parametrize(("status", "accepted"), [(None, False), (199, False), (200, True), (299, True), (302, False)])
def test_a_delivery_is_accepted_by_any_2xx(status: int | None, accepted: bool) -> None:
    assert Delivery("msg_1", 1, 0, 5, status).accepted is accepted
