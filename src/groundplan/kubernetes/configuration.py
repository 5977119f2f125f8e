"""Files of workloads: ConfigMaps whose change rolls the pods. What a secret goes into is kept there as a template."""

from __future__ import annotations

import hashlib
import posixpath

from groundplan.kubernetes import clusters, drafts, names
from groundplan.shapes import objects

CHECKSUM = "checksum/files"
"""The annotation of a pod that changes with its files; Helm's customary name."""


def apply(cluster: clusters.Cluster, draft: drafts.Draft) -> None:
    """A ConfigMap for each workload with files, mounted where no secret has to be filled in first."""
    for pod in draft.pods.values():
        if pod.files and not is_secret(pod):
            write(pod, {key(path): text for path, text in pod.files.items()}, draft)
            for folder in sorted({posixpath.dirname(path) for path in pod.files}):
                pod.mount(_volume(pod, folder), folder)


def is_secret(pod: drafts.Pod) -> bool:
    """Whether a file of it holds something from the store."""
    return any(clusters.secret_paths(text) for text in pod.files.values())


def key(path: str) -> str:
    """The key of a ConfigMap for the file at `path`: ``/config/callers.json`` → ``config_callers.json``."""
    return path.strip("/").replace("/", "_")


def write(pod: drafts.Pod, data: dict[str, str], draft: drafts.Draft) -> None:
    """Keeps `data` for `pod`, and lets its pods roll when it changes."""
    ordered = {name: data[name] for name in sorted(data)}
    name = f"{pod.name}{names.FILES}"
    draft.add("v1 ConfigMap", name, {"data": ordered}, pod.origin, namespace=pod.namespace, component=pod.name)
    digest = hashlib.sha256("\0".join(f"{name}\0{text}" for name, text in ordered.items()).encode())
    pod.template["metadata"].setdefault("annotations", {})[CHECKSUM] = digest.hexdigest()


def _volume(pod: drafts.Pod, folder: str) -> objects.Tree:
    items = [
        {"key": key(path), "path": posixpath.basename(path)}
        for path in sorted(pod.files)
        if posixpath.dirname(path) == folder
    ]
    return {"name": folder.strip("/"), "configMap": {"name": f"{pod.name}{names.FILES}", "items": items}}
