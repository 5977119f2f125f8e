"""Selectors of labels as text (``app=web,tier in (a, b),!old``).

Source: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from groundplan.proof.manifests import documents
from groundplan.proof.manifests.kustomizations import trouble

_KEY, _VALUE = r"[A-Za-z0-9][\w./\-]*", r"[\w.\-]*"
_PARTS = re.compile(
    rf"\s*(?:(!)\s*({_KEY})|({_KEY})\s*(?:(==|=|!=)\s*({_VALUE})|(in|notin)\s*\(([\w.,\s\-]*)\))?)\s*", re.ASCII
)


class Requirement(msgspec.Struct, frozen=True):
    """A key, and the values that it may have or may not; none ask for the key alone."""

    key: str
    positive: bool
    values: frozenset[str] | None


def parsed(text: str, spot: documents.Spot) -> tuple[Requirement, ...]:
    """Everything that a selector asks for."""
    found = []
    at = 0
    while match := _PARTS.match(text, at):
        no, absent, key, sign, value, word, values = match.groups()
        several = frozenset(each.strip() for each in values.split(",")) if word else frozenset({value})
        positive = not no and sign != "!=" and word != "notin"
        found.append(Requirement(key or absent, positive, several if sign or word else None))
        at = match.end() + 1
        if match.end() == len(text):
            return tuple(found)
        if text[match.end()] != ",":
            break
    raise trouble.Beyond(f"the selector {text}", spot)


def matches(wanted: tuple[Requirement, ...], labels: Any) -> bool:
    """Whether labels fulfil a selector; what is absent fulfils whatever forbids."""
    labels = labels if isinstance(labels, dict) else {}
    return all(
        (each.key in labels and (each.values is None or labels[each.key] in each.values)) == each.positive
        for each in wanted
    )
