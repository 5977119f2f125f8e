"""One changed policy: what is gained and lost is what two whole answers differ by."""

from __future__ import annotations

import copy
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from groundplan import proof
from groundplan.proof import intervals
from groundplan.proof.reach import bits, change, join
from tests.proof import strategies, test_engine_laws

Pairs = dict[tuple[int, int], intervals.Intervals]


def spread(some: tuple[join.Rectangle, ...]) -> Pairs:
    found: Pairs = {}
    for each in some:
        for source in bits.members(each.sources):
            for destination in bits.members(each.destinations):
                known = found.get((source, destination), intervals.NONE)
                found[source, destination] = intervals.union(known, each.ports)
    return found


def lacking(one: Pairs, other: Pairs) -> Pairs:
    rest = {pair: intervals.difference(ports, other.get(pair, intervals.NONE)) for pair, ports in one.items()}
    return {pair: ports for pair, ports in rest.items() if ports}


@test_engine_laws.limited
@hypothesis.given(strategies.clusters(families=("none",)), st.data(), st.sampled_from((0, 2000)))
def test_a_change_is_the_difference_of_two_answers(
    documents: list[dict[str, Any]], data: st.DataObject, few: int
) -> None:
    listed = [each for each in documents if each["kind"] == "NetworkPolicy"]
    old = data.draw(st.sampled_from(listed))
    other = copy.deepcopy(data.draw(st.sampled_from(listed)))
    new = None if data.draw(st.booleans()) and len(listed) > 1 else {**old, "spec": other.get("spec") or {}}
    whole = proof.Cluster.of(documents)
    title = f"{old['metadata']['namespace']}/{old['metadata']['name']}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(change, "FEW", few)
        after, changed = whole.changed(new, instead_of=title)
    before = spread(whole.reach().rectangles)
    again = spread(after.reach().rectangles)
    assert spread(changed.gained) == lacking(again, before)
    assert spread(changed.lost) == lacking(before, again)


def test_a_policy_that_is_not_there_cannot_change() -> None:
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "shop"}, "spec": {}}
    with pytest.raises(LookupError, match="shop/web"):
        proof.Cluster.of([pod]).changed(None, instead_of="shop/web")


def test_a_change_that_names_what_nobody_named_is_followed_too() -> None:
    pods = [
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "shop", "labels": {"app": name}},
         "spec": {}} for name in ("web", "db")
    ]  # fmt: skip
    policy: dict[str, Any] = {
        "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
        "metadata": {"name": "db", "namespace": "shop"}, "spec": {"podSelector": {}},
    }  # fmt: skip
    open_ = {"from": [{"podSelector": {"matchLabels": {"app": "web"}}}, {"ipBlock": {"cidr": "192.0.2.0/24"}}]}
    new = {**policy, "spec": {"podSelector": {"matchLabels": {"app": "db"}}, "ingress": [open_]}}
    after, changed = proof.Cluster.of([*pods, policy]).changed(new, instead_of="shop/db")
    gained = {(source, destination) for source, destination in spread(changed.gained)}
    web, db = (after.universe.where[id(each)] for each in after.model.workloads)
    assert (web, db) in gained and (db, web) in gained
    assert (after.universe.atom(0), db) not in gained
    assert not changed.lost
