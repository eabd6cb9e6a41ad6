"""Any text- or image-to-video model that diffusers can load, on the machine's own GPU."""

from .engine import DiffusersEngine

__all__ = ["DiffusersEngine"]
