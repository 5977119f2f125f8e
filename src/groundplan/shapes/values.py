"""Late-bound values: known to be there while the plan is read, filled in by a backend.

The same value is a loopback port on a laptop and a DNS name in a cluster, so it cannot be turned into
text while the plan is read: `str()` of one raises `LateBoundError`, which says what to use instead.
"""

from __future__ import annotations

import abc
import dataclasses
import string
from typing import NoReturn, Protocol


class LateBoundError(TypeError):
    """A late-bound value was turned into text before a backend could fill it in."""


class Resolver(Protocol):
    """What a backend knows: where an endpoint is, what a secret holds, where a file lies."""

    def host(self, owner: str, port: str) -> str: ...
    def port(self, owner: str, port: str) -> int: ...
    def scheme(self, owner: str, port: str) -> str: ...
    def secret(self, path: str) -> str: ...
    def token_file(self, caller: str, callee: str) -> str: ...
    def folder(self, name: str) -> str: ...
    def files(self, name: str) -> str: ...
    def program(self, owner: str, name: str) -> str: ...
    def public_url(self) -> str: ...
    def token_issuer(self) -> str: ...
    def token_keys(self) -> str: ...
    def option(self, owner: str, name: str) -> str: ...
    def encrypts(self, owner: str) -> bool: ...
    def authority(self) -> str: ...


class Value(abc.ABC):
    """Something that a backend turns into text."""

    @property
    def sensitive(self) -> bool:
        """Whether it holds a secret: it then goes into a file of mode 0600, never into a variable."""
        return False

    @abc.abstractmethod
    def resolve(self, to: Resolver) -> str:
        """The text here."""

    def __str__(self) -> NoReturn:
        raise LateBoundError(
            f"{type(self).__name__} has no text yet: a laptop and a cluster fill it in differently. "
            "Pass the value itself (env={'NAME': value}), or build one with groundplan.text('http://{}/x', value)."
        )

    def __format__(self, spec: str) -> NoReturn:
        self.__str__()


@dataclasses.dataclass(frozen=True)
class Literal(Value):
    """Text that is the same everywhere."""

    text: str

    def resolve(self, to: Resolver) -> str:
        return self.text


@dataclasses.dataclass(frozen=True)
class Address(Value):
    """``host:port`` of an endpoint."""

    owner: str
    port: str

    def resolve(self, to: Resolver) -> str:
        return f"{to.host(self.owner, self.port)}:{to.port(self.owner, self.port)}"


@dataclasses.dataclass(frozen=True)
class PortNumber(Value):
    """The number on which an endpoint is reached."""

    owner: str
    port: str

    def resolve(self, to: Resolver) -> str:
        return str(to.port(self.owner, self.port))


@dataclasses.dataclass(frozen=True)
class Host(Value):
    """The host on which an endpoint is reached."""

    owner: str
    port: str

    def resolve(self, to: Resolver) -> str:
        return to.host(self.owner, self.port)


@dataclasses.dataclass(frozen=True)
class Url(Value):
    """The base URL of an HTTP endpoint, without a slash at its end; default ports are left out."""

    owner: str
    port: str
    path: str = ""

    def resolve(self, to: Resolver) -> str:
        scheme, number = to.scheme(self.owner, self.port), to.port(self.owner, self.port)
        default = {"http": 80, "https": 443}.get(scheme) == number
        return f"{scheme}://{to.host(self.owner, self.port)}{'' if default else f':{number}'}{self.path}"


@dataclasses.dataclass(frozen=True)
class SecretText(Value):
    """What a secret holds."""

    path: str

    @property
    def sensitive(self) -> bool:
        return True

    def resolve(self, to: Resolver) -> str:
        return to.secret(self.path)


@dataclasses.dataclass(frozen=True)
class TokenFile(Value):
    """Reference to the file with the token by which `caller` is known to `callee`."""

    caller: str
    callee: str

    def resolve(self, to: Resolver) -> str:
        return f"file://{to.token_file(self.caller, self.callee)}"


@dataclasses.dataclass(frozen=True)
class Folder(Value):
    """A directory of a component's own that outlives its process."""

    name: str

    def resolve(self, to: Resolver) -> str:
        return to.folder(self.name)


@dataclasses.dataclass(frozen=True)
class Files(Value):
    """The directory with the files that a component was given."""

    name: str

    def resolve(self, to: Resolver) -> str:
        return to.files(self.name)


@dataclasses.dataclass(frozen=True)
class PublicUrl(Value):
    """Where the world finds the platform, without a slash at the end."""

    def resolve(self, to: Resolver) -> str:
        return to.public_url()


@dataclasses.dataclass(frozen=True)
class TokenIssuer(Value):
    """Who signs the workloads' tokens, as their ``iss`` says it."""

    def resolve(self, to: Resolver) -> str:
        return to.token_issuer()


@dataclasses.dataclass(frozen=True)
class TokenKeys(Value):
    """The JSON Web Key Set that verifies the workloads' tokens (RFC 7517)."""

    def resolve(self, to: Resolver) -> str:
        return to.token_keys()


@dataclasses.dataclass(frozen=True)
class Program(Value):
    """Where an engine's program was found."""

    owner: str
    name: str

    def resolve(self, to: Resolver) -> str:
        return to.program(self.owner, self.name)


@dataclasses.dataclass(frozen=True)
class Option(Value):
    """What the environment sets for a component, as text."""

    owner: str
    name: str

    def resolve(self, to: Resolver) -> str:
        return to.option(self.owner, self.name)


@dataclasses.dataclass(frozen=True)
class Authority(Value):
    """The file with the certificate of whoever vouches for the engines' certificates (PEM)."""

    def resolve(self, to: Resolver) -> str:
        return to.authority()


@dataclasses.dataclass(frozen=True)
class Encrypted(Value):
    """`secured` where an engine speaks TLS, `plain` where it does not."""

    owner: str
    secured: Value
    plain: Value

    @property
    def sensitive(self) -> bool:
        return self.secured.sensitive or self.plain.sensitive

    def resolve(self, to: Resolver) -> str:
        return (self.secured if to.encrypts(self.owner) else self.plain).resolve(to)


@dataclasses.dataclass(frozen=True)
class Text(Value):
    """Text with values in it."""

    parts: tuple[Value, ...]

    @property
    def sensitive(self) -> bool:
        return any(part.sensitive for part in self.parts)

    def resolve(self, to: Resolver) -> str:
        return "".join(part.resolve(to) for part in self.parts)


def encrypted(owner: str, secured: str | Value, plain: str | Value) -> Encrypted:
    """`secured` where the engine called `owner` speaks TLS, `plain` where it does not."""
    return Encrypted(owner, of(secured), of(plain))


def of(value: str | Value) -> Value:
    """A plain string as a value; a value as it is."""
    return value if isinstance(value, Value) else Literal(value)


def text(template: str, *values: str | Value, **named: str | Value) -> Text:
    """`template` with each ``{}`` or ``{name}`` replaced by a value when a backend fills it in.

    Raises IndexError or KeyError when a field has no value, as `str.format` does.
    """
    parts: list[Value] = []
    position = 0
    for literal, field, _, _ in string.Formatter().parse(template):
        if literal:
            parts.append(Literal(literal))
        if field is None:
            continue
        if field:
            parts.append(of(named[field]))
        else:
            parts.append(of(values[position]))
            position += 1
    return Text(tuple(parts))
