"""Every alert: when it fires, who is told, and what whoever is woken does first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from groundplan import markdown
from groundplan.documents import world as worlds
from groundplan.model import environment
from groundplan.shapes import alerts, signals
from groundplan.telemetry.rules import rulebook


class _Rule(NamedTuple):
    group: str
    alert: alerts.Alert


def page(world: worlds.World) -> str:
    by_name: dict[str, list[_Rule]] = {}
    for group in rulebook.of(world.plan):
        for rule in group.rules:
            if isinstance(rule, alerts.Alert):
                by_name.setdefault(rule.name, []).append(_Rule(group.name, rule))
    rows = [
        (
            markdown.link(name, f"#{markdown.anchor(name)}"),
            ", ".join(sorted({markdown.text(each.alert.severity) for each in found})),
            ", ".join(sorted({markdown.text(each.group) for each in found})),
            str(len(found)),
        )
        for name, found in by_name.items()
    ]
    return markdown.page(
        "Alerts",
        "Each has a heading of its own below: the place that a page at night can link to. Every one is written "
        "with an example when it fires and one when it must not, in `promtool`'s notation.",
        markdown.table(("alert", "severity", "group", "rules"), rows),
        "## Who is told",
        markdown.table(("in", "severity", "told"), _told(world)),
        "## What to do",
        *(part for name, found in by_name.items() for part in _section(name, found, world)),
    )


def _section(name: str, found: list[_Rule], world: worlds.World) -> Iterator[str]:
    yield f"### {markdown.text(name)}"
    own = {id(each.what): each.origin for each in world.plan.watched}
    for each in found:
        origin = own.get(id(each.alert))
        line = f" ({world.line(origin)})" if origin else ""
        held = "at once" if each.alert.lasts == "0m" else f"after {markdown.text(each.alert.lasts)}"
        yield (
            f"**{markdown.text(each.alert.severity)}**, {held}: {markdown.text(each.alert.summary)}{line}\n\n"
            f"- First: {markdown.text(each.alert.remedy)}\n- Fires when {markdown.code(each.alert.expression)}"
        )


def _told(world: worlds.World) -> Iterator[tuple[str, ...]]:
    for env in world.clusters:
        receivers = _receivers(world, env)
        if receivers is None:
            yield markdown.code(env.name), "all", "nobody: Alertmanager shows them, and the plan names no receivers"
            continue
        mail = f"mail to {markdown.text(receivers.mail)}"
        watched = "a watchdog, every five minutes" if receivers.watchdog else "nobody"
        told = (("critical", f"{mail}, and Slack"), ("warning", mail), ("info", "a webhook"), ("none", watched))
        for severity, who in told:
            yield markdown.code(env.name), severity, who


def _receivers(world: worlds.World, env: environment.Environment) -> alerts.Receivers | None:
    for each in world.plan.resources:
        said = each.signals()
        if isinstance(said, signals.Exports) and said.collects:
            found = env.setting(each, "tells")
            return found if isinstance(found, alerts.Receivers) else None
    return None
