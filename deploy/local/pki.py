"""Certificates and kubeconfigs of a local cluster."""

import base64
import datetime as dt
import json
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from certs import keys

CLIENTS = {
    "admin": ("plainsail-admin", "system:masters"),
    "kube-controller-manager": ("system:kube-controller-manager", ""),
    "kube-scheduler": ("system:kube-scheduler", ""),
    "kube-proxy": ("system:kube-proxy", ""),
    "machine-provider": ("plainsail:machine-provider", "system:masters"),
    # Our programs are who their ServiceAccounts are: the RBAC of the manifests is what runs.
    "node-provisioner": ("system:serviceaccount:plainsail-system:node-provisioner", ""),
    "scheduler": ("system:serviceaccount:plainsail-system:scheduler", ""),
    "controller": ("system:serviceaccount:plainsail-system:controller", ""),
}
"""Kubeconfig name -> (user, group)."""


@dataclass(frozen=True)
class Pki:
    """The CA of a cluster and the directory that its files lie in."""

    directory: Path
    authority: keys.Authority
    server: str
    """URL of the API server, as kubeconfigs carry it."""

    def path(self, name: str) -> str:
        """Path of the file `name`, as flags of components want it."""
        return str(self.directory / name)

    def issue(
        self, name: str, common_name: str, organization: str = "", hosts: tuple[str, ...] = ()
    ) -> None:
        """Writes `name`.crt and `name`.key."""
        leaf = self.authority.issue(common_name, now=now(), organization=organization, hosts=hosts)
        write(self.directory / f"{name}.crt", leaf.certificate_pem)
        write(self.directory / f"{name}.key", leaf.key_pem)

    def kubeconfig(self, path: Path, name: str, user: str, group: str = "") -> None:
        """Writes a kubeconfig with its own certificate inside: a file that can be handed on."""
        leaf = self.authority.issue(user, now=now(), organization=group)
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {
                    "name": "plainsail",
                    "cluster": {
                        "server": self.server,
                        "certificate-authority-data": _b64(self.authority.certificate_pem),
                    },
                }
            ],
            "users": [
                {
                    "name": name,
                    "user": {
                        "client-certificate-data": _b64(leaf.certificate_pem),
                        "client-key-data": _b64(leaf.key_pem),
                    },
                }
            ],
            "contexts": [{"name": "plainsail", "context": {"cluster": "plainsail", "user": name}}],
            "current-context": "plainsail",
        }
        write(path, json.dumps(config, indent=1).encode())


def create(directory: Path, server: str, server_hosts: tuple[str, ...]) -> Pki:
    """Makes the CA, the API server's leaves and the ServiceAccount key in `directory`."""
    directory.mkdir(parents=True, exist_ok=True)
    pki = Pki(directory, keys.new_authority("plainsail-local", now=now()), server)
    write(directory / "ca.crt", pki.authority.certificate_pem)
    write(directory / "ca.key", pki.authority.key_pem)
    pki.issue("apiserver", "kube-apiserver", hosts=server_hosts)
    pki.issue("apiserver-kubelet-client", "kube-apiserver-kubelet-client", "system:masters")
    account = ec.generate_private_key(ec.SECP256R1())
    write(
        directory / "sa.key",
        account.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        ),
    )
    write(
        directory / "sa.pub",
        account.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        ),
    )
    return pki


def load(directory: Path, server: str) -> Pki:
    """The PKI that `create` made."""
    authority = keys.Authority.from_pem(
        (directory / "ca.crt").read_bytes(), (directory / "ca.key").read_bytes()
    )
    return Pki(directory, authority, server)


def now() -> dt.datetime:
    """This moment, in UTC."""
    return dt.datetime.now(dt.UTC)


def _b64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def write(path: Path, content: bytes) -> None:
    """Writes a file that only its owner can read."""
    path.touch(mode=0o600)
    path.write_bytes(content)
