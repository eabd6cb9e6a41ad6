"""What a decoder that has been taken over could do: a real media slot whose reading of images does as it likes.

The slot is started, fed and limited as always; only what it is asked to do with an image is the attacker's.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
from pathlib import Path
from textwrap import indent
from typing import Any, cast

import av
import numpy as np
import pytest

from filmgate.domain.errors import EngineCrashed, OutputUnusable
from filmgate.domain.spec import Spec
from filmgate.engines.slot import MEDIA
from filmgate.engines.slots import LocalSlots, SlotLimits
from filmgate.media import cage, limits
from filmgate.media.probe import probe
from filmgate.ports import Order, Work
from support.hostile import answer, receiving

SPEC = Spec(prompt="x", model="veo3", seconds=4, seed=12345)

CHILD = """
import json, os, sys
from dataclasses import replace
from filmgate.engines import slot
from filmgate.media import limits
from filmgate.ports import Work

limits.PICTURES = replace(limits.PICTURES, cpu_s={cpu_s})

def attack(order, report):
    def attempt():
{attempt}
    try:
        found = attempt()
    except BaseException as error:
        found = [type(error).__name__, getattr(error, "errno", None)]
    (order.workdir / "found").write_text(json.dumps(found))
    return []

slot._MEDIA_WORK = {{**slot._MEDIA_WORK, Work.IMAGES: attack}}
slot.main(*sys.argv[1:])
"""

caged = pytest.mark.skipif(not cage.version(), reason="this system has no Landlock")


def attempted(folder: Path, monkeypatch: pytest.MonkeyPatch, attempt: str, *, cpu_s: int = 60, port: int = 0) -> Any:
    """What the attempt came to in the slot: its value, or the error that it met."""
    room = folder / "room"
    work = room / "task-1"
    work.mkdir(parents=True)
    (folder / "outside").write_text("precious")
    known = {"OUTSIDE": str(folder / "outside"), "PORT": port, "PARENT": os.getpid()}
    says = "\n".join([*(f"{name} = {value!r}" for name, value in known.items()), attempt])
    child = folder / "child.py"
    child.write_text(CHILD.format(attempt=indent(says, " " * 8), cpu_s=cpu_s))
    python = folder / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} {child} "$3" "$4"\n')  # in place of: -m module kind folder
    python.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(python))

    async def ask() -> None:
        slots = LocalSlots(SlotLimits(), workroot=room)
        try:
            await slots.open(MEDIA, 1)
            order = Order("task", 1, SPEC, work, work=Work.IMAGES)
            await slots.media(order, lambda fraction, stage: None)
        finally:
            await slots.close()

    asyncio.run(ask())
    return json.loads((work / "found").read_text())


# ------------------------------------------------------------ how much ------------------------------------------------


def test_memory_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert attempted(tmp_path, monkeypatch, "return len(bytearray(4 << 30))") == ["MemoryError", None]


def test_a_file_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    large = 'with open(order.workdir / "large", "wb") as file:\n    file.seek(300 << 20)\n    file.write(b"x")'
    assert attempted(tmp_path, monkeypatch, large)[0] == "OSError"
    assert (tmp_path / "room" / "task-1" / "large").stat().st_size <= limits.PICTURES.file


def test_descriptors_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hold = """
held = []
try:
    while True:
        held.append(os.dup(1))
finally:
    for each in held:
        os.close(each)
"""
    assert attempted(tmp_path, monkeypatch, hold) == ["OSError", 24]


def test_processor_time_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EngineCrashed, match="processor time"):
        attempted(tmp_path, monkeypatch, "while True:\n    pass", cpu_s=1)


def test_a_budget_is_for_one_order_and_not_for_the_life_of_the_slot() -> None:
    before = {kind: resource.getrlimit(kind) for kind in (resource.RLIMIT_AS, resource.RLIMIT_CPU)}
    for _ in range(2):
        with limits.within(limits.PICTURES):
            assert resource.getrlimit(resource.RLIMIT_AS)[0] == limits.PICTURES.memory
            spent = resource.getrusage(resource.RUSAGE_SELF)
            left_s = resource.getrlimit(resource.RLIMIT_CPU)[0] - spent.ru_utime - spent.ru_stime
            assert limits.PICTURES.cpu_s - 1 <= left_s <= limits.PICTURES.cpu_s + 1
        assert {kind: resource.getrlimit(kind) for kind in before} == before


# ------------------------------------------------------------ what it sees --------------------------------------------


def test_no_secret_is_in_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FILMGATE_SECRET_KEY", "FILMGATE_INITIAL_API_KEY", "FILMGATE_API_KEY", "FILMGATE_METRICS__TOKEN"):
        monkeypatch.setenv(name, "a secret of the server's")
    for name in ("OPENAI_API_KEY", "GOOGLE_APPLICATION_CREDENTIALS", "AWS_SECRET_ACCESS_KEY", "DATABASE_URL"):
        monkeypatch.setenv(name, "a secret of the operator's")
    seen = attempted(tmp_path, monkeypatch, "return dict(os.environ)")
    assert [name for name, value in seen.items() if "FILMGATE" in name or "secret" in value] == []


def test_no_descriptor_is_inherited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even one that is marked to be."""
    look = 'return [os.readlink(f"/proc/self/fd/{n}") for n in range(256) if os.path.lexists(f"/proc/self/fd/{n}")]'
    (tmp_path / "database").write_text("precious")
    descriptor = os.open(tmp_path / "database", os.O_RDWR)
    try:
        os.set_inheritable(descriptor, True)
        seen = attempted(tmp_path, monkeypatch, look)
    finally:
        os.close(descriptor)
    assert len(seen) >= 3
    assert [place for place in seen if "database" in place or place.startswith("socket:")] == []


# ------------------------------------------------------------ what it does --------------------------------------------

CHANGES = {
    "write": 'open(OUTSIDE, "w").write("mine")',
    "append": 'open(OUTSIDE, "a").write("mine")',
    "truncate": "os.truncate(OUTSIDE, 0)",
    "remove": "os.remove(OUTSIDE)",
    "rename": 'os.rename(OUTSIDE, OUTSIDE + ".gone")',
    "take in": 'os.rename(OUTSIDE, order.workdir / "taken")',
    "link in": 'os.link(OUTSIDE, order.workdir / "linked")\nopen(order.workdir / "linked", "w").write("mine")',
    "through a link": 'os.symlink(OUTSIDE, order.workdir / "way")\nopen(order.workdir / "way", "w").write("mine")',
    "make a file": 'open(OUTSIDE + ".new", "w")',
    "make a folder": 'os.mkdir(OUTSIDE + ".folder")',
    "make a pipe": 'os.mkfifo(OUTSIDE + ".pipe")',
    "start a program": 'import subprocess\nreturn subprocess.run(["/bin/sh", "-c", "exit 7"]).returncode',
    "take itself out": "import ctypes\nctypes.CDLL(None).syscall(446, -1, 0)\nopen(OUTSIDE, 'w').write('mine')",
}


@caged
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_nothing_outside_of_its_folder_is_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str) -> None:
    found = attempted(tmp_path, monkeypatch, f"{change}\nreturn 'done'")
    assert found[0] in ("PermissionError", "OSError"), found
    assert (tmp_path / "outside").read_text() == "precious"
    assert not list(tmp_path.glob("outside.*"))


@caged
def test_within_its_folder_it_works_as_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work = """
import tempfile
with tempfile.TemporaryDirectory(dir=order.workdir) as folder:
    (order.workdir / "a").write_text("a")
    os.rename(order.workdir / "a", f"{folder}/b")
    open(os.devnull, "w").write("x")
return "done"
"""
    assert attempted(tmp_path, monkeypatch, work) == "done"


@pytest.mark.skipif(cage.version() < 4, reason="this system cannot keep a process from calling")
def test_nobody_is_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def ask() -> tuple[Any, int]:
        async with receiving(answer(200)) as jewels:
            call = 'import socket\nsocket.create_connection(("127.0.0.1", PORT), 5)\nreturn "connected"'
            found = await asyncio.to_thread(attempted, tmp_path, monkeypatch, call, port=jewels.port)
            return found, jewels.connections

    assert asyncio.run(ask()) == (["PermissionError", 13], 0)


@pytest.mark.skipif(cage.version() < 6, reason="this system cannot keep a process from sending signals")
def test_nobody_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert attempted(tmp_path, monkeypatch, "os.kill(PARENT, 0)\nreturn 'could'") == ["PermissionError", 1]


def test_what_is_not_prevented(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Said in docs/security.md, so that nobody relies on it: what the user of the server can read, a slot can read."""
    assert attempted(tmp_path, monkeypatch, "return open(OUTSIDE).read()") == "precious"


# ------------------------------------------------------------ what is opened ------------------------------------------


def _film(path: Path, codec: str, pixels: str) -> Path:
    with av.open(str(path), "w") as file:
        stream = cast("av.VideoStream", file.add_stream(codec, rate=8))
        stream.width, stream.height, stream.pix_fmt = 64, 48, pixels
        for _ in range(8):
            file.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")))
        file.mux(stream.encode(None))
    return path


def test_films_of_known_kinds_are_read(tmp_path: Path) -> None:
    assert probe(_film(tmp_path / "a.mp4", "mpeg4", "yuv420p")).video_codec == "mpeg4"
    assert probe(_film(tmp_path / "a.mkv", "ffv1", "yuv420p")).video_codec == "ffv1"


@pytest.mark.parametrize(("codec", "pixels"), [("huffyuv", "yuv422p"), ("wmv2", "yuv420p"), ("flv", "yuv420p")])
def test_decoders_that_films_do_not_need_are_not_asked(tmp_path: Path, codec: str, pixels: str) -> None:
    with pytest.raises(OutputUnusable):
        probe(_film(tmp_path / "a.avi", codec, pixels))


LISTS = {
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{place}\n#EXT-X-ENDLIST\n",
    "concat": "ffconcat version 1.0\nfile '{place}'\n",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video {port} RTP/AVP 96\n",
    "dash": "<MPD xmlns='urn:mpeg:dash:schema:mpd:2011'><Period><BaseURL>{place}</BaseURL></Period></MPD>",
    "svg": "<svg xmlns='http://www.w3.org/2000/svg'><image href='{place}'/></svg>",
}


@pytest.mark.parametrize("kind", LISTS)
def test_a_file_that_names_others_opens_none_of_them(tmp_path: Path, kind: str) -> None:
    async def look() -> int:
        async with receiving(answer(200)) as jewels:
            for place in (jewels.url, f"file://{tmp_path}/other.mp4", f"concat:{tmp_path}/other.mp4"):
                (tmp_path / "list.mp4").write_text(LISTS[kind].format(place=place, port=jewels.port))
                with pytest.raises(OutputUnusable):
                    await asyncio.to_thread(probe, tmp_path / "list.mp4")
            return jewels.connections

    assert asyncio.run(look()) == 0
