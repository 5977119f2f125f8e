"""Network policies: nothing passes but the flows, and each workload has one policy with exactly its own.

Source: https://kubernetes.io/docs/concepts/services-networking/network-policies/
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from groundplan.kubernetes import clusters, drafts, flows, names, reaches
from groundplan.model import origin as origins
from groundplan.shapes import objects

_KIND = "networking.k8s.io/v1 NetworkPolicy"
_BOTH = ["Ingress", "Egress"]
_COME_AND_GO = "GP422: its pods come when a chart starts them, and go"
"""To whoever checks the policy beside no pod of these labels."""


def apply(cluster: clusters.Cluster, draft: drafts.Draft) -> None:
    """Default deny in each namespace, and a policy for each workload and each chart."""
    draft.flows = list(reaches.all_of(cluster, draft))
    ways = Ways(draft.flows)
    for space in cluster.plan.namespaces:
        body: objects.Tree = {"spec": {"podSelector": {}, "policyTypes": _BOTH}}
        name = f"{space.name}{names.DEFAULT_DENY}"
        draft.add(_KIND, name, body, space.origin, namespace=space.name, component=space.name)
    ends = {pod.name: (reaches.pods(pod.name, pod.namespace, draft), pod.origin) for pod in draft.pods.values()}
    ends |= {name: (reaches.chart(name, cluster), cluster.components[name].origin) for name in draft.charts}
    for name, (end, origin) in ends.items():
        _policy(name, end, ways, draft, origin)
    calling = {
        f"{name}{names.CALLERS}": (name, reaches.callers(name, cluster))
        for name, answer in draft.charts.items()
        if answer.callers
    }
    for made, (name, end) in calling.items():
        _policy(made, end, ways, draft, cluster.components[name].origin, owner=name)
    for guest in reaches.guests(cluster, draft):
        name = f"{guest.chart}{names.GUESTS}"
        _policy(name, guest.pods, ways, draft, guest.entry.origin, owner=guest.chart, accept=_COME_AND_GO)
    for name in draft.charts:
        component = cluster.components[name]
        _policy(
            f"{name}{names.CHART}", flows.Pods(component.namespace or ""), ways, draft, component.origin, owner=name
        )


class Ways:
    """Flows by their ends."""

    def __init__(self, found: Iterable[flows.Flow]) -> None:
        self.into: dict[flows.End, list[flows.Flow]] = {}
        self.out: dict[flows.End, list[flows.Flow]] = {}
        for flow in found:
            self.into.setdefault(flow.target, []).append(flow)
            self.out.setdefault(flow.source, []).append(flow)


def _policy(
    name: str,
    end: flows.Pods,
    ways: Ways,
    draft: drafts.Draft,
    origin: origins.Origin,
    owner: str | None = None,
    accept: str = "",
) -> None:
    spec: objects.Tree = {"podSelector": {"matchLabels": dict(end.labels)} if end.labels else {}, "policyTypes": _BOTH}
    into = _rules(ways.into.get(end, ()), "from", _source)
    out = _rules(ways.out.get(end, ()), "to", _target)
    spec |= {"ingress": into} if into else {}
    spec |= {"egress": out} if out else {}
    said = {"metadata": {"annotations": {"groundplan/accept": accept}}} if accept else {}
    draft.add(_KIND, name, {**said, "spec": spec}, origin, namespace=end.namespace, component=owner)


def _source(flow: flows.Flow) -> flows.End:
    return flow.source


def _target(flow: flows.Flow) -> flows.End:
    return flow.target


def _rules(found: Iterable[flows.Flow], side: str, other: Callable[[flows.Flow], flows.End]) -> list[objects.Tree]:
    """One rule for each set of ports; the peers it is open to, each once."""
    ports: dict[flows.End, set[flows.Port] | None] = {}
    for flow in found:
        known = ports.setdefault(other(flow), set())
        ports[other(flow)] = None if known is None or not flow.ports else known | set(flow.ports)
    grouped: dict[tuple[flows.Port, ...], list[flows.End]] = {}
    for end, numbers in ports.items():
        grouped.setdefault(tuple(sorted(numbers or ())), []).append(end)
    return [_rule(side, grouped[numbers], numbers) for numbers in sorted(grouped)]


def _rule(side: str, ends: list[flows.End], numbers: tuple[flows.Port, ...]) -> objects.Tree:
    peers = [end.peer() for end in sorted(ends, key=repr) if not isinstance(end, flows.Anyone)]
    rule: objects.Tree = {side: peers} if len(peers) == len(ends) else {}
    if numbers:
        rule["ports"] = [{"protocol": port.protocol, "port": port.number} for port in numbers]
    return rule
