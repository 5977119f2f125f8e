"""Pod Security, baseline and restricted: every control, on init and ephemeral containers too, as a version has it.

Source: Kubernetes documentation, "Pod Security Standards"; pkg k8s.io/pod-security-admission, policy, for what each
version added: sysctls (1.27, 1.29, 1.32), container_engine_t (1.31), hosts of probes and hooks (1.34).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from groundplan.proof import fields
from groundplan.proof.lint import facts

CAPABILITIES = frozenset({
    "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP",
    "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
})  # fmt: skip
SYSCTLS: tuple[tuple[int, tuple[str, ...]], ...] = (
    (0, (
        "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range",
    )),
    (27, ("net.ipv4.ip_local_reserved_ports",)),
    (29, (
        "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes",
    )),
    (32, ("net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem")),
)  # fmt: skip
"""Safe ones, with the minor version since which they are."""
SELINUX: tuple[tuple[int, str], ...] = (
    (0, ""), (0, "container_t"), (0, "container_init_t"), (0, "container_kvm_t"), (31, "container_engine_t"),
)  # fmt: skip
VOLUMES = frozenset({
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret",
})  # fmt: skip
PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_HOSTS = 34
_PROFILES = ("RuntimeDefault", "Localhost")
_APP_ARMOR = "container.apparmor.security.beta.kubernetes.io/"


class Wrong(msgspec.Struct, frozen=True):
    """Something that a standard does not allow."""

    path: facts.Path
    who: str
    """The container, or `the pod`."""
    what: str
    remedy: str

    @property
    def said(self) -> str:
        """In words."""
        return f"{self.who} {self.what}"


def baseline(pod: facts.Pod, minor: int) -> Iterator[Wrong]:
    """What Pod Security baseline of Kubernetes 1.`minor` does not allow."""
    around = fields.inner(pod.spec, "securityContext")
    for field in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.spec.get(field) is True:
            yield Wrong((*pod.path, field), "the pod", f"has {field} on", "remove it")
    yield from _context(around, (*pod.path, "securityContext"), "the pod", minor)
    safe = {name for since, names in SYSCTLS if since <= minor for name in names}
    for number, each in enumerate(fields.items(around.get("sysctls"))):
        if each.get("name") not in safe:
            path = (*pod.path, "securityContext", "sysctls", number)
            yield Wrong(path, "the pod", f"sets sysctl {each.get('name')}, which is not a safe one", "remove it")
    for number, volume in enumerate(fields.items(pod.spec.get("volumes"))):
        if volume.get("hostPath") is not None:
            where = (*pod.path, "volumes", number)
            yield Wrong(where, "the pod", f"has a hostPath, volume {volume.get('name')}", "use another volume")
    yield from _annotations(pod)
    for container in pod.containers():
        yield from _container(container, minor)


def _annotations(pod: facts.Pod) -> Iterator[Wrong]:
    around = fields.inner(pod.document.data, *(str(step) for step in pod.path[:-1]))
    for key, value in fields.inner(around, "metadata", "annotations").items():
        fine = value in ("", "runtime/default") or str(value).startswith("localhost/")
        if str(key).startswith(_APP_ARMOR) and not fine:
            path = (*pod.path[:-1], "metadata", "annotations", key)
            who = f"container {str(key).removeprefix(_APP_ARMOR)}"
            yield Wrong(path, who, f"has AppArmor profile {value}", "write runtime/default")


def _context(context: dict[str, Any], path: facts.Path, who: str, minor: int) -> Iterator[Wrong]:
    if fields.inner(context, "windowsOptions").get("hostProcess") is True:
        yield Wrong((*path, "windowsOptions", "hostProcess"), who, "is a HostProcess", "remove it")
    for field, name in (("seccompProfile", "seccomp"), ("appArmorProfile", "AppArmor")):
        profile = context.get(field)
        if isinstance(profile, dict) and profile.get("type") not in _PROFILES:
            kind = profile.get("type") or "no type"
            yield Wrong((*path, field), who, f"has {name} profile {kind}", "write type: RuntimeDefault")
    options = fields.inner(context, "seLinuxOptions")
    types = {name for since, name in SELINUX if since <= minor}
    if (options.get("type") or "") not in types or options.get("user") or options.get("role"):
        yield Wrong((*path, "seLinuxOptions"), who, "has its own SELinux options", "remove them")


def _container(container: facts.Container, minor: int) -> Iterator[Wrong]:
    context = fields.inner(container.spec, "securityContext")
    path, who = (*container.path, "securityContext"), f"container {container.name}"
    yield from _context(context, path, who, minor)
    if context.get("privileged") is True:
        yield Wrong((*path, "privileged"), who, "is privileged", "remove it")
    more = set(fields.words(fields.inner(context, "capabilities").get("add"))) - CAPABILITIES
    if more:
        yield Wrong((*path, "capabilities", "add"), who, f"adds {', '.join(sorted(more))}", "remove them")
    if context.get("procMount") not in (None, "", "Default"):
        yield Wrong((*path, "procMount"), who, "unmasks /proc", "remove it")
    for number, port in enumerate(fields.items(container.spec.get("ports"))):
        if port.get("hostPort"):
            where = (*container.path, "ports", number)
            yield Wrong(where, who, f"takes port {port['hostPort']} of its node", "remove hostPort")
    if minor >= _HOSTS:
        yield from _handlers(container, who)


def _handlers(container: facts.Container, who: str) -> Iterator[Wrong]:
    handlers = [((name,), fields.inner(container.spec, name)) for name in PROBES]
    hooks = fields.inner(container.spec, "lifecycle")
    both = [(("lifecycle", name), fields.inner(hooks, name)) for name in ("postStart", "preStop")]
    for steps, handler in [*handlers, *both]:
        for kind in ("httpGet", "tcpSocket"):
            if fields.inner(handler, kind).get("host"):
                yield Wrong((*container.path, *steps, kind, "host"), who, f"names a host in {steps[-1]}", "remove host")


def restricted(pod: facts.Pod) -> Iterator[Wrong]:
    """What Pod Security restricted does not allow, beyond baseline."""
    windows = fields.inner(pod.spec, "os").get("name") == "windows"
    around, path = fields.inner(pod.spec, "securityContext"), (*pod.path, "securityContext")
    for number, volume in enumerate(fields.items(pod.spec.get("volumes"))):
        kinds = {kind for kind, value in volume.items() if value is not None} - {"name", "hostPath"} - VOLUMES
        if kinds:
            what = f"has volume {volume.get('name')} of kind {min(kinds)}"
            yield Wrong((*pod.path, "volumes", number), "the pod", what, "use another kind of volume")
    # Forbidden at the pod even where every container says otherwise.
    if around.get("runAsNonRoot") is False:
        yield Wrong((*path, "runAsNonRoot"), "the pod", "may run as root", "set runAsNonRoot: true")
    if _root(around):
        yield Wrong((*path, "runAsUser"), "the pod", "runs as root", "give another runAsUser")
    for container in pod.containers():
        yield from _user(container, around)
        if not windows:
            yield from _hardened(container, around)


def _root(context: dict[str, Any]) -> bool:
    user = context.get("runAsUser")
    return user == 0 and not isinstance(user, bool)


def _user(container: facts.Container, around: dict[str, Any]) -> Iterator[Wrong]:
    context = fields.inner(container.spec, "securityContext")
    path, who = (*container.path, "securityContext"), f"container {container.name}"
    said = context.get("runAsNonRoot")
    if (around.get("runAsNonRoot") if said is None else said) is not True:
        yield Wrong((*path, "runAsNonRoot"), who, "may run as root", "set runAsNonRoot: true")
    if _root(context):
        yield Wrong((*path, "runAsUser"), who, "runs as root", "give another runAsUser")


def _hardened(container: facts.Container, around: dict[str, Any]) -> Iterator[Wrong]:
    context = fields.inner(container.spec, "securityContext")
    path, who = (*container.path, "securityContext"), f"container {container.name}"
    if context.get("allowPrivilegeEscalation") is not False:
        remedy = "set allowPrivilegeEscalation: false"
        yield Wrong((*path, "allowPrivilegeEscalation"), who, "may gain privileges", remedy)
    if not fields.inner(context, "seccompProfile") and not fields.inner(around, "seccompProfile"):
        yield Wrong((*path, "seccompProfile"), who, "has no seccomp profile", "set seccompProfile type: RuntimeDefault")
    capabilities = fields.inner(context, "capabilities")
    if "ALL" not in fields.words(capabilities.get("drop")):
        yield Wrong((*path, "capabilities", "drop"), who, "keeps capabilities", "set capabilities drop: [ALL]")
    more = (set(fields.words(capabilities.get("add"))) & CAPABILITIES) - {"NET_BIND_SERVICE"}
    if more:
        yield Wrong((*path, "capabilities", "add"), who, f"adds {', '.join(sorted(more))}", "remove them")
