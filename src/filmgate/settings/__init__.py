"""Every setting of Filmgate in one frozen tree, read once: flag > environment > filmgate.toml > default."""

from .loader import SettingsError, edition_of_key, edition_switch, load
from .tree import Edition, EngineSettings, ModelSettings, Setting, Settings, known

__all__ = [
    "Edition",
    "EngineSettings",
    "ModelSettings",
    "Setting",
    "Settings",
    "SettingsError",
    "edition_of_key",
    "edition_switch",
    "known",
    "load",
]
