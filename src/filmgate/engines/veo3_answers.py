"""Reads what a Veo3 API server of any edition answers: enveloped codes or mirrored ones, lists of links or JSON strings
of them, ``successFlag``, ``status`` or ``state``. Pure; never trusts a type."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from ..domain.errors import (
    ContentRejected,
    EngineFailed,
    EngineTimeout,
    EngineUnavailable,
    ImageRejected,
    LanguageRejected,
    MinorRejected,
    PersonRejected,
    TaskError,
)
from ..ports import Progress

_LONGEST = 200  #: characters of somebody else's sentence that are passed on
_ADDRESS = re.compile(r"\b[a-z][a-z0-9+.-]*://\S+", re.I)
_SUCCESS, _RUNNING, _FAILED = 1, 0, 3
_STATES = {"waiting": 0, "queuing": 0, "queueing": 0, "generating": 0, "success": 1, "fail": 3, "failed": 3}

#: What a refusal says, and what is refused by it; what the sentence begins with is said again by whoever passes it on.
_REFUSALS: tuple[tuple[re.Pattern[str], type[ContentRejected]], ...] = tuple(
    (re.compile(words, re.I), error)
    for words, error in (
        (r"public error prominent people upload\.?|prominent (people|person)", PersonRejected),
        (r"public error minor upload\.?", MinorRejected),
        (r"public error unsafe image upload\.?|unsafe image", ImageRejected),
        (r"only english prompts are supported( at this time)?\.?", LanguageRejected),
        (r"your prompt was flagged( by website)?( as violating content policies)?\.?|content polic", ContentRejected),
        (r"rejected by flow", ContentRejected),
    )
)


class Unclear(Exception):
    """Something came back that is no answer of this API."""


@dataclass(frozen=True, slots=True)
class Answer:
    """``code`` is the envelope's where there is one, else the HTTP status."""

    code: int
    msg: str
    data: Any

    @property
    def fields(self) -> Mapping[str, Any]:
        return self.data if isinstance(self.data, dict) else {}

    @property
    def ok(self) -> bool:
        return self.code == 200


def read(status: int, body: bytes) -> Answer:
    """Raises Unclear for what is no JSON object."""
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise Unclear from error
    if not isinstance(found, dict):
        raise Unclear
    code = number(found.get("code"))
    msg = found.get("msg") or found.get("message") or found.get("error") or ""
    return Answer(status if code is None else code, plain(msg), found.get("data"))


@dataclass(frozen=True, slots=True)
class Record:
    """Where a task stands there."""

    flag: int  #: 0 under way, 1 there, anything else: failed
    films: tuple[str, ...]
    progress: Progress
    error: TaskError | None = None

    @property
    def done(self) -> bool:
        return self.flag == _SUCCESS


def record(data: Mapping[str, Any]) -> Record:
    """Of ``data`` in an answer of record-info, or of the market's recordInfo. Raises Unclear where it says nothing."""
    flag = _flag(data)
    error = _failure(data) if flag not in (_RUNNING, _SUCCESS) else None
    return Record(flag, tuple(_films(data)), _progress(data), error)


def refusal(code: int, msg: str) -> TaskError:
    """Why an order was not taken, or came to nothing: a Rejection where the other side refuses it, a retryable
    Breakdown where it could not be asked, any other where it could not make it."""
    for words, kind in _REFUSALS:
        if words.search(msg):
            return kind(_sentence(words.sub("", msg, count=1).strip(" .:()")))
    if code == 408:
        return EngineFailed(f"The other server gave it up: {msg}" if msg else "The other server gave it up.")
    if code in (400, 422, 451, 500, 501):
        return EngineFailed(f"The other server could not make it: {msg or f'code {code}'}")
    return EngineUnavailable(f"The other server takes no order at the moment: {msg or f'code {code}'}")


def _sentence(rest: str) -> str | None:
    """What is left of a sentence, as one of its own; None where nothing is."""
    return f"{rest[0].upper()}{rest[1:]}{'' if rest[-1] in '!?' else '.'}" if rest else None


def not_taken(answer: Answer) -> TaskError:
    """Of an order that was answered, and not with an id. What it answers for itself is no word about the order."""
    if answer.code in (401, 403):
        return EngineUnavailable("The other server does not accept the key that this one has for it.")
    if answer.code == 402:
        return EngineUnavailable("The other server has no credits left for this one.")
    if answer.code in (500, 501, 408):
        return EngineUnavailable(f"The other server failed: {answer.msg or f'code {answer.code}'}")
    return refusal(answer.code, answer.msg)


def not_seen(answer: Answer) -> TaskError:
    """Of a look that was not answered with a record: it is looked again."""
    return EngineUnavailable(f"The other server did not say how far it is: {answer.msg or f'code {answer.code}'}")


def no_answer() -> TaskError:
    return EngineTimeout("The other server answered with something that cannot be understood.")


def plain(text: object) -> str:
    """Somebody else's words, as they may be passed on: no addresses, no control characters, not without end."""
    said = _ADDRESS.sub("(address)", text) if isinstance(text, str) else ""
    said = "".join(each if each.isprintable() else " " for each in said)
    return " ".join(said.split())[:_LONGEST]


def number(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and re.fullmatch(r"-?\d{1,9}", value):
        return int(value)
    return value if isinstance(value, int) else None


def text(value: Any) -> str | None:
    """An id: as text, whatever it was."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) and 0 < len(value) <= _LONGEST else None


def links(value: Any) -> Iterator[str]:
    """A list of links, a JSON string of one, or one link."""
    if isinstance(value, str) and value.lstrip().startswith(("[", "{")):
        try:
            value = msgspec.json.decode(value)
        except (msgspec.DecodeError, RecursionError):
            return
        value = value.get("resultUrls") if isinstance(value, dict) else value
    if isinstance(value, str) and value.startswith(("http://", "https://")):
        yield value
    elif isinstance(value, list):
        yield from (each for each in value if isinstance(each, str) and each.startswith(("http://", "https://")))


def _flag(data: Mapping[str, Any]) -> int:
    for name in ("successFlag", "status"):
        if (flag := number(data.get(name))) is not None:
            return flag
    for name in ("state", "status"):
        if isinstance(state := data.get(name), str) and state.lower() in _STATES:
            return _STATES[state.lower()]
    raise Unclear


def _films(data: Mapping[str, Any]) -> Iterator[str]:
    """Of all forms that say something, the first."""
    within = data.get("response")
    within = within if isinstance(within, dict) else {}
    forms = (within.get("resultUrls"), data.get("resultUrls"), data.get("resultJson"), data.get("resultUrl"))
    for form in (*forms, data.get("videoUrl"), within.get("resultUrl")):
        if found := list(links(form)):
            yield from found
            return


def _failure(data: Mapping[str, Any]) -> TaskError:
    code = next((code for name in ("errorCode", "failCode") if (code := number(data.get(name))) is not None), 501)
    said = next((said for name in ("errorMessage", "failMsg", "msg") if (said := plain(data.get(name)))), "")
    error = refusal(code, said)
    return EngineFailed(str(error)) if isinstance(error, EngineUnavailable) else error


def _progress(data: Mapping[str, Any]) -> Progress:
    share = data.get("progress")
    fraction = float(share) if isinstance(share, int | float) and not isinstance(share, bool) else 0.0
    fraction = fraction / 100 if fraction > 1 else fraction
    return Progress(min(max(fraction, 0.0), 1.0), plain(data.get("stage"))[:60] or "made by another server")
