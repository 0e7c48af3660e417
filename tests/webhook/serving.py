"""The webhook as a process of its own, with a certificate made for the test."""

import datetime as dt
import ipaddress
import subprocess
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests import programs


@dataclass(frozen=True)
class Pems:
    """A self-signed certificate for 127.0.0.1 and its key."""

    certificate: Path
    key: Path

    @property
    def flags(self) -> list[str]:
        return [f"--tls-cert={self.certificate}", f"--tls-key={self.key}"]


def pems(directory: Path) -> Pems:
    """The files, in `directory`."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "webhook")])
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(key, hashes.SHA256())
    )
    made = Pems(directory / "tls.crt", directory / "tls.key")
    made.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    made.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return made


def running(made: Pems) -> AbstractContextManager[tuple[subprocess.Popen[str], int]]:
    """The process and its port; ended with the block."""
    return programs.serving("webhook", "serve", "--host=127.0.0.1", *made.flags)
