"""Sealing secrets for a cluster's Sealed Secrets controller, in kubeseal's format.

Of each text: two bytes with the length of the sealed session key, that key (RSA-OAEP with SHA-256, whose label
is namespace/name in the strict scope), and the text by AES-256-GCM with a nonce of zeroes, since no session
key is ever used twice. Source: https://github.com/bitnami/sealed-secrets/blob/main/docs/developer/crypto.md
"""

from __future__ import annotations

import base64
import dataclasses
import datetime
import os
import pathlib
import struct
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from groundplan.delivery import yamls
from groundplan.kubernetes import names
from groundplan.model import secrets
from groundplan.resources import go_templates, sealed_secrets
from groundplan.shapes import workloads

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import rsa

_NONCE = bytes(12)
_HEADER = "# Written by `groundplan seal`: sealed for one cluster, to be committed.\n"


class SealingError(Exception):
    """What keeps secrets from being sealed, with a remedy; all of it at once."""

    def __init__(self, what: str, fix: str) -> None:
        super().__init__(f"{what}\n    fix: {fix}")


def public_key(certificate: bytes, now: datetime.datetime) -> rsa.RSAPublicKey:
    """The key of a certificate (PEM) that is valid `now`; raises SealingError."""
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import rsa

    fix = "fetch the cluster's: kubeseal --fetch-cert"
    try:
        found = x509.load_pem_x509_certificate(certificate)
    except ValueError as error:
        raise SealingError(f"that is no certificate in PEM: {error}", fix) from error
    key = found.public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        raise SealingError("the certificate's key is no RSA key", fix)
    if found.not_valid_after_utc < now:
        raise SealingError(f"the certificate ended on {found.not_valid_after_utc:%Y-%m-%d}", fix)
    return key


def seal(text: str, key: rsa.RSAPublicKey, namespace: str, name: str) -> str:
    """`text` for the Secret `name` of `namespace`, as ``encryptedData`` has it."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    session, algorithm = os.urandom(32), hashes.SHA256()
    label = f"{namespace}/{name}".encode()
    sealed_key = key.encrypt(session, padding.OAEP(padding.MGF1(algorithm), algorithm, label))
    sealed_text = AESGCM(session).encrypt(_NONCE, text.encode(), None)
    return base64.b64encode(struct.pack(">H", len(sealed_key)) + sealed_key + sealed_text).decode()


@dataclasses.dataclass(frozen=True)
class Wish:
    """What is to be sealed: everything that `holders` read and that is not sealed yet, and all of `rotate`."""

    holders: Sequence[workloads.Holder]
    generators: Mapping[str, secrets.Generator]
    """By path; who is not here must be brought."""
    brought: Mapping[str, str]
    """Text that people bring, by path; it is sealed for all readers, whatever was sealed before."""
    rotate: Collection[str] = ()


@dataclasses.dataclass(frozen=True)
class Done:
    """What stands in the file now, and which paths were sealed anew."""

    sealed: sealed_secrets.Sealed
    paths: tuple[str, ...]


def sealed(wish: Wish, before: sealed_secrets.Sealed, key: rsa.RSAPublicKey) -> Done:
    """`before` with what `wish` adds, less what nobody reads any more; raises SealingError."""
    readers: dict[str, list[workloads.Holder]] = {}
    for holder in wish.holders:
        for path in holder.paths:
            readers.setdefault(path, []).append(holder)
    fresh = {path for path in readers if path in wish.brought or path in wish.rotate}
    fresh |= {path for path, those in readers.items() if any(not _has(before, each, path) for each in those)}
    _check(wish, readers, before, fresh)
    texts = {path: wish.brought[path] if path in wish.brought else wish.generators[path].generate() for path in fresh}
    made: sealed_secrets.Sealed = {}
    for holder in wish.holders:
        place = holder.namespace, _name(holder)
        made[place] = {}
        for path in holder.paths:
            field = go_templates.field(path)
            made[place][field] = seal(texts[path], key, *place) if path in fresh else before[place][field]
    return Done(made, tuple(sorted(fresh)))


def _check(
    wish: Wish, readers: Mapping[str, Sequence[workloads.Holder]], before: sealed_secrets.Sealed, fresh: set[str]
) -> None:
    generated = {path for path, each in wish.generators.items() if not isinstance(each, secrets.Supplied)}
    missing = sorted(path for path in fresh if path not in wish.brought and path not in generated)
    if missing:
        listed = " ".join(f"--supply {path}=@FILE" for path in missing)
        raise SealingError(f"not supplied: {', '.join(missing)}", f"people bring these: {listed}")
    made = sorted(path for path in fresh if path not in wish.brought)
    half = [
        path for path in made if path not in wish.rotate and any(_has(before, each, path) for each in readers[path])
    ]
    if half:
        what = f"sealed for some of their readers, and nobody can read them back: {', '.join(half)}"
        fix = "--rotate PATH makes a new one for all of them, --supply PATH=@FILE seals the present one for all"
        raise SealingError(what, fix)
    lasting = [path for path in made if path in wish.rotate and isinstance(wish.generators[path], secrets.Keys)]
    if lasting:
        what = f"what was encrypted with them could not be opened any more: {', '.join(lasting)}"
        raise SealingError(what, "--supply PATH=@FILE, with the new key in front of the ones before")


def _has(before: sealed_secrets.Sealed, holder: workloads.Holder, path: str) -> bool:
    return go_templates.field(path) in before.get((holder.namespace, _name(holder)), {})


def _name(holder: workloads.Holder) -> str:
    return f"{holder.name}{names.SECRETS}"


def write(file: pathlib.Path, found: sealed_secrets.Sealed) -> None:
    """Puts `found` into `file`, whole or not at all; raises SealingError."""
    text = _HEADER + yamls.documents(sealed_secrets.trees(found))
    try:
        part = file.with_name(f".{file.name}.{os.getpid()}")
        part.write_text(text)
        part.replace(file)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise SealingError(f"cannot write {file}: {error.strerror}", "make its folder writable") from error
