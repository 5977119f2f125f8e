"""A clean application has no finding at all; each mistake made in it has the one that names it."""

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
from groundplan.proof.lint import codes, run

CLEAN = list(yaml.safe_load_all((pathlib.Path(__file__).parent / "clean.yaml").read_text()))
Set = dict[str, dict[str, Any]]


def clean() -> Set:
    """The documents by `Kind name` (and namespace, where a name is in two)."""
    return {f"{each['kind']} {each['metadata']['name']}": each for each in copy.deepcopy(CLEAN)}


def found(documents: Set) -> list[proof.Finding]:
    return list(verdict.check(proof.Cluster.of(documents.values())).findings)


def pod(documents: Set, name: str = "Deployment web") -> dict[str, Any]:
    spec: dict[str, Any] = documents[name]["spec"]["template"]["spec"]
    return spec


def container(documents: Set, name: str = "Deployment web") -> dict[str, Any]:
    first: dict[str, Any] = pod(documents, name)["containers"][0]
    return first


def rules(documents: Set, name: str, direction: str) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = documents[f"NetworkPolicy {name}"]["spec"].setdefault(direction, [])
    return listed


def drop(*names: str) -> Callable[[Set], None]:
    def change(documents: Set) -> None:
        for name in names:
            del documents[name]

    return change


def env(name: str, value: str) -> Callable[[Set], None]:
    return lambda documents: container(documents)["env"].append({"name": name, "value": value})


def add(document: str) -> Callable[[Set], None]:
    value = yaml.safe_load(document)
    return lambda documents: documents.update({f"{value['kind']} {value['metadata']['name']}": value})


def copied(name: str, to: str) -> Callable[[Set], None]:
    def change(documents: Set) -> None:
        made = yaml.safe_load(yaml.safe_dump(documents[name]))
        made["metadata"]["name"] = to
        documents[f"{made['kind']} {to}"] = made

    return change


def put(name: str, path: str, value: Any) -> Callable[[Set], None]:
    def change(documents: Set) -> None:
        place: Any = documents[name]
        *steps, last = [int(each) if each.isdigit() else each for each in path.split(".")]
        for step in steps:
            place = place[step] if isinstance(step, int) else place.setdefault(step, {})
        place[last] = value

    return change


def job(documents: Set) -> dict[str, Any]:
    spec: dict[str, Any] = documents["CronJob tidy"]["spec"]["jobTemplate"]["spec"]
    return spec


def wave(name: str, number: str) -> Callable[[Set], None]:
    return put(name, "metadata.annotations", {"argocd.argoproj.io/sync-wave": number})


def hook(name: str, phase: str, **fields: Any) -> Callable[[Set], None]:
    def change(documents: Set) -> None:
        documents[name]["metadata"]["annotations"] = {"argocd.argoproj.io/hook": phase}
        job(documents)["template"]["spec"].update(fields)

    return change


def waiting(name: str, service: str) -> Callable[[Set], None]:
    def change(documents: Set) -> None:
        first = yaml.safe_load(yaml.safe_dump(container(documents, name)))
        kept = {key: value for key, value in first.items() if key in ("image", "resources", "securityContext")}
        port = {"db": 5432, "web": 80}[service]
        command = ["sh", "-c", f"until nc -z {service}.shop {port}; do sleep 1; done"]
        pod(documents, name)["initContainers"] = [{**kept, "name": "wait", "command": command}]

    return change


def _measured_without_requests(documents: Set) -> None:
    container(documents)["resources"] = {"limits": {"memory": "170Mi"}}
    metric = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}
    documents["HorizontalPodAutoscaler web"]["spec"]["metrics"] = [{"type": "Resource", "resource": metric}]


JOB = "spec.jobTemplate.spec.template.spec"
IN = "spec.template.spec.containers.0"
WEB = "Deployment web"
ELSEWHERE = {"name": "controller", "namespace": "ingress", "port": 443}


def tier(policies: dict[str, tuple[int, str, int]]) -> Callable[[Set], None]:
    """ClusterNetworkPolicies by name: priority, and what they do with one port."""

    def change(documents: Set) -> None:
        for name, (priority, action, port) in policies.items():
            transport = {"tcp": {"destinationPort": {"number": port}}}
            rule = {"action": action, "from": [{"namespaces": {}}], "protocols": [transport]}
            spec = {"tier": "Admin", "priority": priority, "subject": {"namespaces": {}}, "ingress": [rule]}
            documents[name] = {
                "apiVersion": "policy.networking.k8s.io/v1alpha2", "kind": "ClusterNetworkPolicy",
                "metadata": {"name": name}, "spec": spec,
            }  # fmt: skip

    return change


AGENT = """
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent, namespace: shop}
spec:
  updateStrategy: {rollingUpdate: {maxUnavailable: 0}}
  selector: {matchLabels: {app: agent}}
  template: {metadata: {labels: {app: agent}}, spec: {containers: [{name: agent, image: "example.com/agent:1"}]}}
"""
WORLD = """
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: world, namespace: shop}
spec: {endpointSelector: {matchLabels: {app: web}}, egress: [{toEntities: [world]}]}
"""


def halves(documents: Set) -> None:
    blocks = [{"ipBlock": {"cidr": each}} for each in ("0.0.0.0/1", "128.0.0.0/1")]
    rules(documents, "web", "egress").append({"to": blocks, "ports": [{"port": 443}]})


CLAIM = """
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: files, namespace: shop}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
"""


def _mount(documents: Set) -> None:
    pod(documents)["volumes"].append({"name": "files", "persistentVolumeClaim": {"claimName": "files"}})


TEAS = {"apiGroups": ["tea.example.com"], "resources": ["teas"], "verbs": ["*"]}
SCOPED = {"hard": {"persistentvolumeclaims": 5}, "scopes": ["BestEffort"]}
CLASH = ("Terminating", "NotTerminating")
PATIENT = {"httpGet": {"path": "/ready", "port": "http"}, "failureThreshold": 9}
MISTAKES: tuple[tuple[str, str, Callable[[Set], None]], ...] = (
    ("GP420", "ingress left open", put("NetworkPolicy controller", "spec.policyTypes", ["Egress"])),
    ("GP421", "egress left open", put("NetworkPolicy controller", "spec.policyTypes", ["Ingress"])),
    ("GP422", "a subject misspelt", copied("NetworkPolicy db", "old")),
    (
        "GP423",
        "a peer misspelt",
        lambda all_: rules(all_, "db", "ingress").append({"from": [{"podSelector": {"matchLabels": {"app": "weeb"}}}]}),
    ),
    (
        "GP424",
        "one dash too many",
        lambda all_: rules(all_, "web", "ingress").append(
            {
                "from": [
                    {"namespaceSelector": {"matchLabels": {"role": "ingress"}}},
                    {"podSelector": {"matchLabels": {"app": "db"}}},
                ],
                "ports": [{"port": 9090}],
            }
        ),
    ),
    (
        "GP425",
        "a rule said twice",
        lambda all_: rules(all_, "db", "ingress").append(
            {"from": [{"podSelector": {"matchLabels": {"app": "web"}}}], "ports": [{"port": 5432}]}
        ),
    ),
    (
        "GP426",
        "all of the internet",
        lambda all_: (
            rules(all_, "db", "egress").append(
                {"to": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": []}}], "ports": [{"port": 443}]}
            )
            or all_["NetworkPolicy db"]["spec"].update(policyTypes=["Ingress", "Egress"])
        ),
    ),
    (
        "GP427",
        "the metadata address",
        lambda all_: rules(all_, "web", "egress").append({"to": [{"ipBlock": {"cidr": "169.254.0.0/16"}}]}),
    ),
    (
        "GP428",
        "no names by TCP",
        put("NetworkPolicy default", "spec.egress.0.ports", [{"port": 53, "protocol": "UDP"}]),
    ),
    ("GP429", "an entry that is shut", put("NetworkPolicy web", "spec.ingress", [])),
    (
        "GP430",
        "a port name misspelt",
        put("NetworkPolicy controller", "spec.ingress.0.ports", [{"port": 8080}, {"port": "htttp"}]),
    ),
    ("GP411", "rules of a type left out", put("NetworkPolicy controller", "spec.policyTypes", ["Egress"])),
    (
        "GP431",
        "a webhook that is shut",
        put("NetworkPolicy controller", "spec.ingress.0.ports", [{"port": 9999}]),
    ),
    (
        "GP431",
        "a scrape that is shut",
        lambda all_: [
            container(all_)["ports"].append({"name": "metrics", "containerPort": 9090}),
            all_["Service web"]["spec"]["ports"].append({"name": "metrics", "port": 9090, "targetPort": "metrics"}),
            put("ServiceMonitor web", "spec.endpoints.0.port", "metrics")(all_),
        ],
    ),
    ("GP433", "a rule behind a wider one", tier({"a": (1, "Deny", 443), "b": (2, "Accept", 443)})),
    ("GP434", "two of one priority", tier({"a": (1, "Deny", 443), "b": (1, "Accept", 443)})),
    ("GP432", "a port of every node", put("Service web", "spec.type", "NodePort")),
    ("GP510", "a service without pods", put("Service db", "spec.selector", {"app": "dbb"})),
    ("GP511", "a target port misspelt", put("Service web", "spec.ports.0.targetPort", "htttp")),
    ("GP512", "a route to no service", put("Ingress web", "spec.rules.0.http.paths.0.backend.service.name", "wep")),
    (
        "GP512",
        "a route to no port",
        put("Ingress web", "spec.rules.0.http.paths.0.backend.service.port", {"number": 81}),
    ),
    ("GP513", "a secret that is not there", drop("Secret web")),
    ("GP513", "a key that is not there", put("ConfigMap web", "data", {"LOG": "info"})),
    ("GP513", "an account that is not there", put(WEB, "spec.template.spec.serviceAccountName", "weeb")),
    ("GP514", "a selector that misses", put("StatefulSet db", "spec.selector", {"matchLabels": {"app": "dbb"}})),
    ("GP515", "two that select the same", copied(WEB, "web2")),
    ("GP516", "a service with an address", put("Service db", "spec.clusterIP", "10.96.0.9")),
    ("GP512", "a route of a gateway to no port", put("HTTPRoute teas", "spec.rules.0.backendRefs.0.port", 81)),
    ("GP513", "a route on no gateway", put("HTTPRoute teas", "spec.parentRefs.0.name", "privat")),
    (
        "GP513",
        "a projected secret that is not there",
        lambda all_: pod(all_)["volumes"].append(
            {"name": "all", "projected": {"sources": [{"secret": {"name": "web"}}, {"secret": {"name": "weeb"}}]}}
        ),
    ),
    ("GP513", "an account that a binding names", put("RoleBinding reader", "subjects.0.name", "weeb")),
    ("GP536", "an update of every node", add(AGENT)),
    ("GP426", "the internet in two halves", halves),
    ("GP426", "the world by Cilium", add(WORLD)),
    ("GP513", "a mount of no volume", put(WEB, f"{IN}.volumeMounts.0.name", "secretz")),
    (
        "GP513",
        "a webhook of no service",
        put("ValidatingWebhookConfiguration routes", "webhooks.0.clientConfig.service.name", "controler"),
    ),
    (
        "GP511",
        "a webhook at no port",
        put("ValidatingWebhookConfiguration routes", "webhooks.0.clientConfig.service.port", 8443),
    ),
    (
        "GP520",
        "a route into another namespace",
        put(
            "HTTPRoute teas", "spec.rules.0.backendRefs", [{"name": "controller", "namespace": "ingress", "port": 443}]
        ),
    ),
    ("GP520", "a host that no listener hears", put("HTTPRoute teas", "spec.hostnames", ["teas.example.org"])),
    ("GP520", "a section that is not there", put("HTTPRoute teas", "spec.parentRefs.0.sectionName", "http")),
    (
        "GP520",
        "a gateway for its own namespace",
        put("Gateway public", "spec.listeners.0.allowedRoutes", {"namespaces": {"from": "Same"}}),
    ),
    ("GP517", "no request to measure by", _measured_without_requests),
    ("GP539", "replicas said twice", put(WEB, "spec.replicas", 3)),
    ("GP517", "least above most", put("HorizontalPodAutoscaler web", "spec.minReplicas", 6)),
    ("GP517", "nothing to scale", put("HorizontalPodAutoscaler web", "spec.scaleTargetRef.name", "weeb")),
    ("GP518", "a variable twice", env("LOG_LEVEL", "debug")),
    (
        "GP518",
        "a port of two containers",
        lambda all_: pod(all_)["containers"].append({**container(all_), "name": "side", "env": []}),
    ),
    (
        "GP518",
        "two containers of one name",
        lambda all_: pod(all_)["containers"].append({**container(all_), "ports": []}),
    ),
    (
        "GP518",
        "a service port twice",
        lambda all_: all_["Service web"]["spec"]["ports"].append({"name": "more", "port": 80, "targetPort": "http"}),
    ),
    ("GP519", "a path twice", copied("Ingress web", "web2")),
    ("GP521", "a privileged container", put(WEB, f"{IN}.securityContext.privileged", True)),
    ("GP521", "the node's processes", put(WEB, "spec.template.spec.hostPID", True)),
    ("GP521", "a capability too many", put(WEB, f"{IN}.securityContext.capabilities.add", ["SYS_ADMIN"])),
    ("GP521", "a port of the node", put(WEB, f"{IN}.ports.0.hostPort", 8000)),
    (
        "GP521",
        "a sysctl that is not safe",
        put(WEB, "spec.template.spec.securityContext.sysctls", [{"name": "kernel.msgmax", "value": "1"}]),
    ),
    ("GP521", "a probe of another host", put(WEB, f"{IN}.readinessProbe.httpGet.host", "example.com")),
    ("GP521", "no seccomp", put(WEB, f"{IN}.securityContext.seccompProfile", {"type": "Unconfined"})),
    ("GP524", "root by the container", put(WEB, f"{IN}.securityContext.runAsNonRoot", False)),
    (
        "GP522",
        "an init container that keeps all",
        put(
            "Deployment controller",
            "spec.template.spec.initContainers",
            [
                {
                    "name": "init",
                    "image": "example.com/init:1",
                    "resources": {"limits": {"cpu": 1, "memory": "1Mi"}},
                    "securityContext": {"readOnlyRootFilesystem": True, "allowPrivilegeEscalation": False},
                }
            ],
        ),
    ),
    (
        "GP524",
        "a volume of the old kind",
        lambda all_: pod(all_)["volumes"].append({"name": "nfs", "nfs": {"server": "a", "path": "/"}}),
    ),
    ("GP523", "files that can be written", put(WEB, f"{IN}.securityContext.readOnlyRootFilesystem", False)),
    ("GP531", "no readiness", lambda all_: container(all_).pop("readinessProbe")),
    ("GP532", "a probe of no port", put(WEB, f"{IN}.readinessProbe.httpGet.port", "htttp")),
    ("GP533", "one question for both", put(WEB, f"{IN}.livenessProbe.httpGet.path", "/ready")),
    (
        "GP534",
        "a budget that blocks",
        put("PodDisruptionBudget web", "spec", {"minAvailable": "100%", "selector": {"matchLabels": {"app": "web"}}}),
    ),
    ("GP535", "two budgets", copied("PodDisruptionBudget web", "web2")),
    (
        "GP536",
        "an update that waits for ever",
        put(WEB, "spec.strategy.rollingUpdate", {"maxSurge": 0, "maxUnavailable": "10%"}),
    ),
    (
        "GP537",
        "one replica",
        lambda all_: [all_[WEB]["spec"].update(replicas=1), drop("HorizontalPodAutoscaler web")(all_)],
    ),
    ("GP538", "a budget for nobody", put("PodDisruptionBudget web", "spec.selector", {"matchLabels": {"app": "weeb"}})),
    (
        "GP534",
        "a budget for the autoscaler's least",
        put("PodDisruptionBudget web", "spec", {"minAvailable": 2, "selector": {"matchLabels": {"app": "web"}}}),
    ),
    ("GP591", "replicas anywhere", lambda all_: pod(all_).pop("topologySpreadConstraints")),
    ("GP592", "replicas without a budget", drop("PodDisruptionBudget db")),
    ("GP593", "a hook longer than the grace", put(WEB, "spec.template.spec.terminationGracePeriodSeconds", 5)),
    ("GP593", "no grace at all", put(WEB, "spec.template.spec.terminationGracePeriodSeconds", 0)),
    ("GP544", "more pods than the quota", put("ResourceQuota shop", "spec.hard.pods", "3")),
    ("GP544", "more memory than the quota", put("ResourceQuota shop", "spec.hard", {"limits.memory": "600Mi"})),
    ("GP547", "a quota without room to update", put("ResourceQuota shop", "spec.hard.pods", "8")),
    ("GP547", "more replicas than the quota", put("HorizontalPodAutoscaler web", "spec.maxReplicas", 6)),
    ("GP545", "a limit that a quota counts", put("ResourceQuota shop", "spec.hard", {"limits.cpu": "9"})),
    (
        "GP548",
        "scopes that exclude each other",
        put("ResourceQuota shop", "spec.scopes", ["Terminating", "NotTerminating"]),
    ),
    ("GP548", "a scope that counts no claims", put("ResourceQuota shop", "spec", SCOPED)),
    ("GP549", "what nobody can count here", put("ResourceQuota shop", "spec.hard", {"count/replicasets.apps": 5})),
    ("GP546", "more than a container may", put(WEB, f"{IN}.resources.limits.memory", "1Gi")),
    ("GP546", "less than a container must", put(WEB, f"{IN}.resources.requests.cpu", "10m")),
    ("GP541", "no limit", lambda all_: container(all_)["resources"].pop("limits")),
    ("GP542", "more than the limit", put(WEB, f"{IN}.resources.requests.memory", "1Gi")),
    ("GP543", "a tag that moves", put(WEB, f"{IN}.image", "example.com:5000/web:latest")),
    ("GP551", "a password in a variable", env("DB_PASSWORD", "hunter2")),
    ("GP551", "a password in an address", env("DATABASE", "postgres://web:hunter2@db/shop")),
    ("GP551", "a password in a config map", put("ConfigMap web", "data.api_key", "abc-def")),
    ("GP551", "a password in an argument", put(WEB, f"{IN}.args", ["serve", "--db-password=hunter2"])),
    ("GP551", "a password in the next argument", put(WEB, f"{IN}.args", ["serve", "--db-password", "hunter2"])),
    ("GP551", "a password in a file", put("ConfigMap web", "data.conf", "user: web\npassword: hunter2hunter2\n")),
    ("GP556", "a monitor of nothing", put("ServiceMonitor web", "spec.selector.matchLabels.app", "weeb")),
    ("GP557", "a monitor of no port", put("ServiceMonitor web", "spec.endpoints.0.port", "metrics")),
    (
        "GP556",
        "a monitor of no pods",
        add(
            "{apiVersion: monitoring.coreos.com/v1, kind: PodMonitor, metadata: {name: p, namespace: shop},"
            " spec: {selector: {matchLabels: {app: weeb}}, podMetricsEndpoints: [{port: http}]}}"
        ),
    ),
    (
        "GP560",
        "a pod behind two services",
        add(
            "{apiVersion: v1, kind: Service, metadata: {name: web-headless, namespace: shop, labels: {app: web}},"
            " spec: {clusterIP: None, selector: {app: web}, ports: [{name: http, port: 8080, targetPort: http}]}}"
        ),
    ),
    (
        "GP560",
        "a monitor of pods beside that of their service",
        add(
            "{apiVersion: monitoring.coreos.com/v1, kind: PodMonitor, metadata: {name: p, namespace: shop},"
            " spec: {selector: {matchLabels: {app: web}}, podMetricsEndpoints: [{port: http}]}}"
        ),
    ),
    ("GP552", "a token for nothing", lambda all_: pod(all_, "StatefulSet db").pop("automountServiceAccountToken")),
    ("GP553", "a wildcard", put("Role reader", "rules.0.verbs", ["*"])),
    (
        "GP553",
        "every secret",
        put("Role reader", "rules", [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["list"]}]),
    ),
    (
        "GP553",
        "tokens of others",
        put("Role reader", "rules", [{"apiGroups": [""], "resources": ["serviceaccounts/token"], "verbs": ["create"]}]),
    ),
    (
        "GP553",
        "an administrator",
        put(
            "RoleBinding reader",
            "roleRef",
            {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        ),
    ),
    (
        "GP558",
        "rights for everybody",
        put("RoleBinding reader", "subjects.0", {"kind": "Group", "name": "system:authenticated"}),
    ),
    ("GP554", "a role that is not there", drop("Role reader")),
    (
        "GP555",
        "the runtime's socket",
        lambda all_: pod(all_)["volumes"].append({"name": "d", "hostPath": {"path": "/var/run/docker.sock"}}),
    ),
    (
        "GP559",
        "a secret in a variable",
        lambda all_: container(all_)["env"].append(
            {"name": "DSN", "valueFrom": {"secretKeyRef": {"name": "web", "key": "dsn"}}}
        ),
    ),
    ("GP597", "one volume for two pods", lambda all_: [add(CLAIM)(all_), _mount(all_)]),
    ("GP561", "a field misspelt", put(WEB, f"{IN}.livenessprobe", {"tcpSocket": {"port": 8000}})),
    ("GP562", "a number for a text", put(WEB, f"{IN}.env.0", {"name": "LOG_LEVEL", "value": 5})),
    ("GP562", "a secret in clear", put("Secret web", "data.dsn", "not base64")),
    ("GP563", "an autoscaler without a maximum", put("HorizontalPodAutoscaler web", "spec.maxReplicas", None)),
    ("GP564", "an enum misspelt", put(WEB, f"{IN}.imagePullPolicy", "always")),
    ("GP565", "a kind that went", put("PodDisruptionBudget web", "apiVersion", "policy/v1beta1")),
    (
        "GP566",
        "a kind that goes",
        add("{apiVersion: v1, kind: Endpoints, metadata: {name: old, namespace: shop}}"),
    ),
    ("GP567", "a name with capitals", put("ConfigMap web", "metadata.name", "Web")),
    ("GP567", "a label with a space", put("ConfigMap web", "metadata.labels", {"a b": "c"})),
    ("GP567", "a key with a slash", put("ConfigMap web", "data", {"LOG_LEVEL": "info", "a/b": "c"})),
    ("GP564", "a job that never ends", put("CronJob tidy", f"{JOB}.restartPolicy", "Always")),
    ("GP581", "a wave before its secret", wave("Secret web", "1")),
    ("GP581", "a wave before its namespace", wave("Namespace shop", "1")),
    ("GP581", "a wave before its definition", wave("CustomResourceDefinition teas.shop.example.com", "1")),
    ("GP581", "a hook before its account", hook("CronJob tidy", "PreSync", serviceAccountName="web")),
    ("GP581", "a wait for a later wave", lambda all_: [waiting(WEB, "db")(all_), wave(WEB, "-1")(all_)]),
    (
        "GP582",
        "two that wait for each other",
        lambda all_: [waiting(WEB, "db")(all_), waiting("StatefulSet db", "web")(all_)],
    ),
    ("GP582", "one that waits for itself", waiting("StatefulSet db", "db")),
    (
        "GP583",
        "a secret that a hook takes along",
        put(
            "Secret web",
            "metadata.annotations",
            {"argocd.argoproj.io/hook": "PreSync", "argocd.argoproj.io/hook-delete-policy": "HookSucceeded"},
        ),
    ),
    ("GP594", "a day that never comes", put("CronJob tidy", "spec.schedule", "0 3 30 2 *")),
    ("GP594", "an hour that is none", put("CronJob tidy", "spec.schedule", "0 25 * * *")),
    ("GP594", "too late to start", put("CronJob tidy", "spec.startingDeadlineSeconds", 5)),
    ("GP595", "a run without an end", lambda all_: job(all_).pop("activeDeadlineSeconds")),
    ("GP596", "a node port out of range", put("Service web", "spec.ports.0.nodePort", 80)),
    (
        "GP596",
        "a node port of two services",
        lambda all_: [put(f"Service {each}", "spec.ports.0.nodePort", 30080)(all_) for each in ("web", "controller")],
    ),
    ("GP571", "accepted without a reason", put(WEB, "metadata.annotations", {run.ANNOTATION: "GP543"})),
    ("GP572", "accepted for nothing", put(WEB, "metadata.annotations", {run.ANNOTATION: "GP543: it is fine"})),
)


def test_a_clean_application_is_proved_without_a_word() -> None:
    said = verdict.check(proof.Cluster.of(clean().values()))
    assert [str(each) for each in said.findings] == []
    assert said.verdict == "proved"
    assert said.examined == verdict.Examined(documents=len(clean()), workloads=5, policies=5, services=3, edges=6)
    assert [each.reason for each in said.suppressed] == ["it forwards to whatever resolver its node has"]


@pytest.mark.parametrize(("code", "mistake", "make"), MISTAKES, ids=[f"{code} {name}" for code, name, _ in MISTAKES])
def test_each_mistake_is_named(code: str, mistake: str, make: Callable[[Set], None]) -> None:
    documents = clean()
    make(documents)
    if code == "GP422":
        documents["NetworkPolicy old"]["spec"]["podSelector"] = {"matchLabels": {"app": "dbb"}}
    said = found(documents)
    assert code in {each.code for each in said}, [str(each) for each in said]
    for each in said:
        assert each.remedy and each.what and each.said and each.severity == codes.CODES[each.code][0], str(each)


def claimed(claim: str) -> Callable[[Set], None]:
    """A pod that mounts a volume of the stateful set's second replica, or one of that name."""

    def change(documents: Set) -> None:
        put("StatefulSet db", "spec.volumeClaimTemplates", [{"metadata": {"name": "data"}}])(documents)
        pod(documents)["volumes"].append({"name": "data", "persistentVolumeClaim": {"claimName": claim}})

    return change


def without_the_controller(documents: Set) -> None:
    for name in ("Deployment controller", "NetworkPolicy controller", "PodDisruptionBudget controller"):
        documents.pop(name, None)


def granted(kind: str) -> Callable[[Set], None]:
    def change(documents: Set) -> None:
        put("HTTPRoute teas", "spec.rules.0.backendRefs", [ELSEWHERE])(documents)
        documents["ReferenceGrant"] = {
            "apiVersion": "gateway.networking.k8s.io/v1beta1", "kind": "ReferenceGrant",
            "metadata": {"name": "shop", "namespace": "ingress"},
            "spec": {
                "from": [{"group": "gateway.networking.k8s.io", "kind": kind, "namespace": "shop"}],
                "to": [{"group": "", "kind": "Service"}],
            },
        }  # fmt: skip

    return change


def scraped(documents: Set) -> None:
    """One replica of the controller, whose service is there to be scraped."""
    documents["Deployment controller"]["spec"]["replicas"] = 1
    documents["Service controller"]["spec"]["ports"][0]["name"] = "https-metrics"


def helm_test(documents: Set) -> None:
    add(
        "{apiVersion: v1, kind: Pod, metadata: {name: t, namespace: shop, annotations: {helm.sh/hook: test}},"
        " spec: {containers: [{name: t, image: busybox}]}}"
    )(documents)


def defaults(documents: Set) -> None:
    documents["LimitRange shop"]["spec"]["limits"][0]["default"] = {"cpu": "500m"}


@pytest.mark.parametrize(
    ("code", "make"),
    [
        ("GP551", put("ConfigMap web", "data.api_key", '{{ with secret "secret/data/web" }}{{ .Data.key }}{{ end }}')),
        ("GP429", without_the_controller),
        ("GP422", lambda all_: [all_.pop(each) for each in ("Deployment controller", "Service controller")]),
        ("GP551", put(WEB, f"{IN}.args", ["--password-file=/secrets/dsn", "--token", "$(TOKEN)", "--secret", "--all"])),
        ("GP551", put("ConfigMap web", "data.conf", "# password: see the wiki\npassword: ${DB_PASSWORD}\n")),
        ("GP581", wave(WEB, "1")),
        ("GP582", waiting(WEB, "db")),
        (
            "GP533",
            put(WEB, f"{IN}.livenessProbe", {"httpGet": {"path": "/ready", "port": "http"}, "failureThreshold": 9}),
        ),
        ("GP594", put("CronJob tidy", "spec.schedule", "*/5 0-6,22 1,15 JAN-mar sun")),
        ("GP520", granted("HTTPRoute")),
        ("GP545", lambda all_: [put("ResourceQuota shop", "spec.hard", {"limits.cpu": "9"})(all_), defaults(all_)]),
        ("GP513", claimed("data-db-1")),
        ("GP551", env("ALLOW_EMPTY_PASSWORD", "yes")),
        ("GP551", env("TLS_SECRET", "web")),
        ("GP537", scraped),
        (
            "GP553",
            put("Role reader", "rules.0", {"apiGroups": ["tea.example.com"], "resources": ["teas"], "verbs": ["*"]}),
        ),
        ("GP541", helm_test),
    ],
    ids=[
        "a template says where a secret is",
        "a chart brings the controller",
        "a chart brings the pods",
        "a path and a variable",
        "a line that says where",
        "a wave after all",
        "a wait for what does not wait",
        "the same question with more patience",
        "a schedule with every sign",
        "a grant",
        "a limit range fills in",
        "a claim that a stateful set makes",
        "a setting that speaks of passwords",
        "the name of a secret",
        "a second pod to be scraped twice",
        "all that can be done with a custom resource",
        "what only helm test starts",
    ],
)
def test_what_only_looks_like_a_mistake_is_none(code: str, make: Callable[[Set], None]) -> None:
    documents = clean()
    make(documents)
    assert code not in {each.code for each in found(documents)}


def test_a_claim_of_a_replica_that_a_stateful_set_does_not_have_is_not_there() -> None:
    documents = clean()
    claimed("data-db-2")(documents)
    assert "GP513" in {each.code for each in found(documents)}


def test_every_code_of_a_lint_has_a_mistake_that_shows_it() -> None:
    shown = {code for code, _, _ in MISTAKES}
    lints = {code for code in codes.CODES if re.match(r"GP4[23]|GP5[1-9]", code)}
    assert lints - shown == set()


def test_an_accepted_finding_is_told_apart_and_refutes_nothing() -> None:
    documents = clean()
    env("DB_PASSWORD", "hunter2")(documents)
    documents[WEB]["metadata"]["annotations"] = {run.ANNOTATION: "GP551: a password of the tests\n"}
    said = verdict.check(proof.Cluster.of(documents.values()))
    assert (said.verdict, [each.code for each in said.findings]) == ("proved", [])
    assert ("GP551", "a password of the tests") in [(each.finding.code, each.reason) for each in said.suppressed]


def test_a_namespace_that_nobody_closed_is_one_finding_and_may_be_accepted_there() -> None:
    documents = clean()
    for name in ("default", "web", "db"):
        drop(f"NetworkPolicy {name}")(documents)
    told = [each for each in found(documents) if each.code in ("GP420", "GP421")]
    assert [(each.code, each.subject) for each in told] == [("GP420", "Namespace shop"), ("GP421", "Namespace shop")]
    documents["Namespace shop"]["metadata"]["annotations"] = {run.ANNOTATION: "GP420: a test\nGP421: a test\n"}
    assert not [each for each in found(documents) if each.code in ("GP420", "GP421", "GP572")]


def test_manifests_without_a_workload_prove_nothing() -> None:
    said = verdict.check(proof.Cluster.of([clean()["Namespace shop"]]))
    assert (said.verdict, [each.code for each in said.findings]) == ("refuted", ["GP504"])
