"""Where versions of kustomize build one thing differently: both are built, and only what comes out alike counts."""

from __future__ import annotations

from groundplan.proof.manifests import documents


class Reading:
    """As which versions read a kustomization, and where in it that made a difference so far."""

    def __init__(self, *, newer: bool) -> None:
        self._newer = newer
        self.noted: list[tuple[str, documents.Spot]] = []

    def newer(self, what: str, spot: documents.Spot) -> bool:
        """Whether it is read as newer versions do, which read `what` at `spot` differently than older ones."""
        self.noted.append((what, spot))
        return self._newer
