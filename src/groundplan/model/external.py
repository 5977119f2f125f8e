"""What lies outside the platform: a named system elsewhere, or the internet at large."""

from __future__ import annotations

from typing import TYPE_CHECKING

from groundplan.model import component as components
from groundplan.model import needable, processes, resource
from groundplan.model import origin as origins
from groundplan.shapes import ports, values
from groundplan_runtime import contract

if TYPE_CHECKING:
    from groundplan.model import rights

StandIn = processes.Process | resource.Resource


class External(needable.Needable):
    """A system of somebody else's. `stand_in` plays it on a laptop."""

    kind = "external"
    port_name = "external"

    def __init__(self, name: str, port: ports.Port, scheme: str, stand_in: StandIn | None) -> None:
        self.origin = origins.here()
        self.name = components.checked_name(name, self.kind, self.origin)
        self.port = port
        self.scheme = scheme
        self.stand_in = stand_in

    def as_right(self) -> rights.Reach:
        from groundplan.model import rights

        return rights.Reach(external=self)

    def variables(self, name: str | None) -> tuple[rights.Variable, ...]:
        """What its callers find in their environment: a URL, or ``host:port``."""
        from groundplan.model import rights

        if self.scheme:
            url = values.Url(self.name, self.port_name)
            return (rights.Variable(name or contract.url_variable(self.name), url),)
        address = values.Address(self.name, self.port_name)
        return (rights.Variable(name or f"{contract.variable_name(self.name)}_ADDRESS", address),)

    def settings(self) -> dict[str, type | tuple[type, ...]]:
        return {"host": str, "cidrs": (list, tuple), "wider_ok": str}


class Internet(External):
    """Any public address on one port. Private, link-local and cluster ranges are always refused."""

    kind = "internet"

    def variables(self, name: str | None) -> tuple[rights.Variable, ...]:
        """The addresses that may be reached although private: empty outside a laptop."""
        from groundplan.model import rights

        variable = name or f"{contract.variable_name(self.name)}_ALLOW"
        return (rights.Variable(variable, values.Option(self.name, "allow")),)

    def settings(self) -> dict[str, type | tuple[type, ...]]:
        return {"allow": (list, tuple)}
