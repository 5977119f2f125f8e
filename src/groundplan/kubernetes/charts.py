"""Charts of others: the objects that stand beside them, and what it takes to install them.

We make none of their objects: who installs them (Argo CD) is told the version and our values, and everybody
who reads is told what policies assume of their pods.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from groundplan.kubernetes import clusters, drafts
from groundplan.model import component, findings
from groundplan.model import origin as origins
from groundplan.shapes import objects, values, workloads


@dataclasses.dataclass(frozen=True)
class Release:
    """A chart of one environment, with every value filled in."""

    component: str
    namespace: str
    name: str
    """Helm's name for it."""
    source: workloads.Source
    values: objects.Tree
    cluster_wide: tuple[tuple[str, str], ...]
    """Groups and kinds that it installs outside any namespace."""
    spaces: tuple[str, ...]
    """Namespaces that it installs into, beside its own."""
    draws: tuple[workloads.Drawn, ...]
    """Fields that differ each time it is rendered."""
    assumes: str
    """What is taken for granted of its pods, a line each: namespace, labels, ports."""


def apply(cluster: clusters.Cluster, draft: drafts.Draft) -> None:
    """The objects beside each chart."""
    for name, answer in draft.charts.items():
        owner = cluster.components[name]
        for each in answer.beside:
            space = owner.namespace if each.namespaced else None
            beside(each, name, owner.origin, space, cluster, draft)
        if _is_sensitive(answer.values) or any(_is_sensitive(each.spec) for each in answer.beside):
            draft.findings.append(_readable(owner))


def beside(
    each: workloads.Beside,
    owner: str,
    origin: origins.Origin,
    namespace: str | None,
    cluster: clusters.Cluster,
    draft: drafts.Draft,
) -> None:
    """Adds an object of a kind that a chart defines; `owner` is whose it is, by name."""
    body = {"spec": filled(each.spec, cluster)}
    made = draft.add(each.kind, each.name, body, origin, namespace=namespace, component=owner)
    if each.early:
        draft.early.add(objects.key(made))


def releases(cluster: clusters.Cluster, draft: drafts.Draft) -> tuple[Release, ...]:
    """What is to be installed, in the order of names."""
    return tuple(_release(name, cluster, draft) for name in sorted(draft.charts))


def put(tree: workloads.Values, place: tuple[str, ...], more: workloads.Values) -> objects.Tree:
    """`tree` with `more` at `place`, beside what is there."""
    if not place:
        return {**tree, **more}
    return {**tree, place[0]: put(tree.get(place[0], {}), place[1:], more)}


def _part(part: drafts.Pod) -> objects.Tree:
    """What a chart's values take of a pod, in the words of the Prometheus operator.

    Source: https://prometheus-operator.dev/docs/api-reference/api/#monitoring.coreos.com/v1.AlertmanagerSpec
    """
    said = {
        "podMetadata": part.template["metadata"],
        "securityContext": part.spec["securityContext"],
        "initContainers": part.spec.get("initContainers"),
        "volumes": part.spec.get("volumes"),
        "volumeMounts": part.container["volumeMounts"],
    }
    # Whose pods they are asks the API server nothing.
    return {"automountServiceAccountToken": False} | {name: each for name, each in said.items() if each}


def _release(name: str, cluster: clusters.Cluster, draft: drafts.Draft) -> Release:
    owner, answer = cluster.components[name], draft.charts[name]
    kinds = (each.rpartition("/") for each in answer.cluster_wide)
    filled_in = filled(answer.values, cluster)
    if answer.reads:
        filled_in = put(filled_in, answer.reads.values, _part(draft.parts[name]))
    return Release(
        component=owner.name,
        namespace=owner.namespace or "",
        name=answer.release,
        source=answer.source,
        values=filled_in,
        cluster_wide=tuple((group, kind) for group, _, kind in kinds),
        spaces=answer.spaces,
        draws=answer.draws,
        assumes=_assumes(owner, answer),
    )


def _assumes(owner: component.Component, answer: workloads.Chart) -> str:
    numbers = {
        port.number: f"{port.number}/{'UDP' if port.speaks == 'udp' else 'TCP'}" for port in owner.ports.values()
    }
    numbers |= {number: f"{number}/TCP" for number in answer.webhooks}
    labels = ",".join(f"{name}={value}" for name, value in sorted(answer.pods))
    ports = ",".join(numbers[number] for number in sorted(numbers))
    return f"namespace: {owner.namespace}\nlabels: {labels}\nports: {ports}\n"


def filled(tree: Any, cluster: clusters.Cluster) -> Any:
    """`tree` with its late-bound values as text."""
    if isinstance(tree, Mapping):
        return {key: filled(value, cluster) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [filled(value, cluster) for value in tree]
    return tree.resolve(cluster) if isinstance(tree, values.Value) else tree


def _is_sensitive(tree: Any) -> bool:
    if isinstance(tree, Mapping):
        return any(_is_sensitive(value) for value in tree.values())
    if isinstance(tree, list | tuple):
        return any(_is_sensitive(value) for value in tree)
    return isinstance(tree, values.Value) and tree.sensitive


def _readable(owner: component.Component) -> findings.Finding:
    why = "they stand in Git and in the cluster, for everybody who may look"
    remedy = "let the chart read a Secret that the environment's store delivers"
    return findings.Finding("GP310", f"the chart's values of {owner.name} hold a secret", owner.origin, why, remedy)
