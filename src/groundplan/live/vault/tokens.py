"""How a cluster's ServiceAccount tokens are verified: who signs them, and the public keys. Services read both.

Source: https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/#service-account-issuer-discovery
"""

from __future__ import annotations

import json
import re

from groundplan.kubernetes import clusters
from groundplan.live import client, errors

PATHS = (clusters.TOKEN_ISSUER, clusters.TOKEN_KEYS)
"""Where the store has them."""
_ISSUER = re.compile(r"[!#-\[\]-~]{1,2048}")
"""Visible ASCII; it is put between double quotes, so there are none in it, and no backslash."""


def of_cluster(api: client.Client) -> dict[str, str]:
    """What the API server says, by path; raises errors.LiveError."""
    about = api.get("/.well-known/openid-configuration", subject="the issuer of ServiceAccount tokens")
    keys = api.get("/openid/v1/jwks", subject="the keys of ServiceAccount tokens")
    return checked({clusters.TOKEN_ISSUER: str(about.get("issuer", "")), clusters.TOKEN_KEYS: json.dumps(keys)})


def checked(given: dict[str, str]) -> dict[str, str]:
    """`given` as it is written: an issuer without line ends, keys as JSON of one line. Raises errors.Waiting."""
    found = {}
    for path, text in given.items():
        found[path] = _issuer(text) if path == clusters.TOKEN_ISSUER else _keys(text)
    return found


def _issuer(text: str) -> str:
    issuer = text.strip()
    if not _ISSUER.fullmatch(issuer):
        fix = "take the field issuer of /.well-known/openid-configuration"
        raise errors.Waiting("that is no issuer of tokens", why=f"it reads {issuer[:60]!r}", fix=fix)
    return issuer


def _keys(text: str) -> str:
    try:
        said = json.loads(text)
        if all(isinstance(key, dict) and "kty" in key and "d" not in key for key in said["keys"]) and said["keys"]:
            return json.dumps(said)
        why = "it lists no public keys"
    except (ValueError, TypeError, KeyError) as error:
        why = f"no JSON Web Key Set (RFC 7517): {type(error).__name__}"
    raise errors.Waiting("these are no keys of tokens", why=why, fix="take what /openid/v1/jwks says")
