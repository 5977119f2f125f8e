"""Secrets: an init container of the store's logs in as the workload and writes its files into memory.

No emitted object holds a secret: a ConfigMap holds templates, and the store fills them in.
"""

from __future__ import annotations

import posixpath

from groundplan.kubernetes import clusters, configuration, containers, drafts, identity, names
from groundplan.model import findings, resource
from groundplan.shapes import objects, quantities, workloads

_TEMPLATES = "/templates"
_TOKEN = "/var/run/secrets/store"  # noqa: S105  (a folder)
_SIZE = "16Mi"
"""Of each volume in memory; it counts against the pod's memory only as far as it is filled."""
_AGENT = quantities.Compute(cpu=quantities.Range("50m", "200m"), memory=quantities.Range("64Mi", "128Mi"))


def apply(cluster: clusters.Cluster, draft: drafts.Draft) -> None:
    """The way from the store into each workload that holds a secret, and who may read what."""
    store = cluster.store
    holders = [pod for pod in draft.pods.values() if configuration.is_secret(pod)]
    if store is None:
        draft.findings += [_nowhere(pod, cluster) for pod in holders]
        return
    for pod in holders:
        _deliver(pod, store, cluster, draft)
    draft.holders = tuple(holder(pod) for pod in sorted(holders, key=lambda pod: pod.name))
    admitted = store.admits(draft.holders)
    name = f"{store.name}{names.ACCESS}"
    body: objects.Tree = {"data": {key: admitted[key] for key in sorted(admitted)}}
    draft.add("v1 ConfigMap", name, body, store.origin, namespace=store.namespace, component=store.name)


def _nowhere(pod: drafts.Pod, cluster: clusters.Cluster) -> findings.Finding:
    paths = ", ".join(holder(pod).paths)
    env = cluster.environment
    what = f"environment {env.name} says no secrets"
    why = f"{pod.name} needs {paths}, and no store keeps them there"
    return findings.Finding("GP303", what, env.origin, why, "add secrets=vault, a Vault(…) of the plan")


def holder(pod: drafts.Pod) -> workloads.Holder:
    """Who `pod` is to the store, and the paths it reads."""
    paths = {path for text in pod.files.values() for path in clusters.secret_paths(text)}
    return workloads.Holder(pod.name, pod.namespace, tuple(sorted(paths)))


def _deliver(pod: drafts.Pod, store: resource.Store, cluster: clusters.Cluster, draft: drafts.Draft) -> None:
    order = workloads.Order(
        holder=pod.name,
        address=f"{cluster.host(store.name, store.port_name)}:{cluster.port(store.name, store.port_name)}",
        folder=_TEMPLATES,
        token_file=f"{_TOKEN}/token",
        templates=tuple(workloads.Template(configuration.key(path), path) for path in sorted(pod.files)),
    )
    delivery = store.delivers(order)
    texts = {configuration.key(path): clusters.template(text, store) for path, text in pod.files.items()}
    configuration.write(pod, texts | dict(delivery.files), draft)
    folders = sorted({posixpath.dirname(path) for path in pod.files})
    for folder in folders:
        pod.mount({"name": folder.strip("/"), "emptyDir": {"medium": "Memory", "sizeLimit": _SIZE}}, folder)
    _begin(pod, delivery, folders, cluster)


def _begin(pod: drafts.Pod, delivery: workloads.Delivery, folders: list[str], cluster: clusters.Cluster) -> None:
    pod.spec["volumes"] += [
        {"name": "templates", "configMap": {"name": f"{pod.name}{names.FILES}"}},
        {"name": "store-token", "projected": {"sources": [identity.token(delivery.audience, "token")]}},
    ]
    container: objects.Tree = {
        "name": "secrets" if pod.name != "secrets" else "store",  # beside a container of the author's name
        "image": delivery.image,
        "command": [containers.escaped(word) for word in delivery.command],
        "env": containers.environment_of(delivery.environment, cluster),
        "resources": containers.resources(_AGENT),
        "volumeMounts": [
            *({"name": folder.strip("/"), "mountPath": folder} for folder in folders),
            *_inside(pod, folders),
            {"name": "templates", "mountPath": _TEMPLATES, "readOnly": True},
            {"name": "store-token", "mountPath": _TOKEN, "readOnly": True},
        ],
    }
    pod.spec["initContainers"] = [container, *pod.spec.get("initContainers", ())]


def _inside(pod: drafts.Pod, folders: list[str]) -> list[objects.Tree]:
    """Volumes that are mounted inside those folders: their mount points must be made while one can write there."""
    mounts = pod.container["volumeMounts"]
    return [mount for mount in mounts if posixpath.dirname(mount["mountPath"]) in folders]
