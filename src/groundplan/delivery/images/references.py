"""Names of images: ``registry/repository:tag@digest``, with what Docker leaves out filled in.

Source: https://pkg.go.dev/github.com/distribution/reference (grammar, and the familiar names of Docker Hub).
"""

from __future__ import annotations

import dataclasses
import re

HUB = "docker.io"
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_LONGEST = 512

_HOST = r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?"
_PART = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_TAG = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
_REFERENCE = re.compile(
    rf"(?P<registry>{_HOST})/(?P<repository>{_PART}(?:/{_PART})*)(?::(?P<tag>{_TAG}))?(?:@(?P<digest>{DIGEST.pattern}))?"
)


class Unusable(ValueError):
    """No name of an image."""


@dataclasses.dataclass(frozen=True)
class Reference:
    """A whole name; `tag` is "latest" where a name says neither tag nor digest."""

    registry: str
    repository: str
    tag: str
    digest: str = ""

    @property
    def asked(self) -> str:
        """What a registry is asked for."""
        return self.digest or self.tag


def parse(text: str) -> Reference:
    """Reads a name; raises Unusable."""
    registry, slash, rest = text.partition("/")
    if not slash or not _is_host(registry):
        registry, rest = HUB, text
    found = _REFERENCE.fullmatch(f"{registry}/{rest}") if len(text) <= _LONGEST else None
    if not found:
        raise Unusable(f"{text!r} is no name of an image")
    repository = found["repository"]
    if registry in (HUB, f"index.{HUB}"):
        registry = HUB
        repository = repository if "/" in repository else f"library/{repository}"
    digest = found["digest"] or ""
    return Reference(registry, repository, found["tag"] or ("" if digest else "latest"), digest)


def _is_host(text: str) -> bool:
    """A first part is a host if it could be no part of a repository: Docker's own rule."""
    return text == "localhost" or any(sign in text for sign in ".:") or text != text.lower()
