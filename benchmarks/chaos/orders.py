"""The clients: orders without pause, and without mercy for a connection that breaks."""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import Callable, Sequence
from typing import Any

import httpx2

from .journal import Journal
from .plan import KEY

_PROMPTS = {  #: what is ordered, and how often
    "stock": 70,
    "stock, slow 0.5": 12,
    "stock, slow 1.5": 6,
    "reject": 4,
    "fail": 3,
    "stock, crash till 2": 5,
}
_PATIENCE_S = 60.0  #: after which a client gives up; nobody knows then whether there is a task
_AGAIN = 0.1  #: share of orders that are sent once more after they were acknowledged


class Clients:
    """``order`` films until ``stop``; ``room`` says how many more may be under way."""

    def __init__(
        self, journal: Journal, urls: Sequence[str], callback: str, chance: random.Random, *, one_task_per_key: bool
    ) -> None:
        self._journal = journal
        self._urls = urls
        self._callback = callback
        self._chance = chance
        self._one_task_per_key = one_task_per_key
        self._run = secrets.token_hex(4)
        self._number = 0
        self.under_way = 0  #: orders that have no answer yet

    async def order_while(self, wanted: Callable[[], bool], room: Callable[[], int]) -> None:
        async with asyncio.TaskGroup() as group:
            while wanted():
                for _ in range(room() - self.under_way):
                    self.under_way += 1
                    group.create_task(self._order())
                await asyncio.sleep(0.02)

    async def _order(self) -> None:
        try:
            self._number += 1
            key = f"{self._run}-{self._number}"
            (prompt,) = self._chance.choices([*_PROMPTS], [*_PROMPTS.values()])
            body = {"prompt": f"{prompt} [{key}]", "model": "veo3_lite", "duration": 4, "callBackUrl": self._callback}
            await self._insist(key, body)
        finally:
            self.under_way -= 1

    async def _insist(self, key: str, body: dict[str, Any]) -> None:
        """The same order under the same key, to any of the servers, until one of them says yes."""
        try:
            async with asyncio.timeout(_PATIENCE_S):
                task_id = await self._ask(key, body)
                while task_id is None:
                    await asyncio.sleep(self._chance.uniform(0.05, 0.3))
                    task_id = await self._ask(key, body)
        except TimeoutError:
            self._journal.unanswered.add(key)
            self._journal.note("unanswered", key=key)
            return
        self._journal.acknowledged[task_id] = key
        self._journal.note("acknowledged", key=key, task=task_id)
        if self._one_task_per_key and self._chance.random() < _AGAIN:
            await self._ask_again(key, body, task_id)

    async def _ask_again(self, key: str, body: dict[str, Any], task_id: str) -> None:
        again = await self._ask(key, body)
        if again not in (None, task_id):
            self._journal.breach("other", task_id, f"The key {key} was answered with another task: {again}.")

    async def _ask(self, key: str, body: dict[str, Any]) -> str | None:
        """The task, or None where the answer was lost or says "not now"."""
        url = self._chance.choice(self._urls)
        headers = {"Authorization": f"Bearer {KEY}", "Idempotency-Key": key}
        try:
            async with httpx2.AsyncClient(timeout=3) as http:
                answer = (await http.post(f"{url}/api/v1/veo/generate", json=body, headers=headers)).json()
        except (httpx2.TransportError, ValueError):  # ValueError: half an answer
            return None
        if answer["code"] == 200:
            return str(answer["data"]["taskId"])
        self._journal.note("not_now", key=key, code=answer["code"], msg=answer["msg"])
        return None
