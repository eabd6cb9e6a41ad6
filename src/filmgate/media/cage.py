"""Where a process that opens foreign files may still write, and whom it may call: Landlock, which Linux has since 5.13.

A decoder that has been taken over by the file it reads can then change no file but those of its own folder, start no
program, open no TCP connection and send no signal to others. It can still read what its user can read: what it needs of
the machine (libraries, fonts, colour profiles) lies in too many places to be named. Landlock needs no privileges and no
set-up; where a system has it not, nothing is lost but this.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Sequence
from pathlib import Path

# System calls and flags are the same on every architecture.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_ASK_VERSION = 1
_BENEATH = 1
_NO_NEW_PRIVILEGES = 38

_EXECUTE, _WRITE_FILE, _TRUNCATE, _REFER = 1 << 0, 1 << 1, 1 << 14, 1 << 13
_CHANGES = sum(1 << bit for bit in (1, 4, 5, 6, 7, 8, 9, 10, 11, 12))  #: write, remove, make anything
_BIND_AND_CONNECT = 0b11
_SOCKETS_AND_SIGNALS = 0b11  #: of processes outside


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scope", ctypes.c_uint64))


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("allowed", ctypes.c_uint64), ("folder", ctypes.c_int32))


def version() -> int:
    """Of Landlock on this machine; 0 where there is none."""
    return max(0, _call(_CREATE_RULESET, None, 0, _ASK_VERSION))


def graphics() -> Sequence[Path]:
    """The devices through which drivers talk to the GPUs of this machine."""
    devices = Path("/dev")
    return [*devices.glob("nvidia*"), *devices.glob("kfd"), *devices.glob("dri/*")]


def enter(folder: Path, devices: Sequence[Path] = ()) -> bool:
    """From here on, for good, this thread and all that come from it change nothing but what lies below ``folder``,
    and write to no device but these.

    Call it while there is no other thread. False where the system has no Landlock. Raises OSError.
    """
    known = version()
    if not known:
        return False
    changes = _CHANGES | (_REFER if known >= 2 else 0) | (_TRUNCATE if known >= 3 else 0)
    rules = _Ruleset(
        changes | _EXECUTE, _BIND_AND_CONNECT if known >= 4 else 0, _SOCKETS_AND_SIGNALS if known >= 6 else 0
    )
    ruleset = _checked(_CREATE_RULESET, ctypes.byref(rules), ctypes.sizeof(rules), 0)
    try:
        _open_up(ruleset, folder, changes)
        for device in (Path(os.devnull), *(each for each in devices if not each.is_dir())):
            _open_up(ruleset, device, _WRITE_FILE | (_TRUNCATE if known >= 3 else 0))
        if ctypes.CDLL(None, use_errno=True).prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        _checked(_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)
    return True


def _open_up(ruleset: int, path: Path, allowed: int) -> None:
    place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        _checked(_ADD_RULE, ruleset, _BENEATH, ctypes.byref(_Beneath(allowed, place)), 0)
    finally:
        os.close(place)


def _checked(*words: object) -> int:
    got = _call(*words)
    if got < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return got


def _call(number: object, *words: object) -> int:
    if not hasattr(os, "O_PATH"):  # no Linux: these numbers would mean something else
        return -1
    passed = [ctypes.c_long(word) if isinstance(word, int) else word for word in (number, *words)]
    got: int = ctypes.CDLL(None, use_errno=True).syscall(*passed)
    return got
