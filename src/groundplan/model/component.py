"""What a platform is made of: named components in namespaces, and the edges that leave them."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from groundplan.model import findings, names, needable, ungranted
from groundplan.model import origin as origins
from groundplan.shapes import ports as port_shapes
from groundplan.shapes import values

if TYPE_CHECKING:
    from groundplan.model import endpoint, rights


@dataclasses.dataclass(frozen=True)
class Edge:
    """`source` needs `right`: nothing else opens a path."""

    source: Component
    right: rights.Right
    origin: origins.Origin


class Component:
    """Something with a name that lives in a namespace and may need other things."""

    kind = "component"

    def __init__(self, name: str, *, ports: dict[str, port_shapes.Port] | None = None) -> None:
        self.origin = origins.here()
        self.name = checked_name(name, self.kind, self.origin)
        self.namespace: str | None = None
        self.ports = ports or {}
        self.edges: list[Edge] = []
        self.environment: dict[str, values.Value] = {}

    def needs(self, *things: needable.Needable) -> None:
        """Declares edges: each opens exactly what its right says and hands over what its holder must know."""
        for thing in things:
            if isinstance(thing, ungranted.Ungranted):
                continue  # found where it was asked for
            if isinstance(thing, needable.Needable):
                self.edges.append(Edge(self, thing.as_right(), origins.here()))
            else:
                report_unright(self, thing)

    def port(self, name: str) -> endpoint.Endpoint:
        """The endpoint on the port called `name`; an edge to one that does not exist is a finding."""
        from groundplan.model import endpoint

        return endpoint.Endpoint(self, name)

    def settings(self) -> dict[str, type | tuple[type, ...]]:
        """What an environment may set for it, with the kinds of value."""
        return {}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"


def checked_name(name: str, kind: str, where: origins.Origin) -> str:
    """`name`, or the nearest acceptable one after a finding."""
    why = names.trouble(name)
    if why is None:
        return name
    findings.report("GP101", f"{kind} {name!r}", why=why, remedy=f'call it "{names.mended(name)}"', where=where)
    return names.mended(name)


def report_unright(source: Component, thing: object) -> None:
    """Says what an edge from `source` to `thing` should have named instead."""
    offers = getattr(
        thing, "grants", "an endpoint (service.http), a database role, a key prefix, a secret or an external"
    )
    name = getattr(thing, "name", None) or getattr(thing, "path", None) or repr(thing)
    findings.report(
        "GP202",
        f"{source.name} → {name}: not something to need",
        why=f"an edge carries a right; {name} offers {offers}",
        remedy=f"write {source.name.replace('-', '_')}.needs(…) with one of these",
    )
