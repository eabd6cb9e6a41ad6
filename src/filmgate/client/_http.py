"""The HTTP library in the words of this client: requests, answers, errors. The same for both clients."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import httpx2

from .. import __version__
from ._answers import retry_after
from ._effects import Reply, Send, SendFile
from ._errors import ConnectionFailed, FilmgateAPIError, InvalidRequest, Timeout, error_for

#: Servers hang up on idle connections after 5 seconds or more. An order that meets such a hang-up could not be sent
#: again, since it may have been taken; so idle connections are given up well before.
LIMITS = httpx2.Limits(keepalive_expiry=2.0)


def request_for(http: httpx2.Client | httpx2.AsyncClient, send: Send, timeout: float) -> httpx2.Request:
    return http.build_request(
        send.method,
        send.url,
        params=dict(send.params) or None,
        headers=dict(send.headers),
        content=send.body,
        timeout=timeout,
    )


@contextmanager
def form_for(http: httpx2.Client | httpx2.AsyncClient, send: SendFile, timeout: float) -> Iterator[httpx2.Request]:
    """A request that reads the file while it is sent. Raises InvalidRequest where the file cannot be read."""
    with _opened(send.file) as file:
        yield http.build_request(
            "POST",
            send.url,
            headers=dict(send.headers),
            data=dict(send.fields),
            files={"file": (send.filename, file)},
            timeout=timeout,
        )


def _opened(file: Path | bytes) -> BinaryIO:
    if isinstance(file, bytes):
        return BytesIO(file)
    try:
        return file.open("rb")
    except OSError as error:
        raise InvalidRequest(f"{file} cannot be read ({error.strerror}): name a file that is there.") from error


def reply_of(response: httpx2.Response) -> Reply:
    return Reply(response.status_code, response.headers, response.content)


def fetching(timeout: float) -> dict[str, Any]:
    headers = {"user-agent": f"filmgate-python/{__version__}", "accept-encoding": "identity"}
    return {"headers": headers, "timeout": timeout, "follow_redirects": True}


def refusal(response: httpx2.Response) -> FilmgateAPIError:
    status = response.status_code
    return error_for(status, f"The film cannot be downloaded: HTTP {status}.", retry_after(response.headers))


@contextmanager
def plainly(url: str) -> Iterator[None]:
    """Errors of the HTTP library in the words of this one."""
    try:
        yield
    except (httpx2.UnsupportedProtocol, httpx2.InvalidURL, UnicodeError) as error:
        raise InvalidRequest(
            f"{_origin(url)} is not an address to call: it begins with http:// or https://."
        ) from error
    except httpx2.ConnectError as error:
        raise ConnectionFailed(
            f"No connection to {_origin(url)}: is the server up, the URL right?", sent=False
        ) from error
    except httpx2.TimeoutException as error:
        unsent = isinstance(error, (httpx2.ConnectTimeout, httpx2.PoolTimeout))
        raise Timeout(f"{_origin(url)} did not answer in time.", sent=not unsent) from error
    except httpx2.RequestError as error:
        raise ConnectionFailed(f"The connection to {_origin(url)} broke.", sent=True) from error


def _origin(url: str) -> str:
    """Scheme and host alone: a path may be a signed link, and before an @ stands a password."""
    scheme, _, rest = url.partition("://")
    host = rest.split("/", 1)[0].rpartition("@")[2]
    return f"{scheme}://{host}" if host else url
