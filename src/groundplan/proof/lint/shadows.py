"""Rules of tiers and of Cilium's policies that never decide anything, by the sets of ends that the engine computes.

A tier asks its rules one by one, so a rule is in vain where earlier ones decide all of its connections. Cilium denies
first and takes the union of what is allowed. Which rule matches may be undecidable (nodes, requests, labels that only a
controller knows): then a rule counts for all that it may match where it is judged, and for what it surely matches where
it judges others. Sources: network-policy-api (tiers, priorities); docs.cilium.io, "Deny Policies".
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator

import msgspec

from groundplan.proof import fields, findings
from groundplan.proof.lint import facts
from groundplan.proof.model import policies, statements
from groundplan.proof.reach import index, layers, sides, table

Extent = list[tuple[int, table.Table]]
"""Subjects, and the connections that each of them has with peers."""


class Rule(msgspec.Struct, frozen=True, eq=False):
    """A rule of a policy, over a universe."""

    policy: statements.Policy
    path: facts.Path
    said: tuple[statements.Statement, ...]
    """Cilium may split a rule by its ports."""
    extent: Extent
    """All that it may match."""

    @property
    def action(self) -> str:
        """What it does."""
        return self.said[0].action

    @property
    def title(self) -> str:
        """In words."""
        return f"{fields.dotted(self.path)} of {self.policy.title}"

    @property
    def placed(self) -> str:
        """In words, with its place."""
        return f"{self.title} {self.policy.document.place(*self.path)}".rstrip()


class _Judge:
    """The rules of one direction."""

    def __init__(self, known: facts.Facts, direction: str) -> None:
        self.work = layers.Work(known.cluster.index, direction, sides.Reading.FEWEST)
        self.rules = [
            self.rule(policy, path, tuple(each for each in mine if each.path == path))
            for policy in known.model.beside
            for mine in [[each for each in policy.statements if each.direction == direction]]
            for path in dict.fromkeys(each.path for each in mine)
        ]

    def rule(self, policy: statements.Policy, path: facts.Path, said: tuple[statements.Statement, ...]) -> Rule:
        extent = [piece for each in said for piece in self.pieces(policy, each, self.work.peers(each.peers), 1)]
        return Rule(policy, path, said, extent)

    def pieces(
        self, policy: statements.Policy, each: statements.Statement, peers: index.Pair, which: int
    ) -> Iterator[tuple[int, table.Table]]:
        """Of a statement, the certain (0) or the possible (1) subjects, peers and ports."""
        subjects = self.work.pods(policy.subjects)
        for held, said in self.work.said(each.action, peers, each.ports, subjects, each.conditional and not which):
            connections = said.possible if which else said.certain
            if held[which] and connections:
                yield held[which], connections

    def surely(self, one: Rule, like: Rule) -> Extent:
        """What a rule surely matches, as seen by another: whatever may match one peer that both name, both match."""
        found: Extent = []
        for each in one.said:
            certain, possible = self.work.peers(each.peers)
            shared = {peer for mine in like.said for peer in mine.peers} & set(each.peers)
            certain |= functools.reduce(int.__or__, (self.work.peers([peer])[1] for peer in shared), 0)
            found.extend(self.pieces(one.policy, each, (certain, possible), 0))
        return found

    def left(self, rule: Rule, others: Iterable[Rule]) -> tuple[Extent, list[Rule]]:
        """What others leave of a rule, and those of them that take something away: one alone, where one takes all."""
        rest, taking = rule.extent, []
        for other in others:
            sure = self.surely(other, rule)
            after = _without(rest, sure)
            if after != rest:
                if not _without(rule.extent, sure):
                    return [], [other]
                taking.append(other)
            rest = after
        return rest, taking


def _without(rest: Extent, other: Extent) -> Extent:
    for subjects, connections in other:
        found: Extent = []
        for mine, held in rest:
            both = mine & subjects
            after = table.difference(held, connections) if both else held
            if both and after == held:
                found.append((mine, held))
                continue
            found += [(some, kept) for some, kept in ((both, after), (mine & ~subjects, held)) if some and kept]
        rest = found
    return rest


def _meet(one: Extent, other: Extent) -> bool:
    return any(mine & its and table.intersection(held, more) for mine, held in one for its, more in other)


def shadows(known: facts.Facts) -> Iterator[findings.Finding]:
    """Every rule of a tier, and of Cilium, decides something."""
    for direction in (policies.INGRESS, policies.EGRESS) if known.model.beside else ():
        judge = _Judge(known, direction)
        for layer in (statements.ADMIN, statements.BASELINE):
            for older in (False, True):
                mine = [one for one in judge.rules if one.policy.layer == layer and one.policy.older == older]
                yield from _tier(judge, sorted(mine, key=lambda one: one.policy.priority))
        yield from _cilium(judge, [one for one in judge.rules if one.policy.layer == statements.CILIUM])


def _tier(judge: _Judge, rules: list[Rule]) -> Iterator[findings.Finding]:
    remaining: list[Extent] = []
    for number, rule in enumerate(rules):
        before = [
            one for one in rules[:number] if one.policy is rule.policy or one.policy.priority < rule.policy.priority
        ]
        rest, taking = judge.left(rule, before)
        remaining.append(rest)
        if rule.extent and not rest:
            yield _vain(rule, taking, "decides")
        elif rest and rule.action == statements.PASS and not _later(rules, number, rest):
            what = f"{rule.title} passes on what no later rule of its tier decides"
            why = "it would go on to the next tier all the same"
            yield facts.finding("GP425", rule.policy.document, rule.path, what, why, "remove it")
    yield from _equals(rules, remaining)


def _later(rules: list[Rule], number: int, rest: Extent) -> bool:
    mine = rules[number].policy
    later = [one for one in rules[number + 1 :] if one.policy is mine or one.policy.priority >= mine.priority]
    equal = [one for one in rules[:number] if one.policy is not mine and one.policy.priority == mine.priority]
    return any(_meet(rest, one.extent) for one in [*later, *equal])


def _equals(rules: list[Rule], remaining: list[Extent]) -> Iterator[findings.Finding]:
    """Policies of one priority that say different things of one connection: no order is defined among them."""
    told: set[tuple[int, int]] = set()
    for number, rule in enumerate(rules):
        for place, other in enumerate(rules[:number]):
            pair = (id(rule.policy), id(other.policy))
            same = other.policy is not rule.policy and other.policy.priority == rule.policy.priority
            if not same or other.action == rule.action or pair in told:
                continue
            if _meet(remaining[number], remaining[place]):
                told.add(pair)
                what = f"{rule.title} ({rule.action}) and {other.title} ({other.action}) decide the same connections"
                why = f"both have priority {rule.policy.priority}, and which comes first is not defined: {other.placed}"
                remedy = "give one of the policies another priority"
                yield facts.finding("GP434", rule.policy.document, rule.path, what, why, remedy)


def _cilium(judge: _Judge, rules: list[Rule]) -> Iterator[findings.Finding]:
    kept = list(rules)
    # From the last to the first, so that of two alike the first one stays.
    for rule in reversed(rules):
        if not rule.extent:
            continue
        denying = [one for one in kept if one.action == statements.DENY and one is not rule]
        rest, taking = judge.left(rule, denying)
        if not rest:
            yield _vain(rule, taking, "denies")
        elif rule.action == statements.ALLOW and not any(each.conditional for each in rule.said):
            # A rule for requests is for more than what passes: proxies see what it is about.
            rest, taking = judge.left(rule, (one for one in kept if one.action == statements.ALLOW and one is not rule))
            if not rest:
                yield _vain(rule, taking, "allows")
        if not rest:
            kept.remove(rule)


def _vain(rule: Rule, taking: list[Rule], how: str) -> findings.Finding:
    """A rule of which others take everything."""
    others = ", ".join(one.placed for one in taking[:3]) + (f" and {len(taking) - 3} more" if len(taking) > 3 else "")
    why = f"{others} {how} all of it" if len(taking) == 1 else f"all of it {how} already one of {others}"
    agree = all(one.action == rule.action for one in taking)
    code, what = ("GP425", "decides nothing of its own") if agree else ("GP433", f"never takes effect ({rule.action})")
    remedy = "remove it" if agree else "put it before them, narrow them, or remove it"
    if rule.policy.layer == statements.CILIUM:
        remedy = "remove it, or write {} in its place where it is its section's only rule"
    return facts.finding(code, rule.policy.document, rule.path, f"{rule.title} {what}", why, remedy)


def empty(known: facts.Facts) -> Iterator[findings.Finding]:
    """Policies of tiers and of Cilium select pods, and so do their peers."""
    if not known.model.beside:
        return
    work = layers.Work(known.cluster.index, policies.INGRESS, sides.Reading.MOST)
    for policy in known.model.beside:
        if not work.pods(policy.subjects)[1]:
            if policy.layer == statements.CILIUM and _for_nodes(policy):
                continue
            path: facts.Path = ("spec", "endpointSelector" if policy.layer == statements.CILIUM else "subject")
            if any(known.peopled(name) for name in _homes(known, policy.subjects)):
                what = f"{policy.title} selects no pod"
                yield facts.finding("GP422", policy.document, path, what, "no pod matches", "correct the labels")
            continue
        for each in policy.statements:
            for peer in each.peers:
                lost = isinstance(peer, statements.Pods) and not work.pods(peer)[1]
                if lost and any(name in known.model.declared for name in _homes(known, peer)):
                    what = f"a peer of {fields.dotted(each.path)} of {policy.title} selects no pod"
                    remedy = f"correct the labels, or remove the {'peer' if len(each.peers) > 1 else 'rule'}"
                    yield facts.finding("GP423", policy.document, each.path, what, remedy=remedy)


def _for_nodes(policy: statements.Policy) -> bool:
    return "nodeSelector" in fields.inner(policy.document.data, "spec")


def _homes(known: facts.Facts, some: statements.Peer) -> Iterable[str]:
    return known.cluster.index.selected(some.namespaces) if isinstance(some, statements.Pods) else ()


LINTS = (shadows, empty)
