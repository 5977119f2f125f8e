"""A variable: who finds it around them, which edge gives it, and what it is here and in each cluster.

A secret's place is told, never its text.
"""

from __future__ import annotations

import dataclasses

from groundplan.kubernetes import clusters
from groundplan.model import platform, service, surroundings
from groundplan.shapes import values

BLOT = "•••"


@dataclasses.dataclass(frozen=True)
class Holder:
    """One program that finds the variable."""

    program: str
    because: str
    """The edge, or who else gave it."""
    origin: str
    secret: bool
    """Whether it is a file, and the variable says where."""
    values: dict[str, str]
    """By environment; ports of this machine are chosen when it starts."""


@dataclasses.dataclass(frozen=True)
class Variable:
    """Everything there is to tell of a variable."""

    variable: str
    holders: tuple[Holder, ...]


def names(plan: platform.Platform) -> tuple[str, ...]:
    """Every variable that some program finds."""
    return tuple(sorted({name for program in plan.programs for name in given(program, plan)}))


def given(program: service.Program, plan: platform.Platform) -> dict[str, tuple[str, str]]:
    """What a program finds, with the reason and the plan's line."""
    found: dict[str, tuple[str, str]] = {}
    for env in plan.environments:
        around = surroundings.of(program, plan, env, plan.edges_to(program))
        for name in (*around.variables, *around.files):
            found.setdefault(name, (f"{plan.name} gives it to every service that needs it", str(program.origin)))
    found |= {name: (f"the plan gives it to {program.name}", str(program.origin)) for name in program.environment}
    for edge in program.edges:
        for each in edge.right.variables(program):
            found[each.name] = (f"{program.name} → {edge.right}", str(edge.origin))
    return found


def of(name: str, plan: platform.Platform) -> Variable:
    """What is told of one of `names`."""
    holders = []
    for program in plan.programs:
        because = given(program, plan).get(name)
        if because:
            secret, found = _values(name, program, plan)
            holders.append(Holder(program.name, *because, secret, found))
    return Variable(name, tuple(holders))


def _values(name: str, program: service.Program, plan: platform.Platform) -> tuple[bool, dict[str, str]]:
    secret, found = False, {}
    for env in plan.environments:
        around = surroundings.of(program, plan, env, plan.edges_to(program))
        resolver: values.Resolver = _Here(plan) if env.local else clusters.of(plan, env, {})
        if name in around.files:
            secret = True
            file = around.files[name]
            content = " ".join(_blotted(file.content.resolve(resolver)).split())
            found[env.name] = f"a file at {'' if env.local else '/'}{file.path}: {_short(content)}"
        elif name in around.variables:
            found[env.name] = _blotted(around.variables[name].resolve(resolver))
    return secret, found


def _short(text: str) -> str:
    return text if len(text) <= 160 else f"{text[:160]}…"


class _Port(int):
    """A port that is chosen when the platform starts."""

    def __format__(self, spec: str) -> str:
        return "PORT"

    __str__ = __repr__ = lambda self: "PORT"


class _Here:
    """This machine, as far as a plan tells. It is a `values.Resolver`."""

    def __init__(self, plan: platform.Platform) -> None:
        self.plan = plan

    def host(self, owner: str, port: str) -> str:
        return "127.0.0.1"

    def port(self, owner: str, port: str) -> int:
        return _Port(-1)

    def scheme(self, owner: str, port: str) -> str:
        return "http"

    def secret(self, path: str) -> str:
        return BLOT

    def token_file(self, caller: str, callee: str) -> str:
        return f".groundplan/local/files/{caller}/secrets/tokens/{callee}"

    def folder(self, name: str) -> str:
        return f".groundplan/local/data/{name}"

    def files(self, name: str) -> str:
        return f".groundplan/local/files/{name}"

    def program(self, owner: str, name: str) -> str:
        return name

    def encrypts(self, owner: str) -> bool:
        return False

    def authority(self) -> str:
        raise LookupError("nobody vouches for certificates on this machine")

    def public_url(self) -> str:
        return "http://127.0.0.1:PORT"

    def token_issuer(self) -> str:
        return f"groundplan:{self.plan.name}"

    def token_keys(self) -> str:
        return "this machine's keys"

    def option(self, owner: str, name: str) -> str:
        return "127.0.0.1:PORT"


def _blotted(text: str) -> str:
    """Text that a cluster's store fills in, with the path of each secret beside its blot."""
    for path in clusters.secret_paths(text):
        text = text.replace(clusters.mark(path), f"{BLOT}{path}{BLOT}")
    return text
