"""Pod Security, baseline and restricted: every control, on init and ephemeral containers too.

Source: Kubernetes documentation, "Pod Security Standards" (1.34).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from groundplan.proof import fields, findings
from groundplan.proof.lint import facts

CAPABILITIES = frozenset({
    "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP",
    "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
})  # fmt: skip
SYSCTLS = frozenset({
    "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range", "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem",
})  # fmt: skip
SELINUX = frozenset({"", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"})
VOLUMES = frozenset({
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret",
})  # fmt: skip
PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
Wrong = tuple[facts.Path, str, str]
"""Where, what it is, what it should be."""


def standards(known: facts.Facts) -> Iterator[findings.Finding]:
    """Both standards: baseline control by control, restricted in one finding a pod, since one block mends it."""
    for pod in known.pods:
        for path, what, remedy in baseline(pod):
            why = "Pod Security baseline does not allow it"
            yield facts.finding("GP521", pod.document, path, f"{pod.title}: {what}", why, remedy, pod.namespace)
        wrong = list(restricted(pod))
        if wrong:
            what = f"{pod.title} does not meet Pod Security restricted"
            why = "; ".join(dict.fromkeys(said for _, said, _ in wrong))
            remedy = "; ".join(dict.fromkeys(mend for _, _, mend in wrong))
            yield facts.finding("GP522", pod.document, wrong[0][0], what, why, remedy, pod.namespace)


def baseline(pod: facts.Pod) -> Iterator[Wrong]:
    """What Pod Security baseline does not allow."""
    for field in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.spec.get(field) is True:
            yield (*pod.path, field), f"{field} is on", "remove it"
    yield from _context(fields.inner(pod.spec, "securityContext"), (*pod.path, "securityContext"), "the pod")
    for number, each in enumerate(fields.items(fields.inner(pod.spec, "securityContext").get("sysctls"))):
        if each.get("name") not in SYSCTLS:
            path = (*pod.path, "securityContext", "sysctls", number)
            yield path, f"sysctl {each.get('name')} is not a safe one", "remove it"
    for number, volume in enumerate(fields.items(pod.spec.get("volumes"))):
        if "hostPath" in volume:
            yield (*pod.path, "volumes", number), f"volume {volume.get('name')} is a hostPath", "use another volume"
    yield from _annotations(pod)
    for container in pod.containers():
        yield from _container(container)


def _annotations(pod: facts.Pod) -> Iterator[Wrong]:
    around = fields.inner(pod.document.data, *(str(step) for step in pod.path[:-1]))
    for key, value in fields.inner(around, "metadata", "annotations").items():
        mine = str(key).startswith("container.apparmor.security.beta.kubernetes.io/")
        if mine and value not in ("", "runtime/default") and not str(value).startswith("localhost/"):
            path = (*pod.path[:-1], "metadata", "annotations", key)
            yield path, f"AppArmor profile {value}", "write runtime/default"


def _context(context: dict[str, Any], path: facts.Path, who: str) -> Iterator[Wrong]:
    if fields.inner(context, "windowsOptions").get("hostProcess") is True:
        yield (*path, "windowsOptions", "hostProcess"), f"{who} is a HostProcess", "remove it"
    if fields.inner(context, "seccompProfile").get("type") == "Unconfined":
        yield (*path, "seccompProfile"), f"seccomp of {who} is off", "write type: RuntimeDefault"
    if fields.inner(context, "appArmorProfile").get("type") == "Unconfined":
        yield (*path, "appArmorProfile"), f"AppArmor of {who} is off", "write type: RuntimeDefault"
    options = fields.inner(context, "seLinuxOptions")
    if options.get("type", "") not in SELINUX or options.get("user") or options.get("role"):
        yield (*path, "seLinuxOptions"), f"{who} has its own SELinux options", "remove them"


def _container(container: facts.Container) -> Iterator[Wrong]:
    context = fields.inner(container.spec, "securityContext")
    path, who = (*container.path, "securityContext"), f"container {container.name}"
    yield from _context(context, path, who)
    if context.get("privileged") is True:
        yield (*path, "privileged"), f"{who} is privileged", "remove it"
    more = set(fields.words(fields.inner(context, "capabilities").get("add"))) - CAPABILITIES
    if more:
        yield (*path, "capabilities", "add"), f"{who} adds {', '.join(sorted(more))}", "remove them"
    if context.get("procMount", "Default") != "Default":
        yield (*path, "procMount"), f"{who} unmasks /proc", "remove it"
    for number, port in enumerate(fields.items(container.spec.get("ports"))):
        if port.get("hostPort"):
            yield (
                (*container.path, "ports", number),
                f"{who} takes port {port['hostPort']} of its node",
                "remove hostPort",
            )
    yield from _handlers(container, who)


def _handlers(container: facts.Container, who: str) -> Iterator[Wrong]:
    handlers: list[tuple[tuple[str, ...], dict[str, Any]]] = [
        ((name,), fields.inner(container.spec, name)) for name in PROBES
    ]
    hooks = fields.inner(container.spec, "lifecycle")
    handlers += [(("lifecycle", name), fields.inner(hooks, name)) for name in ("postStart", "preStop")]
    for steps, handler in handlers:
        for kind in ("httpGet", "tcpSocket"):
            if fields.inner(handler, kind).get("host"):
                yield (*container.path, *steps, kind, "host"), f"a probe or hook of {who} names a host", "remove host"


def restricted(pod: facts.Pod) -> Iterator[Wrong]:
    """What Pod Security restricted does not allow, beyond baseline."""
    windows = fields.inner(pod.spec, "os").get("name") == "windows"
    around = fields.inner(pod.spec, "securityContext")
    for number, volume in enumerate(fields.items(pod.spec.get("volumes"))):
        kinds = volume.keys() - {"name"} - VOLUMES - {"hostPath"}
        if kinds:
            yield (*pod.path, "volumes", number), f"volume {volume.get('name')} is a {min(kinds)}", "use another kind"
    if around.get("runAsUser") == 0:
        yield (*pod.path, "securityContext", "runAsUser"), "the pod runs as root", "give another user"
    for container in pod.containers():
        context = fields.inner(container.spec, "securityContext")
        path, who = (*container.path, "securityContext"), f"container {container.name}"
        yield from _user(context, around, path, who)
        if not windows:
            yield from _hardened(context, around, path, who)


def _user(context: dict[str, Any], around: dict[str, Any], path: facts.Path, who: str) -> Iterator[Wrong]:
    if context.get("runAsNonRoot", around.get("runAsNonRoot")) is not True:
        yield (*path, "runAsNonRoot"), f"{who} may run as root", "set runAsNonRoot: true"
    if context.get("runAsUser") == 0:
        yield (*path, "runAsUser"), f"{who} runs as root", "give another user"


def _hardened(context: dict[str, Any], around: dict[str, Any], path: facts.Path, who: str) -> Iterator[Wrong]:
    if context.get("allowPrivilegeEscalation") is not False:
        remedy = "set allowPrivilegeEscalation: false"
        yield (*path, "allowPrivilegeEscalation"), f"{who} may gain privileges", remedy
    seccomp = fields.inner(context, "seccompProfile") or fields.inner(around, "seccompProfile")
    if seccomp.get("type") not in ("RuntimeDefault", "Localhost", "Unconfined"):
        yield (*path, "seccompProfile"), f"{who} has no seccomp profile", "set seccompProfile type: RuntimeDefault"
    capabilities = fields.inner(context, "capabilities")
    if "ALL" not in fields.words(capabilities.get("drop")):
        yield (*path, "capabilities", "drop"), f"{who} keeps capabilities", "set capabilities drop: [ALL]"
    more = (set(fields.words(capabilities.get("add"))) & CAPABILITIES) - {"NET_BIND_SERVICE"}
    if more:
        yield (*path, "capabilities", "add"), f"{who} adds {', '.join(sorted(more))}", "remove them"


def files(known: facts.Facts) -> Iterator[findings.Finding]:
    """Root file systems are read-only, and no container holds the runtime's socket."""
    for pod in known.pods:
        for container in pod.containers():
            context = fields.inner(container.spec, "securityContext")
            if context.get("readOnlyRootFilesystem") is not True:
                what = f"{pod.title}: container {container.name} can write to its root file system"
                path: facts.Path = (*container.path, "securityContext", "readOnlyRootFilesystem")
                remedy = "set readOnlyRootFilesystem: true and mount an emptyDir where it must write"
                yield facts.finding("GP523", pod.document, path, what, "", remedy, pod.namespace)
        for number, volume in enumerate(fields.items(pod.spec.get("volumes"))):
            where = str(fields.inner(volume, "hostPath").get("path", ""))
            if where.endswith((".sock", "/var/run", "/run")) or where == "/":
                what = f"{pod.title} mounts {where} of its node"
                why = "whoever holds the runtime's socket holds the node"
                path = (*pod.path, "volumes", number)
                yield facts.finding("GP555", pod.document, path, what, why, "remove the volume", pod.namespace)


LINTS = (standards, files)
