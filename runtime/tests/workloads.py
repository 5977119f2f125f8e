"""An issuer of workload tokens for the tests, as the supervisor or a cluster would be."""

import json
import pathlib
import time
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

ISSUER = "https://issuer.test"
GATEWAY = "system:serviceaccount:gateway:api-gateway"


class Issuer:
    """Has a key, makes tokens and the file that CALLERS refers to."""

    def __init__(self, kid: str = "one", algorithm: str = "EdDSA") -> None:
        self.kid = kid
        self.algorithm = algorithm
        self.key: Any = (
            ed25519.Ed25519PrivateKey.generate() if algorithm == "EdDSA" else rsa.generate_private_key(65537, 2048)
        )

    @property
    def jwk(self) -> dict[str, str]:
        kind = jwt.algorithms.OKPAlgorithm if self.algorithm == "EdDSA" else jwt.algorithms.RSAAlgorithm
        public: dict[str, str] = json.loads(kind.to_jwk(self.key.public_key()))
        return public | {"kid": self.kid, "alg": self.algorithm, "use": "sig"}

    def token(self, workload: str = GATEWAY, audience: str = "sample", **claims: Any) -> str:
        said = {"sub": workload, "aud": audience, "iss": ISSUER, "exp": time.time() + 3600, **claims}
        said = {name: value for name, value in said.items() if value is not None}
        return jwt.encode(said, self.key, algorithm=self.algorithm, headers={"kid": self.kid})


def write(path: pathlib.Path, issuers: tuple[Issuer, ...], callers: dict[str, Any], **more: Any) -> str:
    """The callers' file in place, in one step; its reference."""
    keys = [one.jwk for one in issuers]
    document = {"audience": "sample", "issuer": ISSUER, "jwks": {"keys": keys}, "callers": callers}
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(document | more))
    fresh.replace(path)
    return f"file://{path}"
