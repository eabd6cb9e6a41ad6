"""Filmgate: a self-hosted server for the Veo3 API."""

__version__ = "0.1.0.dev0"
