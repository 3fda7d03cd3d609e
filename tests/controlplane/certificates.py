"""The keys of a control plane: an authority, the API server's own certificate, the administrator's, the tokens' key."""

import datetime as dt
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A certificate and its key, as PEM files."""

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """Everything a control plane is started with."""

    authority: Path
    serving: Pair
    administrator: Pair
    token_key: Path
    """Signs ServiceAccount tokens."""


def make_keys(folder: Path) -> Keys:
    """Fresh keys for an API server on loopback."""
    authority_key = ec.generate_private_key(ec.SECP256R1())
    name = _name("batchaccess tests")
    authority = _signed(name, name, authority_key, authority_key, x509.BasicConstraints(ca=True, path_length=0))
    (folder / "ca.pem").write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    token_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return Keys(
        authority=folder / "ca.pem",
        serving=_pair(
            folder / "serving",
            _name("kube-apiserver"),
            authority,
            authority_key,
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost")]),
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]),
        ),
        administrator=_pair(
            folder / "administrator",
            _name("tests", organization="system:masters"),
            authority,
            authority_key,
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]),
        ),
        token_key=_written(folder / "tokens.key", token_key),
    )


def _name(common: str, *, organization: str = "") -> x509.Name:
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, common)]
    if organization:
        parts.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
    return x509.Name(parts)


def _pair(
    stem: Path,
    subject: x509.Name,
    authority: x509.Certificate,
    authority_key: ec.EllipticCurvePrivateKey,
    *extensions: x509.ExtensionType,
) -> Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _signed(subject, authority.subject, key, authority_key, *extensions)
    path = stem.with_suffix(".pem")
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return Pair(certificate=path, key=_written(stem.with_suffix(".key"), key))


def _signed(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
    *extensions: x509.ExtensionType,
) -> x509.Certificate:
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=30))
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
    return builder.sign(signer, hashes.SHA256())


def _written(path: Path, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> Path:
    path.touch(mode=0o600)
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path
