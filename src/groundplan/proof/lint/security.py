"""What pods may do to their nodes: Pod Security, by the level that their namespace enforces; files, the node's socket.

Source: Kubernetes documentation, "Pod Security Admission" (labels of namespaces).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from groundplan.proof import fields, findings
from groundplan.proof.lint import facts, standards
from groundplan.proof.schema import tables

ENFORCE = "pod-security.kubernetes.io/enforce"


def pod_security(known: facts.Facts) -> Iterator[findings.Finding]:
    """Both standards: baseline control by control, restricted in one finding a pod, since one block mends it."""
    for pod in known.pods:
        level, minor = _enforced(known, pod.namespace)
        refused = f"namespace {pod.namespace} enforces it, so the API server refuses the pods"
        why = refused if level in ("baseline", "restricted") else "Pod Security baseline does not allow it"
        for each in standards.baseline(pod, minor):
            what = f"{pod.title}: {each.said}"
            yield facts.finding("GP521", pod.document, each.path, what, why, each.remedy, pod.namespace)
        wrong = list(standards.restricted(pod))
        if wrong:
            code = "GP524" if level == "restricted" else "GP522"
            what = f"{pod.title} does not meet Pod Security restricted"
            why = _grouped(wrong) + (f"; {refused}" if code == "GP524" else "")
            remedy = "; ".join(dict.fromkeys(each.remedy for each in wrong))
            yield facts.finding(code, pod.document, wrong[0].path, what, why, remedy, pod.namespace)


def _enforced(known: facts.Facts, namespace: str) -> tuple[str, int]:
    """The level that a namespace enforces, and by which minor version."""
    labels = known.model.namespaces.get(namespace, {})
    version = re.fullmatch(r"v1\.([0-9]{1,3})", labels.get(f"{ENFORCE}-version", ""))
    newest = tables.version(known.cluster.options.kubernetes).minor
    return labels.get(ENFORCE, ""), int(version[1]) if version else newest


def _grouped(wrong: Iterable[standards.Wrong]) -> str:
    """What is wrong with whom; those of whom the same is true, once."""
    whats: dict[str, list[str]] = {}
    for each in wrong:
        whats.setdefault(each.who, []).append(each.what)
    alike: dict[str, list[str]] = {}
    for who, some in whats.items():
        alike.setdefault(", ".join(dict.fromkeys(some)), []).append(who)
    return "; ".join(f"{_listed(some)} {what}" for what, some in alike.items())


def _listed(some: list[str]) -> str:
    return some[0] if len(some) == 1 else f"each of {', '.join(each.removeprefix('container ') for each in some)}"


def files(known: facts.Facts) -> Iterator[findings.Finding]:
    """Root file systems are read-only, and no container holds the runtime's socket."""
    for pod in known.pods:
        field = "readOnlyRootFilesystem"
        open_ = [each for each in pod.containers() if fields.inner(each.spec, "securityContext").get(field) is not True]
        if open_ and fields.inner(pod.spec, "os").get("name") != "windows":
            names = ", ".join(each.name for each in open_)
            what = f"{pod.title}: container{'s' if len(open_) > 1 else ''} {names} can write to the root file system"
            path: facts.Path = (*open_[0].path, "securityContext", field)
            why = "whoever breaks in may change the program and bring others"
            remedy = f"set {field}: true and mount an emptyDir where it must write"
            yield facts.finding("GP523", pod.document, path, what, why, remedy, pod.namespace)
        for number, volume in enumerate(fields.items(pod.spec.get("volumes"))):
            where = str(fields.inner(volume, "hostPath").get("path", ""))
            if where.endswith((".sock", "/var/run", "/run")) or where == "/":
                what = f"{pod.title} mounts {where} of its node"
                why = "whoever holds the runtime's socket holds the node"
                path = (*pod.path, "volumes", number)
                yield facts.finding("GP555", pod.document, path, what, why, "remove the volume", pod.namespace)


LINTS = (pod_security, files)
