"""The restricted Pod Security Standard, control by control.

Source: https://kubernetes.io/docs/concepts/security/pod-security-standards/
"""

from __future__ import annotations

from collections.abc import Iterator

VOLUMES = {
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
}


def complaints(template: dict) -> list[str]:
    """What the restricted standard, and this project's own rules beside it, say against the pods of `template`."""
    spec = template["spec"]
    everybody = [*spec.get("initContainers", ()), *spec["containers"]]
    return [*_pod(spec), *(f"{each['name']}: {said}" for each in everybody for said in _container(each, spec))]


def _pod(spec: dict) -> Iterator[str]:
    for name in ("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace"):
        if spec.get(name):
            yield name
    for volume in spec.get("volumes", ()):
        if not set(volume) - {"name"} <= VOLUMES:
            yield f"the volume {volume['name']}"
    if spec.get("securityContext", {}).get("sysctls"):
        yield "sysctls"
    if "automountServiceAccountToken" not in spec:
        yield "a token that nobody decided upon"


def _container(container: dict, spec: dict) -> Iterator[str]:
    own = container.get("securityContext", {})
    both = {**spec.get("securityContext", {}), **own}
    if own.get("privileged"):
        yield "privileged"
    if own.get("allowPrivilegeEscalation") is not False:
        yield "may escalate"
    if both.get("runAsNonRoot") is not True or both.get("runAsUser", 1) == 0:
        yield "may be root"
    if "ALL" not in own.get("capabilities", {}).get("drop", ()):
        yield "keeps capabilities"
    if set(own.get("capabilities", {}).get("add", ())) - {"NET_BIND_SERVICE"}:
        yield "adds capabilities"
    if both.get("seccompProfile", {}).get("type") not in ("RuntimeDefault", "Localhost"):
        yield "no seccomp profile"
    if own.get("procMount", "Default") != "Default" or "windowsOptions" in both:
        yield "procMount or windowsOptions"
    if any(port.get("hostPort") for port in container.get("ports", ())):
        yield "a host port"
    if own.get("readOnlyRootFilesystem") is not True:
        yield "writes to its image"
