"""The published schemas of one version of Kubernetes: unknown fields, types, and enums that they say in prose alone."""

from __future__ import annotations

import functools
import importlib.resources
import json
import re

import jsonschema_rs

from tests.kubernetes import customs

VERSION = "1.37.0"

# The published schemas name these values in prose, if at all; source: https://kubernetes.io/docs/reference/kubernetes-api/
ENUMS = {
    ("v1.Container", "imagePullPolicy"): ("Always", "Never", "IfNotPresent"),
    ("v1.ContainerPort", "protocol"): ("TCP", "UDP", "SCTP"),
    ("v1.ServicePort", "protocol"): ("TCP", "UDP", "SCTP"),
    ("v1.HTTPGetAction", "scheme"): ("HTTP", "HTTPS"),
    ("v1.PodSpec", "restartPolicy"): ("Always", "OnFailure", "Never"),
    ("v1.SeccompProfile", "type"): ("RuntimeDefault", "Unconfined", "Localhost"),
    ("v1.EmptyDirVolumeSource", "medium"): ("", "Memory"),
    ("v1.ServiceSpec", "type"): ("ClusterIP", "NodePort", "LoadBalancer", "ExternalName"),
    ("v1.LimitRangeItem", "type"): ("Container", "Pod", "PersistentVolumeClaim"),
    ("v1.TopologySpreadConstraint", "whenUnsatisfiable"): ("DoNotSchedule", "ScheduleAnyway"),
    ("v1.DeploymentStrategy", "type"): ("RollingUpdate", "Recreate"),
    ("v1.CronJobSpec", "concurrencyPolicy"): ("Allow", "Forbid", "Replace"),
    ("v1.HTTPIngressPath", "pathType"): ("Exact", "Prefix", "ImplementationSpecific"),
    ("v1.NetworkPolicyPort", "protocol"): ("TCP", "UDP", "SCTP"),
    ("v1.PodDisruptionBudgetSpec", "unhealthyPodEvictionPolicy"): ("IfHealthyBudget", "AlwaysAllow"),
    ("v1.PriorityClass", "preemptionPolicy"): ("Never", "PreemptLowerPriority"),
    ("v2.MetricSpec", "type"): ("Resource", "Pods", "Object", "External", "ContainerResource"),
    ("v2.MetricTarget", "type"): ("Utilization", "Value", "AverageValue"),
    ("v1.PodSecurityContext", "fsGroupChangePolicy"): ("Always", "OnRootMismatch"),
}
MODES = ("ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod")


@functools.cache
def definitions() -> dict:
    folder = importlib.resources.files("kubernetes_validate") / "kubernetes-json-schema" / f"v{VERSION}-local-strict"
    text = (folder / "_definitions.json").read_text().replace("/api/_definitions.json#", "#")
    found = json.loads(text)["$defs"]
    for (kind, field), values in ENUMS.items():
        (name,) = [each for each in found if each.endswith(f".{kind}") and field in found[each].get("properties", {})]
        found[name]["properties"][field]["enum"] = list(values)
    return found


@functools.cache
def kinds() -> dict[tuple[str, str], str]:
    """Definitions by apiVersion and kind."""
    found = {}
    for name, schema in definitions().items():
        for each in schema.get("x-kubernetes-group-version-kind", ()):
            api = f"{each['group']}/{each['version']}" if each["group"] else each["version"]
            found[api, each["kind"]] = name
    return found


@functools.cache
def validator(api: str, kind: str):
    name = kinds()[api, kind]
    return jsonschema_rs.Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": definitions()})


def complaints(tree: dict) -> list[str]:
    """What the schema of its kind says against `tree`."""
    kind = (tree["apiVersion"], tree["kind"])
    errors = (customs.validator if kind in customs.KINDS else validator)(*kind).iter_errors(tree)
    return [
        f"{tree['kind']} {tree['metadata']['name']}: {each.instance_path}: {_short(each.message)}" for each in errors
    ]


def _short(text: str) -> str:
    return re.sub(r"^.{200,}?(?= (is|does|has|was))", "…", text, flags=re.S)
