"""What is built proves what is drawn, on random platforms; one edge more or less, or one wrong flow, refutes it."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Iterable
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from groundplan import delivered, proof
from groundplan.claims import drawing as drawings
from groundplan.kubernetes import flows, lower, reaches
from groundplan.model import environment, platform
from groundplan.proof.compare import claimed
from tests import strategies
from tests.kubernetes import worlds

FEW = hypothesis.settings(
    max_examples=15,
    phases=(hypothesis.Phase.reuse, hypothesis.Phase.generate),
    deadline=None,
    suppress_health_check=list(hypothesis.HealthCheck),
)


def clusters(plan: platform.Platform) -> list[environment.Environment]:
    return [env for env in plan.environments if not env.local]


def verdict(trees: Iterable[dict[str, Any]], plan: platform.Platform, env: environment.Environment) -> claimed.Verdict:
    return delivered.compare(proof.Cluster.of(trees), drawings.of(plan, env))


@FEW
@hypothesis.given(strategies.drawings())
def test_what_is_built_proves_what_is_drawn(drawing: strategies.Drawing) -> None:
    plan = worlds.drawn(drawing)
    for env, one in zip(clusters(plan), worlds.lowered(plan), strict=True):
        found = verdict(worlds.trees(one), plan, env)
        assert (found.verdict, found.differences) == ("proved", ())
        assert found.claims > 10 and found.pairs > 10


@FEW
@hypothesis.given(strategies.drawings(), st.data())
def test_one_edge_more_or_less_in_the_plan_is_refuted(drawing: strategies.Drawing, data: st.DataObject) -> None:
    number = data.draw(st.integers(0, len(drawing.boxes) - 1))
    box = drawing.boxes[number]
    needs = data.draw(st.lists(st.integers(0, 30), max_size=4, unique=True))
    boxes = (*drawing.boxes[:number], dataclasses.replace(box, needs=tuple(needs)), *drawing.boxes[number + 1 :])
    before, after = worlds.drawn(drawing), worlds.drawn(dataclasses.replace(drawing, boxes=boxes))
    env, then = clusters(before)[0], clusters(after)[0]
    same = said(drawings.of(before, env)) == said(drawings.of(after, then))
    found = verdict(worlds.trees(lower.lower(before, env, {})), after, then)
    assert found.verdict == ("proved" if same else "refuted")


def said(drawing: drawings.Drawing) -> set[tuple[str, str, str, str]]:
    return {(each.source, each.destination, each.ports, each.through) for each in drawing.said}


def shifted(flow: flows.Flow) -> flows.Flow:
    return dataclasses.replace(flow, ports=tuple(flows.Port(port.number + 1, port.protocol) for port in flow.ports))


def widened(flow: flows.Flow) -> flows.Flow:
    return dataclasses.replace(flow, ports=())


def turned(flow: flows.Flow) -> flows.Flow:
    return dataclasses.replace(flow, source=flow.target, target=flow.source)


FAULTS = {"forgets": None, "shifts": shifted, "widens": widened, "turns": turned}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("seed", range(6))
def test_a_lowering_that_gets_one_flow_wrong_is_refuted(fault: str, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = worlds.payments()
    env = clusters(plan)[-1]
    kept = reaches.all_of
    change = FAULTS[fault]

    def wrong(*world: Any) -> list[flows.Flow]:
        found = list(kept(*world))
        # A flow that others repeat or that stands for everything is no mistake to get wrong.
        alone = [each for each in found if each.ports and sum(1 for other in found if ends(other) == ends(each)) == 1]
        chosen = random.Random(seed).choice(alone)
        rest = [each for each in found if each is not chosen]
        return rest if change is None else [*rest, change(chosen)]

    monkeypatch.setattr(reaches, "all_of", wrong)
    assert verdict(worlds.trees(lower.lower(plan, env, {})), plan, env).verdict == "refuted"


def ends(flow: flows.Flow) -> tuple[flows.End, flows.End]:
    return flow.source, flow.target
