"""A key and certificates of our own, for signing films where the operator has named none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from .private import private_folder, write_private

_YEARS = timedelta(days=3650)
_AUTHORITY = "Filmgate, made on this server"


def make_credentials(certificate: Path, key_file: Path) -> None:
    """A key, and a certificate of it by an authority that is forgotten at once. Nobody vouches for it; but who has the
    certificate can tell that a film was signed by this server."""
    key, authority = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    chain = _chain(key, authority)
    private_folder(key_file.parent)
    write_private(certificate, chain)
    plain = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    write_private(key_file, plain)  # last: where it is, all is


def _chain(key: ec.EllipticCurvePrivateKey, authority: ec.EllipticCurvePrivateKey) -> str:
    """Two certificates as C2PA wants them: one that signs films, and the one that vouches for it."""
    vouching = _certificate(_AUTHORITY, authority, _AUTHORITY, authority)
    vouching = vouching.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    vouching = vouching.add_extension(_usage(vouches=True), critical=True)
    signing = _certificate("Filmgate", key, _AUTHORITY, authority)
    signing = signing.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    signing = signing.add_extension(_usage(vouches=False), critical=True)
    signing = signing.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
    both = (each.sign(authority, hashes.SHA256()) for each in (signing, vouching))
    return "".join(each.public_bytes(Encoding.PEM).decode() for each in both)


def _certificate(
    name: str, key: ec.EllipticCurvePrivateKey, issuer: str, authority: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    begins = datetime.now(UTC) - timedelta(days=1)  # clocks of others may be behind
    built = x509.CertificateBuilder(
        issuer_name=_named(issuer),
        subject_name=_named(name),
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=begins,
        not_valid_after=begins + _YEARS,
    )
    built = built.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    issued_by = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key())
    return built.add_extension(issued_by, critical=False)


def _named(name: str) -> x509.Name:
    parts = {NameOID.COMMON_NAME: name, NameOID.ORGANIZATION_NAME: "Filmgate"}
    return x509.Name([x509.NameAttribute(of, value) for of, value in parts.items()])


def _usage(*, vouches: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not vouches,
        key_cert_sign=vouches,
        crl_sign=vouches,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
