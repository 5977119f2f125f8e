"""Random kustomizations of the part that is built here: files by their paths, the one to build called `top`."""

from __future__ import annotations

from typing import Any

import yaml
from hypothesis import strategies as st

NAMES = st.sampled_from(("web", "api", "db"))
WORDS = st.sampled_from(("one", "two", "x-1", "yes", "012", "1.0", "a b", "é", "{{ x }}"))
KEYS = st.sampled_from(("app", "tier", "example.com/part", "a~b"))
LABELS = st.dictionaries(st.sampled_from(("app", "tier", "example.com/part")), st.sampled_from(("one", "two", "x-1")))
IMAGES = st.sampled_from(("nginx", "nginx:1.25", "registry.example.com:5000/web:2", "nginxy:1", "busybox"))
SPACES = st.sampled_from(("shop", "back"))


def container(draw: st.DrawFn, name: str) -> dict[str, Any]:
    found: dict[str, Any] = {"name": name, "image": draw(IMAGES)}
    if draw(st.booleans()):
        found["env"] = [
            {"name": key, "value": draw(WORDS)} for key in draw(st.sets(st.sampled_from("ABC"), min_size=1))
        ]
    if draw(st.booleans()):
        found["args"] = draw(st.lists(WORDS, min_size=1, max_size=3))
    return found


@st.composite
def objects(draw: st.DrawFn) -> dict[str, Any]:
    kind, name, space = draw(st.sampled_from(KINDS)), draw(NAMES), draw(SPACES)
    labels = draw(LABELS)
    metadata: dict[str, Any] = {"name": name, "namespace": space}
    if labels:
        metadata["labels"] = labels
    pod = {"containers": [container(draw, each) for each in draw(st.lists(NAMES, min_size=1, max_size=2, unique=True))]}
    if draw(st.booleans()):
        term = {"labelSelector": draw(st.sampled_from(({"matchLabels": {"app": name}}, {"matchExpressions": []})))}
        pod["affinity"] = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
        pod["topologySpreadConstraints"] = [{"topologyKey": "zone", "whenUnsatisfiable": "x", **term}]
    template = {"metadata": {"labels": {"app": name}}, "spec": pod}
    body: dict[str, Any] = {
        "Deployment": {"spec": {"selector": {"matchLabels": {"app": name}}, "replicas": 2, "template": template}},
        "StatefulSet": {
            "spec": {
                "serviceName": "s",
                "selector": {"matchLabels": {"app": name}},
                "template": template,
                "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": {}}],
            }
        },
        "CronJob": {"spec": {"schedule": "* * * * *", "jobTemplate": {"spec": {"template": template}}}},
        "Job": {"spec": {"template": template}},
        "Service": {"spec": {"selector": {"app": name}, "ports": [{"port": 80}, {"port": 81, "name": "b"}]}},
        "ConfigMap": {"data": draw(st.dictionaries(KEYS.filter(lambda each: "/" not in each), WORDS, min_size=1))},
        "NetworkPolicy": {
            "spec": {
                "podSelector": draw(st.sampled_from(({}, {"matchLabels": {"app": name}}))),
                "policyTypes": ["Ingress"],
                "ingress": [{"from": [{"podSelector": {"matchLabels": {"app": "web"}}}, {"podSelector": {}}]}],
                "egress": [{"to": [{"namespaceSelector": {"matchLabels": {"a": "b"}}}]}],
            }
        },
        "PodDisruptionBudget": {"spec": {"selector": {"matchLabels": {"app": name}}, "minAvailable": 1}},
        "Widget": {"spec": {"some": [{"name": "a", "value": 1}], "selector": {"matchLabels": {"app": name}}}},
    }[kind]
    return {"apiVersion": VERSIONS[kind], "kind": kind, "metadata": metadata, **body}


VERSIONS = {
    "Deployment": "apps/v1", "StatefulSet": "apps/v1", "CronJob": "batch/v1", "Job": "batch/v1", "Service": "v1",
    "ConfigMap": "v1", "NetworkPolicy": "networking.k8s.io/v1", "PodDisruptionBudget": "policy/v1",
    "Widget": "example.com/v1",
}  # fmt: skip
KINDS = tuple(VERSIONS)


def pointers(tree: Any, path: str = "") -> list[tuple[str, Any]]:
    """Every field below the metadata that a patch may be about."""
    found = []
    inner = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in inner:
        step = f"{path}/{str(key).replace('~', '~0').replace('/', '~1')}"
        if step not in ("/apiVersion", "/kind", "/metadata", "/metadata/name", "/metadata/namespace"):
            found.append((step, value))
        found += pointers(value, step)
    return found


def operations(draw: st.DrawFn, tree: dict[str, Any]) -> list[dict[str, Any]]:
    """One operation or two that apply, most of the time."""
    found = []
    for place, value in draw(st.lists(st.sampled_from(pointers(tree)), min_size=1, max_size=2)):
        op = draw(st.sampled_from(("add", "add", "replace", "remove", "test", "copy", "add-", "insert")))
        if op in ("remove",):
            found.append({"op": op, "path": place})
        elif op == "test":
            found.append({"op": op, "path": place, "value": value})
        elif op == "copy":
            found.append({"op": op, "from": place, "path": "/metadata/copied"})
        elif op == "add-" and isinstance(value, list):
            found.append({"op": "add", "path": f"{place}/-", "value": draw(st.sampled_from(value)) if value else "x"})
        elif op == "insert" and isinstance(value, list):
            found.append({"op": "add", "path": f"{place}/0", "value": {"name": "first"}})
        else:
            value = {"x": [1, {"z": "on"}]} if isinstance(value, dict) else draw(WORDS)
            found.append({"op": "replace" if op == "replace" else "add", "path": place, "value": value})
    return found


def merged(draw: st.DrawFn, tree: dict[str, Any]) -> dict[str, Any]:
    """A strategic merge patch for an object."""
    head = {key: tree[key] for key in ("apiVersion", "kind")}
    patch = {**head, "metadata": {key: tree["metadata"][key] for key in ("name", "namespace")}}
    if draw(st.integers(0, 5)) == 0:
        return {**patch, "$patch": "delete"}
    if draw(st.booleans()):
        patch["metadata"]["labels"] = {"added": "yes", "app": draw(st.sampled_from(("one", None)))}
    kind = tree["kind"]
    if kind in ("Deployment", "StatefulSet", "Job"):
        name = draw(
            st.sampled_from([each["name"] for each in tree["spec"]["template"]["spec"]["containers"]] + ["new"])
        )
        one = container(draw, name)
        patch["spec"] = {"template": {"spec": {"containers": [one], "dnsPolicy": "Default"}}}
    elif kind == "NetworkPolicy":
        patch["spec"] = {"ingress": [{"ports": [{"port": 80}]}], "podSelector": {"matchLabels": {"tier": "x"}}}
    elif kind == "ConfigMap":
        patch["data"] = {"more": draw(WORDS)}
    elif kind == "Widget":
        patch["spec"] = {"other": {"deep": [1, 2]}}
    return patch


@st.composite
def kustomizations(draw: st.DrawFn) -> dict[str, bytes]:
    """Files by path. Building may fail; whoever asks compares what does not."""
    key = lambda each: (each["kind"], each["metadata"]["name"], each["metadata"]["namespace"])  # noqa: E731
    base = draw(st.lists(objects(), min_size=1, max_size=4, unique_by=key))
    files = {"base/all.yaml": yaml.safe_dump_all(base, allow_unicode=True, sort_keys=False)}
    files["base/kustomization.yaml"] = yaml.safe_dump(
        {"resources": ["all.yaml"], **_fields(draw, base, files, "base")}, sort_keys=False
    )
    top = {"resources": ["../base"], **_fields(draw, base, files, "top")}
    if draw(st.booleans()):
        files["part/kustomization.yaml"] = yaml.safe_dump({
            "apiVersion": "kustomize.config.k8s.io/v1alpha1", "kind": "Component", **_fields(draw, base, files, "part"),
            "commonAnnotations": {"component": "yes"},
        })  # fmt: skip
        top["components"] = ["../part"]
    files["top/kustomization.yaml"] = yaml.safe_dump(top, sort_keys=False)
    return {path: text.encode() for path, text in files.items()}


def _fields(draw: st.DrawFn, base: list[dict[str, Any]], files: dict[str, str], folder: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    wanted = draw(st.sets(st.sampled_from(FIELDS), max_size=3))
    some = draw(st.sampled_from(base))
    for field in sorted(wanted):
        if field == "json":
            patch = {"patch": yaml.safe_dump(operations(draw, some)), "target": _target(draw, some)}
            found.setdefault(draw(st.sampled_from(("patches", "patchesJson6902"))), []).append(patch)
        elif field == "merge":
            files[f"{folder}/merge.yaml"] = yaml.safe_dump(merged(draw, some))
            if draw(st.booleans()):
                found["patchesStrategicMerge"] = ["merge.yaml"]
            else:
                found.setdefault("patches", []).append({"path": "merge.yaml"})
        elif field == "images":
            new = draw(st.sampled_from(({"newTag": "9"}, {"newName": "other"}, {"digest": "sha256:" + "0" * 64})))
            found["images"] = [{"name": draw(st.sampled_from(("nginx", "registry.example.com:5000/web"))), **new}]
        elif field == "replicas":
            found["replicas"] = [{"name": some["metadata"]["name"], "count": draw(st.integers(0, 9))}]
        elif field == "labels":
            found["labels"] = [{"pairs": {"set": "yes"}, "includeSelectors": draw(st.booleans())}]
        elif field == "namespace":
            found["namespace"] = "elsewhere"
        else:
            found[field] = {"common": "some", "app": "changed"}
    return found


def _target(draw: st.DrawFn, some: dict[str, Any]) -> dict[str, str]:
    group, _, version = some["apiVersion"].rpartition("/")
    whole = {"group": group, "version": version, "kind": some["kind"], **some["metadata"]}
    names = draw(
        st.sampled_from((("kind", "name", "namespace"), ("kind", "name"), ("group", "version", "kind", "name")))
    )
    return {name: whole[name] for name in names if whole[name]}


FIELDS = ("json", "merge", "images", "replicas", "labels", "namespace", "commonLabels", "commonAnnotations")
