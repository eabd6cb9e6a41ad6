"""A program as people write it for the hosted API, with requests; base URL, key and interval come from outside."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import requests

BASE, KEY, INTERVAL = sys.argv[1], sys.argv[2], float(sys.argv[3])
HEADERS = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}


def order(prompt: str) -> str:
    body = {"prompt": prompt, "model": "veo3", "aspectRatio": "16:9"}
    answer = requests.post(f"{BASE}/api/v1/veo/generate", json=body, headers=HEADERS, timeout=30)
    answer.raise_for_status()
    return str(answer.json()["data"]["taskId"])


def look(task_id: str) -> Any:
    """None while it is made, the record when it is there, False when it failed."""
    answer = requests.get(f"{BASE}/api/v1/veo/record-info?taskId={task_id}", headers=HEADERS, timeout=30)
    answer.raise_for_status()
    record = answer.json()["data"]
    return {0: None, 1: record}.get(record["status"], False)


def wait(task_id: str) -> Any:
    while (record := look(task_id)) is None:
        time.sleep(INTERVAL)
    return record


if __name__ == "__main__":
    made = wait(order("A cute cat playing in a garden on a sunny day, high quality"))
    print(json.dumps({"taskId": made["taskId"], "urls": json.loads(made["resultUrls"])}))
