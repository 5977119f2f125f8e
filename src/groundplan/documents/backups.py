"""What is kept, how often, how many and where; the way back is a page of its own for each cluster."""

from __future__ import annotations

from collections.abc import Iterator

from groundplan import markdown
from groundplan.backup import items, runbook
from groundplan.documents import world as worlds
from groundplan.kubernetes import settings
from groundplan.model import environment
from groundplan.shapes import backups


def page(world: worlds.World) -> str:
    kept = list(items.of(world.plan))
    rows = [
        (
            markdown.code(each.resource.name),
            f"daily at {markdown.text(each.schedule.at)} UTC",
            f"the last {each.schedule.keep}",
            markdown.text(each.procedures(world.plan, "").promise),
            world.line(each.resource.origin),
        )
        for each in kept
    ]
    reasons = [
        (markdown.code(each.name), markdown.text(reason), world.line(each.origin))
        for each, reason in items.without(world.plan)
    ]
    return markdown.page(
        "Backups",
        markdown.table(("resource", "when", "kept", "what a backup is", "line"), rows),
        "## Where they go",
        markdown.table(("in", "to", "the way back", "line"), _places(world)),
        "## Not kept",
        markdown.table(("resource", "because", "line"), reasons),
    )


def _places(world: worlds.World) -> Iterator[tuple[str, ...]]:
    for env in world.clusters:
        way = markdown.link(f"recovery in {env.name}", recovery_file(env))
        yield markdown.code(env.name), _place(env), way, world.line(env.origin)


def _place(env: environment.Environment) -> str:
    place = settings.backups(env)
    if isinstance(place, backups.ObjectStore):
        return f"bucket {markdown.code(place.bucket)} at {markdown.code(place.endpoint)}"
    if isinstance(place, backups.Volume):
        return f"volumes of {markdown.text(place.storage)} in the cluster: lost with it"
    return f"nowhere: {markdown.text(place.reason)}" if place else "nowhere: the plan says no place"


def recovery_file(env: environment.Environment) -> str:
    """The page with the way back."""
    return f"recovery-{env.name}.md"


def recoveries(world: worlds.World) -> dict[str, str]:
    """The way back of each cluster, command by command."""
    return {recovery_file(env): runbook.page(world.plan, env) for env in world.clusters}
