"""A callback about a film that there is not, sent as real ones are: to see whether a receiver is ready."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .. import __version__
from ..app.callbacks import compose
from ..app.chance import TaskIds
from ..app.parts import Parts, operator
from ..domain.callback import Callback
from ..domain.spec import Spec
from ..domain.task import Artifact, Origin, Role, Status, Task
from ..net.outbound import Outbound, Policy
from ..services.signatures import Signatures

if TYPE_CHECKING:
    from ..net.outbound import Answer
    from ..settings import Settings

_ANSWER_BYTES = 400
_GOOD_MS = 3_600_000  #: for how long the link in it would be good
_KINDS = {"x-webhook-signature": "vendor", "webhook-signature": "standard"}


@dataclass(frozen=True)
class Tried:
    """What was sent, and what came back."""

    callback: Callback
    signed: tuple[str, ...]  #: "vendor", "standard"
    answer: Answer

    @property
    def accepted(self) -> bool:
        return 200 <= self.answer.status < 300

    @property
    def text(self) -> str:
        return self.answer.body_start.decode("utf-8", "replace")

    def lines(self) -> list[tuple[str, str]]:
        words = "accepted" if self.accepted else "a real callback would be sent again"
        return [
            ("status", f"{self.answer.status}: {words}"),
            ("latency", f"{self.answer.latency_ms} ms"),
            ("signed", " and ".join(self.signed) or "no: see `filmgate keys webhook`"),
            ("callback", f"{self.callback.id} about the task {self.callback.task_id}"),
            ("answer", self.text or "-"),
        ]

    def facts(self) -> dict[str, Any]:
        return {
            "url": self.callback.url,
            "id": self.callback.id,
            "taskId": self.callback.task_id,
            "signed": list(self.signed),
            "status": self.answer.status,
            "accepted": self.accepted,
            "latencyMs": self.answer.latency_ms,
            "answer": self.text,
        }


async def send_sample(settings: Settings, url: str, account: str) -> Tried:
    """Raises InvalidRequest for an account that there is not, AddressRefused, and Unreachable."""
    async with operator(settings) as parts:
        await parts.accounts.balance(account)
        task = _task(parts, url, account)
        callback = Callback(
            id=f"msg_{secrets.token_hex(16)}",
            task_id=task.id,
            account_id=account,
            url=url,
            created_ms=task.created_ms,
            next_at_ms=task.created_ms,
        )
        body = compose(task, parts.links, settings.edition.switches())
        signed = await Signatures(parts.webhooks, parts.clock)(callback, body)
    own = {"content-type": "application/json", "user-agent": f"filmgate/{__version__}", "webhook-id": callback.id}
    outbound = Outbound(Policy(settings.net.allow, settings.net.allow_private))
    answer = await outbound.post(
        url, body, {**own, **signed}, timeout_s=settings.callbacks.timeout_s, answer_cap=_ANSWER_BYTES
    )
    return Tried(callback, tuple(kind for header, kind in _KINDS.items() if header in signed), answer)


def _task(parts: Parts, url: str, account: str) -> Task:
    settings, now, task_id = parts.settings, parts.clock.now_ms(), TaskIds()()
    base = settings.public_url or f"http://{settings.server.host}:{settings.server.port}"
    key = f"{task_id}/1/result.mp4"
    film = Artifact(Role.RESULT, key, "video/mp4", 1, 1280, 720, 8.0, has_audio=True, expires_ms=now + _GOOD_MS)
    return Task(
        id=task_id,
        origin=Origin(account, "sample", "veo3", base),
        spec=Spec("A sample: there is no such film.", settings.edition.default_model, seed=12345, callback_url=url),
        created_ms=now,
        status=Status.SUCCEEDED,
        ended_ms=now,
        artifacts=(film,),
    )
