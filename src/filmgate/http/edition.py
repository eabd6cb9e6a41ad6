"""The switches between wire formats that clients of different years expect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Final

CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "http_status": ("envelope", "mirror"),
    "callback_result_urls": ("array", "json_string"),
    "prompt_json": ("string", "object"),
    "times": ("epoch_ms", "string", "iso"),
    "top_level_result_urls": ("json_string", "array", "none"),
    "preset": ("default", "quickstart"),
}

#: Switches that go together.
PRESETS: Final[Mapping[str, Mapping[str, str]]] = {
    "default": {"callback_result_urls": "array"},
    "quickstart": {"callback_result_urls": "json_string"},
}


@dataclass(frozen=True, slots=True)
class Edition:
    """One wire format. The server has one; each key may change single switches of it."""

    http_status: str = "envelope"  #: HTTP 200 with the code in the body, or HTTP says what the body says
    callback_result_urls: str = "array"
    prompt_json: str = "string"
    times: str = "epoch_ms"
    top_level_result_urls: str = "json_string"
    default_model: str = "veo3_fast"
    preset: str = "default"  #: where the others came from; it decides nothing by itself

    def __post_init__(self) -> None:
        for name, allowed in CHOICES.items():
            if getattr(self, name) not in allowed:
                raise ValueError(f"The edition switch {name} is one of {', '.join(allowed)}.")

    @property
    def mirrors(self) -> bool:
        return self.http_status == "mirror"

    @property
    def callback_lists_as_text(self) -> bool:
        return self.callback_result_urls == "json_string"

    def merged(self, overrides: Mapping[str, str]) -> Edition:
        """This edition with some switches set anew: those of a preset first, then those that are named themselves.

        Raises ValueError, naming the switch that there is not, or the values that a switch can have.
        """
        if not overrides:
            return self
        unknown = set(overrides) - {field.name for field in fields(self)}
        if unknown:
            raise ValueError(f"There is no edition switch {', '.join(sorted(unknown))}.")
        return replace(self, **{**PRESETS.get(overrides.get("preset", ""), {}), **overrides})
