"""Certificates that a TLS stack accepts, and that never outlive their CA."""

import datetime as dt
import random

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from certs import keys

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def test_a_leaf_carries_its_names_and_is_signed_by_the_authority() -> None:
    authority = keys.new_authority("test", now=NOW)
    leaf = authority.issue("who", now=NOW, organization="group", hosts=("10.0.0.1", "a.b.svc"))
    certificate = x509.load_pem_x509_certificate(leaf.certificate_pem)
    certificate.verify_directly_issued_by(authority.certificate)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(ip) for ip in names.get_values_for_type(x509.IPAddress)] == ["10.0.0.1"]
    assert names.get_values_for_type(x509.DNSName) == ["a.b.svc"]
    subject = certificate.subject
    assert subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == "who"
    assert subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)[0].value == "group"


@pytest.mark.parametrize("seed", range(20))
def test_a_leaf_never_outlives_its_authority(seed: int) -> None:
    rng = random.Random(seed)
    authority = keys.new_authority("test", now=NOW, lifetime=dt.timedelta(days=rng.randint(1, 400)))
    issued = NOW + dt.timedelta(hours=rng.randint(0, 24))
    lifetime = dt.timedelta(days=rng.randint(1, 800))
    leaf = x509.load_pem_x509_certificate(
        authority.issue("who", now=issued, lifetime=lifetime).certificate_pem
    )
    assert leaf.not_valid_after_utc <= authority.certificate.not_valid_after_utc
    assert leaf.not_valid_after_utc <= issued + lifetime


def test_an_authority_survives_its_files() -> None:
    authority = keys.new_authority("test", now=NOW)
    again = keys.Authority.from_pem(authority.certificate_pem, authority.key_pem)
    leaf = x509.load_pem_x509_certificate(again.issue("who", now=NOW).certificate_pem)
    leaf.verify_directly_issued_by(authority.certificate)


def test_something_else_is_not_an_authority() -> None:
    authority = keys.new_authority("test", now=NOW)
    with pytest.raises(ValueError, match="PEM"):
        keys.Authority.from_pem(authority.certificate_pem, b"no key")
