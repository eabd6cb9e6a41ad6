"""Commands in a mount namespace of their own: what is mounted there, nobody else sees, and it is gone with them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from functools import cache

import pytest

from .tools import program


def privately(prepare: str, command: Sequence[str]) -> list[str]:
    """The command line that runs a shell's words first, and then becomes ``command``, in a namespace of its own.

    Mounting needs root, or a machine that lets its users be root among themselves. Where neither is given the test is
    skipped, but not as root in CI.
    """
    unshare = program("unshare")
    if not _can_mount(unshare):
        if os.environ.get("CI") == "true" and os.getuid() == 0:
            pytest.fail("nothing can be mounted here; in CI it must be possible")
        pytest.skip("nothing can be mounted here")
    return [*_unshare(unshare), "sh", "-ec", f'{prepare}; exec "$0" "$@"', *command]


def _unshare(unshare: str) -> list[str]:
    return [unshare, "--mount", *([] if os.getuid() == 0 else ["--user", "--map-root-user"])]


@cache
def _can_mount(unshare: str) -> bool:
    command = [*_unshare(unshare), "sh", "-c", "mount -t tmpfs none /mnt"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
