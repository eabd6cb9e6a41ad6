"""Settings -> what may be made."""

from __future__ import annotations

from pathlib import Path

from ..domain.policy import Rules
from ..engines import translators
from ..media import safety
from ..services.policy.judging import ImageRules, Policy
from ..services.policy.reading import read_rules
from ..settings import Settings


def policy_of(settings: Settings) -> Policy:
    """Raises RulesUnusable, and EngineUnavailable for what is asked for and not installed."""
    said = settings.policy
    return Policy(
        rules=rules_of(settings) if said.enabled else None,
        english_only=said.language == "english",
        translator=None if said.translator is None else translators.make(said.translator),
        images=_images(settings),
    )


def rules_of(settings: Settings) -> Rules:
    """Whether they are in force or not. Raises RulesUnusable."""
    path: Path | None = settings.policy.rules
    return read_rules(path)


def _images(settings: Settings) -> ImageRules | None:
    said = settings.policy
    if said.images == "on":
        safety.check_installed()
    if said.images == "off" or not safety.installed():
        return None
    return ImageRules(said.image_threshold, said.image_frames)
