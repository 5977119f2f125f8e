"""Clusters to measure: every namespace denies by default, every workload has a policy of its own."""

from __future__ import annotations

import random
from typing import Any

NAMESPACED = 50
"""Workloads of one namespace."""


def manifests(workloads: int) -> list[dict[str, Any]]:
    """Deployments with a service and a policy each, as people write them."""
    found: list[dict[str, Any]] = []
    draw = random.Random(workloads)  # noqa: S311
    for number in range(workloads):
        namespace, name = f"team-{number // NAMESPACED}", f"app-{number % NAMESPACED}"
        if number % NAMESPACED == 0:
            found += [_object("v1", "Namespace", namespace, None, labels={"team": namespace}), _deny(namespace)]
        friend = f"app-{draw.randrange(NAMESPACED)}"
        found += [_deployment(namespace, name), _service(namespace, name), _edge(namespace, name, friend, number)]
    return found


def objects(pods: int, policies: int) -> list[dict[str, Any]]:
    """Bare pods and policies with ports, ranges, names, blocks and negations; a hundred namespaces."""
    namespaces = 100
    apps = policies // namespaces
    draw = random.Random(pods)  # noqa: S311
    found = [
        _object("v1", "Namespace", f"team-{each}", None, labels={"tier": f"t{each % 10}"}) for each in range(namespaces)
    ]
    found += [_pod(number, number % namespaces, (number // namespaces) % apps) for number in range(pods)]
    for number in range(policies):
        namespace, app = number % namespaces, number // namespaces
        found.append(_deny(f"team-{namespace}") if app == 0 else _mixed(number, namespace, app, draw.randrange(apps)))
    return found


def _object(
    version: str, kind: str, name: str, namespace: str | None, *, labels: Any = None, **rest: Any
) -> dict[str, Any]:
    metadata = {
        "name": name,
        **({"namespace": namespace} if namespace else {}),
        **({"labels": labels} if labels else {}),
    }
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **rest}


def _deny(namespace: str) -> dict[str, Any]:
    return _policy(namespace, "deny", {}, [], [])


def _policy(namespace: str, name: str, subject: Any, ingress: list[Any], egress: list[Any]) -> dict[str, Any]:
    spec = {"podSelector": subject, "policyTypes": ["Ingress", "Egress"], "ingress": ingress, "egress": egress}
    return _object("networking.k8s.io/v1", "NetworkPolicy", name, namespace, spec=spec)


def _app(name: str) -> dict[str, Any]:
    return {"matchLabels": {"app": name}}


def _deployment(namespace: str, name: str) -> dict[str, Any]:
    container = {
        "name": name, "image": f"example.com/{name}:1.0.0", "ports": [{"name": "http", "containerPort": 8080}],
        "env": [{"name": "LOG_LEVEL", "value": "info"}],
        "readinessProbe": {"httpGet": {"path": "/ready", "port": "http"}},
        "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"memory": "128Mi"}},
    }  # fmt: skip
    template = {"metadata": {"labels": {"app": name, "version": "v1"}}, "spec": {"containers": [container]}}
    spec = {"replicas": 2, "selector": _app(name), "template": template}
    return _object("apps/v1", "Deployment", name, namespace, spec=spec)


def _service(namespace: str, name: str) -> dict[str, Any]:
    spec = {"selector": {"app": name}, "ports": [{"name": "http", "port": 80, "targetPort": "http"}]}
    return _object("v1", "Service", name, namespace, spec=spec)


def _edge(namespace: str, name: str, friend: str, number: int) -> dict[str, Any]:
    dns = {"to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}],
           "ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]}  # fmt: skip
    out = {"to": [{"ipBlock": {"cidr": f"198.18.{number % 256}.0/24"}}], "ports": [{"port": 443}]}
    rules = [{"from": [{"podSelector": _app(friend)}], "ports": [{"port": "http"}]}]
    return _policy(
        namespace, name, _app(name), rules, [{"to": [{"podSelector": {}}], "ports": [{"port": 8080}]}, dns, out]
    )


def _pod(number: int, namespace: int, app: int) -> dict[str, Any]:
    labels = {"app": f"a{app}", "tier": ("web", "api", "db")[app % 3], "pod": f"p{number}"}
    ports = [{"name": "http", "containerPort": 8080 + app % 7}, {"name": "metrics", "containerPort": 9090}]
    spec = {"containers": [{"name": "c", "image": "example.com/c:1", "ports": ports}]}
    return _object("v1", "Pod", f"p{number}", f"team-{namespace}", labels=labels, spec=spec)


def _mixed(number: int, namespace: int, app: int, friend: int) -> dict[str, Any]:
    """Ports, a range, a name, a block with an except, other namespaces, a negation."""
    tier = {"namespaceSelector": {"matchLabels": {"tier": f"t{number % 10}"}}}
    ingress = [
        {"from": [{"podSelector": _app(f"a{friend}")}, {**tier, "podSelector": _app(f"a{friend}")}],
         "ports": [{"port": "http"}, {"port": 8000 + number % 50, "endPort": 8100}]},
        {"from": [tier], "ports": [{"port": "metrics"}]},
    ]  # fmt: skip
    cidr = f"10.{number % 256}.{number // 256}"
    egress = [
        {"to": [{"podSelector": _app(f"a{friend}")}, tier], "ports": [{"port": "http"}]},
        {"to": [{"namespaceSelector": {}}], "ports": [{"protocol": "UDP", "port": 53}]},
        {"to": [{"ipBlock": {"cidr": f"{cidr}.0/24", "except": [f"{cidr}.128/25"]}}], "ports": [{"port": 443}]},
        {"to": [{"podSelector": {"matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["db"]}]}}],
         "ports": [{"port": 5432}]},
    ]  # fmt: skip
    return _policy(f"team-{namespace}", f"np{number}", _app(f"a{app}"), ingress, egress)
