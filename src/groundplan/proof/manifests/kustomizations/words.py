"""Mappings of words to words, and the keys among them that every version of kustomize leaves as they are."""

from __future__ import annotations

import re
from typing import Any

from groundplan.proof.manifests import documents, scalars
from groundplan.proof.manifests.kustomizations import trouble

_KEY = re.compile(r"[\w./\-]{1,253}", re.ASCII)
_DATE = re.compile(r"\d{4}-\d")


def pairs(said: Any, spot: documents.Spot) -> list[tuple[str, str]]:
    """The pairs of a mapping of words, or of nothing."""
    if said is None:
        return []
    if not isinstance(said, dict) or not all(isinstance(each, str) for each in said.values()):
        raise trouble.Beyond("no mapping of words to words", spot)
    return [(key(each, spot.below(each)), value) for each, value in said.items()]


def key(text: str, spot: documents.Spot) -> str:
    """A key that stays text when kustomize writes it and reads it again: it writes no quotes around it."""
    if not _KEY.fullmatch(text) or _DATE.match(text) or not isinstance(scalars.decode(text)[0], str):
        raise trouble.Beyond(f"the key {text}", spot)
    return text
