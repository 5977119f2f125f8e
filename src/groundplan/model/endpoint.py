"""An endpoint: one port of one component, and what may be needed of it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from groundplan.model import needable
from groundplan.shapes import ports, values

if TYPE_CHECKING:
    from groundplan.model import component, rights


@dataclasses.dataclass(frozen=True, eq=False)
class Endpoint(needable.Needable):
    """A port by name. It may not exist: that is found when the plan is checked."""

    owner: component.Component
    name: str

    @property
    def port(self) -> ports.Port | None:
        return self.owner.ports.get(self.name)

    @property
    def url(self) -> values.Url:
        """Its base URL, late-bound."""
        return values.Url(self.owner.name, self.name)

    @property
    def address(self) -> values.Address:
        """Its ``host:port``, late-bound."""
        return values.Address(self.owner.name, self.name)

    def as_right(self) -> rights.Call:
        from groundplan.model import rights

        return rights.Call(endpoint=self)

    def methods(self, *names: str) -> rights.Call:
        """The right to call only these: gRPC methods by bare name, or ``GET /path`` on HTTP."""
        from groundplan.model import rights

        return rights.Call(endpoint=self, methods=names)
