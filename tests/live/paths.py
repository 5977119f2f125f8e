"""What the double serves, and what a path of its API means.

Written from https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-uris and
https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api.
"""

from __future__ import annotations

import dataclasses
import re

Tree = dict

SERVED = (
    ("v1", "Namespace", "namespaces", False),
    ("v1", "ConfigMap", "configmaps", True),
    ("v1", "Secret", "secrets", True),
    ("v1", "Service", "services", True),
    ("v1", "ServiceAccount", "serviceaccounts", True),
    ("v1", "ResourceQuota", "resourcequotas", True),
    ("v1", "LimitRange", "limitranges", True),
    ("v1", "Pod", "pods", True),
    ("v1", "Event", "events", True),
    ("v1", "PersistentVolumeClaim", "persistentvolumeclaims", True),
    ("apps/v1", "Deployment", "deployments", True),
    ("apps/v1", "StatefulSet", "statefulsets", True),
    ("batch/v1", "Job", "jobs", True),
    ("batch/v1", "CronJob", "cronjobs", True),
    ("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies", True),
    ("networking.k8s.io/v1", "Ingress", "ingresses", True),
    ("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets", True),
    ("autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", True),
    ("scheduling.k8s.io/v1", "PriorityClass", "priorityclasses", False),
    ("rbac.authorization.k8s.io/v1", "Role", "roles", True),
    ("rbac.authorization.k8s.io/v1", "RoleBinding", "rolebindings", True),
    ("rbac.authorization.k8s.io/v1", "ClusterRole", "clusterroles", False),
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "clusterrolebindings", False),
    ("coordination.k8s.io/v1", "Lease", "leases", True),
    ("gateway.networking.k8s.io/v1", "HTTPRoute", "httproutes", True),
    ("cert-manager.io/v1", "Issuer", "issuers", True),
    ("cert-manager.io/v1", "ClusterIssuer", "clusterissuers", False),
    ("cert-manager.io/v1", "Certificate", "certificates", True),
    ("monitoring.coreos.com/v1", "ServiceMonitor", "servicemonitors", True),
    ("monitoring.coreos.com/v1", "PodMonitor", "podmonitors", True),
    ("monitoring.coreos.com/v1", "PrometheusRule", "prometheusrules", True),
    ("monitoring.coreos.com/v1alpha1", "AlertmanagerConfig", "alertmanagerconfigs", True),
)


class Answer(Exception):
    """An answer that is no success."""

    def __init__(self, code: int, reason: str, message: str, causes: list[Tree] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason}
        self.status |= {"message": message, "details": {"causes": causes or []}}


@dataclasses.dataclass(frozen=True)
class Place:
    """What a path means."""

    api: str
    kind: str
    plural: str
    namespace: str
    name: str

    @property
    def group(self) -> str:
        return self.api.rpartition("/")[0]

    @property
    def resource(self) -> str:
        return f"{self.plural}.{self.group}" if self.group else self.plural


def discovery(path: str) -> Tree | None:
    parts = path.strip("/").split("/")
    if path == "/version":
        return {"major": "1", "minor": "36", "gitVersion": "v1.36.0"}
    if path == "/api":
        return {"kind": "APIVersions", "versions": ["v1"]}
    if path == "/apis":
        groups = dict.fromkeys(api for api, *_ in SERVED if "/" in api)
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(api) for api in groups]}
    api = "/".join(parts[1:])
    if (parts[0] == "api" and len(parts) == 2) or (parts[0] == "apis" and len(parts) == 3):
        resources = [
            {"name": plural, "kind": kind, "namespaced": namespaced, "verbs": ["get", "list", "patch", "delete"]}
            for served, kind, plural, namespaced in SERVED
            if served == api
        ]
        if not resources:
            raise Answer(404, "NotFound", "the server could not find the requested resource")
        return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": api, "resources": resources}
    if parts[0] == "apis" and len(parts) == 2:
        found = next((served for served, *_ in SERVED if served.startswith(f"{parts[1]}/")), None)
        if found is None:
            raise Answer(404, "NotFound", "the server could not find the requested resource")
        return {"kind": "APIGroup", "apiVersion": "v1", **_group(found)}
    return None


def _group(api: str) -> Tree:
    version = {"groupVersion": api, "version": api.partition("/")[2]}
    return {"name": api.partition("/")[0], "versions": [version], "preferredVersion": version}


_PATH = re.compile(r"/(?:api/(v1)|apis/([^/]+/[^/]+))(?:/namespaces/([^/]+))?/([a-z]+)(?:/([^/]+))?")
_NAMESPACES = re.compile(r"/api/v1/namespaces(?:/([^/]+))?")


def parsed(path: str) -> Place:
    if found := _NAMESPACES.fullmatch(path):
        return Place("v1", "Namespace", "namespaces", "", found[1] or "")
    found = _PATH.fullmatch(path)
    api = found and (found[1] or found[2])
    kind = found and next((kind for served, kind, plural, _ in SERVED if (served, plural) == (api, found[4])), None)
    if not kind:
        raise Answer(404, "NotFound", "the server could not find the requested resource")
    return Place(api, kind, found[4], found[3] or "", found[5] or "")
