"""The table from errors to codes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from filmgate.dialects.veo3.render import STATE, SUCCESS_FLAG
from filmgate.domain import errors
from filmgate.domain.spec import Kind
from filmgate.domain.task import Failure, Status
from filmgate.http.codes import CODES, code_of, failure_of

from .tasks import task


def family(root: type[errors.FilmgateError]) -> Iterator[type[errors.FilmgateError]]:
    yield root
    for child in root.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from family(child)


CLASSES = sorted(set(family(errors.FilmgateError)), key=lambda each: each.slug)


def test_the_table_covers_every_error_and_nothing_else() -> None:
    assert {each.slug for each in CLASSES} == set(CODES)


@pytest.mark.parametrize("kind", CLASSES)
def test_every_error_has_a_legal_code_and_a_text(kind: type[errors.FilmgateError]) -> None:
    code, text = code_of(kind("What to {do} next."))
    assert 400 <= code <= 599
    assert text.strip()


def test_every_status_has_a_flag_and_a_state() -> None:
    assert set(SUCCESS_FLAG) == set(STATE) == set(Status)


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (errors.MissingPrompt(), 422, "Please enter prompt"),
        (errors.UnsupportedModel("veo4 is not supported."), 422, "not supported"),
        (errors.TaskNotFound(), 422, "record is null"),
        (errors.InsufficientCredits("This needs 60."), 402, "Credits insufficient. This needs 60."),
        (errors.TooManyRequests(), 429, "Your call frequency is too high"),
        (errors.SourceNotFound(), 404, "Original video or task does not exist"),
        (errors.SourceNotReady(), 422, "record status is not success."),
        (errors.NoSuchResult(), 422, "record result data not exist."),
        (errors.AlreadyThere("It is large."), 422, "It is large."),
        (errors.TooLarge(), 413, "too large"),
        (errors.AddressRefused(), 422, "may not be called"),
        (errors.UnknownAddress(), 404, "nothing at this address"),
    ],
)
def test_the_words_that_programs_look_for(error: errors.FilmgateError, code: int, says: str) -> None:
    assert code_of(error)[0] == code
    assert says in code_of(error)[1]


@pytest.mark.parametrize(
    ("slug", "fallback", "code", "says"),
    [
        ("content_rejected", None, 400, "Your prompt was flagged"),
        ("content_rejected", False, 422, "Your request was rejected by Flow(Your prompt was flagged"),
        ("content_rejected", True, 422, "rejected by Flow("),
        ("input_unreachable", None, 451, "It went wrong."),
        ("input_unusable", None, 400, "It went wrong."),
        ("person_rejected", None, 400, "public error prominent people upload. It went wrong."),
        ("minor_rejected", True, 422, "rejected by Flow(public error minor upload. It went wrong.)"),
        ("image_rejected", True, 400, "public error unsafe image upload. It went wrong."),
        ("language_rejected", True, 400, "Only English prompts are supported at this time. It went wrong."),
        ("engine_crashed", None, 501, "It went wrong."),
        ("engine_timeout", None, 408, "It went wrong."),
        ("a_slug_of_tomorrow", None, 501, "It went wrong."),
    ],
)
def test_how_a_failed_task_is_told(slug: str, fallback: bool | None, code: int, says: str) -> None:
    failure = failure_of(task(Status.FAILED, failure=Failure(slug, "It went wrong."), fallback=fallback))
    assert failure is not None
    assert failure[0] == code
    assert says in failure[1]


IMAGE = "Failed to fetch the image. Kindly verify any access limits set by you or your service provider."


@pytest.mark.parametrize("said", ["It went wrong.", IMAGE, f"{IMAGE} It is no picture."])
def test_an_image_that_could_not_be_had_is_told_in_the_known_words_once(said: str) -> None:
    failed = task(Status.REJECTED, failure=Failure("input_unreachable", said), images=("https://a.example/1.png",))
    failure = failure_of(failed)
    assert failure is not None
    assert failure[0] == 451
    assert failure[1].startswith(IMAGE)
    assert failure[1].count(IMAGE) == 1
    assert said in failure[1]


def test_a_4k_version_that_could_not_be_made() -> None:
    failed = task(Status.FAILED, failure=Failure("engine_failed", "No memory."), kind=Kind.UPGRADE_4K, source_id="1")
    assert failure_of(failed) == (
        500,
        "The 4K version of this video is unavailable. Please try a different video. No memory.",
    )


def test_a_dialect_may_have_words_of_its_own() -> None:
    assert code_of(errors.TaskNotFound("x"), {"task_not_found": (404, "no {sentence}")}) == (404, "no x")
    assert code_of(errors.TooLarge("x"), {"task_not_found": (404, "no {sentence}")}) == (413, "x")


def test_braces_in_a_sentence_are_left_alone() -> None:
    failed = task(Status.FAILED, failure=Failure("engine_failed", "{0} {sentence} {"))
    assert failure_of(failed) == (501, "{0} {sentence} {")


def test_a_task_that_has_not_failed_has_no_failure() -> None:
    assert failure_of(task(Status.SUCCEEDED)) is None
