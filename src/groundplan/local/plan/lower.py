"""A platform on this machine: every component lowered, in the order of names."""

from __future__ import annotations

from collections.abc import Iterator

from groundplan.local.plan import demands, engines, monitoring, programs, site, units
from groundplan.model import resource
from groundplan.shapes import processes

NOTES = (
    "addresses and credentials are handed out per edge, and callees check who calls what; "
    "packets are not filtered here",
)


def lower(here: site.Site, only: tuple[str, ...] = (), *, monitored: bool = False) -> units.LocalPlan:
    """Everything that runs here, or only the components named and what they need; and who watches it."""
    everything = sorted(_units(here), key=lambda unit: unit.name)
    if only:
        everything = [*_closure(everything, only)]
    if monitored:
        watchers = monitoring.lower(here, {unit.name for unit in everything})
        everything = sorted([*everything, *watchers], key=lambda unit: unit.name)
    return units.LocalPlan(
        platform=here.plan.name,
        environment=here.environment.name,
        units=tuple(everything),
        notes=(*NOTES, *_absences(here, monitored)),
        entries=_entries(here),
        masks=_masks(here),
    )


def _units(here: site.Site) -> Iterator[units.Unit]:
    stand_ins = {id(each.stand_in) for each in here.plan.externals}
    for engine in demands.engines(here.plan):
        yield from engines.lower(engine, here, stand_in=id(engine) in stand_ins)
    for outside in here.plan.externals:
        if outside.stand_in is not None and not isinstance(outside.stand_in, resource.Resource):
            yield engines.stand_in(outside, outside.stand_in, here)
    for program in here.plan.programs:
        unit = programs.lower(program, here)
        if unit is not None:
            yield unit


def _absences(here: site.Site, monitored: bool) -> Iterator[str]:
    for engine in here.plan.resources:
        if monitored and engine.name == monitoring.scraper(here.plan):
            continue
        answer = engine.runs_here(here.plan.edges_to(engine))
        if isinstance(answer, processes.NotHere):
            yield f"{engine.name} does not run here: {answer.reason}"


def _entries(here: site.Site) -> tuple[tuple[str, str], ...]:
    return tuple((path, endpoint.url.resolve(here)) for entry in here.plan.entries for path, endpoint in entry.routes)


def _masks(here: site.Site) -> tuple[str, ...]:
    """Every secret and token; short ones would mask ordinary words."""
    known = {*here.secrets.values(), *here.tokens.values()}
    return tuple(sorted(text for text in known if len(text) >= 12))


def _closure(everything: list[units.Unit], only: tuple[str, ...]) -> Iterator[units.Unit]:
    """The units named, and what they come after, talk to, or belong to."""
    by_name = {unit.name: unit for unit in everything}
    wanted: set[str] = set()
    queue = list(only)
    while queue:
        name = queue.pop()
        if name in wanted or name not in by_name:
            continue
        wanted.add(name)
        unit = by_name[name]
        queue += [*unit.after, *(getattr(unit, "needs", ()))]
        if name in only:
            queue += [each.name for each in everything if isinstance(each, units.Task) and each.owner == name]
    return (unit for unit in everything if unit.name in wanted)
