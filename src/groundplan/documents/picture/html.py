"""The page to look at: the drawing, who may reach whom as a grid, and every connection with its reason.

One file, without a script and without anything from elsewhere; it says so to browsers, too (Content-Security-Policy).
"""

from __future__ import annotations

import importlib.resources
from collections.abc import Iterable, Iterator, Sequence

from groundplan.documents import connections
from groundplan.documents import world as worlds
from groundplan.documents.picture import graph, svg

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_KINDS: tuple[graph.Kind, ...] = ("service", "worker", "job", "engine", "outside")
_text = svg.text


def page(world: worlds.World) -> str:
    """The whole page."""
    found = connections.of(world)
    drawn = graph.of(world, found)
    style = importlib.resources.files(__package__ or "").joinpath("page.css").read_text("utf-8")
    title = _text(world.plan.name)
    return "\n".join(
        (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_text(_POLICY)}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{title}: the ground plan</title><style>{svg.style()}{style}</style></head><body>",
            *_head(world, found),
            *_picture(drawn, world),
            *_grid(found),
            *_connections(found, world),
            "</body></html>\n",
        )
    )


def _head(world: worlds.World, found: Sequence[connections.Connection]) -> Iterator[str]:
    plan = world.plan
    file, line = world.place(plan.origin)
    figures = [
        (len(plan.namespaces), "namespaces"),
        (len(list(plan.programs)), "services, workers, jobs"),
        (len(list(plan.resources)), "resources"),
        (len(plan.externals), "systems outside"),
        (len(list(plan.edges)), "edges"),
        (len(found), "open connections"),
        (len(plan.kept), "secrets"),
    ]
    yield f"<header><h1>{_text(plan.name)}</h1><p>Version {_text(plan.version)}. Everything is closed; what is drawn "
    yield f"here is open. From {_text(file)}:{line}, by groundplan docs.</p><ul class=figures>"
    yield from (f"<li><b>{number}</b> {words}</li>" for number, words in figures)
    yield "</ul></header>"


def _picture(drawn: graph.Graph, world: worlds.World) -> Iterator[str]:
    yield "<main><section><h2>Who calls whom</h2><p class=legend>"
    for kind in _KINDS:
        yield f'<span><svg class="plan sign" viewBox="0 0 18 18"><g class="{kind}"><path class="icon" d="'
        yield f'{svg.ICONS[kind]}"/></g></svg>{kind}</span>'
    yield "<span>Point at a box to see its connections alone; choose it to read them.</span></p>"
    common = ", ".join(sorted(graph.shared(world)))
    if common:
        yield f"<p>Every program also talks to {_text(common)}: these lines are shown when one points at a box.</p>"
    links = {key: f"#{_anchor(key)}" for key in drawn.nodes}
    yield svg.drawing(drawn, f"{world.plan.name}: who calls whom", inner="", links=links)
    yield "</section>"


def _grid(found: Sequence[connections.Connection]) -> Iterator[str]:
    """Namespaces down and across, the ports between them in the cells."""
    drawn = [each for each in found if each.kind in connections.DRAWN]
    ports: dict[tuple[str, str], set[str]] = {}
    for each in drawn:
        key = each.source.namespace or each.source.name, each.target.namespace or each.target.name
        ports.setdefault(key, set()).update(each.listed.split(", "))
    outside = {end.name for each in drawn for end in (each.source, each.target) if not end.namespace}
    down, across = (sorted({key[side] for key in ports}, key=lambda name: (name in outside, name)) for side in (0, 1))
    yield "<section><h2>From namespace to namespace</h2><p>Ports that edges and entries of the plan open; what every "
    yield "cluster needs besides is in the list below.</p><div class=wide><table class=grid><thead><tr><td></td>"
    yield from (f'<th scope="col">{_text(name)}</th>' for name in across)
    yield "</tr></thead><tbody>"
    for source in down:
        yield f'<tr><th scope="row">{_text(source)}</th>'
        for target in across:
            listed = sorted(ports.get((source, target), ()), key=lambda port: (len(port), port))
            yield f"<td class=open>{_text(' '.join(listed))}</td>" if listed else "<td></td>"
        yield "</tr>"
    yield "</tbody></table></div></section>"


def _connections(found: Sequence[connections.Connection], world: worlds.World) -> Iterator[str]:
    yield "<section><h2>Every connection, and why</h2><fieldset><legend>shown</legend>"
    used = [kind for kind in connections.WORDS if any(each.kind == kind for each in found)]
    for kind in used:
        number = sum(each.kind == kind for each in found)
        shown = " checked" if kind in connections.DRAWN else ""
        yield f'<label><input type="checkbox" id="{_name(kind)}"{shown}> {kind} <small>{number}</small></label>'
    yield "</fieldset><style>"
    yield from (f"body:has(#{_name(kind)}:not(:checked)) tr.{_name(kind)}{{display:none}}" for kind in used)
    ends: dict[connections.End, list[connections.Connection]] = {}
    for each in found:
        ends.setdefault(each.source, []).append(each)
        ends.setdefault(each.target, []).append(each)
    for kinds in sorted({_kinds(several) for several in ends.values()}):
        some = ",".join(f"#{_name(kind)}:checked" for kind in kinds)
        yield f"body:not(:has({some})) .{_together(kinds)}{{display:none}}"
    yield "</style>"
    for end, several in sorted(ends.items(), key=lambda item: (not item[0].namespace, item[0])):
        yield from _end(end, dict.fromkeys(several), world)
    yield "</section></main>"


def _name(kind: str) -> str:
    return f"k-{kind.replace(' ', '-')}"


def _kinds(several: Iterable[connections.Connection]) -> tuple[str, ...]:
    return tuple(sorted({each.kind for each in several}))


def _together(kinds: Iterable[str]) -> str:
    return "-".join(map(_name, kinds))


def _end(end: connections.End, several: Iterable[connections.Connection], world: worlds.World) -> Iterator[str]:
    listed = list(several)
    anchor = _text(_anchor(str(end)))
    yield f'<article class="end {_together(_kinds(listed))}" id="{anchor}"><h3>{_text(str(end))}</h3>'
    yield "<table class=list><tbody>"
    for each in sorted(listed, key=lambda each: (each.kind not in connections.DRAWN, each.source != end)):
        yield _row("→", each.target, each, world) if each.source == end else _row("←", each.source, each, world)
    yield "</tbody></table></article>"


def _row(arrow: str, other: connections.End, each: connections.Connection, world: worlds.World) -> str:
    file, line = world.place(each.origin)
    return (
        f'<tr class="{_name(each.kind)}"><td>{arrow} {_text(str(other))}</td><td class=ports>{_text(each.listed)}</td>'
        f"<td>{_text(each.why)}</td><td>{each.kind}</td><td>{_text(world.where(each.environments))}</td>"
        f"<td class=line>{_text(file)}:{line}</td></tr>"
    )


def _anchor(key: str) -> str:
    return "at-" + "".join(sign if sign.isalnum() or sign == "-" else "_" for sign in key)
