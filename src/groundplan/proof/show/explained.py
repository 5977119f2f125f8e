"""An explanation in words, and as plain data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from groundplan.proof import answers, connections, fields
from groundplan.proof.explain import layers, pairs, sides


def lines(found: pairs.Explanation) -> Iterator[str]:
    """For a terminal."""
    yield headline(found)
    for side in found.sides:
        yield from _side(side, found)
    for layered in found.layers:
        yield from _layers(layered)
    for note in found.notes:
        yield f"  note: {note}"
    if len(found.changes) > 1:
        yield f"  {_ALL.get(len(found.changes), 'all')} of these changes are needed:"
    for each in found.changes:
        yield f"  fix: {each.what}    {each.place}".rstrip()
        yield from (f"         {line}" for line in each.yaml.splitlines())
        if each.opens:
            yield f"         it also opens {each.opens}"


_ALL = {2: "both"}


def headline(found: pairs.Explanation) -> str:
    """The answer in one line."""
    asked = f" on {connections.text(found.asked)}" if found.asked is not None else ""
    words = f"{found.source} → {found.destination}{asked}: {found.answer.verdict}"
    if found.answer.verdict == answers.UNDECIDABLE:
        return f"{words}, because {found.answer.because}"
    return words if found.asked is not None else f"{words} ({found.answer.connections})"


def _side(side: sides.Side, found: pairs.Explanation) -> Iterator[str]:
    passes = connections.text(side.allowed)
    if not side.policies:
        yield f"  {side.direction.lower()} of {side.subject.title}: no policy holds it, so everything passes"
        return
    yield f"  {side.direction.lower()} of {side.subject.title}: {passes}"
    for view in side.policies:
        yield f"    NetworkPolicy {view.policy.title}    {view.place}".rstrip()
        if not view.rules:
            yield "      has no rule: it allows nothing"
        for rule in view.rules:
            yield f"      {_mark(rule)} rule {rule.number}: {connections.text(rule.ports)}; {rule.why}    {rule.place}"


def _layers(side: layers.Side) -> Iterator[str]:
    passes = connections.text(layers.allowed(side))
    yield f"  {side.direction.lower()} of {side.subject}, with policies of all kinds: {passes}"
    for each in side.rules:
        mark = "?" if each.matches is None else "+" if each.decides and each.matches else "-"
        what = f"{each.policy.title} {fields.dotted(each.path)} ({each.action})"
        decided = f"decides {connections.text(each.decides)}" if mark == "+" else connections.text(each.ports)
        yield f"    {mark} {what}: {decided}; {each.why}    {each.place}".rstrip()
    for step in side.steps:
        if step.rule is None:
            yield f"    {_REST[step.by, step.allowed]}: {connections.text(step.ports)}"


_REST = {
    (layers.ISOLATION, True): "+ allowed by NetworkPolicies",
    (layers.ISOLATION, False): "- allowed by no policy of those that isolate it",
    (layers.NOTHING, True): "+ no policy says anything",
    (layers.MESH, False): "- named by no AuthorizationPolicy that allows",
}


def _mark(rule: sides.Rule) -> str:
    return "?" if rule.matches is None else "+" if rule.matches and rule.ports else "-"


def data(found: pairs.Explanation) -> dict[str, Any]:
    """For JSON."""
    return {
        "source": str(found.source), "destination": str(found.destination),
        "asked": None if found.asked is None else connections.text(found.asked),
        "verdict": found.answer.verdict, "connections": found.answer.connections, "because": found.answer.because,
        "sides": [_side_data(each) for each in found.sides],
        "layers": [_layers_data(each) for each in found.layers],
        "changes": [
            {"what": each.what, "where": str(each.place), "yaml": each.yaml, "also": [*each.subjects, *each.peers]}
            for each in found.changes
        ],
        "notes": list(found.notes),
    }  # fmt: skip


def _side_data(side: sides.Side) -> dict[str, Any]:
    return {
        "direction": side.direction, "subject": side.subject.title, "allowed": connections.text(side.allowed),
        "policies": [
            {"name": view.policy.title, "where": str(view.place), "rules": [_rule_data(rule) for rule in view.rules]}
            for view in side.policies
        ],
    }  # fmt: skip


def _layers_data(side: layers.Side) -> dict[str, Any]:
    return {
        "direction": side.direction, "subject": str(side.subject), "allowed": connections.text(layers.allowed(side)),
        "rules": [
            {
                "policy": each.policy.title, "rule": fields.dotted(each.path), "action": each.action,
                "matches": each.matches, "ports": connections.text(each.ports),
                "decides": connections.text(each.decides) if each.matches else "No connections",
                "why": each.why, "where": str(each.place),
            }
            for each in side.rules
        ],
        "decided": [
            {"connections": connections.text(each.ports), "allowed": each.allowed, "by": each.by}
            for each in side.steps
        ],
    }  # fmt: skip


def _rule_data(rule: sides.Rule) -> dict[str, Any]:
    return {
        "rule": rule.number, "matches": rule.matches, "ports": connections.text(rule.ports), "why": rule.why,
        "where": str(rule.place),
    }  # fmt: skip


def reason(found: pairs.Explanation, *, allowed: bool) -> str:
    """In one line, what allows a connection, or what denies it."""
    said = []
    for side in found.sides:
        name = f"{side.direction.lower()} of {side.subject.title}"
        rules = [(view, rule) for view in side.policies for rule in view.rules if rule.matches]
        if not side.policies:
            said.append(f"{name}: no policy holds it")
        elif allowed or rules:
            places = (f"{view.policy.title} rule {rule.number} {rule.place}".strip() for view, rule in rules)
            said.append(f"{name} allows {connections.text(side.allowed)} ({', '.join(places) or 'by no rule'})")
        else:
            names = ", ".join(f"{view.policy.title} {view.place}".strip() for view in side.policies)
            said.append(f"{name} allows nothing ({names})")
    return "; ".join([*said, *found.notes]) or "no policy holds either end"
