"""All pages of a platform: the list, the page that leads to them, and the whole as files."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from groundplan import markdown
from groundplan.documents import (
    alerts,
    backups,
    connections,
    environments,
    namespaces,
    network,
    ports,
    resources,
    secrets,
    start,
    traffic,
)
from groundplan.documents import world as worlds
from groundplan.documents.picture import graph, html, svg
from groundplan.kubernetes import lower
from groundplan.model import platform

FOLDER = "docs"
"""Beside the plan."""
PICTURE = "plan.svg"
PAGES: tuple[tuple[str, str, Callable[[worlds.World], str]], ...] = (
    ("namespaces.md", "the walls, what stands in each, and who passes", namespaces.page),
    ("ports.md", "what listens, and who may reach it", ports.page),
    ("traffic.md", "who calls whom, and the zones between them, as pictures", traffic.page),
    ("network.md", "the policy matrix: by namespace, by workload, and the addresses outside", network.page),
    ("resources.md", "what everything asks for together, beside the estimate", resources.page),
    ("secrets.md", "the tree of secrets, and who reads what", secrets.page),
    ("start.md", "what starts before what", start.page),
    ("backups.md", "what is kept, how long, where, and the way back", backups.page),
    ("alerts.md", "when somebody is told, and what to do then", alerts.page),
    ("environments.md", "the environments side by side", environments.page),
)


def of(plan: platform.Platform, lowered: Sequence[lower.Lowered]) -> dict[str, str]:
    """Every file of the documents, by its name in `FOLDER`; the same text wherever one stands."""
    world = worlds.World(plan, tuple(lowered))
    made = {name: page(world) for name, _, page in PAGES}
    pictures = {PICTURE: picture(world), "plan.html": html.page(world)}
    return {"README.md": _front(world), **made, **backups.recoveries(world), **pictures}


def picture(world: worlds.World) -> str:
    """Who calls whom, as SVG."""
    return svg.standalone(graph.of(world, connections.of(world)), f"{world.plan.name}: who calls whom")


def _front(world: worlds.World) -> str:
    plan = world.plan
    found = connections.of(world)
    counts = [
        ("namespaces", str(len(plan.namespaces))),
        ("services, workers and jobs", str(len(list(plan.programs)))),
        ("resources", str(len(list(plan.resources)))),
        ("systems outside", str(len(plan.externals))),
        ("edges", str(len(list(plan.edges)))),
        ("connections that some cluster lets through", str(len(found))),
        ("secrets", str(len(plan.kept))),
        ("clusters", ", ".join(markdown.text(env.name) for env in world.clusters)),
    ]
    return markdown.page(
        plan.name,
        f"Version {markdown.text(plan.version)}, from {world.line(plan.origin)}. `groundplan docs` wrote it; "
        "`groundplan docs --check` says whether it still is what the plan says.",
        markdown.table(("what there is", ""), counts),
        f"![who calls whom]({PICTURE})",
        "The same to look at, with every connection and its reason: [plan.html](plan.html), one file for a browser.",
        "## Pages",
        "\n".join(f"- [{name.removesuffix('.md')}]({name}): {words}" for name, words, _ in PAGES),
    )
