"""Settings -> what films say of themselves, and who signs them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from .. import __version__
from ..domain.errors import EngineUnavailable
from ..domain.routing import UPSCALE
from ..engines.registry import Registry
from ..media import provenance
from ..media.label import TRAINED
from ..ports import Provenance
from ..settings import Settings


@dataclass(frozen=True, slots=True)
class Credentials:
    """Files in PEM: the chain, one's own certificate first, and the private key."""

    certificate: Path
    key: Path


def provenance_of(settings: Settings, engines: Registry) -> Callable[[str], Provenance]:
    """Engine -> what its films say. Where films are signed and nobody has named a key, one is made, once.

    Raises EngineUnavailable where films are to be signed and cannot be.
    """
    signing = _signing(settings) if settings.provenance.sign else None
    certificate, key = (signing.certificate, signing.key) if signing else (None, None)

    def said_by(engine: str) -> Provenance:
        if engine == UPSCALE:  # of films whose maker has left no label: then it was no storyboard
            return Provenance(engine, __version__, TRAINED, certificate, key)
        kind, able = engines.declared(engine).kind, engines.capabilities(engine)
        return Provenance(kind, engines.release(engine), able.source_type, certificate, key)

    return said_by


def _signing(settings: Settings) -> Credentials:
    provenance.check_installed()
    found = credentials_of(settings)
    if not is_self_made(settings):
        check_credentials(found)
    elif not found.key.exists():
        from .certificate import make_credentials

        make_credentials(found.certificate, found.key)
    return found


def is_self_made(settings: Settings) -> bool:
    return settings.provenance.key is None


def credentials_of(settings: Settings) -> Credentials:
    """Those that the operator has named, or where ours are kept, or will be."""
    named = settings.provenance
    if named.certificate is not None and named.key is not None:
        return Credentials(named.certificate, named.key)
    folder = settings.data.absolute() / "signing"
    return Credentials(folder / "certificate.pem", folder / "key.pem")


def check_credentials(of: Credentials) -> datetime:
    """When the certificate ends. Raises EngineUnavailable where the two cannot be read, or do not belong together."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key, chain = of.key.read_bytes(), x509.load_pem_x509_certificates(of.certificate.read_bytes())
        provenance.algorithm(key)
        own = load_pem_private_key(key, None).public_key()
    except (OSError, ValueError, TypeError) as error:
        raise EngineUnavailable(
            f"Films cannot be signed with {of.key} and {of.certificate}: {error}. Name a private key that is not "
            "encrypted and its certificates, both in PEM, in provenance.key and provenance.certificate."
        ) from error
    if chain[0].public_key() != own:
        raise EngineUnavailable(f"The key {of.key} is not that of the first certificate in {of.certificate}.")
    return chain[0].not_valid_after_utc
