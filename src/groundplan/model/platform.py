"""The platform: everything the author declared, in one value."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Iterator, Mapping

from groundplan.model import component as parts
from groundplan.model import endpoint, entries, findings, gitops, processes, resource, service
from groundplan.model import environment as environments
from groundplan.model import external as externals
from groundplan.model import namespace as namespaces
from groundplan.model import origin as origins
from groundplan.model import secrets as secret_shapes
from groundplan.shapes import alerts, boards, ports, values
from groundplan.shapes import probes as probe_shapes


@dataclasses.dataclass(frozen=True)
class Watched:
    """An alert or a board of the author's own."""

    what: alerts.Alert | boards.Board
    origin: origins.Origin


@dataclasses.dataclass(frozen=True)
class Verification:
    """A program that exits 0 where the data of `service` adds up, run with what it finds around it."""

    service: service.Program
    process: processes.Process
    origin: origins.Origin


class Platform:
    """The ground plan. Nothing in it raises for an author's mistake; `groundplan.model.check` lists them all."""

    def __init__(self, name: str, *, version: str = "1.0.0", probes: probe_shapes.Probes | None = None) -> None:
        self.sheet = findings.begin()
        self.sheet.plan = self
        self.origin = origins.here()
        self.name = parts.checked_name(name, "platform", self.origin)
        self.file = pathlib.Path(self.origin.file).resolve()
        """The plan file."""
        self.version = version
        self.probes = probes or probe_shapes.Probes()
        self.namespaces: list[namespaces.Namespace] = []
        self.secrets: list[secret_shapes.Secret] = []
        self.externals: list[externals.External] = []
        self.entries: list[entries.Entry] = []
        self.story: processes.Process | None = None
        self.verifications: list[Verification] = []
        self.synced: gitops.Gitops | None = None
        self.environments: list[environments.Environment] = []
        self.watched: list[Watched] = []

    @property
    def url(self) -> values.PublicUrl:
        """Where the world finds it, late-bound: the environment's host, or the entry's address on a laptop."""
        return values.PublicUrl()

    def namespace(self, name: str, *, privileged: str = "") -> namespaces.Namespace:
        """A namespace, closed both ways but for the edges declared; `privileged` says why its pods may use the host."""
        made = namespaces.Namespace(name, self, privileged)
        self.namespaces.append(made)
        return made

    def secret(self, path: str, generator: secret_shapes.Generator) -> secret_shapes.Secret:
        """A secret at `path` of the environment's store; who needs it gets it as a file."""
        made = secret_shapes.Secret(path, generator, origins.here())
        self.secrets.append(made)
        return made

    def external(
        self, name: str, *, https: int | None = None, tcp: int | None = None, stand_in: externals.StandIn | None = None
    ) -> externals.External:
        """A system outside, reached by HTTPS or TCP on one port; `stand_in` plays it on a laptop."""
        if (https is None) == (tcp is None):
            findings.report(
                "GP105",
                f"external {name} says {'both' if https else 'neither'} https= and tcp=",
                remedy="give one of them a port",
            )
        port = ports.Port(https or tcp or 443, "http" if https else "tcp")
        made = externals.External(name, port, "https" if https else "", stand_in)
        self.externals.append(made)
        return made

    def internet(self, name: str, *, tcp: int, stand_in: externals.StandIn | None = None) -> externals.Internet:
        """Any public address on one port, for the few that must reach addresses that customers choose."""
        made = externals.Internet(name, ports.Port(tcp, "tcp"), "", stand_in)
        self.externals.append(made)
        return made

    def entry(
        self,
        controller: resource.Resource,
        routes: Mapping[str, endpoint.Endpoint],
        *,
        body: str = "1Mi",
        timeout: float = 60,
    ) -> None:
        """Lets the world in: path prefixes lead to endpoints; bodies up to `body`, answers within `timeout` seconds."""
        made = entries.checked(controller, routes, body, timeout)
        if made:
            self.entries.append(made)

    def tells(self, story: processes.Process) -> None:
        """Names the platform's own story: what ``groundplan demo`` plays against a fresh one."""
        self.story = story

    def watch(self, *things: alerts.Alert | boards.Board) -> None:
        """Adds alerts and boards of the platform's own to those that every platform has."""
        for thing in things:
            if isinstance(thing, alerts.Alert | boards.Board):
                self.watched.append(Watched(thing, origins.here()))
            else:
                findings.report("GP105", f"watch({thing!r})", remedy="give it an Alert(…) or a Board(…)")

    def verify(self, program: service.Program, process: processes.Process) -> None:
        """Names what must exit 0 wherever `program` runs, when its data adds up: asked after every restore."""
        if not isinstance(program, service.Program):
            findings.report(
                "GP106",
                f"verify({program!r}, …)",
                why="it runs where a program runs, with what that finds around it",
                remedy="name a service, worker or job of the plan",
            )
            return
        checked = service.checked_process(program.name, process)
        self.verifications.append(Verification(program, checked, origins.here()))

    def gitops(self, repository: str, *, folder: str = "deploy", namespace: str = "argocd") -> None:
        """Says where ``deploy/`` is committed: `folder` of a Git repository, read by the Argo CD in `namespace`."""
        if self.synced:
            remedy = "name one repository"
            findings.report("GP102", "plan.gitops", why=f"the first is at {self.synced.origin}", remedy=remedy)
        self.synced = gitops.checked(repository, folder, namespace)

    def local(self, **defaults: object) -> environments.Environment:
        """The laptop as an environment; `defaults` hold for every component that has such a setting."""
        return self._environment("local", defaults, local=True)

    def environment(self, name: str, **defaults: object) -> environments.Environment:
        """A cluster. Words of it, beside settings that hold for all: `host` and `registry` (where the world finds it,
        and where the image of the platform's own code is), `secrets` (a Vault of the plan, or another store),
        `certificates` (a CertManager of the plan: engines then speak TLS alone, with certificates from it),
        `issuer` (cert-manager's ClusterIssuer, where TLS ends here), `gateway` (``namespace/name``, for an
        HTTPRoute beside the Ingress), `availability_zones`, `storage` (a size, or ``"ephemeral"``),
        `storage_class`, `replicas`, `resources`, `backups` (an ObjectStore, a Volume, or NoBackup with the reason),
        `api_server`, `nodes` and `ranges` (CIDRs: where they are, and what no edge to the outside may reach). With
        `gitops`: `sync` (``"manual"``, ``"automated"``, or ``"approved"``, by moving a `revision` of its own),
        `revision` (a branch or tag), `cluster` (its URL or its name in Argo CD)."""
        return self._environment(name, defaults, local=False)

    def _environment(self, name: str, defaults: Mapping[str, object], *, local: bool) -> environments.Environment:
        made = environments.Environment(name, local=local, defaults=defaults)
        self.environments.append(made)
        return made

    @property
    def components(self) -> Iterator[parts.Component]:
        """Everything in a namespace, in the order of names."""
        everything = [component for space in self.namespaces for component in space.components]
        return iter(sorted(everything, key=lambda component: component.name))

    @property
    def resources(self) -> Iterator[resource.Resource]:
        return (each for each in self.components if isinstance(each, resource.Resource))

    @property
    def programs(self) -> Iterator[service.Program]:
        return (each for each in self.components if isinstance(each, service.Program))

    @property
    def edges(self) -> Iterator[parts.Edge]:
        """Every edge, in the order of its holder's name and then as declared."""
        return (edge for component in self.components for edge in component.edges)

    def edges_to(self, target: object) -> tuple[parts.Edge, ...]:
        """The edges that lead to `target`."""
        return tuple(edge for edge in self.edges if edge.right.target is target)

    @property
    def kept(self) -> dict[str, secret_shapes.Secret]:
        """Every secret that must exist, by path: the author's, those of rights, and the resources' own."""
        found = [*self.secrets]
        for edge in self.edges:
            found += edge.right.secrets(edge.source)
        for engine in self.resources:
            found += engine.secrets()
        return {secret.path: secret for secret in found}
