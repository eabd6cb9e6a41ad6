"""The envelope ``{code, msg, data}`` that every JSON answer wears."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.responses import Response


def envelope(
    code: int, msg: str, data: Any = None, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """A JSON answer. ``code`` is what the body says, ``status`` what HTTP says."""
    body = msgspec.json.encode({"code": code, "msg": msg, "data": data})
    return Response(body, status_code=status, headers=headers, media_type="application/json")
