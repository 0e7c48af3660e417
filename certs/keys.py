"""A certificate authority and the leaves that it signs: EC P-256, in memory, PEM at the edges."""

import datetime as dt
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CLOCK_SKEW = dt.timedelta(minutes=5)
"""Certificates are valid from this long before now: clocks of other machines may be behind."""


@dataclass(frozen=True)
class Leaf:
    """One certificate and its key."""

    certificate_pem: bytes
    key_pem: bytes


@dataclass(frozen=True)
class Authority:
    """A CA: signs leaves, and hands out its certificate as the bundle to trust."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def certificate_pem(self) -> bytes:
        """The CA certificate, the content of a `caBundle`."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        """The CA's private key: whoever holds it can be anybody in the cluster."""
        return _key_pem(self.key)

    @classmethod
    def from_pem(cls, certificate_pem: bytes, key_pem: bytes) -> "Authority":
        """The authority that `certificate_pem` and `key_pem` describe.

        Raises:
            ValueError: one of them is not PEM, or the key is not an EC key.
        """
        key = serialization.load_pem_private_key(key_pem, password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise ValueError(f"not an EC key: {type(key).__name__}")  # noqa: TRY004 - bad content, not a bad type of argument
        return cls(x509.load_pem_x509_certificate(certificate_pem), key)

    def issue(
        self,
        common_name: str,
        *,
        now: dt.datetime,
        organization: str = "",
        hosts: Sequence[str] = (),
        lifetime: dt.timedelta = dt.timedelta(days=365),
    ) -> Leaf:
        """A leaf for `common_name`, for serving on `hosts` and for authenticating as a client.

        `hosts` are IP addresses and DNS names. The leaf ends with `lifetime` or with the CA,
        whichever is first.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        names = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
        if organization:
            names.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name(names))
            .issuer_name(self.certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - CLOCK_SKEW)
            .not_valid_after(min(now + lifetime, self.certificate.not_valid_after_utc))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(
                x509.ExtendedKeyUsage(
                    [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
                ),
                critical=False,
            )
        )
        if hosts:
            alternatives = x509.SubjectAlternativeName([_general_name(host) for host in hosts])
            builder = builder.add_extension(alternatives, critical=False)
        certificate = builder.sign(self.key, hashes.SHA256())
        return Leaf(certificate.public_bytes(serialization.Encoding.PEM), _key_pem(key))


def new_authority(
    common_name: str,
    *,
    now: dt.datetime,
    lifetime: dt.timedelta = dt.timedelta(days=365),
) -> Authority:
    """A fresh self-signed CA that may sign leaves only."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(now + lifetime)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Authority(certificate, key)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
