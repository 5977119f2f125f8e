"""Rights: what an edge carries, and what follows from it for the one who holds it.

A resource brings rights of its own kind (a database role, a key prefix) as subclasses of `Right`.
"""

from __future__ import annotations

import abc
import dataclasses
from typing import TYPE_CHECKING, ClassVar, Self

from groundplan.model import needable, secrets
from groundplan.shapes import values
from groundplan_runtime import contract

if TYPE_CHECKING:
    from groundplan.model import component, endpoint
    from groundplan.model import external as externals


@dataclasses.dataclass(frozen=True)
class Variable:
    """What a right puts into its holder's environment; a sensitive value goes into a file."""

    name: str
    value: values.Value


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Right(needable.Needable):
    """Something a component may be given."""

    variable: str | None = None
    gate: bool = False
    spare: ClassVar[bool] = False
    """Whether its holder starts and works as well while its target is away."""

    @property
    @abc.abstractmethod
    def target(self) -> component.Component | externals.External | secrets.Secret:
        """Who grants it."""

    @abc.abstractmethod
    def variables(self, holder: component.Component) -> tuple[Variable, ...]:
        """What its holder finds in its environment."""

    @property
    def opens(self) -> tuple[str, ...]:
        """The target's ports that it opens, by name."""
        return ()

    @property
    def gates(self) -> str | None:
        """The step of the target that must come first, beside the target itself."""
        return None

    def secrets(self, holder: component.Component) -> tuple[secrets.Secret, ...]:
        """Secrets that exist because of it."""
        return ()

    @abc.abstractmethod
    def __str__(self) -> str:
        """In words, after the holder's name and an arrow."""

    def as_right(self) -> Self:
        return self

    def renamed(self, variable: str) -> Self:
        """The same right, its value in `variable`."""
        return dataclasses.replace(self, variable=variable)

    def gated(self) -> Self:
        """The same right; its target must be ready before the holder starts."""
        return dataclasses.replace(self, gate=True)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Call(Right):
    """May call an endpoint, or only some of its methods. Not a gate unless asked: services may need each other."""

    endpoint: endpoint.Endpoint
    methods: tuple[str, ...] = ()

    @property
    def target(self) -> component.Component:
        return self.endpoint.owner

    @property
    def opens(self) -> tuple[str, ...]:
        return (self.endpoint.name,)

    def variables(self, holder: component.Component) -> tuple[Variable, ...]:
        owner, port = self.endpoint.owner.name, self.endpoint.name
        speaks = self.endpoint.port.speaks if self.endpoint.port else "tcp"
        if speaks == "http":
            place = Variable(self.variable or contract.url_variable(owner, port), self.endpoint.url)
        else:
            place = Variable(self.variable or contract.address_variable(owner, port), self.endpoint.address)
        token = Variable(contract.token_variable(owner), values.TokenFile(holder.name, owner))
        return (place, token)

    def __str__(self) -> str:
        limited = f" ({', '.join(self.methods)})" if self.methods else ""
        return f"{self.endpoint.owner.name}:{self.endpoint.name}{limited}"


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class ReadSecret(Right):
    """May read a secret, as a file."""

    secret: secrets.Secret

    @property
    def target(self) -> secrets.Secret:
        return self.secret

    def variables(self, holder: component.Component) -> tuple[Variable, ...]:
        name = self.variable or contract.secret_variable(self.secret.path)
        return (Variable(name, self.secret.value),)

    def __str__(self) -> str:
        return f"secret {self.secret.path}"


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Reach(Right):
    """May reach something outside the platform."""

    external: externals.External

    @property
    def target(self) -> externals.External:
        return self.external

    @property
    def opens(self) -> tuple[str, ...]:
        return (self.external.port_name,)

    def variables(self, holder: component.Component) -> tuple[Variable, ...]:
        return self.external.variables(self.variable)

    def __str__(self) -> str:
        return f"external {self.external.name}"
