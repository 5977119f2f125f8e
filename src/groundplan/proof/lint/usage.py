"""How much of what a quota counts the documents use: pods by what they ask for, claims, services, objects by number.

Sources: Kubernetes documentation, "Resource Quotas" (compute, storage, object count); "Services" (node ports of load
balancers).
"""

from __future__ import annotations

import decimal
from collections.abc import Iterator
from typing import Any

import msgspec

from groundplan.proof import fields, quantities
from groundplan.proof.lint import amounts, facts, references, scaling, scopes
from groundplan.proof.manifests import documents

COUNTED = ("cpu", "memory", "ephemeral-storage")
_CLASS = ".storageclass.storage.k8s.io/"
_CLAIMS = "persistentvolumeclaims"
_MADE = frozenset({
    "replicasets.apps", "controllerrevisions.apps", "jobs.batch", "endpoints", "events", "events.events.k8s.io",
    "endpointslices.discovery.k8s.io", "leases.coordination.k8s.io",
})  # fmt: skip
"""What controllers make as they go: how many there will be, no document says."""
_GIVEN = {"configmaps": 1, "serviceaccounts": 1}
"""Every namespace is given kube-root-ca.crt, and the account `default`."""


class Share(msgspec.Struct, frozen=True):
    """What one object uses, at rest and at most."""

    title: str
    least: decimal.Decimal
    most: decimal.Decimal


class Counter:
    """Adds up what one quota counts."""

    def __init__(self, known: facts.Facts, quota: documents.Document) -> None:
        self.known, self.namespace = known, known.namespace(quota)
        self.limits, self.scopes = amounts.limits(known, self.namespace), scopes.of(quota)
        mine = (each for each in known.pods if each.namespace == self.namespace)
        self.pods = [each for each in mine if scopes.pod(known, each, self.scopes, self.limits)]

    def shares(self, name: str) -> list[Share] | None:
        """What each object uses of it; None where no document says."""
        if name in ("pods", "count/pods"):
            return [self._pod(each, decimal.Decimal(1)) for each in self.pods]
        kind, _, base = name.partition(".")
        if kind in ("requests", "limits") and (base in COUNTED or "/" in base or base.startswith("hugepages-")):
            return [self._pod(each, amounts.pod(each.spec, self.limits).get(name, amounts.NONE)) for each in self.pods]
        if _CLASS in name or name in ("requests.storage", _CLAIMS, f"count/{_CLAIMS}"):
            return list(self._claims(name))
        if self.scopes:
            return []  # a scope is for pods or claims: no other object is counted then
        if name.startswith("services."):
            return list(self._services(name))
        return self._objects(name.removeprefix("count/"))

    def _pod(self, each: facts.Pod, one: decimal.Decimal) -> Share:
        count = scaling.replicas(self.known, each)
        return Share(each.title, one * count.least, one * count.most)

    def _claims(self, name: str) -> Iterator[Share]:
        wanted, _, what = name.partition(_CLASS)
        for title, spec, least, most in self._claimed():
            if not scopes.claim(spec, self.scopes) or (what and spec.get("storageClassName") != wanted):
                continue
            size = quantities.number(fields.inner(spec, "resources", "requests").get("storage", 0)) or amounts.NONE
            one = size if name.endswith("requests.storage") else decimal.Decimal(1)
            yield Share(title, one * least, one * most)

    def _claimed(self) -> Iterator[tuple[str, dict[str, Any], int, int]]:
        """Claims as they stand, of stateful sets, and of volumes that come and go with their pod."""
        for each in self.known.of("PersistentVolumeClaim"):
            if self.known.namespace(each) == self.namespace:
                yield facts.title(each, self.namespace), fields.inner(each.data, "spec"), 1, 1
        for pod in (one for one in self.known.pods if one.namespace == self.namespace):
            count = scaling.replicas(self.known, pod)
            for template in fields.items(fields.inner(pod.document.data, "spec").get("volumeClaimTemplates")):
                yield pod.title, fields.inner(template, "spec"), count.least, count.most
            for volume in fields.items(pod.spec.get("volumes")):
                spec = fields.inner(volume, "ephemeral", "volumeClaimTemplate", "spec")
                if spec:
                    yield pod.title, spec, count.least, count.most

    def _services(self, name: str) -> Iterator[Share]:
        for each in self.known.services(self.namespace):
            balanced = each.kind == "LoadBalancer"
            count = int(balanced)
            if name == "services.nodeports":
                given = fields.inner(each.document.data, "spec").get("allocateLoadBalancerNodePorts") is not False
                all_ = each.kind == "NodePort" or (balanced and given)
                count = sum(1 for port in each.ports if all_ or (balanced and port.node_port))
            yield Share(f"Service {each.title}", decimal.Decimal(count), decimal.Decimal(count))

    def _objects(self, plural: str) -> list[Share] | None:
        if plural in _MADE:
            return None
        here = [each for each in self.known.model.everything if self.known.namespace(each) == self.namespace]
        found = [facts.title(each, self.namespace) for each in here if self._plural(each) == plural]
        if plural == "secrets":
            found += [facts.title(each, self.namespace) for each in here if each.kind in references.MADE_BY["Secret"]]
        if not found and plural not in _NAMES:
            return None
        given = _GIVEN.get(plural, 0)
        one = decimal.Decimal(1)
        return [Share(each, one, one) for each in [*found, *["what every namespace is given"] * given]]

    def _plural(self, document: documents.Document) -> str:
        for each in self.known.of("CustomResourceDefinition"):
            spec = fields.inner(each.data, "spec")
            if (spec.get("group"), fields.inner(spec, "names").get("kind")) == (document.group, document.kind):
                return f"{fields.inner(spec, 'names').get('plural')}.{document.group}"
        return _plural(document.kind.lower()) + (f".{document.group}" if document.group else "")


def _plural(word: str) -> str:
    if word.endswith("y") and word[-2:-1] not in tuple("aeiou"):
        return f"{word[:-1]}ies"
    return f"{word}es" if word.endswith(("s", "x", "ch", "sh")) else f"{word}s"


_NAMES = frozenset({
    "configmaps", "secrets", "services", "serviceaccounts", "replicationcontrollers", "resourcequotas", "limitranges",
    "deployments.apps", "statefulsets.apps", "daemonsets.apps", "cronjobs.batch", "ingresses.networking.k8s.io",
    "networkpolicies.networking.k8s.io", "horizontalpodautoscalers.autoscaling", "poddisruptionbudgets.policy",
    "roles.rbac.authorization.k8s.io", "rolebindings.rbac.authorization.k8s.io",
})  # fmt: skip
"""Kinds that nobody but an author makes: where no document is of one, there are none."""
