"""Why a kustomization is not built.

::

    Trouble
    ├── Beyond     we do not build this exactly; kustomize may
    └── Wrong      nobody builds this, or nobody should: a cycle, a missing file, something to be fetched
        ├── Several    more than one of these
        └── TooMuch    a limit: nothing behind it is looked at
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

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

    @property
    def each(self) -> tuple[Wrong, ...]:
        """It, or all that it stands for."""
        return (self,)


class Several(Wrong):
    """Mistakes that do not depend on each other, in the order in which they were met."""

    def __init__(self, some: tuple[Wrong, ...]) -> None:
        super().__init__(some[0].what, where=some[0].where)
        self._some = some

    @property
    def each(self) -> tuple[Wrong, ...]:
        """All of them."""
        return self._some


class TooMuch(Wrong):
    """More than anybody writes."""


class Collected:
    """Mistakes on the way, to be told together."""

    def __init__(self) -> None:
        self._some: list[Wrong] = []

    @contextlib.contextmanager
    def one(self) -> Iterator[None]:
        """Goes on behind a mistake inside."""
        try:
            yield
        except TooMuch:
            raise
        except Wrong as error:
            self._some += error.each

    def tell(self) -> None:
        """Raises what was met so far."""
        if self._some:
            raise Several(tuple(self._some))
