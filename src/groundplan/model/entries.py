"""Entries: where the world comes in, and what a route may say."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping

from groundplan.model import component, endpoint, findings, resource
from groundplan.model import origin as origins

# What every controller takes: Kubernetes and the Gateway API refuse "//", "." and ".." between slashes, and
# ingress-nginx refuses other signs (https://kubernetes.github.io/ingress-nginx/faq/#validation-of-path).
_PATH = re.compile(r"/|(/(?!\.\.?(/|$))[A-Za-z0-9._-]+)+/?")

_LONGEST = 24 * 3600


@dataclasses.dataclass(frozen=True)
class Entry:
    """Where the world comes in: paths of a host lead to endpoints, through an ingress controller."""

    controller: resource.Resource
    routes: tuple[tuple[str, endpoint.Endpoint], ...]
    body: str
    """The largest body that is let in."""
    timeout: float
    """For an answer, in seconds."""
    origin: origins.Origin


def checked(
    controller: resource.Resource, routes: Mapping[str, endpoint.Endpoint], body: str, timeout: float
) -> Entry | None:
    """The entry, without routes that nobody could follow; None where it leads nowhere at all."""
    if not isinstance(controller, resource.Resource):
        why, remedy = f"{controller!r} lets nobody in", "name a controller: plan.entry(IngressNginx(…), …)"
        findings.report("GP202", "the entry's controller", why=why, remedy=remedy)
        return None
    if not isinstance(routes, Mapping) or not routes:
        findings.report("GP106", "the entry leads nowhere", remedy='plan.entry(controller, {"/": service.http})')
        return None
    if not isinstance(body, str):
        findings.report("GP105", f"the entry's body={body!r}", remedy='write body="10Mi"')
        body = "1Mi"
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not 1 <= timeout <= _LONGEST:
        findings.report(
            "GP105", f"the entry's timeout={timeout!r}", why="from a second to a day", remedy="write timeout=30"
        )
        timeout = 60
    return Entry(controller, tuple(_routes(routes)), body, timeout, origins.here())


def _routes(routes: Mapping[str, endpoint.Endpoint]) -> Iterator[tuple[str, endpoint.Endpoint]]:
    for path, target in routes.items():
        if not isinstance(target, endpoint.Endpoint):
            name = target.name if isinstance(target, component.Component) else repr(target)
            remedy = f"name an endpoint: {name.replace('-', '_')}.http"
            findings.report("GP202", f"entry {path} → {name}: no endpoint", why="a route leads to one", remedy=remedy)
        elif not isinstance(path, str) or not _PATH.fullmatch(path):
            why = "a path begins with / and holds letters, digits, - _ and . between single slashes"
            findings.report("GP105", f"the entry's path {path!r}", why=why, remedy='write "/" or "/some/path"')
        else:
            yield path, target
