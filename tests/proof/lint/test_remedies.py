"""What `check` tells people to do helps: done to an application, the findings are gone and no others have come."""

from __future__ import annotations

import copy
import pathlib
import re
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from groundplan import proof
from groundplan.proof import verdict
from tests.proof.lint import mutations

APPS = pathlib.Path(__file__).parents[1] / "apps"
NAMES = ("blog", "bookshop", "operator", "streaming", "webshop")
Documents = mutations.Documents
Path = mutations.Path
DNS = {
    "to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}],
    "ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}],
}


def title(document: dict[str, Any]) -> str:
    where = document["metadata"].get("namespace")
    return f"{document['kind']} {f'{where}/' if where else ''}{document['metadata']['name']}"


def steps(field: str) -> Path:
    return tuple(int(each) if each.isdigit() else each for each in re.findall(r"[^.\[\]]+", field))


class Mender:
    """Does what remedies say."""

    def __init__(self, documents: Documents) -> None:
        self.documents = copy.deepcopy(documents)

    def of(self, found: proof.Finding) -> dict[str, Any]:
        return next(each for each in self.documents if title(each) == found.subject)

    def spec(self, found: proof.Finding) -> dict[str, Any]:
        document = self.of(found)
        spec: dict[str, Any] = mutations.at(document, mutations.SPECS[document["kind"]])
        return spec

    def containers(self, found: proof.Finding) -> list[dict[str, Any]]:
        spec = self.spec(found)
        return [*(spec.get("initContainers") or ()), *spec["containers"]]

    def put(self, found: proof.Finding, value: Any, *more: str | int) -> None:
        mutations.put((*steps(found.field), *more), value)(self.of(found))

    def remove(self, found: proof.Finding) -> None:
        path = steps(found.field)
        del mutations.at(self.of(found), path[:-1])[path[-1]]

    def restricted(self, found: proof.Finding) -> None:
        self.spec(found)["securityContext"] = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
        for each in self.containers(found):
            own = each["securityContext"] = each.get("securityContext") or {}
            own |= {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}

    def read_only(self, found: proof.Finding) -> None:
        for each in self.containers(found):
            each["securityContext"] = {**(each.get("securityContext") or {}), "readOnlyRootFilesystem": True}

    def resources(self, found: proof.Finding) -> None:
        had = mutations.at(self.of(found), steps(found.field)) or {}
        requests, limits = {"cpu": "100m", "memory": "64Mi"}, {"memory": "512Mi"}
        made = {
            "requests": {**requests, **(had.get("requests") or {})},
            "limits": {**limits, **(had.get("limits") or {})},
        }
        made["limits"]["memory"] = made["limits"]["memory"] if had.get("limits") else made["requests"]["memory"]
        self.put(found, made)

    def policy(self, found: proof.Finding) -> None:
        """A policy for one workload, or one for each of a namespace."""
        direction = "Ingress" if found.code == "GP420" else "Egress"
        name = found.subject.removeprefix("Namespace ")
        mine = [self.of(found)] if name == found.subject else [
            each for each in self.documents if each["kind"] in mutations.SPECS and each["metadata"]["namespace"] == name
        ]  # fmt: skip
        for each in mine:
            listed = mutations.at(each, mutations.SPECS[each["kind"]])["containers"]
            ports = [{"port": port["containerPort"]} for one in listed for port in one.get("ports") or ()]
            rule = {"ingress": [{"ports": ports}] if ports else []} if direction == "Ingress" else {"egress": [DNS]}
            spec = {"podSelector": {"matchLabels": self.labels(each)}, "policyTypes": [direction], **rule}
            self.add("networking.k8s.io/v1", "NetworkPolicy", each, f"{direction}-mended".lower(), spec)

    def labels(self, document: dict[str, Any]) -> dict[str, str]:
        """Those of its pods; one more where they have none."""
        path = mutations.SPECS[document["kind"]][:-1]
        place = mutations.at(document, path)
        metadata = place["metadata"] = place.get("metadata") or {}
        found: dict[str, str] = metadata.setdefault("labels", {"app": document["metadata"]["name"]})
        return found

    def add(self, api: str, kind: str, near: dict[str, Any], suffix: str, spec: dict[str, Any]) -> None:
        metadata = {"name": f"{near['metadata']['name']}-{suffix}", "namespace": near["metadata"]["namespace"]}
        self.documents.append({"apiVersion": api, "kind": kind, "metadata": metadata, "spec": spec})

    def replicas(self, found: proof.Finding) -> None:
        self.put(found, 2)
        self.spread(found)
        self.budget(found)

    def spread(self, found: proof.Finding) -> None:
        selector = {"matchLabels": self.labels(self.of(found))}
        one = {"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway"}
        self.spec(found)["topologySpreadConstraints"] = [{**one, "labelSelector": selector}]

    def budget(self, found: proof.Finding) -> None:
        document = self.of(found)
        spec = {"maxUnavailable": 1, "selector": {"matchLabels": self.labels(document)}}
        self.add("policy/v1", "PodDisruptionBudget", document, "mended", spec)

    def ready(self, found: proof.Finding) -> None:
        first = self.spec(found)["containers"][0]
        first["readinessProbe"] = {"tcpSocket": {"port": first["ports"][0]["containerPort"]}}

    def rule(self, found: proof.Finding) -> None:
        """Without the peer, or the rule where that is its only one."""
        path = steps(found.field)
        del mutations.at(self.of(found), path[:-1] if "the peer" in found.remedy else path[:-3])[
            path[-1] if "the peer" in found.remedy else path[-3]
        ]

    def files(self, found: proof.Finding) -> None:
        for each in self.containers(found):
            each["env"] = [one for one in each.get("env") or () if "secretKeyRef" not in str(one)]
            each["envFrom"] = [one for one in each.get("envFrom") or () if "secretRef" not in one]

    def earlier(self, found: proof.Finding) -> None:
        """What a hook waits for becomes one itself, of a lower weight."""
        wanted = re.findall(r"waits for (\S+ \S+) ", found.what)[0]
        (document,) = (each for each in self.documents if title(each) == wanted)
        hooks = self.of(found)["metadata"]["annotations"]["helm.sh/hook"]
        document["metadata"]["annotations"] = {"helm.sh/hook": hooks, "helm.sh/hook-weight": "-10"}

    def narrow(self, found: proof.Finding) -> None:
        self.put(found, ["get"], "verbs")
        self.put(found, ["mine"], "resourceNames")

    def cluster_ip(self, found: proof.Finding) -> None:
        spec = self.of(found)["spec"]
        spec["type"] = "ClusterIP"
        for each in spec["ports"]:
            each.pop("nodePort", None)


PRIVATE = ["169.254.0.0/16", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]
REMEDIES: dict[str, Callable[[Mender, proof.Finding], None]] = {
    "GP420": Mender.policy,
    "GP421": Mender.policy,
    "GP423": Mender.rule,
    "GP426": lambda mender, found: mender.put(found, PRIVATE, "except"),
    "GP430": lambda mender, found: mender.put(found, [{"port": 27017}]),
    "GP432": Mender.cluster_ip,
    "GP511": lambda mender, found: mender.put(found, "http", "targetPort"),
    "GP521": Mender.remove,
    "GP522": Mender.restricted,
    "GP523": Mender.read_only,
    "GP531": Mender.ready,
    "GP533": lambda mender, found: mender.put(found, 30, "failureThreshold"),
    "GP537": Mender.replicas,
    "GP541": Mender.resources,
    "GP543": lambda mender, found: mender.put(found, "registry.example/it:1.4.2"),
    "GP551": Mender.remove,
    "GP552": lambda mender, found: mender.put(found, False),
    "GP553": Mender.narrow,
    "GP559": Mender.files,
    "GP561": Mender.remove,
    "GP581": Mender.earlier,
    "GP591": Mender.spread,
    "GP592": Mender.budget,
    "GP595": lambda mender, found: mender.put(found, 600, "activeDeadlineSeconds"),
}


@pytest.mark.parametrize("name", NAMES)
def test_remedies_mend_what_they_are_for_and_bring_nothing_else(name: str) -> None:
    documents = [each for each in yaml.safe_load_all((APPS / f"{name}.yaml").read_text()) if each]
    found = verdict.check(proof.Cluster.of(documents)).findings
    assert len(found) >= 8
    mender = Mender(documents)
    # What stands behind in a list is mended first: the places of what is before it stay.
    for each in sorted(found, key=lambda one: [str(step).zfill(4) for step in steps(one.field)], reverse=True):
        REMEDIES[each.code](mender, each)
    after = verdict.check(proof.Cluster.of(mender.documents))
    assert [str(each) for each in after.findings] == [] and after.verdict == "proved"
