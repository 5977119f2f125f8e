"""Random strategic merges, by all ways that a kustomization has for them: files by path."""

from __future__ import annotations

from typing import Any, NamedTuple

import yaml
from hypothesis import strategies as st

VERSIONS = {
    "Deployment": "apps/v1", "CronJob": "batch/v1", "Service": "v1", "ServiceAccount": "v1", "Widget": "example.com/v1",
    "Ingress": "networking.k8s.io/v1", "HorizontalPodAutoscaler": "autoscaling/v2", "ConfigMap": "v1",
    "MutatingWebhookConfiguration": "admissionregistration.k8s.io/v1",
}  # fmt: skip
NAMES = st.sampled_from(("a", "b", "c"))
WORDS = st.sampled_from(("1", "x v", "", 1, 0, True, 1.5))
NEWS = st.sampled_from((None, {}, [], {"$patch": "delete"}, {"$patch": "replace", "j": 1}, {"j": None, "o": {}}, "w"))


def chosen(draw: st.DrawFn, fields: dict[str, Any]) -> dict[str, Any]:
    """Some of the fields, each made when it is wanted."""
    return {name: fields[name]() for name in fields if draw(st.booleans())}


def unique(draw: st.DrawFn, key: str, fields: dict[str, Any], words: st.SearchStrategy[Any] = NAMES) -> list[Any]:
    names = draw(st.lists(words, max_size=3, unique=True))
    return [{key: name, **chosen(draw, fields)} for name in names]


def plain(draw: st.DrawFn) -> list[Any]:
    return draw(st.lists(st.sampled_from(("x", "v", {"name": "a", "v": 1}, {"name": "b", "w": [1]})), max_size=3))


def mapping(draw: st.DrawFn) -> dict[str, Any]:
    return draw(st.dictionaries(st.sampled_from(("k", "l", "m/n")), st.sampled_from(("1", "z")), max_size=2))


def container(draw: st.DrawFn) -> dict[str, Any]:
    ports = draw(st.sampled_from((
        [{"containerPort": 80}], [{"containerPort": 80, "name": "w"}, {"containerPort": 81}],
        [{"containerPort": 53, "protocol": "UDP"}, {"containerPort": 53, "protocol": "TCP"}],
        [{"containerPort": 53, "protocol": "TCP", "name": "t"}], [],
    )))  # fmt: skip
    return chosen(draw, {
        "image": lambda: draw(st.sampled_from(("x", "v:1"))), "args": lambda: plain(draw), "ports": lambda: ports,
        "env": lambda: unique(draw, "name", {"value": lambda: "1", "valueFrom": lambda: {"f": 1}}),
        "volumeMounts": lambda: unique(draw, "mountPath", {"name": lambda: "v", "readOnly": lambda: True}),
        "resources": lambda: {"limits": mapping(draw)}, "envFrom": lambda: [{"secretRef": {"name": "s"}}],
    })  # fmt: skip


def pod(draw: st.DrawFn) -> dict[str, Any]:
    return chosen(draw, {
        "containers": lambda: [{**each, **container(draw)} for each in unique(draw, "name", {})],
        "initContainers": lambda: unique(draw, "name", {"image": lambda: "i"}),
        "volumes": lambda: unique(draw, "name", {"emptyDir": dict, "secret": lambda: {"secretName": "s"}}),
        "imagePullSecrets": lambda: unique(draw, "name", {}), "tolerations": lambda: [{"key": draw(NAMES)}],
        "nodeSelector": lambda: mapping(draw), "hostNetwork": lambda: draw(st.booleans()),
        "hostAliases": lambda: unique(draw, "ip", {"hostnames": lambda: plain(draw)}),
    })  # fmt: skip


def body(draw: st.DrawFn, kind: str) -> dict[str, Any]:
    template = lambda: {"metadata": {"labels": mapping(draw)}, "spec": pod(draw)}  # noqa: E731
    match kind:
        case "Deployment":
            strategy = lambda: {"type": "Recreate", "rollingUpdate": mapping(draw)}  # noqa: E731
            return {
                "spec": chosen(draw, {"strategy": strategy, "replicas": lambda: draw(WORDS)}) | {"template": template()}
            }
        case "CronJob":
            return {"spec": {"jobTemplate": {"spec": {"template": template()}}}}
        case "Service":
            names = st.sampled_from((80, 81, 82))
            ports = lambda: unique(draw, "port", {"name": lambda: draw(NAMES), "targetPort": lambda: 1}, names)  # noqa: E731
            return {"spec": chosen(draw, {"ports": ports, "selector": lambda: mapping(draw)})}
        case "ServiceAccount":
            return chosen(
                draw, {"secrets": lambda: unique(draw, "name", {}), "imagePullSecrets": lambda: [{"name": "s"}]}
            )
        case "MutatingWebhookConfiguration":
            return chosen(draw, {"webhooks": lambda: unique(draw, "name", {"rules": lambda: [{"x": ["*"]}]})})
        case "ConfigMap":
            return chosen(draw, {"data": lambda: mapping(draw), "binaryData": lambda: mapping(draw)})
        case _:
            return {
                "spec": chosen(
                    draw, {"rules": lambda: plain(draw), "metrics": lambda: plain(draw), "m": lambda: mapping(draw)}
                )
            }


def spoiled(draw: st.DrawFn, tree: Any) -> Any:
    """A patch in which some fields are nulls, empty or directives."""
    if isinstance(tree, dict):
        found = {}
        for key, value in tree.items():
            strange = (
                key not in ("metadata", "name", "mountPath", "port", "containerPort", "ip")
                and draw(st.integers(0, 15)) == 0
            )
            found[key] = draw(NEWS) if strange else spoiled(draw, value)
        return found
    if isinstance(tree, list):
        some = [spoiled(draw, each) for each in tree]
        if some and isinstance(some[0], dict) and draw(st.integers(0, 9)) == 0:
            some[0] = {**some[0], "$patch": draw(st.sampled_from(("delete", "replace", "merge")))}
        return [{"$patch": "replace"}, *some] if draw(st.integers(0, 19)) == 0 else some
    return tree


class Pair(NamedTuple):
    """An object, a patch for it as text, and the way it comes by."""

    item: dict[str, Any]
    patch: str
    way: str

    def entry(self) -> tuple[str, Any]:
        """Field of a kustomization, and what stands there."""
        target = {"kind": self.item["kind"], "name": self.item["metadata"]["name"]}
        match self.way:
            case "older":
                return "patchesStrategicMerge", self.patch
            case "plain":
                return "patches", {"patch": self.patch}
        return "patches", {"patch": self.patch, "target": target}


@st.composite
def pairs(draw: st.DrawFn, number: int) -> Pair:
    kind = draw(st.sampled_from(tuple(VERSIONS)))
    head, name = {"apiVersion": VERSIONS[kind], "kind": kind}, f"{kind.lower()}-{number}"
    both = {"labels": lambda: mapping(draw), "annotations": lambda: mapping(draw)}
    item = {**head, "metadata": {"name": name, **chosen(draw, both)}, **body(draw, kind)}
    said = {"name": name, **spoiled(draw, chosen(draw, both))}
    patch = {**head, "metadata": said, **spoiled(draw, body(draw, kind))}
    return Pair(item, yaml.safe_dump(patch), draw(st.sampled_from(("older", "plain", "targeted"))))


def kustomization(some: list[Pair]) -> dict[str, bytes]:
    """Files by path."""
    top: dict[str, Any] = {"resources": ["all.yaml"]}
    for field, one in (each.entry() for each in some):
        top.setdefault(field, []).append(one)
    return {
        "top/all.yaml": yaml.safe_dump_all([each.item for each in some]).encode(),
        "top/kustomization.yaml": yaml.safe_dump(top).encode(),
    }
