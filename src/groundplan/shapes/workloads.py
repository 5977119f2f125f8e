"""How a resource runs in a cluster, as data with late-bound values in it: what is particular to it, no more.

The counterpart of `processes.Engine`. Labels, accounts, security contexts, policies, budgets: the passes
of `groundplan.kubernetes` add them to all alike.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from groundplan.shapes import alerts, objects, processes

Word = processes.Word


@dataclasses.dataclass(frozen=True)
class Check:
    """One way to ask a container how it is: a command, an HTTP path, or whether the port accepts."""

    port: str = ""
    path: str = ""
    argv: tuple[Word, ...] = ()


@dataclasses.dataclass(frozen=True)
class Engine:
    """What is common to engines: one container, how it is asked how it is, what it may write to.

    Files lie under `values.Files` of its name; times are in seconds.
    """

    image: str
    _: dataclasses.KW_ONLY
    ready: Check
    alive: Check
    user: int
    group: int
    argv: tuple[Word, ...] = ()
    """Arguments of the image's entry point."""
    command: tuple[Word, ...] = ()
    """In place of the image's entry point."""
    environment: tuple[tuple[str, Word], ...] = ()
    files: tuple[processes.File, ...] = ()
    scratch: tuple[str, ...] = ()
    """Directories that it writes to and may forget, beside /tmp."""
    grace: int = 60
    cluster_role: str = ""
    """A ClusterRole that it is bound to: it then holds a token of the API server."""
    certificate: str = ""
    """Where tls.crt, tls.key and ca.crt are mounted, readable for its group, in environments with certificates. Empty
    for an engine that cannot speak TLS."""


PEERS = "-peers"
"""What the Service is called after its resource by which replicas find each other."""
POD = "$(POD)"
"""In variables of `Peers.own`: what the pod is called, ``NAME-0``."""


def peer(resource: str, namespace: str, number: int | str) -> str:
    """The host name of one replica, which leads there before the replica is ready: ``db-0.db-peers.data``.

    Source: https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#stable-network-id
    """
    pod = number if isinstance(number, str) else f"{resource}-{number}"
    return f"{pod}.{resource}{PEERS}.{namespace}"


@dataclasses.dataclass(frozen=True)
class Peers:
    """Replicas that find each other by name (`peer`), and start whether or not the others are ready."""

    replicas: int
    own: tuple[tuple[str, Word], ...] = ()
    """Variables in which each is told its own name, as `POD`."""
    alone: tuple[str, ...] = ()
    """Ports that are for peers, and for nobody else; they reach each other on all."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Stateful(Engine):
    """A StatefulSet, and what runs to its end beside it. Data lies under `values.Folder` of its name."""

    data: str
    """Where its volume is mounted."""
    storage: str
    """The volume's size where the environment says none."""
    after: tuple[processes.Step, ...] = ()
    """Bootstrap and migrations: Jobs, in the engine's image or, for Python, in the platform's."""
    by_hand: bool = False
    """Whether a change waits until somebody deletes the pod: people must be there when it starts anew."""
    peers: Peers | None = None
    """None for an engine that is alone with its data: one replica."""

    @property
    def replicas(self) -> int:
        return self.peers.replicas if self.peers else 1


@dataclasses.dataclass(frozen=True, kw_only=True)
class Stateless(Engine):
    """A Deployment of one replica that keeps nothing."""


@dataclasses.dataclass(frozen=True)
class Source:
    """Where a chart comes from: always one version, so that what is installed is what was assumed."""

    repository: str
    """A URL, ``https://charts.jetstack.io``; without a scheme it is a registry (OCI)."""
    name: str
    version: str


Values = Mapping[str, Any]
"""A chart's values, as YAML has them: mappings, lists, text, numbers, and `values.Value` where text is late-bound."""


@dataclasses.dataclass(frozen=True)
class Beside:
    """An object of a kind that a chart defines, made once that chart is there: an issuer for cert-manager."""

    kind: str
    """API version and kind: ``cert-manager.io/v1 ClusterIssuer``."""
    name: str
    spec: Values
    namespaced: bool = True
    """Whether it stands in the namespace of its resource, or in none."""
    early: bool = False
    """Whether others wait for it."""


@dataclasses.dataclass(frozen=True)
class Guest:
    """Pods that a chart's controller starts beside an entry, in that namespace: an ACME solver that answers there."""

    labels: tuple[tuple[str, str], ...]
    port: int


@dataclasses.dataclass(frozen=True)
class Drawn:
    """A field that a chart draws anew each time it is rendered: whoever keeps rendering it must leave it be."""

    kind: str
    """Group and kind: ``apps/Deployment``, ``Secret``."""
    name: str
    pointer: str
    """JSON pointer (RFC 6901)."""


@dataclasses.dataclass(frozen=True)
class Reader:
    """Secrets for those pods of a chart that call outward, as files in a folder of their own."""

    account: str
    """Their ServiceAccount, which the chart makes: by it the store knows them."""
    folder: str
    """Where the files lie: one step below the root."""
    files: tuple[processes.File, ...]
    user: int
    group: int
    values: tuple[str, ...]
    """Where the chart's values take parts of the pod, in the words of the Prometheus operator:
    ``("alertmanager", "alertmanagerSpec")``."""


@dataclasses.dataclass(frozen=True)
class Chart:
    """What somebody else's chart installs into the resource's namespace, and what is assumed of its pods.

    The pods are not ours to harden or to count: policies name them by `pods`, and `values` are there to make
    what is assumed true.
    """

    source: Source
    pods: tuple[tuple[str, str], ...]
    """Labels of the pods that edges of this resource lead to and from."""
    release: str
    """Helm's name for it, from which the chart derives the names of its objects."""
    values: Values = dataclasses.field(default_factory=dict)
    defines: tuple[str, ...] = ()
    """API groups whose kinds it brings: objects of theirs come after it."""
    cluster_wide: tuple[str, ...] = ()
    """Kinds that it installs outside any namespace, ``rbac.authorization.k8s.io/ClusterRole``."""
    beside: tuple[Beside, ...] = ()
    webhooks: tuple[int, ...] = ()
    """Ports on which the API server calls its pods."""
    world: tuple[str, ...] = ()
    """Ports that anybody outside may reach."""
    outward: tuple[int, ...] = ()
    """Ports of public addresses that its pods call."""
    callers: tuple[tuple[str, str], ...] = ()
    """Labels of those pods that call outward, where they are others than `pods`."""
    nodes: tuple[int, ...] = ()
    """Ports that its pods call on the nodes themselves: the kubelet's, an exporter's."""
    spaces: tuple[str, ...] = ()
    """Namespaces that it installs into, beside that of its resource."""
    scrapes: bool = False
    """Whether it collects what components answer on their metrics ports."""
    tells: alerts.Receivers | None = None
    """Who hears of alerts, where it tells of any."""
    reads: Reader | None = None
    guest: Guest | None = None
    draws: tuple[Drawn, ...] = ()
    """Passwords, and what is computed of them."""


@dataclasses.dataclass(frozen=True)
class NotThere:
    """Nothing runs in a cluster, because."""

    reason: str


Answer = Stateful | Stateless | Chart | NotThere


@dataclasses.dataclass(frozen=True)
class Fetched:
    """An init container of the store's fetches secrets and writes files into memory before anything else runs.

    Words and files may be late-bound: where the store's server is, a cluster knows.
    """

    image: str
    command: tuple[Word, ...]
    environment: tuple[tuple[str, Word], ...]
    files: tuple[tuple[str, Word], ...]
    """Its own configuration beside the templates, by file name."""
    audience: str
    """Of the token by which it is known to the store."""


@dataclasses.dataclass(frozen=True)
class Synced:
    """A controller makes a Secret of an object of its own; the Secret's keys are the names of the templates.

    Both are called by `Order.secret`, and stand in the workload's namespace.
    """

    kind: str
    """API version and kind: ``external-secrets.io/v1 ExternalSecret``."""
    body: objects.Tree


@dataclasses.dataclass(frozen=True)
class Template:
    """A file to write: where, what with, and the name of its template."""

    name: str
    destination: str
    text: str = ""


@dataclasses.dataclass(frozen=True)
class Holder:
    """A workload that holds secrets: its account and the exact paths."""

    name: str
    namespace: str
    paths: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Order:
    """What a store is asked to deliver into one pod."""

    holder: Holder
    """The workload; its name is the one by which the store knows it."""
    secret: str
    """What a Secret of its own is called."""
    folder: str
    """Where the templates lie, for an init container."""
    token_file: str
    """The token for the store's audience."""
    templates: tuple[Template, ...]
