"""The steps of a remote task, each in a process of its own: python -m support.remote_steps STEP FILE

FILE holds what ``write`` has put there. ``start`` prints the other side's id, then goes on polling until it is killed;
``finish`` polls and collects, and prints the clip.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec

from filmgate.domain.spec import Spec
from filmgate.ports import Clip, RemoteEngine, RemoteJob

TESTS = Path(__file__).parents[1]


def write(path: Path, engine: str, config: Mapping[str, Any], job: RemoteJob) -> None:
    """``engine`` is "module:class"; ``config`` its settings as a TOML file would have them."""
    held = {
        "engine": engine,
        "config": dict(config),
        "task": job.task_id,
        "spec": msgspec.to_builtins(job.spec),
        "images": [str(image) for image in job.images],
    }
    path.write_text(json.dumps(held))


def begun(step: str, *words: str) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": str(TESTS)}
    command = [sys.executable, "-m", "support.remote_steps", step, *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def made(engine: str, config: Mapping[str, Any]) -> RemoteEngine:
    """An engine as the operator's table makes it."""
    module, _, name = engine.partition(":")
    kind = getattr(import_module(module), name)
    settings = msgspec.convert(dict(config), kind.Config, dec_hook=lambda wanted, value: wanted(value))
    engine_made: RemoteEngine = kind(settings)
    return engine_made


async def filmed(engine: RemoteEngine, upstream_id: str, into: Path) -> Clip:
    while not (look := await engine.poll(upstream_id)).done:
        await asyncio.sleep(min(look.again_s or 0.1, 0.2))
    return await engine.collect(upstream_id, into)


async def _main(step: str, held: Mapping[str, Any], into: Path, *words: str) -> None:
    engine = made(held["engine"], held["config"])
    await engine.open()
    try:
        if step == "start":
            spec = msgspec.convert(held["spec"], Spec)
            job = RemoteJob(held["task"], 1, spec, images=tuple(Path(image) for image in held["images"]))
            upstream_id = await engine.start(job)
            print(upstream_id, flush=True)
            while True:
                await engine.poll(upstream_id)
                await asyncio.sleep(0.05)
        clip = await filmed(engine, words[0], into)
        print(json.dumps({"path": str(clip.path), "rough": clip.rough, "whole": clip.whole}), flush=True)
    finally:
        await engine.close()


if __name__ == "__main__":
    file = Path(sys.argv[2])
    asyncio.run(_main(sys.argv[1], json.loads(file.read_text()), file.parent, *sys.argv[3:]))
