"""Secrets: a store fills in templates of a workload's files, in memory.

No emitted object holds a secret. The templates stand in a ConfigMap, where an init container of the store's
fetches what goes into them, or in an object from which a controller makes a Secret.
"""

from __future__ import annotations

import hashlib
import json
import posixpath

from groundplan.kubernetes import clusters, configuration, containers, drafts, identity, names
from groundplan.model import findings, store
from groundplan.shapes import objects, quantities, workloads

_TEMPLATES = "/templates"
_TOKEN = "/var/run/secrets/store"  # noqa: S105  (a folder)
_SIZE = "16Mi"
"""Of each volume in memory; it counts against the pod's memory only as far as it is filled."""
_AGENT = quantities.Compute(cpu=quantities.Range("50m", "200m"), memory=quantities.Range("64Mi", "128Mi"))
_READABLE = 0o440
"""Mode of a Secret's files; the kubelet gives them to the pod's group."""


def apply(cluster: clusters.Cluster, draft: drafts.Draft) -> None:
    """The way from the store into each workload that holds a secret, and who may read what."""
    kept = cluster.store
    draft.parts = {
        name: _part(name, answer.reads, cluster, draft) for name, answer in draft.charts.items() if answer.reads
    }
    holders = [pod for pod in (*draft.pods.values(), *draft.parts.values()) if configuration.is_secret(pod)]
    if kept is None:
        draft.findings += [_nowhere(holders, cluster)] if holders else []
        return
    for pod in holders:
        _deliver(pod, kept, cluster, draft)
    draft.holders = tuple(holder(pod) for pod in sorted(holders, key=lambda pod: pod.name))
    server = kept.server
    if server:
        savers = [holder(pod) for pod in draft.pods.values() if pod.owner is server[0] and pod.callees]
        admitted = kept.admits(draft.holders, savers)
        name = f"{server[0].name}{names.ACCESS}"
        body: objects.Tree = {"data": {key: admitted[key] for key in sorted(admitted)}}
        draft.add("v1 ConfigMap", name, body, server[0].origin, namespace=server[0].namespace, component=server[0].name)


def _part(name: str, reader: workloads.Reader, cluster: clusters.Cluster, draft: drafts.Draft) -> drafts.Pod:
    """What is ours of a chart's pod: its container is the chart's, and so is everything that is not said here."""
    owner = cluster.components[name]
    part = drafts.Pod(
        name=reader.account,
        namespace=owner.namespace or "",
        owner=owner,
        kind="Pod",
        template={"metadata": {}, "spec": {"containers": [{"volumeMounts": []}]}},
        files={f"{reader.folder}/{file.name}": file.content.resolve(cluster) for file in reader.files},
        user=reader.user,
        group=reader.group,
    )
    draft.single(part)
    return part


def _nowhere(holders: list[drafts.Pod], cluster: clusters.Cluster) -> findings.Finding:
    env = cluster.environment
    needed = "; ".join(f"{pod.name} needs {', '.join(holder(pod).paths)}" for pod in holders)
    remedy = 'add secrets=vault, with vault = namespace.add(Vault("vault")); or ExternalSecrets(…), or SealedSecrets(…)'
    return findings.Finding(
        "GP303", f"environment {env.name} says no secrets", env.origin, f"nothing keeps them there: {needed}", remedy
    )


def holder(pod: drafts.Pod) -> workloads.Holder:
    """Who `pod` is to the store, and the paths it reads."""
    paths = {path for text in pod.files.values() for path in clusters.secret_paths(text)}
    return workloads.Holder(pod.name, pod.namespace, tuple(sorted(paths)))


def _deliver(pod: drafts.Pod, kept: store.Store, cluster: clusters.Cluster, draft: drafts.Draft) -> None:
    order = workloads.Order(
        holder=holder(pod),
        secret=f"{pod.name}{names.SECRETS}",
        folder=_TEMPLATES,
        token_file=f"{_TOKEN}/token",
        templates=tuple(
            workloads.Template(configuration.key(path), path, clusters.template(pod.files[path], kept))
            for path in sorted(pod.files)
        ),
    )
    draft.findings += kept.lacks(order)
    delivery = kept.delivers(order)
    if isinstance(delivery, workloads.Fetched):
        _fetch(pod, order, delivery, cluster, draft)
    else:
        _sync(pod, order, delivery, draft)


def _fetch(
    pod: drafts.Pod,
    order: workloads.Order,
    delivery: workloads.Fetched,
    cluster: clusters.Cluster,
    draft: drafts.Draft,
) -> None:
    texts = {each.name: each.text for each in order.templates}
    texts |= {name: containers.word_of(content, cluster) for name, content in delivery.files}
    configuration.write(pod, texts, draft)
    folders = _folders(pod)
    for folder in folders:
        pod.mount({"name": folder.strip("/"), "emptyDir": {"medium": "Memory", "sizeLimit": _SIZE}}, folder)
    _begin(pod, delivery, folders, cluster)


def _begin(pod: drafts.Pod, delivery: workloads.Fetched, folders: list[str], cluster: clusters.Cluster) -> None:
    pod.spec["volumes"] += [
        {"name": "templates", "configMap": {"name": f"{pod.name}{names.FILES}"}},
        {"name": "store-token", "projected": {"sources": [identity.token(delivery.audience, "token")]}},
    ]
    container: objects.Tree = {
        "name": "secrets" if pod.name != "secrets" else "store",  # beside a container of the author's name
        "image": delivery.image,
        "command": [containers.escaped(containers.word_of(word, cluster)) for word in delivery.command],
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


def _folders(pod: drafts.Pod) -> list[str]:
    return sorted({posixpath.dirname(path) for path in pod.files})


def _sync(pod: drafts.Pod, order: workloads.Order, delivery: workloads.Synced, draft: drafts.Draft) -> None:
    draft.add(delivery.kind, order.secret, delivery.body, pod.origin, namespace=pod.namespace, component=pod.name)
    digest = hashlib.sha256(json.dumps(delivery.body, sort_keys=True).encode()).hexdigest()
    pod.template["metadata"].setdefault("annotations", {})[configuration.CHECKSUM] = digest
    for folder in _folders(pod):
        items = [
            {"key": each.name, "path": posixpath.basename(each.destination)}
            for each in order.templates
            if posixpath.dirname(each.destination) == folder
        ]
        sources = [{"secret": {"name": order.secret, "items": items}}, *_taken_in(pod, folder)]
        pod.mount({"name": folder.strip("/"), "projected": {"defaultMode": _READABLE, "sources": sources}}, folder)


def _taken_in(pod: drafts.Pod, folder: str) -> list[objects.Tree]:
    """The tokens that were to be mounted inside `folder`: nobody can make a mount point there, so that they become
    a part of it."""
    found: list[objects.Tree] = []
    for mount in _inside(pod, [folder]):
        volume = next(each for each in pod.spec["volumes"] if each["name"] == mount["name"])
        place = posixpath.basename(mount["mountPath"])
        for source in volume["projected"]["sources"]:
            token = source["serviceAccountToken"]
            found.append({"serviceAccountToken": {**token, "path": f"{place}/{token['path']}"}})
        pod.spec["volumes"].remove(volume)
        pod.container["volumeMounts"].remove(mount)
    return found
