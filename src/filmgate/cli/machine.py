"""What this machine must have before Filmgate can draw: a Python that is new enough, and three system libraries.

Standard library only, and runs as a script too: ``make`` asks it before anything is installed.
"""

from __future__ import annotations

import ctypes
import sys

#: Library -> the Debian package that holds it. The drawing library (skia) is linked against them.
LIBRARIES = {"libEGL.so.1": "libegl1", "libGL.so.1": "libgl1", "libexpat.so.1": "libexpat1"}
OLDEST_PYTHON = (3, 11)


def missing_packages() -> list[str]:
    """The Debian packages to install, or none."""
    if sys.platform != "linux":  # elsewhere the wheels bring everything along
        return []
    return [package for library, package in LIBRARIES.items() if not _loads(library)]


def complaint() -> str | None:
    """One sentence that says what is missing and how to get it, or None."""
    if sys.version_info < OLDEST_PYTHON:
        return (
            f"Filmgate needs Python 3.11 or newer, and {sys.executable} is older: name another with PYTHON=python3.12."
        )
    packages = missing_packages()
    if packages:
        names = " ".join(packages)
        return f"This machine lacks a system library that draws; install it: apt-get install -y {names}"
    return None


def cannot_serve() -> str | None:
    """Why `filmgate serve` does not run here, in one sentence, or None."""
    if sys.platform == "linux":
        return None
    return "`filmgate serve` runs on Linux only: use a Linux machine, a container or WSL for the server."


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    said = complaint()
    if said:
        print(f"Error: {said}", file=sys.stderr)
        sys.exit(4)
