"""Whoever issues certificates, in place of cert-manager."""

from __future__ import annotations

import datetime
import pathlib
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


class Authority:
    """Who issues certificates as an emitted Certificate asks for them."""

    def __init__(self, folder: pathlib.Path) -> None:
        folder.mkdir()
        self.file = folder / "ca.crt"
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "authority")])
        constraints = x509.BasicConstraints(ca=True, path_length=None)
        self.file.write_bytes(_pem(self._signed(self._name, self._key.public_key(), 1, [(constraints, True)])))

    def issue(self, spec: dict, folder: pathlib.Path, days: int = 1) -> pathlib.Path:
        """What cert-manager writes into the Secret of a Certificate with this `spec`."""
        assert spec["privateKey"] == {"algorithm": "ECDSA", "size": 256, "rotationPolicy": "Always"}
        key = ec.generate_private_key(ec.SECP256R1())
        names = [x509.DNSName(each) for each in spec["dnsNames"]]
        usages = {
            "server auth": x509.ExtendedKeyUsageOID.SERVER_AUTH,
            "client auth": x509.ExtendedKeyUsageOID.CLIENT_AUTH,
        }
        extended = x509.ExtendedKeyUsage([usages[each] for each in spec["usages"] if each in usages])
        extensions = [(x509.SubjectAlternativeName(names), True), (extended, False)]
        folder.mkdir(exist_ok=True)
        (folder / "tls.crt").write_bytes(_pem(self._signed(x509.Name([]), key.public_key(), days, extensions)))
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        (folder / "tls.key").write_bytes(private)
        (folder / "tls.key").chmod(0o600)
        (folder / "ca.crt").write_bytes(self.file.read_bytes())
        return folder

    def _signed(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey, days: int, extensions: Sequence[tuple[object, bool]]
    ) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        made = x509.CertificateBuilder(
            self._name, subject, key, x509.random_serial_number(),
            now - datetime.timedelta(days=9), now + datetime.timedelta(days=days),
        )  # fmt: skip
        for extension, critical in extensions:
            made = made.add_extension(extension, critical)
        return made.sign(self._key, hashes.SHA256())


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
