"""What this process may use at most. For the media slot alone, which opens files that came from elsewhere.

Its time is bounded from outside: each order has a limit, and a slot that is over it is killed.
"""

from __future__ import annotations

import resource

_GIB = 1024**3

_LIMITS = (
    (resource.RLIMIT_AS, 16 * _GIB),  # addresses, most of them never touched: enlarging to 4K takes a tenth of it
    (resource.RLIMIT_FSIZE, 4 * _GIB),  # one file
    (resource.RLIMIT_NOFILE, 256),
    (resource.RLIMIT_CORE, 0),
)


def bound() -> None:
    """From here on, for good. A limit that the machine has set lower already stays."""
    for kind, most in _LIMITS:
        hard = resource.getrlimit(kind)[1]
        lower = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (lower, lower))
