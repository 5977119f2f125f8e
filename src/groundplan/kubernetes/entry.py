"""The entry: an Ingress for NGINX, and the same intent for the Gateway API where the environment names a gateway.

Sources: https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations/,
https://gateway-api.sigs.k8s.io/reference/spec/
"""

from __future__ import annotations

import decimal
import math

from groundplan.kubernetes import clusters, drafts, names, settings
from groundplan.model import component, endpoint, entries
from groundplan.shapes import objects, quantities

_NGINX = "nginx.ingress.kubernetes.io"
BODY_LIMIT = "groundplan/body-limit"
"""On an HTTPRoute: the largest body in bytes."""


def apply(cluster: clusters.Cluster, draft: drafts.Draft) -> None:
    """An Ingress for each component that an entry leads to: it must stand in that component's namespace."""
    for entry in cluster.plan.entries:
        owners = {target.owner.name: target.owner for _, target in entry.routes}
        for owner in owners.values():
            routes = [(path, target) for path, target in entry.routes if target.owner is owner]
            _ingress(entry, owner, routes, cluster, draft)
            if settings.gateway(cluster.environment):
                _route(entry, owner, routes, cluster, draft)


Routes = list[tuple[str, endpoint.Endpoint]]


def _ingress(
    entry: entries.Entry, owner: component.Component, routes: Routes, cluster: clusters.Cluster, draft: drafts.Draft
) -> None:
    issuer = str(cluster.environment.defaults.get("issuer", ""))
    host = settings.host(cluster.environment)
    paths = [_path(path, target) for path, target in sorted(routes, key=_first)]
    spec: objects.Tree = {"ingressClassName": "nginx", "rules": [{"host": host, "http": {"paths": paths}}]}
    if issuer:
        spec["tls"] = [{"hosts": [host], "secretName": f"{owner.name}{names.TLS}"}]
    body = {"metadata": {"annotations": _annotations(entry, routes, issuer)}, "spec": spec}
    draft.add("networking.k8s.io/v1 Ingress", owner.name, body, entry.origin, namespace=owner.namespace)


def _first(route: tuple[str, endpoint.Endpoint]) -> str:
    return route[0]


def _path(path: str, target: endpoint.Endpoint) -> objects.Tree:
    backend = {"service": {"name": target.owner.name, "port": {"name": target.name}}}
    return {"path": path, "pathType": "Prefix", "backend": backend}


def _annotations(entry: entries.Entry, routes: Routes, issuer: str) -> dict[str, str]:
    seconds = str(math.ceil(entry.timeout))
    found = {
        f"{_NGINX}/proxy-body-size": _bytes(entry.body),
        f"{_NGINX}/proxy-connect-timeout": seconds,
        f"{_NGINX}/proxy-read-timeout": seconds,
        f"{_NGINX}/proxy-send-timeout": seconds,
        # Without a certificate here, the tunnel in front has ended TLS already.
        f"{_NGINX}/ssl-redirect": "true" if issuer else "false",
    }
    if all(target.port and target.port.speaks == "grpc" for _, target in routes):
        found[f"{_NGINX}/backend-protocol"] = "GRPC"
    return {"cert-manager.io/cluster-issuer": issuer, **found} if issuer else found


def _bytes(size: str) -> str:
    return str(int(quantities.parse(size).to_integral_value(decimal.ROUND_CEILING)))


def _route(
    entry: entries.Entry, owner: component.Component, routes: Routes, cluster: clusters.Cluster, draft: drafts.Draft
) -> None:
    namespace, name = settings.gateway(cluster.environment) or ("", "")
    body = {
        # The Gateway API has no word for it: whoever runs the gateway holds it to this (NGINX Gateway Fabric by a
        # ClientSettingsPolicy, Envoy Gateway by a ClientTrafficPolicy).
        "metadata": {"annotations": {BODY_LIMIT: _bytes(entry.body)}},
        "spec": {
            "parentRefs": [{"namespace": namespace, "name": name}],
            "hostnames": [settings.host(cluster.environment)],
            "rules": [_rule(path, target, entry.timeout) for path, target in sorted(routes, key=_first)],
        },
    }
    draft.add("gateway.networking.k8s.io/v1 HTTPRoute", owner.name, body, entry.origin, namespace=owner.namespace)


def _rule(path: str, target: endpoint.Endpoint, timeout: float) -> objects.Tree:
    return {
        "matches": [{"path": {"type": "PathPrefix", "value": path}}],
        "backendRefs": [{"name": target.owner.name, "port": target.port.exposed if target.port else 0}],
        "timeouts": {"request": _duration(timeout), "backendRequest": _duration(timeout)},
    }


def _duration(seconds: float) -> str:
    """As the Gateway API writes it (https://gateway-api.sigs.k8s.io/geps/gep-2257/): at most five digits a unit."""
    whole, thousandths = divmod(math.ceil(seconds * 1000), 1000)
    minutes, rest = divmod(whole, 60)
    units = ((minutes, "m"), (rest, "s"), (thousandths, "ms"))
    return "".join(f"{number}{unit}" for number, unit in units if number)
