"""Who is at the command line, as the audit log says it."""

from __future__ import annotations

import os


def actor() -> str:
    """ "cli:anna": the user whose process this is. Under sudo that is root, and who called it is added as sudo says it;
    root could say anything there, and could change the database without this program too.
    """
    user = _name_of(os.getuid())
    caller = os.environ.get("SUDO_USER") if os.getuid() == 0 else None
    return f"cli:{user} (sudo by {caller})" if caller else f"cli:{user}"


def _name_of(uid: int) -> str:
    from pwd import getpwuid  # not on every system that has the command line

    try:
        return getpwuid(uid).pw_name
    except KeyError:  # as in a container that is run under a number
        return f"uid {uid}"
