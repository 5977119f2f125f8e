"""The environments side by side: what each says of everything, and what it sets for one thing."""

from __future__ import annotations

from collections.abc import Iterator

from groundplan import markdown
from groundplan.documents import world as worlds
from groundplan.model import autoscale, component, environment, store
from groundplan.shapes import alerts, backups, quantities


def page(world: worlds.World) -> str:
    plan = world.plan
    envs = [*(env for env in plan.environments if env.local), *world.clusters]
    names = [markdown.text(env.name) for env in envs]
    words = sorted({word for env in envs for word in env.defaults})
    return markdown.page(
        "Environments",
        markdown.table(("", *names), [
            ("declared", *(world.line(env.origin) for env in envs)),
            *((markdown.code(word), *(_said(env.defaults.get(word)) for env in envs)) for word in words),
            ("objects", *(_objects(env, world) for env in envs)),
        ]),
        "## What is set for one thing",
        markdown.table(("thing", "setting", "in", "value", "line"), _settings(world)),
        "## What only some clusters have",
        "Objects, by kind, that are not in every cluster.",
        markdown.table(("kind", "name", "in"), _some(world)),
    )  # fmt: skip


def _objects(env: environment.Environment, world: worlds.World) -> str:
    found = [len(one.objects) for one in world.lowered if one.environment == env.name]
    return str(found[0]) if found else "none: it runs as processes"


def _settings(world: worlds.World) -> Iterator[tuple[str, ...]]:
    things: list[environment.Settable] = [*world.plan.components, *world.plan.externals]
    for thing in sorted(things, key=lambda each: each.name):
        for name in sorted(thing.settings()):
            for env in sorted(world.plan.environments, key=lambda each: each.name):
                found = env.own(thing, name)
                if found:
                    line = world.line(found.origin)
                    yield markdown.code(thing.name), name, markdown.text(env.name), _said(found.value), line


def _said(value: object) -> str:
    """A setting in words; secrets are never settings, so each may be shown."""
    match value:
        case None:
            return "–"
        case store.Store() | component.Component():
            return markdown.code(value.name)
        case autoscale.Autoscale():
            return f"{value.least} to {value.most}, at {value.cpu} % CPU"
        case backups.NoBackup():
            return f"none: {markdown.text(value.reason)}"
        case backups.Volume():
            return f"volumes of {markdown.text(value.storage)}"
        case backups.ObjectStore():
            return f"bucket {markdown.code(value.bucket)}"
        case alerts.Receivers():
            return f"mail to {markdown.text(value.mail)}, Slack, a webhook"
        case quantities.Compute():
            pairs = (("CPU", value.cpu), ("memory", value.memory))
            return ", ".join(f"{name} {each.request} to {each.limit}" for name, each in pairs if each)
        case list() | tuple():
            return markdown.codes(value) or "none"
        case dict():
            return markdown.codes(f"{name}={each}" for name, each in sorted(value.items()))
        case _:
            return markdown.code(value)


def _some(world: worlds.World) -> Iterator[tuple[str, ...]]:
    found: dict[tuple[str, str], list[str]] = {}
    for one in world.lowered:
        for made in one.objects:
            name = f"{made.key.namespace}/{made.key.name}" if made.key.namespace else made.key.name
            found.setdefault((made.key.kind, name), []).append(one.environment)
    several: dict[tuple[str, str], list[str]] = {}
    for (kind, name), where in sorted(found.items()):
        if len(set(where)) < len(world.lowered):
            several.setdefault((kind, world.where(where)), []).append(name)
    for (kind, place), names in several.items():
        yield kind, markdown.codes(names), place
