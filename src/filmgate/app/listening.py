"""The server's front door: its address, its certificate, and how many may stand in it."""

from __future__ import annotations

import contextlib
import errno
import resource
import socket
import ssl
import time
from pathlib import Path

from ..settings import Settings
from .refusal import CannotStart

_MOST_FILES = 65536
_HANDOVER_S = 1.0  #: within which the children of a server that was killed have let go of the port
_OWN_FILES = 64  #: database, pipes, log: open without any connection


def listening(host: str, port: int) -> socket.socket:
    """The socket, for a ``with``. Raises CannotStart where the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    deadline = time.monotonic() + _HANDOVER_S
    while True:
        try:
            return socket.create_server((host, port), family=family, backlog=2048)
        except (OSError, UnicodeError) as error:
            if getattr(error, "errno", None) != errno.EADDRINUSE or time.monotonic() > deadline:
                raise _not_to_be_had(host, port, error) from error
        time.sleep(0.05)


def _not_to_be_had(host: str, port: int, error: Exception) -> CannotStart:
    why = getattr(error, "strerror", None) or error
    said = f"The server cannot listen on {host}:{port} ({why})"
    if getattr(error, "errno", None) in (errno.EADDRINUSE, errno.EACCES):
        return CannotStart(f"{said}: choose another --port.", machine=True)
    return CannotStart(f"{said}: choose another --host, an address of this machine such as 127.0.0.1.")


def check_certificate(cert: Path | None, key: Path | None) -> None:
    """Raises CannotStart where HTTPS is wanted and the two files do not serve for it."""
    if cert is None or key is None:
        return
    for flag, path in (("--tls-cert", cert), ("--tls-key", key)):
        try:
            path.read_bytes()
        except OSError as error:
            raise CannotStart(f"The file of {flag}, {path}, cannot be read ({error.strerror}).") from error
    try:
        # An empty passphrase: OpenSSL would ask for one on the terminal, at every restart.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key, password="")
    except (ssl.SSLError, ValueError) as error:
        raise CannotStart(
            f"{cert} and {key} are not usable for HTTPS: --tls-cert takes a certificate chain and --tls-key its "
            "private key, both PEM, and the key without a passphrase."
        ) from error


def raise_file_limit() -> None:
    """As many open files as the machine grants us, within reason: every connection is one, or two with a film."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):  # some systems grant less than they say
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def room(most: int) -> int:
    """How many connections may be open at once: ``most``, or what the limit of open files leaves."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return most if soft == resource.RLIM_INFINITY else max(1, min(most, (soft - _OWN_FILES) // 2))


def announce(settings: Settings, listener: socket.socket) -> None:
    host, port = listener.getsockname()[:2]
    scheme = "https" if settings.server.tls_cert else "http"
    shown = f"[{host}]" if ":" in host else host
    print(f"Filmgate listens on {scheme}://{shown}:{port} (Ctrl-C stops it; data in {settings.data})", flush=True)
