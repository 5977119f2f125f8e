"""What is known of a cluster while a platform is lowered, and late-bound values filled in with it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from groundplan.kubernetes import settings
from groundplan.model import component, environment, external, platform, service, store
from groundplan.shapes import workloads
from groundplan_runtime import contract

FILES = "/files"
"""Where the files of engines and their steps lie."""
AUTHORITY = "/authority"
"""Where whoever talks to an engine finds ca.crt."""
TOKEN_ISSUER, TOKEN_KEYS = "platform/token-issuer", "platform/token-keys"
"""Paths of the store with the issuer and the public keys of the cluster's ServiceAccount tokens."""

_MARK = "\0"
"""Stands around a secret's path in resolved text: no value and no file of Kubernetes can hold it."""


@dataclasses.dataclass(frozen=True)
class Cluster:
    """One environment of a platform. It is a `groundplan.shapes.values.Resolver`."""

    plan: platform.Platform
    environment: environment.Environment
    components: Mapping[str, component.Component]
    externals: Mapping[str, external.External]
    answers: Mapping[str, workloads.Answer]
    """What the resources run as, by name."""
    callers: Mapping[str, tuple[component.Edge, ...]]
    """The edges that lead to a component or an external, by its name."""
    digests: Mapping[str, str]
    """What the tags of images stand for, as far as it was looked up."""

    def leading_to(self, name: str) -> tuple[component.Edge, ...]:
        """The edges that lead to a component or an external."""
        return self.callers.get(name, ())

    @property
    def store(self) -> store.Store | None:
        """Where this environment keeps its secrets."""
        return settings.store(self.environment)

    def keeps_secrets(self, owner: component.Component) -> bool:
        """Whether workloads fetch their secrets from it."""
        server = self.store.server if self.store else None
        return server is not None and server[0] is owner

    def host(self, owner: str, port: str) -> str:
        if owner in self.externals:
            return settings.host_of(self.environment, self.externals[owner]) or owner
        return f"{owner}.{self.components[owner].namespace}"

    def port(self, owner: str, port: str) -> int:
        if owner in self.externals:
            return self.externals[owner].port.number
        shape = self.components[owner].ports[port]
        return shape.number if self.is_headless(owner) else shape.exposed

    def scheme(self, owner: str, port: str) -> str:
        return self.externals[owner].scheme if owner in self.externals else "http"

    def secret(self, path: str) -> str:
        return mark(path)

    def token_file(self, caller: str, callee: str) -> str:
        return f"{contract.SECRETS_DIRECTORY}/{contract.TOKENS_DIRECTORY}/{callee}"

    def folder(self, name: str) -> str:
        answer = self.answers.get(name)
        return answer.data if isinstance(answer, workloads.Stateful) else "/data"

    def files(self, name: str) -> str:
        return FILES

    def program(self, owner: str, name: str) -> str:
        return name

    def public_url(self) -> str:
        return f"https://{settings.host(self.environment)}"

    def token_issuer(self) -> str:
        return self.secret(TOKEN_ISSUER)

    def token_keys(self) -> str:
        return self.secret(TOKEN_KEYS)

    def option(self, owner: str, name: str) -> str:
        found = self.environment.own(self.externals[owner], name)
        listed = found.value if found else ()
        return ",".join(str(each) for each in listed) if isinstance(listed, list | tuple) else ""

    def encrypts(self, owner: str) -> bool:
        answer = self.answers.get(owner)
        able = isinstance(answer, workloads.Engine) and bool(answer.certificate)
        return able and self.environment.certificates is not None

    def authority(self) -> str:
        return f"{AUTHORITY}/ca.crt"

    def peers(self, owner: str) -> workloads.Peers | None:
        """How the replicas of an engine find each other; None where it has one."""
        answer = self.answers.get(owner)
        return answer.peers if isinstance(answer, workloads.Stateful) else None

    def is_headless(self, owner: str) -> bool:
        """Whether its name resolves to every replica: engines with a disk, whose clients try one address after the
        other, and services that speak gRPC alone, whose clients spread their calls by themselves."""
        if isinstance(self.answers.get(owner), workloads.Stateful):
            return True
        found = self.components[owner]
        spoken = {port.speaks for name, port in found.ports.items() if name != "metrics"}
        return isinstance(found, service.Program) and spoken == {"grpc"}


def of(plan: platform.Platform, env: environment.Environment, digests: Mapping[str, str]) -> Cluster:
    """The cluster that `env` describes."""
    callers: dict[str, list[component.Edge]] = {}
    for edge in plan.edges:
        if isinstance(edge.right.target, component.Component | external.External):
            callers.setdefault(edge.right.target.name, []).append(edge)
    edges = {name: tuple(found) for name, found in callers.items()}
    return Cluster(
        plan=plan,
        environment=env,
        components={each.name: each for each in plan.components},
        externals={each.name: each for each in plan.externals},
        answers={each.name: each.objects(env, edges.get(each.name, ())) for each in plan.resources},
        callers=edges,
        digests=digests,
    )


def mark(path: str) -> str:
    """What stands in resolved text for the secret at `path`."""
    return f"{_MARK}{path}{_MARK}"


def secret_paths(text: str) -> tuple[str, ...]:
    """The paths of the secrets in resolved `text`."""
    return tuple(text.split(_MARK)[1::2])


def template(text: str, to: store.Store) -> str:
    """Resolved `text` as a template of a store."""
    pieces = text.split(_MARK)
    return "".join(to.says(piece) if number % 2 else to.quotes(piece) for number, piece in enumerate(pieces))
