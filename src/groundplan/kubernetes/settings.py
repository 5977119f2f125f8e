"""What a plan may say of a cluster: ``plan.environment("production", host=…, registry=…)``, and what holds else."""

from __future__ import annotations

from typing import cast

from groundplan.model import autoscale, environment, external, resource, service
from groundplan.model import store as stores
from groundplan.shapes import backups as backup_shapes
from groundplan.shapes import quantities

KNOWN: dict[str, type | tuple[type, ...]] = {
    "host": str,
    "registry": str,
    "secrets": stores.Store,
    "storage": str,
    "storage_class": str,
    "replicas": (int, autoscale.Autoscale),
    "resources": quantities.Compute,
    "availability_zones": int,
    "certificates": resource.Issuer,
    "issuer": str,
    "gateway": str,
    "api_server": (list, tuple),
    "nodes": (list, tuple),
    "ranges": (list, tuple),
    "backups": (backup_shapes.Volume, backup_shapes.ObjectStore, backup_shapes.NoBackup),
    "sync": str,
    "revision": str,
    "cluster": str,
}
"""Words of an environment, with the kinds of value."""

PRIVATE = (
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "224.0.0.0/4",
    "240.0.0.0/4",
)
"""No public address: private, shared, loopback, link-local with the metadata services, multicast, reserved.

Source: https://www.iana.org/assignments/iana-ipv4-special-registry/
"""
PRIVATE_6 = ("::/127", "64:ff9b::/96", "fc00::/7", "fe80::/10", "ff00::/8")
"""The same for IPv6; addresses that NAT64 translates lead to any IPv4 address."""

EPHEMERAL = "ephemeral"
"""``storage="ephemeral"``: data that lives as long as its pod."""


def host(env: environment.Environment) -> str:
    """Where the world finds the platform."""
    return str(env.defaults.get("host", ""))


def host_of(env: environment.Environment, outside: external.External) -> str | None:
    """Where an external is. The environment's own host is another matter."""
    found = env.own(outside, "host")
    return str(found.value) if found else None


def store(env: environment.Environment) -> stores.Store | None:
    found = env.defaults.get("secrets")
    return found if isinstance(found, stores.Store) else None


def backups(env: environment.Environment) -> backup_shapes.Place | None:
    """Where backups go, or why none are made; None where nothing was said."""
    found = env.defaults.get("backups")
    return found if isinstance(found, backup_shapes.Place) else None


def replicas(env: environment.Environment, program: service.Program) -> tuple[int, int]:
    """The least and the most replicas."""
    wanted = env.setting(program, "replicas", program.replicas)
    if isinstance(wanted, autoscale.Autoscale):
        return wanted.least, wanted.most
    return cast(int, wanted), cast(int, wanted)


def autoscaled(env: environment.Environment, program: service.Program) -> autoscale.Autoscale | None:
    wanted = env.setting(program, "replicas", program.replicas)
    return wanted if isinstance(wanted, autoscale.Autoscale) else None


def compute(env: environment.Environment, thing: service.Program | resource.Resource) -> quantities.Compute:
    """What a replica requests, and its limits."""
    own = vars(thing).get("resources") or quantities.Compute()
    return cast(quantities.Compute, env.setting(thing, "resources", own))


def storage(env: environment.Environment, thing: resource.Resource, otherwise: str) -> str:
    """The size of a volume, or `EPHEMERAL`."""
    return str(env.setting(thing, "storage", otherwise))


def zones(env: environment.Environment) -> int:
    return cast(int, env.defaults.get("availability_zones", 1))


def cluster_ranges(env: environment.Environment) -> tuple[str, ...]:
    """Addresses of pods, services and nodes that no edge to the outside may reach, beside the private ones."""
    return tuple(str(each) for each in cast(list[str], env.defaults.get("ranges", ())))


def api_server(env: environment.Environment) -> tuple[str, ...]:
    """Where the API server is: what the plan says, or any private address."""
    said = env.defaults.get("api_server")
    return tuple(str(each) for each in cast(list[str], said)) if said else _LOCAL


def nodes(env: environment.Environment) -> tuple[str, ...]:
    """Where the nodes are: what the plan says, or any private address."""
    said = env.defaults.get("nodes")
    return tuple(str(each) for each in cast(list[str], said)) if said else _LOCAL


_LOCAL = ("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16")


MANUAL, AUTOMATED, APPROVED = "manual", "automated", "approved"
SYNCS = (MANUAL, AUTOMATED, APPROVED)
"""When Argo CD applies what is committed: when somebody says so; at once; at once, once it is approved."""


def sync(env: environment.Environment) -> str:
    """One of `SYNCS`."""
    return str(env.defaults.get("sync", MANUAL))


def revision(env: environment.Environment) -> str:
    """The branch, tag or commit that it follows."""
    return str(env.defaults.get("revision", "HEAD"))


def cluster(env: environment.Environment) -> str:
    """The URL of its API server, or its name in Argo CD; the one that Argo CD runs in, where none is said."""
    return str(env.defaults.get("cluster", "https://kubernetes.default.svc"))


def gateway(env: environment.Environment) -> tuple[str, str] | None:
    """Namespace and name of the Gateway that routes attach to, where there is one."""
    namespace, slash, name = str(env.defaults.get("gateway", "")).partition("/")
    return (namespace, name) if slash and namespace and name else None
