"""What a program finds around it, late-bound: the variables and files that every backend gives it.

The names are those of `groundplan_runtime.contract`. Both backends read this, so that a laptop and a
cluster cannot disagree about what a service is told.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence

from groundplan.model import component, environment, platform, rights, service
from groundplan.shapes import values
from groundplan_runtime import contract

CALLERS_FILE = "config/callers.json"


@dataclasses.dataclass(frozen=True)
class Surroundings:
    """Plain variables, files by the variable that refers to them, and the callees it holds a token for."""

    variables: dict[str, values.Value]
    files: dict[str, File]
    callees: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class File:
    """A file that a variable refers to; `path` is relative: ``secrets/database-dsn``."""

    path: str
    content: values.Value


def of(
    program: service.Program,
    plan: platform.Platform,
    env: environment.Environment,
    leading_to: Sequence[component.Edge],
) -> Surroundings:
    """Everything that edges and the author give to `program`, apart from what each replica has of its own.

    `leading_to` are the edges that lead to it (`Platform.edges_to`).
    """
    given = [*_own(program, plan).items(), *_said(program, env).items()]
    for edge in program.edges:
        given += [(variable.name, variable.value) for variable in edge.right.variables(program)]
    files = {name: _secret(name, value) for name, value in given if value.sensitive}
    if _is_called(program):
        files[contract.CALLERS] = File(CALLERS_FILE, callers(program, plan, leading_to))
    plain = {name: value for name, value in given if not value.sensitive}
    return Surroundings(plain, files, callees(program))


def callees(program: component.Component) -> tuple[str, ...]:
    """Whom it calls, by name."""
    return tuple(sorted({edge.right.target.name for edge in program.edges if isinstance(edge.right, rights.Call)}))


def callers(program: service.Program, plan: platform.Platform, leading_to: Sequence[component.Edge]) -> values.Value:
    """Who may call it, and what: from the edges that lead to it. The world is let in where an entry leads to it."""
    content: dict[str, object] = {"audience": program.name, "callers": _allowed(leading_to)}
    if any(endpoint.owner is program for entry in plan.entries for _, endpoint in entry.routes):
        content["anonymous"] = {"http": ["*"]}
    said = json.dumps(content, sort_keys=True, indent=1).removesuffix("\n}")
    parts = (said, ',\n "issuer": "', values.TokenIssuer(), '",\n "jwks": ', values.TokenKeys(), "\n}\n")
    return values.Text(tuple(values.of(part) for part in parts))


def _allowed(leading_to: Sequence[component.Edge]) -> dict[str, dict[str, list[str]]]:
    allowed: dict[str, dict[str, set[str]]] = {}
    for edge in leading_to:
        if not isinstance(edge.right, rights.Call) or edge.right.endpoint.port is None:
            continue
        identity = contract.workload(edge.source.namespace or "", edge.source.name)
        listed = allowed.setdefault(identity, {}).setdefault(edge.right.endpoint.port.speaks, set())
        listed.update(edge.right.methods or ("*",))
    return {name: {speaks: sorted(rules) for speaks, rules in each.items()} for name, each in allowed.items()}


def _own(program: service.Program, plan: platform.Platform) -> dict[str, values.Value]:
    return {
        contract.SERVICE_NAME: values.Literal(program.name),
        contract.SERVICE_NAMESPACE: values.Literal(program.namespace or ""),
        contract.SERVICE_VERSION: values.Literal(plan.version),
    }


def _said(program: service.Program, env: environment.Environment) -> dict[str, values.Value]:
    extra = env.setting(program, "env", {})
    return {**program.environment, **{key: values.of(value) for key, value in dict(extra).items()}}  # type: ignore[call-overload]


def _secret(name: str, value: values.Value) -> File:
    return File(f"{contract.SECRETS_DIRECTORY[1:]}/{contract.file_name(name)}", value)


def _is_called(program: service.Program) -> bool:
    return any(port.speaks in ("http", "grpc") for name, port in program.ports.items() if name != "metrics")
