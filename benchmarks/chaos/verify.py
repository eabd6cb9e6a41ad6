"""The promise, held against the books once the dust has settled. Each check notes the breaches that it finds."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx2
import msgspec
from sqlalchemy import RowMapping

from .books import Books, media_of
from .journal import Journal, Told
from .plan import KEY, SCHEDULE_S, Plan
from .watch import Watch

_FLAGS = {"succeeded": 1, "rejected": 2, "failed": 3}
_SIGNATURE = re.compile(rb"....freefilmgate trial (\w+) (\d+)", re.DOTALL)
_LABELLED = b'<?xpacket end="r"?>'  #: the end of the label, which the server writes behind the engine's signature
_ORDER = re.compile(r"\[([\w-]+)\]")


def check_books(plan: Plan, journal: Journal, books: Books, watch: Watch) -> None:
    """Everything that the database says, of every task in it: also of those that were never acknowledged."""
    rows = {row["id"]: row for row in books.tasks()}
    _nothing_lost(journal, rows)
    _ended_once(journal, rows, watch.ended)
    _charged_once(journal, rows.values(), books)
    _callbacks(journal, rows.values(), books.callbacks())
    if plan.one_task_per_key:
        _one_task_per_key(journal, rows.values())


def _nothing_lost(journal: Journal, rows: Mapping[str, RowMapping]) -> None:
    for task_id in journal.acknowledged:
        if task_id not in rows:
            journal.breach("lost", task_id, "It was acknowledged, and there is no such task.")
    for row in rows.values():
        if row["ended_ms"] is None:
            journal.breach("lost", row["id"], f"It has not ended: {row['status']}, attempt {row['attempt']}.")
        elif row["status"] != "succeeded" and not row["failure"]:
            journal.breach("lost", row["id"], "It ended without a film, and without a word about why.")


def _ended_once(journal: Journal, rows: Mapping[str, RowMapping], first_seen: Mapping[str, Mapping[str, Any]]) -> None:
    for row in rows.values():
        first = first_seen.get(row["id"])
        if first is not None and (changed := [name for name in first if first[name] != row[name]]):
            journal.breach("double", row["id"], f"After its end there was a change of {', '.join(changed)}.")
        for artifact in _artifacts(row):
            if not artifact["key"].startswith(f"{row['id']}/{row['attempt']}/"):
                journal.breach("double", row["id"], f"{artifact['key']} is not of attempt {row['attempt']}.")
        if bool(_artifacts(row)) is not (row["status"] == "succeeded"):
            journal.breach("double", row["id"], f"It has {len(_artifacts(row))} files and is {row['status']}.")


def _charged_once(journal: Journal, rows: Iterable[RowMapping], books: Books) -> None:
    entries: dict[str | None, list[tuple[str, int]]] = defaultdict(list)
    balances: Counter[str] = Counter()
    for entry in books.ledger():
        entries[entry["task_id"]].append((entry["kind"], entry["credits"]))
        balances[entry["account_id"]] += entry["credits"]
    for row in rows:
        kept = ("settle", 0) if row["status"] == "succeeded" else ("refund", row["price"])
        found = sorted(entries.pop(row["id"], []))
        if row["ended_ms"] is not None and found != sorted([("hold", -row["price"]), kept]):
            journal.breach("charged", row["id"], f"It is {row['status']} and the ledger says {found}.")
    for task_id in entries.keys() - {None}:
        journal.breach("charged", str(task_id), f"The ledger has entries of no task: {entries[task_id]}.")
    for account, balance in books.balances().items():
        if balance != balances[account]:
            journal.breach("charged", account, f"Its balance is {balance}; its entries make {balances[account]}.")


def _callbacks(journal: Journal, rows: Iterable[RowMapping], callbacks: Sequence[RowMapping]) -> None:
    of_task: dict[str, list[RowMapping]] = defaultdict(list)
    for callback in callbacks:
        of_task[callback["task_id"]].append(callback)
    for row in rows:
        found, told = of_task[row["id"]], journal.told.get(row["id"], Told())
        if len(found) != 1:
            journal.breach("callback", row["id"], f"It has {len(found)} callbacks on record.")
        elif wrong := _wrong_with(found[0], told):
            journal.breach("callback", row["id"], wrong)


def _wrong_with(callback: RowMapping, told: Told) -> str | None:
    if told.ids - {callback["id"]}:
        return f"It was told under other ids than {callback['id']}: {sorted(told.ids)}."
    if len(told.bodies) > 1:
        return "It was told in different words."
    if callback["state"] == "delivered" and not told.accepted:
        return "It is on record as delivered, and nobody has accepted it."
    if callback["state"] == "gave_up" and callback["tries"] <= len(SCHEDULE_S):
        return f"It was given up after {callback['tries']} tries."
    return None if callback["state"] in ("delivered", "gave_up") else f"It is {callback['state']}."


def _one_task_per_key(journal: Journal, rows: Iterable[RowMapping]) -> None:
    """Of every order that was sent, however often, and whether or not anybody heard the answer."""
    of_key: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        if (order := _ORDER.search(row["spec"])) is not None:
            of_key[order[1]].append(row["id"])
    for key, task_ids in of_key.items():
        if len(task_ids) > 1:
            journal.breach("other", task_ids[1], f"The key {key} has made {len(task_ids)} tasks: {task_ids}.")


# ---------------------------------------------------------------- what clients see --------------------------------


def check_answers(journal: Journal, urls: Sequence[str], books: Books) -> None:
    """What every server says of every acknowledged task, and the films behind the links."""
    rows = {row["id"]: row for row in books.tasks()}
    with httpx2.Client(headers={"Authorization": f"Bearer {KEY}"}, timeout=30) as http:
        for number, task_id in enumerate(journal.acknowledged):
            url = urls[number % len(urls)]
            answer = http.get(f"{url}/api/v1/veo/record-info", params={"taskId": task_id}).json()
            if answer["code"] != 200:
                journal.breach("lost", task_id, f"Asked for its record, the server says {answer['msg']!r}.")
            elif task_id in rows:
                _check_record(journal, http, rows[task_id], answer["data"])


def _check_record(journal: Journal, http: httpx2.Client, row: RowMapping, record: dict[str, Any]) -> None:
    if record["successFlag"] != _FLAGS.get(row["status"]):
        journal.breach("lost", row["id"], f"Its record says {record['successFlag']} and its row {row['status']}.")
    elif record["successFlag"] == 1:
        (link,) = record["response"]["resultUrls"]
        wrong = _wrong_film(http.get(link), row)
        if wrong:
            journal.breach("double", row["id"], wrong)
    elif not record["errorMessage"]:
        journal.breach("lost", row["id"], "Its record does not say why it failed.")


def _wrong_film(answer: httpx2.Response, row: RowMapping) -> str | None:
    """Whole, and of this task and attempt: a stock film ends in a box that says whose it is."""
    (size,) = (artifact["bytes"] for artifact in _artifacts(row) if artifact["role"] == "result")
    if answer.status_code != 200 or len(answer.content) != size:
        return f"Its film has {len(answer.content)} bytes (status {answer.status_code}); {size} are on record."
    whole = answer.content.endswith(_LABELLED)
    signed = _SIGNATURE.search(answer.content, len(answer.content) - 2000) if whole else None
    if signed is None or signed[1].decode() != row["id"] or int(signed[2]) != row["attempt"]:
        return f"Its film is signed {signed[0]!r}." if signed else "Its film has lost its end."
    return None


# ---------------------------------------------------------------- what lies about ---------------------------------


def check_leftovers(plan: Plan, journal: Journal, books: Books) -> None:
    """Once everything has been stopped."""
    known = {artifact["key"] for row in books.tasks() for artifact in _artifacts(row)}
    for path in media_of(plan):
        key = str(path.relative_to(plan.storage))
        if key not in known:
            journal.breach("left", key.partition("/")[0], f"Nobody knows of the stored file {key}.")
        known.discard(key)
    for key in known:
        journal.breach("lost", key.partition("/")[0], f"Its file {key} is gone.")
    for path in _temporary(plan):
        journal.breach("left", "", f"{path.relative_to(plan.folder)} was left behind.")


def _temporary(plan: Plan) -> list[Path]:
    own = [path for path in plan.temporary.rglob("*") if not path.name.startswith("filmgate-trial-")]
    return own + [path for folder in plan.folder.glob("*/tmp") for path in folder.rglob("*") if path.is_file()]


def made_twice(logs: Iterable[Path]) -> int:
    """Tasks whose films were made to the end in more than one attempt, as the engine itself says in the logs."""
    made = Counter(
        line.split()[1] for log in logs for line in log.read_text(errors="replace").splitlines() if _is_made(line)
    )
    return sum(count > 1 for count in made.values())


def _is_made(line: str) -> bool:
    return line.startswith("made ") and len(line.split()) == 3


def _artifacts(row: RowMapping) -> list[dict[str, Any]]:
    decoded: list[dict[str, Any]] = msgspec.json.decode(row["artifacts"])
    return decoded
