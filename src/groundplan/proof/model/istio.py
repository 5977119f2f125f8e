"""Istio's AuthorizationPolicy, which only takes away: identities, namespaces, addresses and ports.

What is known request by request (methods, paths, hosts, tokens) is conditional. Source: istio.io, "Authorization
Policy" and "Authorization Policy Conditions".
"""

from __future__ import annotations

from typing import Any

import msgspec

from groundplan.proof import addresses, connections, intervals
from groundplan.proof.manifests import documents
from groundplan.proof.model import selectors, shapes

Wrong = list[tuple[str, str]]
ROOT = "istio-system"
SOURCE_FIELDS = (
    "principals", "requestPrincipals", "namespaces", "ipBlocks", "remoteIpBlocks", "serviceAccounts",
)  # fmt: skip
OPERATION_FIELDS = ("hosts", "ports", "methods", "paths")
ACTIONS = ("ALLOW", "DENY", "AUDIT", "CUSTOM")


class Clause(msgspec.Struct, frozen=True):
    """One field of a source: the value must be among these, or not among them."""

    field: str
    values: tuple[str, ...]
    negative: bool = False


class Rule(msgspec.Struct, frozen=True):
    """One rule: any of the sources, any of the port sets."""

    sources: tuple[tuple[Clause, ...], ...]
    """None at all: everybody."""
    ports: intervals.Intervals
    """Of TCP, those that some operation names; all where none does."""
    conditional: bool
    """It also asks for what only a request tells."""
    sure: intervals.Intervals
    """Ports on which it asks for nothing else."""


class Authorization(msgspec.Struct, frozen=True, eq=False):
    """One policy."""

    namespace: str
    selector: selectors.Selector
    action: str
    rules: tuple[Rule, ...]
    document: documents.Document

    @property
    def title(self) -> str:
        """Kind and name."""
        return f"AuthorizationPolicy {self.namespace}/{self.document.name}"


TCP = connections.of("TCP")


def read(document: documents.Document, namespace: str) -> tuple[Authorization | None, Wrong]:
    """The policy, None where it decides nothing, and what the API server would refuse."""
    spec = document.data.get("spec") or {}
    wrong: Wrong = []
    if not isinstance(spec, dict):
        raise ValueError("spec is no mapping")
    known = {"selector", "targetRef", "targetRefs", "action", "rules", "provider"}
    wrong.extend(("spec", f"unknown field {key!r}") for key in spec.keys() - known)
    action = spec.get("action") or "ALLOW"
    if action not in ACTIONS:
        wrong.append(("spec.action", f"{action!r} is none of {', '.join(ACTIONS)}"))
    annotations = document.metadata.get("annotations") or {}
    if action == "AUDIT" or annotations.get("istio.io/dry-run") == "true":
        return None, wrong
    labels = (spec.get("selector") or {}).get("matchLabels") or {}
    given = spec.get("rules") or []
    rules = tuple(_rule(each or {}, f"spec.rules[{number}]", wrong) for number, each in enumerate(given))
    if spec.get("targetRef") or spec.get("targetRefs") or action == "CUSTOM":
        rules = tuple(msgspec.structs.replace(rule, conditional=True, sure=intervals.NONE) for rule in rules)
    found = Authorization(
        namespace, selectors.of_labels(shapes.convert(labels, dict[str, str])), action, rules, document
    )
    return found, wrong


def _rule(rule: dict[str, Any], where: str, wrong: Wrong) -> Rule:
    wrong.extend((where, f"unknown field {key!r}") for key in rule.keys() - {"from", "to", "when"})
    conditional = False
    sources = []
    for each in rule.get("from") or ():
        clauses, asks = _clauses((each or {}).get("source") or {}, SOURCE_FIELDS, where, wrong)
        if not clauses and not asks:
            wrong.append((where, "a source is empty"))
        conditional |= asks
        sources.append(clauses)
    ports, sure = _operations(rule.get("to") or (), where, wrong)
    for each in rule.get("when") or ():
        clauses, limit, asks = _condition(each, where, wrong)
        conditional |= asks
        if clauses:
            sources = [(*source, *clauses) for source in sources or [()]]
        ports, sure = intervals.intersection(ports, limit), intervals.intersection(sure, limit)
    return Rule(tuple(sources), ports, conditional, intervals.NONE if conditional else sure)


def _clauses(
    given: dict[str, Any], fields: tuple[str, ...], where: str, wrong: Wrong
) -> tuple[tuple[Clause, ...], bool]:
    found, conditional = [], False
    for key, values in given.items():
        negative = key.startswith("not") and key[3:4].isupper()
        field = key[3].lower() + key[4:] if negative else key
        if field not in fields:
            wrong.append((where, f"unknown field {key!r}"))
        elif field in ("requestPrincipals", "remoteIpBlocks"):
            conditional |= bool(values)
        elif values:
            found.append(Clause(field, _strings(values, where, wrong), negative))
            if field == "ipBlocks":
                _blocks(values, where, wrong)
    return tuple(found), conditional


def _strings(values: Any, where: str, wrong: Wrong) -> tuple[str, ...]:
    if not isinstance(values, list) or not all(isinstance(each, str) for each in values):
        wrong.append((where, f"{values!r} is no list of strings"))
        return ()
    return tuple(values)


def _blocks(values: Any, where: str, wrong: Wrong) -> None:
    for each in values:
        try:
            addresses.parse(str(each))
        except ValueError as error:
            wrong.append((where, f"{each!r} is no address block: {error}"))


def _operations(given: Any, where: str, wrong: Wrong) -> tuple[intervals.Intervals, intervals.Intervals]:
    if not given:
        return TCP, TCP
    ports = sure = intervals.NONE
    for each in given:
        operation = (each or {}).get("operation") or {}
        if not operation:
            wrong.append((where, "an operation is empty"))
        clauses, _ = _clauses(operation, OPERATION_FIELDS, where, wrong)
        one = TCP
        for clause in clauses:
            if clause.field == "ports":
                numbers = _numbers(clause.values, where, wrong)
                one = intervals.difference(one, numbers) if clause.negative else intervals.intersection(one, numbers)
        ports = intervals.union(ports, one)
        if all(clause.field == "ports" for clause in clauses):
            sure = intervals.union(sure, one)
    return ports, sure


def _numbers(values: tuple[str, ...], where: str, wrong: Wrong) -> intervals.Intervals:
    found: list[tuple[int, int]] = []
    for each in values:
        if each.isdigit() and 1 <= int(each) <= connections.LAST:
            found.extend(connections.of("TCP", int(each), int(each)))
        else:
            wrong.append((where, f"{each!r} is no port: ports are 1 to {connections.LAST}"))
    return intervals.of(found)


_KEYS = {"source.namespace": "namespaces", "source.principal": "principals", "source.ip": "ipBlocks",
         "source.serviceAccount": "serviceAccounts"}  # fmt: skip


def _condition(given: dict[str, Any], where: str, wrong: Wrong) -> tuple[tuple[Clause, ...], intervals.Intervals, bool]:
    key, values, not_values = given.get("key") or "", given.get("values") or [], given.get("notValues") or []
    if not key or not (values or not_values):
        wrong.append((where, "a condition needs a key, and values or notValues"))
    if key == "destination.port":
        limit = TCP if not values else _numbers(_strings(values, where, wrong), where, wrong)
        return (), intervals.difference(limit, _numbers(_strings(not_values, where, wrong), where, wrong)), False
    if key not in _KEYS:
        return (), TCP, True
    found = [Clause(_KEYS[key], _strings(each, where, wrong), negative)
             for each, negative in ((values, False), (not_values, True)) if each]  # fmt: skip
    return tuple(found), TCP, False
