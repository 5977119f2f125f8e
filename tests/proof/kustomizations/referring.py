"""Random kustomizations of objects that name each other, which are renamed, moved and generated: files by path."""

from __future__ import annotations

from typing import Any

import yaml
from hypothesis import strategies as st

NAMES = st.sampled_from(("web", "api"))
SPACES = st.sampled_from((None, None, "shop", "back"))
TEXTS = st.sampled_from(
    ("1", "", "yes", "a b", "<x> & y", "é ☃", "{{ x }}", "'q'", '"r"', "a=b", "null", "0x1F", "\\n")
)
KEYS = st.sampled_from(("A", "B_b", "key.txt", "01-init.sql", "x-y"))
CONTENTS = st.sampled_from((
    b"", b"a\nb\n", b"\n  lead\n", b"trail \n\n", b"\xef\xbb\xbfbom\r\n", b"\xff\x00" * 80, "é☃\n".encode(), b"x" * 200,
    b"\ta", b"a\n\tb\n", b"# c\n", b"---\na: b\n", b"'", b"yes", b"\r", b" ", b"\x01\n", b"<&>",
))  # fmt: skip
RBAC = "rbac.authorization.k8s.io"


def metadata(draw: st.DrawFn) -> dict[str, Any]:
    found = {"name": draw(NAMES)}
    if space := draw(SPACES):
        found["namespace"] = space
    if draw(st.integers(0, 3)) == 0:
        found["labels"] = {"app": draw(NAMES)}
    if draw(st.integers(0, 3)) == 0:
        found["annotations"] = draw(st.sampled_from(({}, {"a": "b"})))
    return found


def pod(draw: st.DrawFn) -> dict[str, Any]:
    volumes = [
        {"name": "a", "configMap": {"name": draw(NAMES)}},
        {"name": "b", "secret": {"secretName": draw(NAMES)}},
        {"name": "c", "persistentVolumeClaim": {"claimName": draw(NAMES)}},
        {"name": "d", "projected": {"sources": [{"secret": {"name": draw(NAMES)}}, {"configMap": {"name": "other"}}]}},
    ]
    env = [
        {"name": "A", "valueFrom": {"configMapKeyRef": {"name": draw(NAMES), "key": "A"}}},
        {"name": "B", "valueFrom": {"secretKeyRef": {"name": draw(NAMES), "key": "A"}}},
        {"name": "C", "value": draw(NAMES)},
    ]
    some = {"name": "c", "image": "nginx:1", "envFrom": [{"configMapRef": {"name": draw(NAMES)}}], "env": env}
    found: dict[str, Any] = {"containers": [some], "volumes": draw(st.lists(st.sampled_from(volumes), max_size=3))}
    if draw(st.booleans()):
        found |= {"serviceAccountName": draw(NAMES), "imagePullSecrets": [{"name": draw(NAMES)}]}
        found["initContainers"] = [{"name": "i", "envFrom": [{"secretRef": {"name": draw(NAMES)}}, {}]}]
    return found


def role_ref(draw: st.DrawFn) -> dict[str, Any]:
    return {"apiGroup": RBAC, "kind": draw(st.sampled_from(("Role", "ClusterRole"))), "name": draw(NAMES)}


def subjects(draw: st.DrawFn) -> list[dict[str, Any]]:
    found = []
    for _ in range(draw(st.integers(0, 3))):
        one: dict[str, Any] = {"kind": draw(st.sampled_from(("ServiceAccount", "User"))), "name": draw(NAMES)}
        one["name"] = draw(st.sampled_from((one["name"], "default")))
        if space := draw(st.sampled_from((None, "default", "shop", "back", "moved"))):
            one["namespace"] = space
        found.append(one)
    return found


def backend(draw: st.DrawFn) -> dict[str, Any]:
    return {"service": {"name": draw(NAMES), "port": {"number": 80}}}


def body(draw: st.DrawFn, kind: str) -> dict[str, Any]:
    template = {"metadata": {"labels": {"app": "x"}}, "spec": pod(draw)}
    match kind:
        case "Deployment" | "DaemonSet" | "Job" | "ReplicationController":
            return {"spec": {"template": template}}
        case "StatefulSet":
            claim = {"metadata": {"name": "d"}, "spec": {"storageClassName": draw(NAMES)}}
            return {"spec": {"serviceName": draw(NAMES), "template": template, "volumeClaimTemplates": [claim]}}
        case "CronJob":
            return {"spec": {"jobTemplate": {"spec": {"template": template}}}}
        case "Pod":
            return {"spec": pod(draw)}
        case "HorizontalPodAutoscaler":
            return {"spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": draw(NAMES)}}}
        case "Role" | "ClusterRole":
            named = draw(st.lists(NAMES, max_size=2))
            return {"rules": [{"resources": ["secrets"], "resourceNames": named, "verbs": ["get"]}, {"verbs": ["x"]}]}
        case "RoleBinding" | "ClusterRoleBinding":
            return {"roleRef": role_ref(draw), "subjects": draw(st.one_of(st.none(), st.just(subjects(draw))))}
        case "Ingress":
            tls = [{"hosts": ["a.example"], "secretName": draw(NAMES)}]
            rule = {"http": {"paths": [{"path": "/", "backend": backend(draw)}]}}
            return {
                "spec": {"ingressClassName": draw(NAMES), "tls": tls, "rules": [rule], "defaultBackend": backend(draw)}
            }
        case "ValidatingWebhookConfiguration":
            service: dict[str, Any] = {"name": draw(NAMES)}
            if space := draw(st.sampled_from((None, "default", "shop", "moved"))):
                service["namespace"] = space
            return {"webhooks": [{"name": "a.example", "clientConfig": {"service": service}}]}
        case "PersistentVolumeClaim":
            return {"spec": {"storageClassName": draw(NAMES), "volumeName": draw(NAMES)}}
        case "ServiceAccount":
            return {"imagePullSecrets": [{"name": draw(NAMES)}]}
        case "ValidatingAdmissionPolicyBinding":
            return {"spec": {"policyName": draw(NAMES)}}
        case "ConfigMap":
            return {"data": {draw(KEYS): draw(TEXTS)}}
    return {}


VERSIONS = {
    "Deployment": "apps/v1", "DaemonSet": "apps/v1", "StatefulSet": "apps/v1", "Job": "batch/v1", "CronJob": "batch/v1",
    "Pod": "v1", "ReplicationController": "v1", "HorizontalPodAutoscaler": "autoscaling/v2", "Role": f"{RBAC}/v1",
    "ClusterRole": f"{RBAC}/v1", "RoleBinding": f"{RBAC}/v1", "ClusterRoleBinding": f"{RBAC}/v1",
    "Ingress": "networking.k8s.io/v1", "ValidatingWebhookConfiguration": "admissionregistration.k8s.io/v1",
    "PersistentVolumeClaim": "v1", "PersistentVolume": "v1", "ServiceAccount": "v1",
    "StorageClass": "storage.k8s.io/v1", "FlowSchema": "flowcontrol.apiserver.k8s.io/v1",
    "ConfigMap": "v1", "Secret": "v1", "Service": "v1", "Namespace": "v1", "IngressClass": "networking.k8s.io/v1",
    "ValidatingAdmissionPolicy": "admissionregistration.k8s.io/v1", "Widget": "example.com/v1",
    "ValidatingAdmissionPolicyBinding": "admissionregistration.k8s.io/v1",
    "CustomResourceDefinition": "apiextensions.k8s.io/v1", "APIService": "apiregistration.k8s.io/v1",
}  # fmt: skip
MEANT = ("ConfigMap", "Secret", "Service", "ServiceAccount", "Deployment", "Role", "ClusterRole")


@st.composite
def objects(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.one_of(st.sampled_from(tuple(VERSIONS)), st.sampled_from(MEANT)))
    return {"apiVersion": VERSIONS[kind], "kind": kind, "metadata": metadata(draw), **body(draw, kind)}


def listed(draw: st.DrawFn, most: int) -> list[dict[str, Any]]:
    key = lambda each: (each["kind"], each["metadata"]["name"], each["metadata"].get("namespace", "default"))  # noqa: E731
    return draw(st.lists(objects(), min_size=1, max_size=most, unique_by=key))


def generator(draw: st.DrawFn, files: dict[str, bytes], folder: str, kind: str, *, create: bool) -> dict[str, Any]:
    found: dict[str, Any] = {"name": draw(NAMES)}
    if draw(st.integers(0, 3)) == 0:
        found["namespace"] = draw(st.sampled_from(("shop", "back", "default")))
    if draw(st.booleans()):
        found["literals"] = [f"{key}={draw(TEXTS)}" for key in draw(st.sets(KEYS, max_size=2))]
    if draw(st.booleans()):
        name = draw(st.sampled_from(("f.txt", "f2.conf")))
        files[f"{folder}/{name}"] = draw(CONTENTS)
        found["files"] = [draw(st.sampled_from((name, f"other={name}")))]
    if draw(st.integers(0, 2)) == 0:
        text = draw(st.sampled_from((b"E=1\n# c\n\n  F= 2 \nG\n", b"\xef\xbb\xbfE='x'\r\nF==\r\n", b"")))
        files[f"{folder}/e.env"] = text
        found[draw(st.sampled_from(("envs", "env")))] = "e.env"
        if "envs" in found:
            found["envs"] = ["e.env"]
    behavior = draw(st.sampled_from(("create", None) if create else ("merge", "replace", "merge", "create", None)))
    if behavior:
        found["behavior"] = behavior
    if draw(st.integers(0, 2)) == 0:
        found["options"] = options(draw)
    if kind == "Secret" and draw(st.booleans()):
        found["type"] = "kubernetes.io/tls"
    return found


def options(draw: st.DrawFn) -> dict[str, Any]:
    whole = {"labels": {"l": draw(TEXTS), "m/n": "1"}, "annotations": {"a": draw(TEXTS)}}
    whole |= {"disableNameSuffixHash": draw(st.booleans()), "immutable": draw(st.booleans())}
    return {key: whole[key] for key in draw(st.sets(st.sampled_from(tuple(whole)), max_size=3))}


def fields(draw: st.DrawFn, files: dict[str, bytes], folder: str, *, create: bool) -> dict[str, Any]:
    found: dict[str, Any] = {}
    wanted = draw(
        st.sets(st.sampled_from(("prefix", "suffix", "space", "maps", "secrets", "options", "labels")), max_size=4)
    )
    if "prefix" in wanted:
        found["namePrefix"] = draw(st.sampled_from(("a-", "web-", "")))
    if "suffix" in wanted:
        found["nameSuffix"] = draw(st.sampled_from(("-z", "-api")))
    if "space" in wanted:
        found["namespace"] = draw(st.sampled_from(("moved", "shop", "default")))
    if "maps" in wanted:
        found["configMapGenerator"] = [
            generator(draw, files, folder, "ConfigMap", create=create) for _ in range(draw(st.integers(1, 2)))
        ]
    if "secrets" in wanted:
        found["secretGenerator"] = [generator(draw, files, folder, "Secret", create=create)]
    if "options" in wanted:
        found["generatorOptions"] = options(draw)
    if "annotations" in wanted:
        found["commonAnnotations"] = {"common": draw(TEXTS)}
    return found


@st.composite
def kustomizations(draw: st.DrawFn) -> dict[str, bytes]:
    """A top, over one base or over two that are variants of a third."""
    files: dict[str, bytes] = {}

    def add(folder: str, below: list[str], most: int) -> None:
        said: dict[str, Any] = {"resources": [f"../{each}" for each in below]}
        if most:
            files[f"{folder}/all.yaml"] = yaml.safe_dump_all(listed(draw, most), sort_keys=False).encode()
            said["resources"].append("all.yaml")
        said |= fields(draw, files, folder, create=not below)
        files[f"{folder}/kustomization.yaml"] = yaml.safe_dump(said, sort_keys=False, allow_unicode=True).encode()

    add("base", [], 7)
    if draw(st.booleans()):
        add("one", ["base"], draw(st.integers(0, 1)))
        below = ["one"]
        if draw(st.booleans()):
            add("two", ["base"], 0)
            below = ["one", "two"]
    else:
        below = ["base"]
    add("top", below, draw(st.integers(0, 3)))
    return files
