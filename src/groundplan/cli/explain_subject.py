"""``groundplan explain`` of an object, a variable or a service, in words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from groundplan.cli import output

if TYPE_CHECKING:
    from groundplan.reasons import components, things, variables


def run(word: str, plan: Path, as_json: bool) -> int:
    """Tells all there is to tell of one thing of a platform."""
    from groundplan.delivery import deploy
    from groundplan.delivery.images import lock
    from groundplan.model import load
    from groundplan.reasons import components, subjects, things

    loaded = load.load(plan)
    world = subjects.World(loaded, deploy.lowered(loaded, lock.read(loaded.file.parent)))
    try:
        found = subjects.explain(word, world)
    except subjects.Unknown as error:
        raise click.UsageError(str(error)) from None
    if as_json:
        output.emit(found)
    elif isinstance(found, components.Component):
        click.echo("\n".join(_component(found)))
    else:
        click.echo("\n".join(_thing(found) if isinstance(found, things.Thing) else _variable(found)))
    return output.OK


def _thing(found: things.Thing) -> Iterator[str]:
    yield f"{found.object}    {found.origin}, by the pass {found.by}"
    missing = f"; not in {', '.join(found.missing)}" if found.missing else ""
    yield f"  in {', '.join(found.environments)}{missing}"
    for env, fields in found.differences.items():
        yield f"  only so in {env}:"
        yield from (f"    {path.lstrip('/')}: {value}" for path, value in fields.items())
    for side, title in (("in", "lets in:"), ("out", "lets out:")):
        some = [each for each in found.connections if each.side == side]
        if some:
            yield f"  {title}"
        yield from (f"    {each.other} {each.ports}: {each.why}    {each.origin}" for each in some)


def _variable(found: variables.Variable) -> Iterator[str]:
    yield found.variable
    for each in found.holders:
        yield f"  of {each.program}: {each.because}    {each.origin}"
        yield from (f"    {env:<12} {value}" for env, value in each.values.items())


def _component(found: components.Component) -> Iterator[str]:
    ports = ", ".join(f"{name} {number}" for name, number in found.ports.items())
    yield f"{found.kind} {found.component} in namespace {found.namespace}    {found.origin}"
    if ports:
        yield f"  listens on {ports}"
    for title, lines in (("needs", found.needs), ("needed by", found.needed), ("set for", found.settings)):
        if lines:
            yield f"  {title}:"
        yield from (f"    {each.what}    {each.origin}" for each in lines)
    if found.variables:
        yield "  finds around it:"
    yield from (f"    {name}: {because}" for name, because in found.variables.items())
    if found.objects:
        yield "  becomes:"
    yield from (f"    {each.object}, by {each.by}, in {', '.join(each.environments)}" for each in found.objects)
