"""What an operator can switch off and on while the server runs."""

from __future__ import annotations

from enum import StrEnum


class Feature(StrEnum):
    MAINTENANCE = "maintenance"
    GENERATE = "generate"
    EXTEND = "extend"
    UPGRADE_1080P = "upgrade_1080p"
    UPGRADE_4K = "upgrade_4k"
    JOBS = "jobs"
    UPLOADS = "uploads"
    DOWNLOAD_URL = "download_url"
    CREDITS = "credits"
    FALLBACK = "fallback"

    @property
    def is_on_at_first(self) -> bool:
        """Until somebody says otherwise."""
        return self is not Feature.MAINTENANCE

    @property
    def words(self) -> str:
        return _WORDS[self]


_WORDS = {
    Feature.MAINTENANCE: "The server takes no orders and answers no questions about tasks; running ones go on.",
    Feature.GENERATE: "Films can be ordered.",
    Feature.EXTEND: "Extensions can be ordered.",
    Feature.UPGRADE_1080P: "1080p versions can be asked for.",
    Feature.UPGRADE_4K: "4K versions can be ordered.",
    Feature.JOBS: "Orders can be placed as jobs (createTask).",
    Feature.UPLOADS: "Files can be uploaded.",
    Feature.DOWNLOAD_URL: "Download links are given.",
    Feature.CREDITS: "The balance can be asked for.",
    Feature.FALLBACK: "Refused films are made by a fallback engine, where the order allows it.",
}
