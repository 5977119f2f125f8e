"""Why a kustomization is not built.

::

    Trouble
    ├── Beyond     we do not build this exactly; kustomize may
    └── Wrong      nobody builds this, or nobody should: a cycle, a missing file, something to be fetched
"""

from __future__ import annotations

from groundplan.proof import findings
from groundplan.proof.manifests import documents


class Trouble(Exception):
    """What is in the way, and where it is written."""

    def __init__(self, what: str, spot: documents.Spot | None = None, where: findings.Place | None = None) -> None:
        super().__init__(what)
        self.what, self._spot, self._where = what, spot, where

    @property
    def where(self) -> findings.Place:
        """The place of it, as far as that is known."""
        return self._where or (self._spot.place() if self._spot else findings.Place())


class Beyond(Trouble):
    """Outside the part of kustomize that is built here."""


class Wrong(Trouble):
    """A mistake, or an attack."""
