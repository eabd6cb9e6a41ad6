"""Uploads as this dialect tells them: the fields of all its editions side by side. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ...ports import Upload


def render_upload(upload: Upload, url: str) -> dict[str, Any]:
    """``data`` of an upload; ``url`` leads to the file."""
    uploaded = _time(upload.created_ms)
    return {
        "success": True,
        "fileId": upload.id,
        "fileName": upload.name,
        "originalName": upload.original_name,
        "filePath": f"{upload.path}/{upload.name}" if upload.path else upload.name,
        "uploadPath": upload.path,
        "fileUrl": url,
        "downloadUrl": url,
        "fileSize": upload.bytes,
        "mimeType": upload.mime,
        "uploadedAt": uploaded,
        "uploadTime": uploaded,
        "expiresAt": _time(upload.expires_ms),
    }


def _time(ms: int) -> str:
    """ "2026-01-31T10:30:00.250Z"."""
    return f"{datetime.fromtimestamp(ms // 1000, UTC):%Y-%m-%dT%H:%M:%S}.{ms % 1000:03}Z"
