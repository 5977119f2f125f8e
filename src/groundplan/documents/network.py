"""The policy matrix: by namespace, by workload, and the addresses of what lies outside."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from groundplan import markdown
from groundplan.documents import connections
from groundplan.documents import world as worlds
from groundplan.kubernetes import flows

_HEAD = ("source", "target", "ports", "what for", "in")
_EACH = ("other", "ports", "why", "kind", "in", "line")


def page(world: worlds.World) -> str:
    found = connections.of(world)
    kinds = [(name, words, str(sum(each.kind == name for each in found))) for name, words in connections.WORDS.items()]
    return markdown.page(
        "Network",
        "Everything is closed; these connections are open, no other: `groundplan check` proves that of the manifests.",
        markdown.table(("kind", "what it is", "connections"), kinds),
        "## By namespace",
        markdown.table(_HEAD, _matrix(found, world)),
        "## By workload",
        *(part for name in _ends(found) for part in _workload(name, found, world)),
        "## Addresses outside",
        "A network policy knows no names: what lies outside is open by address, cluster by cluster.",
        markdown.table(("who", "in", "addresses", "but not"), _addresses(world)),
    )


def _space(end: connections.End) -> str:
    return end.namespace or f"({end.name})"


def _matrix(found: Sequence[connections.Connection], world: worlds.World) -> Iterator[tuple[str, ...]]:
    pairs: dict[tuple[str, str], list[connections.Connection]] = {}
    for each in found:
        pairs.setdefault((_space(each.source), _space(each.target)), []).append(each)
    for (source, target), several in sorted(pairs.items()):
        ports = sorted({port for each in several for port in each.ports})
        listed = [connections.said(port) for port in ports]
        listed += [] if all(each.ports for each in several) else ["every port"]
        kinds = dict.fromkeys(each.kind for each in sorted(several, key=_order))
        where = {env for each in several for env in each.environments}
        yield (
            markdown.code(source),
            markdown.code(target),
            ", ".join(listed),
            ", ".join(f"{kind} ({sum(each.kind == kind for each in several)})" for kind in kinds),
            world.where(where),
        )


def _order(each: connections.Connection) -> int:
    return list(connections.WORDS).index(each.kind)


def _ends(found: Sequence[connections.Connection]) -> list[connections.End]:
    return sorted({end for each in found for end in (each.source, each.target) if end.namespace})


def _workload(end: connections.End, found: Sequence[connections.Connection], world: worlds.World) -> Iterator[str]:
    yield f"### {markdown.text(end)}"
    for words, several in (
        ("Comes in", [(each.source, each) for each in found if each.target == end]),
        ("Goes out", [(each.target, each) for each in found if each.source == end]),
    ):
        if several:
            rows = [_row(other, each, world) for other, each in sorted(several, key=lambda pair: _order(pair[1]))]
            yield f"{words}:\n\n{markdown.table(_EACH, rows)}"


def _row(other: connections.End, each: connections.Connection, world: worlds.World) -> tuple[str, ...]:
    where, line = world.where(each.environments), world.line(each.origin)
    return markdown.code(other), each.listed, markdown.text(each.why), each.kind, where, line


def _addresses(world: worlds.World) -> list[tuple[str, ...]]:
    found: dict[tuple[str, str, tuple[str, ...]], dict[str, None]] = {}
    for one in world.lowered:
        for flow in one.flows:
            for end in (flow.source, flow.target):
                if isinstance(end, flows.Range):
                    found.setdefault((end.what, end.cidr, end.less), {})[one.environment] = None
    return [
        (markdown.code(what), world.where(where), markdown.code(cidr), markdown.codes(less) or "–")
        for (what, cidr, less), where in sorted(found.items())
    ]
