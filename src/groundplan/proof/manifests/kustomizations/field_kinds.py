"""Kinds of objects as kustomize's own lists of fields say them."""

from __future__ import annotations

import msgspec


class Kind(msgspec.Struct, frozen=True):
    """Objects by group, version and kind; an empty word stands for all."""

    group: str
    version: str
    kind: str

    def covers(self, group: str, version: str, kind: str) -> bool:
        """Whether an object is one of these."""
        mine, other = (self.group, self.version, self.kind), (group, version, kind)
        return all(not wanted or wanted == had for wanted, had in zip(mine, other, strict=True))
