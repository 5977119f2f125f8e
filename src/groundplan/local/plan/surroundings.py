"""What a program finds around it: variables and files. The names are those of `groundplan_runtime.contract`."""

from __future__ import annotations

import dataclasses
import json

from groundplan.local.plan import site, units
from groundplan.model import component, environment, rights, service
from groundplan.shapes import values
from groundplan_runtime import contract

DRAIN = 10


@dataclasses.dataclass(frozen=True)
class Surroundings:
    """Variables of every replica, and the files they refer to."""

    variables: dict[str, str]
    files: tuple[units.File, ...]


def of(program: service.Program, here: site.Site) -> Surroundings:
    """Everything that edges and the author give to `program`, apart from what each replica has of its own."""
    variables = {
        contract.SERVICE_NAME: program.name,
        contract.SERVICE_NAMESPACE: program.namespace or "",
        contract.SERVICE_VERSION: here.plan.version,
        contract.DRAIN_SECONDS: str(DRAIN),
    }
    files: list[units.File] = []
    for name, value in _given(program, here.environment).items():
        _put(program.name, name, value, here, variables, files)
    for edge in program.edges:
        for variable in edge.right.variables(program):
            _put(program.name, variable.name, variable.value, here, variables, files)
        if isinstance(edge.right, rights.Call):
            files.append(_token(program.name, edge.right.target.name, here))
    if any(port.speaks in ("http", "grpc") for name, port in program.ports.items() if name != "metrics"):
        path = f"{here.files(program.name)}/config/callers.json"
        files.append(units.File(path=path, content=callers(program, here)))
        variables[contract.CALLERS] = contract.file_reference(path)
    unique = {file.path: file for file in files}
    return Surroundings(variables, tuple(unique[path] for path in sorted(unique)))


def _given(program: component.Component, env: environment.Environment) -> dict[str, values.Value]:
    extra = env.setting(program, "env", {})
    return {**program.environment, **{key: values.of(value) for key, value in dict(extra).items()}}  # type: ignore[call-overload]


def _put(
    owner: str, name: str, value: values.Value, here: site.Site, variables: dict[str, str], files: list[units.File]
) -> None:
    if not value.sensitive:
        variables[name] = value.resolve(here)
        return
    path = f"{here.files(owner)}{contract.SECRETS_DIRECTORY}/{contract.file_name(name)}"
    files.append(units.File(path=path, content=value.resolve(here), secret=True))
    variables[name] = contract.file_reference(path)


def _token(caller: str, callee: str, here: site.Site) -> units.File:
    return units.File(path=here.token_file(caller, callee), content=here.tokens[caller, callee], secret=True)


def callers(program: service.Program, here: site.Site) -> str:
    """Who may call it, and what: from the edges that lead to it. The world is let in where an entry leads to it."""
    allowed: dict[str, dict[str, list[str]]] = {}
    for edge in here.plan.edges_to(program):
        if not isinstance(edge.right, rights.Call) or edge.right.endpoint.port is None:
            continue
        speaks = edge.right.endpoint.port.speaks
        identity = contract.workload(edge.source.namespace or "", edge.source.name)
        listed = allowed.setdefault(identity, {}).setdefault(speaks, [])
        listed += [method for method in edge.right.methods or ("*",) if method not in listed]
    content: dict[str, object] = {
        "audience": program.name,
        "issuer": here.issuer,
        "jwks": json.loads(here.jwks),
        "callers": allowed,
    }
    if any(endpoint.owner is program for entry in here.plan.entries for _, endpoint in entry.routes):
        content["anonymous"] = {"http": ["*"]}
    return json.dumps(content, sort_keys=True, indent=1)
