"""Who is at the command line, for the audit log."""

from __future__ import annotations

import getpass
import os


def actor() -> str:
    """ "cli:anna"; a user without a name, as in some containers, goes by number."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):
        return f"cli:{os.getuid()}"
