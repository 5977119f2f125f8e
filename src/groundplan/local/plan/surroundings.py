"""What a program finds around it: variables and files. The names are those of `groundplan_runtime.contract`."""

from __future__ import annotations

import dataclasses

from groundplan.local.plan import site, units
from groundplan.model import service, surroundings
from groundplan_runtime import contract

DRAIN = 10


@dataclasses.dataclass(frozen=True)
class Surroundings:
    """Variables of every replica, and the files they refer to."""

    variables: dict[str, str]
    files: tuple[units.File, ...]


def of(program: service.Program, here: site.Site) -> Surroundings:
    """Everything that edges and the author give to `program`, apart from what each replica has of its own."""
    around = surroundings.of(program, here.plan, here.environment, here.plan.edges_to(program))
    variables = {name: value.resolve(here) for name, value in around.variables.items()}
    variables[contract.DRAIN_SECONDS] = str(DRAIN)
    files = [_token(program.name, callee, here) for callee in around.callees]
    for name, file in around.files.items():
        path = f"{here.files(program.name)}/{file.path}"
        files.append(units.File(path=path, content=file.content.resolve(here), secret=file.content.sensitive))
        variables[name] = contract.file_reference(path)
    unique = {file.path: file for file in files}
    return Surroundings(variables, tuple(unique[path] for path in sorted(unique)))


def _token(caller: str, callee: str, here: site.Site) -> units.File:
    return units.File(path=here.token_file(caller, callee), content=here.tokens[caller, callee], secret=True)
