"""Where the callbacks go: a real server that sometimes answers 500, hangs, or closes too early."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial

from .journal import Journal, Told
from .plan import CALLBACK_TIMEOUT_S

_MOODS = {"accept": 76, "refuse": 10, "hang": 4, "close unread": 5, "close unanswered": 5}
_ANSWERS = {
    "accept": b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
    "refuse": b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 4\r\n\r\nlate",
}


@asynccontextmanager
async def receiving(journal: Journal, chance: random.Random) -> AsyncIterator[str]:
    """Yields the address for callBackUrl."""
    server = await asyncio.start_server(partial(_visit, journal, chance), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        yield f"http://127.0.0.1:{port}/callback"


async def _visit(
    journal: Journal, chance: random.Random, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    try:
        # A sender that is killed in the middle of a request is part of the experiment.
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await _one(journal, chance, reader, writer)
    finally:
        writer.close()


async def _one(
    journal: Journal, chance: random.Random, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    headers = await _headers(reader)
    (mood,) = chance.choices([*_MOODS], [*_MOODS.values()])
    if mood == "close unread":
        return
    body = await reader.readexactly(int(headers["content-length"]))
    task_id = str(json.loads(body)["taskId"])
    journal.note("callback", task=task_id, id=headers["webhook-id"], mood=mood)
    told = journal.told.setdefault(task_id, Told())
    told.ids.add(headers["webhook-id"])
    told.bodies.add(body)
    if mood == "hang":
        await asyncio.sleep(CALLBACK_TIMEOUT_S * 2)
    elif mood != "close unanswered":
        told.accepted += mood == "accept"
        writer.write(_ANSWERS[mood])
        await writer.drain()


async def _headers(reader: asyncio.StreamReader) -> dict[str, str]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    pairs = (line.partition(": ") for line in head.splitlines()[1:] if line)
    return {name.lower(): value for name, _, value in pairs}
