"""What a plan drew of a connection, beside what its manifests let through."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from groundplan.cli import manifests

if TYPE_CHECKING:
    from groundplan.claims import drawing as drawings
    from groundplan.proof import claims
    from groundplan.proof.explain import pairs


@dataclasses.dataclass(frozen=True)
class Drawn:
    """One cluster of a platform."""

    paths: tuple[str, ...]
    """Its manifests."""
    drawing: drawings.Drawing

    @classmethod
    def of(cls, plan: Path, environment: str | None) -> Drawn:
        """The cluster called `environment`, or the one called production, or the last one."""
        from groundplan.claims import drawing as drawings

        loaded, env, place = manifests.overlay(plan, environment)
        return cls((place,), drawings.of(loaded, env))

    def claims(self, found: pairs.Explanation) -> list[claims.Claim]:
        """The claims between the two ends."""
        ends = tuple(str(end).partition("[")[0] for end in (found.source, found.destination))
        return [each for each in self.drawing.said if (each.source, each.destination) == ends]

    def lines(self, found: pairs.Explanation) -> Iterator[str]:
        """Which edges drew it."""
        some = self.claims(found)
        for each in some:
            yield f"{each.ports}: {each.why}    {each.origin}"
        if not some and found.source.workload and found.destination.workload:
            yield f"nothing from {found.source} to {found.destination}"
