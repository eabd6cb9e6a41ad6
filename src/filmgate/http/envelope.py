"""The envelope ``{code, msg, data}`` that every JSON answer wears."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from starlette.responses import Response

JSON: Final = "application/json;charset=UTF-8"  #: in the spelling that clients of this API have always been sent


def enveloped(code: int, msg: str, data: Any = None) -> bytes:
    """The bytes of an envelope."""
    return msgspec.json.encode({"code": code, "msg": msg, "data": data})


def envelope(
    code: int, msg: str, data: Any = None, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """A JSON answer. ``code`` is what the body says, ``status`` what HTTP says."""
    return Response(enveloped(code, msg, data), status_code=status, headers=headers, media_type=JSON)
