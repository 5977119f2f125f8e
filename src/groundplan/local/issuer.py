"""Workload tokens on this machine: what a cluster's API server does by projected ServiceAccount tokens.

A token is a JWT (RFC 7519) signed by EdDSA (RFC 8037): `sub` the caller's workload, `aud` the callee. It
holds nothing that changes by itself, so that starting again starts nothing anew.
"""

from __future__ import annotations

import dataclasses
import json
import pathlib
from collections.abc import Iterable

from groundplan.local import vault
from groundplan.model import secrets
from groundplan_runtime import contract

PATH = "platform/workload-issuer"


@dataclasses.dataclass(frozen=True)
class Issuer:
    """Signs for one platform."""

    name: str
    private_pem: str

    def token(self, namespace: str, caller: str, callee: str) -> str:
        """By which `caller` is known to `callee`, and to nobody else."""
        import jwt

        claims = {"iss": self.name, "sub": contract.workload(namespace, caller), "aud": callee}
        return jwt.encode(claims, self.private_pem, algorithm="EdDSA", headers={"kid": "local"})

    @property
    def jwks(self) -> str:
        """The public half, as a JSON Web Key Set (RFC 7517)."""
        from cryptography.hazmat.primitives import serialization
        from jwt.algorithms import OKPAlgorithm

        public = serialization.load_pem_private_key(self.private_pem.encode(), password=None).public_key()
        key = json.loads(OKPAlgorithm.to_jwk(public))  # type: ignore[arg-type]
        return json.dumps({"keys": [{**key, "kid": "local", "alg": "EdDSA", "use": "sig"}]}, sort_keys=True)


def of(platform: str, folder: pathlib.Path) -> Issuer:
    """The issuer whose key is kept in `folder`."""
    kept = vault.contents(folder, {PATH: secrets.Ed25519(1)})[PATH]
    return Issuer(f"groundplan:{platform}", json.loads(kept)["keys"][0]["private_pem"])


def tokens(issuer: Issuer, pairs: Iterable[tuple[str, str]], namespaces: dict[str, str]) -> dict[tuple[str, str], str]:
    """A token for each pair of caller and callee."""
    return {(caller, callee): issuer.token(namespaces[caller], caller, callee) for caller, callee in pairs}
