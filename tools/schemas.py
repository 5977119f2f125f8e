"""Writes `src/groundplan/proof/schema/kubernetes.json.gz`: what fields every kind has, in every version since 1.25.

Read from the schemas that the wheel `kubernetes-validate` carries, which are Kubernetes' published OpenAPI. Those weigh
108 MB; what `check` asks of them, kept once for all versions in which it held, weighs less than a photograph.
"""

from __future__ import annotations

import gzip
import importlib.resources
import json
import pathlib
import re
from typing import Any

TARGET = pathlib.Path(__file__).parents[1] / "src/groundplan/proof/schema/kubernetes.json.gz"
LEAF = {"string": "string", "boolean": "boolean", "integer": "integer", "number": "number"}
SPECIAL = {
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "word",
    "io.k8s.apimachinery.pkg.api.resource.Quantity": "quantity",
    "io.k8s.apimachinery.pkg.apis.meta.v1.Time": "string",
    "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime": "string",
}
"""Types that are no objects, though they have a definition."""

ENUMS: dict[tuple[str, str], tuple[str, ...]] = {
    ("core.v1.Container", "imagePullPolicy"): ("Always", "Never", "IfNotPresent"),
    ("core.v1.Container", "terminationMessagePolicy"): ("File", "FallbackToLogsOnError"),
    ("core.v1.ContainerPort", "protocol"): ("TCP", "UDP", "SCTP"),
    ("core.v1.ServicePort", "protocol"): ("TCP", "UDP", "SCTP"),
    ("core.v1.HTTPGetAction", "scheme"): ("HTTP", "HTTPS"),
    ("core.v1.PodSpec", "restartPolicy"): ("Always", "OnFailure", "Never"),
    ("core.v1.PodSpec", "dnsPolicy"): ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"),
    ("core.v1.SeccompProfile", "type"): ("RuntimeDefault", "Unconfined", "Localhost"),
    ("core.v1.EmptyDirVolumeSource", "medium"): ("", "Memory", "HugePages", "HugePages-2Mi", "HugePages-1Gi"),
    ("core.v1.ServiceSpec", "type"): ("ClusterIP", "NodePort", "LoadBalancer", "ExternalName"),
    ("core.v1.ServiceSpec", "sessionAffinity"): ("ClientIP", "None"),
    ("core.v1.ServiceSpec", "externalTrafficPolicy"): ("Cluster", "Local"),
    ("core.v1.ServiceSpec", "internalTrafficPolicy"): ("Cluster", "Local"),
    ("core.v1.LimitRangeItem", "type"): ("Container", "Pod", "PersistentVolumeClaim"),
    ("core.v1.Toleration", "operator"): ("Exists", "Equal", "Lt", "Gt"),
    ("core.v1.Toleration", "effect"): ("", "NoSchedule", "PreferNoSchedule", "NoExecute"),
    ("core.v1.NodeSelectorRequirement", "operator"): ("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"),
    ("core.v1.TopologySpreadConstraint", "whenUnsatisfiable"): ("DoNotSchedule", "ScheduleAnyway"),
    ("core.v1.PodSecurityContext", "fsGroupChangePolicy"): ("Always", "OnRootMismatch"),
    ("apps.v1.DeploymentStrategy", "type"): ("RollingUpdate", "Recreate"),
    ("apps.v1.StatefulSetUpdateStrategy", "type"): ("RollingUpdate", "OnDelete"),
    ("apps.v1.DaemonSetUpdateStrategy", "type"): ("RollingUpdate", "OnDelete"),
    ("apps.v1.StatefulSetSpec", "podManagementPolicy"): ("OrderedReady", "Parallel"),
    ("batch.v1.CronJobSpec", "concurrencyPolicy"): ("Allow", "Forbid", "Replace"),
    ("batch.v1.JobSpec", "completionMode"): ("NonIndexed", "Indexed"),
    ("networking.v1.HTTPIngressPath", "pathType"): ("Exact", "Prefix", "ImplementationSpecific"),
    ("networking.v1.NetworkPolicyPort", "protocol"): ("TCP", "UDP", "SCTP"),
    ("policy.v1.PodDisruptionBudgetSpec", "unhealthyPodEvictionPolicy"): ("IfHealthyBudget", "AlwaysAllow"),
    ("scheduling.v1.PriorityClass", "preemptionPolicy"): ("Never", "PreemptLowerPriority"),
    ("autoscaling.v2.MetricSpec", "type"): ("Resource", "Pods", "Object", "External", "ContainerResource"),
    ("autoscaling.v2.MetricTarget", "type"): ("Utilization", "Value", "AverageValue"),
    ("apiextensions.v1.CustomResourceDefinitionSpec", "scope"): ("Cluster", "Namespaced"),
}
"""Values that the published schemas name in prose, if at all.

Source: https://kubernetes.io/docs/reference/kubernetes-api/"""

OPTIONAL = {
    ("apps.v1.StatefulSetSpec", "serviceName"),
    ("networking.v1.NetworkPolicySpec", "podSelector"),
    ("rbac.v1.RoleRef", "apiGroup"),
}
"""Fields that the schemas of some versions require and the API server does without."""


def short(name: str) -> str:
    """`io.k8s.api.apps.v1.Deployment` as `apps.v1.Deployment`."""
    return re.sub(r"^io\.k8s\.(api\.|apimachinery\.pkg\.|[a-z-]+\.pkg\.apis\.)", "", name)


def code(schema: dict[str, Any]) -> Any:
    """A schema of a field as the table has it: a word, [what a list holds], or {"*": what a map holds}."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return SPECIAL.get(name, f"#{short(name)}")
    kinds = schema.get("type")
    kind = next((each for each in kinds if each != "null"), "") if isinstance(kinds, list) else kinds
    if kind == "array":
        return [code(schema["items"])]
    if kind == "object":
        return {"*": code(schema["additionalProperties"])} if schema.get("additionalProperties") else "any"
    return LEAF.get(str(kind), "any")


def entry(name: str, schema: dict[str, Any]) -> list[Any] | None:
    """Fields, and those that must be there."""
    if not schema.get("properties"):
        return None
    fields = {each: code(inner) for each, inner in schema["properties"].items()}
    if "x-kubernetes-group-version-kind" in schema and "status" in fields:
        fields["status"] = "any"  # the API server passes over what is written there
    for (owner, field), values in ENUMS.items():
        if owner == short(name) and field in fields:
            fields[field] = f"string:{'|'.join(values)}"
    needed = [each for each in schema.get("required", ()) if (short(name), each) not in OPTIONAL]
    return [fields, needed]


def used(types: dict[str, list[Any] | None], roots: set[str]) -> set[str]:
    """The types that the kinds lead to."""
    found: set[str] = set()
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += re.findall(r'"#([^"]+)"', json.dumps(types.get(name)))
    return found


def version(text: str) -> tuple[dict[str, list[Any] | None], dict[str, str]]:
    """Types and kinds of one version; lists of objects are left out, since `check` takes them apart."""
    definitions = json.loads(text)["$defs"]
    types = {short(name): entry(name, schema) for name, schema in definitions.items()}
    kinds = {}
    for name, schema in definitions.items():
        named = schema.get("x-kubernetes-group-version-kind", ())
        if len(named) == 1 and "metadata" in schema.get("properties", {}) and not name.endswith("List"):
            ((group, number, kind),) = [(each["group"], each["version"], each["kind"]) for each in named]
            kinds[f"{group}/{number} {kind}" if group else f"{number} {kind}"] = short(name)
    kept = used(types, set(kinds.values()))
    return {name: types[name] for name in sorted(kept) if name in types}, kinds


def table() -> bytes:
    """Everything, as `groundplan.proof.schema.tables` reads it."""
    folder = importlib.resources.files("kubernetes_validate") / "kubernetes-json-schema"
    found = sorted(
        (int(match[1]), each)
        for each in folder.iterdir()
        if (match := re.fullmatch(r"v1\.(\d+)\.0-local-strict", each.name))
    )
    types: dict[str, list[Any]] = {}
    kinds: dict[str, list[Any]] = {}
    for minor, place in found:
        text = (place / "_definitions.json").read_text(encoding="utf-8")
        here = version(text)
        for history, now in zip((types, kinds), here, strict=True):
            for name in history.keys() | now.keys():
                past = history.setdefault(name, [])
                if now.get(name) != (past[-1][1] if past else None):
                    past.append([minor, now.get(name)])
    whole = {"versions": [minor for minor, _ in found], "kinds": kinds, "types": types}
    return json.dumps(whole, sort_keys=True, separators=(",", ":")).encode()


if __name__ == "__main__":
    TARGET.write_bytes(gzip.compress(table(), 9, mtime=0))
    print(f"{TARGET}: {TARGET.stat().st_size} bytes")
