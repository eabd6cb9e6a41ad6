"""Everything that can go wrong, in no dialect.

* FilmgateError
    * RequestError                  the request is refused; nothing was created
        * MalformedRequest          the body is not what its content type says
        * TooLarge                  the body is larger than the limit
        * InvalidRequest            a field is missing or outside its rules
            * UnsupportedModel      no such model
            * MissingPrompt         blank where a prompt is needed
        * Unauthenticated           no key, or no such key
        * InsufficientCredits       the balance does not cover the price
        * KeySpent                  the key has used up what it may spend
        * TooManyRequests           over a limit; try again later
            * QueueFull             so many tasks are waiting that no more are taken
        * UnderMaintenance          the operator has closed the server for a while
        * FeatureOff                the operator has switched this off
        * UnknownAddress            no such path
        * WrongMethod               the path exists, the method does not
        * Conflict                  it does not fit what has happened before
            * KeyReused             an Idempotency-Key that stands for another order
            * TaskEnded             there is nothing left to cancel
            * TaskNotEnded          what may be done with an ended task only
        * TaskNotFound              no such task, or somebody else's
        * SourceNotFound            the task that should be extended is not there
        * SourceUnusable            the task that should be extended or upgraded has no film for it
            * SourceNotReady        it has not succeeded, or not yet
            * NoSuchResult          it has no film of this index
            * AlreadyThere          it is as large as that already
        * UploadRefused             the uploaded file cannot be taken
        * LinkForged                the signature of a file link does not verify
        * LinkExpired               the link was ours once
    * TaskError                     how a task ends, or why an attempt ended
        * Rejection                 the task was refused: its owner must change something
            * ContentRejected       against the content rules
                * LanguageRejected  the prompt is in a language that nobody here understands
                * ImageRejected     an image is against the content rules
                * PersonRejected    a prominent person
                * MinorRejected     a minor, where none may be
            * InputUnreachable      an image could not be fetched
                * InputUnusable     it was fetched, and is no image that could be used
            * Unsupported           no engine of the model's route can do this
            * Cancelled             by its owner
        * Breakdown                 the engine could not; asking again may help
            * EngineUnavailable     cannot be started: something is missing on this machine
            * EngineFailed          rendered and failed, and said why
            * EngineCrashed         the engine's process died
            * EngineTimeout         took longer than it may
            * OrderUnclear          nobody knows whether the other side has taken the order
            * DeadlinePassed        was not begun, or has not ended, in the time that the operator allows
            * OutputUnusable        what it rendered is not the film that was ordered
            * StorageUnavailable    the film could not be stored
            * InternalFault         a bug of ours, or a machine in trouble; the log has it
            * AttemptsUsedUp        several attempts ended without a film
    * StateError                    a bug or a race: nothing was changed
        * IllegalTransition         the event does not fit the state
        * LeaseLost                 another worker has the task now
    * AddressRefused                an address that may not be called
    * Unreachable                   an address that may be called did not answer

``slug`` is stable: dialects map it to their codes, and it is what logs and records carry. ``str(error)`` is a sentence
for the person who asked. Whatever library raised first is kept as ``__cause__``.
"""

from __future__ import annotations

import errno
from typing import ClassVar


class FilmgateError(Exception):
    """Anything that Filmgate itself says went wrong."""

    slug: ClassVar[str] = "error"
    sentence: ClassVar[str] = "Something went wrong."
    retryable: ClassVar[bool] = False

    def __init__(self, sentence: str | None = None) -> None:
        super().__init__(sentence or self.sentence)


class RequestError(FilmgateError):
    slug = "request_error"
    sentence = "The request was refused."


class MalformedRequest(RequestError):
    slug = "malformed_request"
    sentence = "The body is not valid JSON: send one JSON object."


class TooLarge(RequestError):
    slug = "too_large"
    sentence = "The body is too large."


class InvalidRequest(RequestError):
    slug = "invalid_request"
    sentence = "A field of the request is not valid."


class UnsupportedModel(InvalidRequest):
    slug = "unsupported_model"
    sentence = "There is no such model."


class MissingPrompt(InvalidRequest):
    slug = "missing_prompt"
    sentence = "A prompt is needed."


class Unauthenticated(RequestError):
    slug = "unauthenticated"
    sentence = "Send a valid API key as 'Authorization: Bearer KEY'."


class InsufficientCredits(RequestError):
    slug = "insufficient_credits"
    sentence = "The balance does not cover the price of this request."


class KeySpent(RequestError):
    slug = "key_spent"
    sentence = "This key has used up what it may spend."


class TooManyRequests(RequestError):
    """``retry_after_s``: seconds after which the same request may succeed, where that is known."""

    slug = "too_many_requests"
    sentence = "Too many requests: wait a little and try again."
    retryable = True

    def __init__(self, sentence: str | None = None, *, retry_after_s: float | None = None) -> None:
        super().__init__(sentence)
        self.retry_after_s = retry_after_s


class QueueFull(TooManyRequests):
    slug = "queue_full"
    sentence = "So many tasks are waiting that no more are taken: try again in a while."


class UnderMaintenance(RequestError):
    slug = "under_maintenance"
    sentence = "The server is under maintenance: try again later."
    retryable = True


class FeatureOff(RequestError):
    slug = "feature_off"
    sentence = "The operator of this server has switched this off."


class UnknownAddress(RequestError):
    slug = "unknown_address"
    sentence = "There is nothing at this address."


class WrongMethod(RequestError):
    slug = "wrong_method"
    sentence = "This address does not answer that method."


class Conflict(RequestError):
    slug = "conflict"
    sentence = "The request does not fit what has happened before."


class KeyReused(Conflict):
    slug = "key_reused"
    sentence = (
        "This Idempotency-Key was sent with another order before: send the very same order, or a new key for a new one."
    )


class TaskEnded(Conflict):
    slug = "task_ended"
    sentence = "The task has ended already: there is nothing to cancel."


class TaskNotEnded(Conflict):
    slug = "task_not_ended"
    sentence = "The task has not ended: cancel it first, or wait."


class TaskNotFound(RequestError):
    slug = "task_not_found"
    sentence = "There is no such task."


class SourceNotFound(RequestError):
    slug = "source_not_found"
    sentence = "The task whose film should be extended does not exist."


class SourceUnusable(RequestError):
    slug = "source_unusable"
    sentence = "The film of that task cannot be used for this."


class SourceNotReady(SourceUnusable):
    slug = "source_not_ready"
    sentence = "That task has no film: it has not succeeded, or not yet."


class NoSuchResult(SourceUnusable):
    slug = "no_such_result"
    sentence = "That task has no film of this index."


class AlreadyThere(SourceUnusable):
    slug = "already_there"
    sentence = "The film is as large as that already."


class UploadRefused(RequestError):
    slug = "upload_refused"
    sentence = "The file cannot be taken."


class LinkForged(RequestError):
    slug = "link_forged"
    sentence = "There is no such file."


class LinkExpired(RequestError):
    slug = "link_expired"
    sentence = "This link has expired."


class TaskError(FilmgateError):
    slug = "task_error"
    sentence = "The task did not succeed."


class Rejection(TaskError):
    slug = "rejected"
    sentence = "The task was refused."


class ContentRejected(Rejection):
    slug = "content_rejected"
    sentence = "The prompt is against the content rules."


class LanguageRejected(ContentRejected):
    slug = "language_rejected"
    sentence = "The prompt is not in English."


class ImageRejected(ContentRejected):
    slug = "image_rejected"
    sentence = "An image is against the content rules."


class PersonRejected(ContentRejected):
    slug = "person_rejected"
    sentence = "A prominent person may not be shown."


class MinorRejected(ContentRejected):
    slug = "minor_rejected"
    sentence = "A minor may not be shown."


class InputUnreachable(Rejection):
    slug = "input_unreachable"
    sentence = "An image could not be fetched."


class InputUnusable(InputUnreachable):
    slug = "input_unusable"
    sentence = "What was fetched is no image that could be used."


class Unsupported(Rejection):
    slug = "unsupported"
    sentence = "No engine of this model can do what was asked."


class Cancelled(Rejection):
    slug = "cancelled"
    sentence = "The task was cancelled by its owner."


class Breakdown(TaskError):
    slug = "breakdown"
    sentence = "The film could not be made."


class EngineUnavailable(Breakdown):
    slug = "engine_unavailable"
    sentence = "The engine cannot be started on this machine."
    retryable = True


class EngineFailed(Breakdown):
    slug = "engine_failed"
    sentence = "The engine could not make the film."


class EngineCrashed(Breakdown):
    slug = "engine_crashed"
    sentence = "The engine's process died."
    retryable = True


class EngineTimeout(Breakdown):
    slug = "engine_timeout"
    sentence = "The engine took longer than it may."
    retryable = True


class OrderUnclear(Breakdown):
    slug = "order_unclear"
    sentence = (
        "It is not known whether the engine, which is elsewhere, has taken the order: it is not sent again, so that "
        "nothing is paid for twice. Nothing was charged: order it again."
    )


class DeadlinePassed(Breakdown):
    slug = "deadline_passed"
    sentence = "The task was not made in time."


class OutputUnusable(Breakdown):
    slug = "output_unusable"
    sentence = "What the engine made is not the film that was ordered."
    retryable = True


class StorageUnavailable(Breakdown):
    slug = "storage_unavailable"
    sentence = "The film could not be stored."
    retryable = True


FULL_DISK = "The disk is full: the film could not be written."


def is_full_disk(error: Exception) -> bool:
    """Whether that is what the operating system says."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


class InternalFault(Breakdown):
    slug = "internal_fault"
    sentence = "Something failed unexpectedly while the film was made; the log has the details."
    retryable = True


class AttemptsUsedUp(Breakdown):
    slug = "attempts_used_up"
    sentence = "Several attempts ended without a film."


class StateError(FilmgateError):
    slug = "state_error"
    sentence = "The event does not fit the state."


class IllegalTransition(StateError):
    slug = "illegal_transition"


class LeaseLost(StateError):
    slug = "lease_lost"
    sentence = "Another worker has this task now."


class AddressRefused(FilmgateError):
    slug = "address_refused"
    sentence = "This address may not be called."


class Unreachable(FilmgateError):
    slug = "unreachable"
    sentence = "The address did not answer."
    retryable = True


def task_error(slug: str, sentence: str) -> TaskError:
    """The TaskError that was recorded under this slug; EngineFailed for one that this version does not know."""
    known = {kind.slug: kind for kind in _below(TaskError)}
    return known.get(slug, EngineFailed)(sentence)


def _below(kind: type[TaskError]) -> list[type[TaskError]]:
    return [kind, *(deeper for child in kind.__subclasses__() for deeper in _below(child))]
