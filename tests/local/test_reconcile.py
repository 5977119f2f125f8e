"""Laws of the difference between two plans, over random plans."""

from __future__ import annotations

import itertools
import random

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from groundplan.local import reconcile
from groundplan.local.plan import order, units

NAMES = tuple("abcdefgh")


def _unit(draw: st.DrawFn, name: str, before: list[str]) -> units.Unit:
    after = tuple(draw(st.lists(st.sampled_from(before), unique=True, max_size=3))) if before else ()
    command = units.Command(argv=(draw(st.sampled_from(["x", "y"])),))
    origin = draw(st.sampled_from(["plan.py:1", "plan.py:2"]))
    kind = draw(st.sampled_from(["task", "daemon", "schedule"]))
    if kind == "task":
        return units.Task(name=name, title="", command=command, owner="", after=after, origin=origin)
    if kind == "schedule":
        return units.Schedule(name=name, command=command, every=1.0, after=after, origin=origin)
    count = draw(st.integers(1, 3))
    instances = tuple(units.Instance(name=f"{name}-{index}", command=command) for index in range(count))
    return units.Daemon(name=name, kind="service", instances=instances, after=after, origin=origin)


@st.composite
def plans(draw: st.DrawFn) -> units.LocalPlan:
    """Any plan that can run, its units in any order."""
    names = draw(st.lists(st.sampled_from(NAMES), unique=True))
    found = [_unit(draw, name, names[:place]) for place, name in enumerate(names)]
    return _plan(draw(st.permutations(found)))


def _plan(found: list[units.Unit]) -> units.LocalPlan:
    return units.LocalPlan(platform="p", environment="local", units=tuple(found))


def _by_name(plan: units.LocalPlan) -> dict[str, units.Unit]:
    return {unit.name: unit for unit in plan.units}


@given(plans(), plans())
def test_the_steps_from_one_plan_to_another_lead_there(old: units.LocalPlan, new: units.LocalPlan) -> None:
    assert reconcile.applied(old, reconcile.steps(old, new)) == _by_name(new)
    assert reconcile.applied(None, reconcile.steps(None, new)) == _by_name(new)


@given(plans())
def test_from_a_plan_to_itself_there_is_nothing_to_do(plan: units.LocalPlan) -> None:
    assert reconcile.steps(plan, plan) == ()


@given(plans(), plans(), st.randoms())
def test_the_order_of_declaration_never_matters(
    old: units.LocalPlan, new: units.LocalPlan, chance: random.Random
) -> None:
    def shuffled(plan: units.LocalPlan) -> units.LocalPlan:
        return msgspec.structs.replace(plan, units=tuple(chance.sample(plan.units, len(plan.units))))

    assert reconcile.steps(shuffled(old), shuffled(new)) == reconcile.steps(old, new)


@given(plans(), plans())
def test_a_step_comes_behind_the_steps_of_what_its_unit_waits_for(old: units.LocalPlan, new: units.LocalPlan) -> None:
    place = {step.name: index for index, step in enumerate(reconcile.steps(old, new))}
    for name, unit in _by_name(new).items():
        for before in unit.after:
            if name in place and before in place:
                assert place[before] < place[name]


@given(plans(), plans())
def test_what_did_not_change_and_has_no_task_that_changed_before_it_runs_on(
    old: units.LocalPlan, new: units.LocalPlan
) -> None:
    former, wanted = _by_name(old), _by_name(new)

    def changed(name: str) -> bool:
        return name not in former or _made(former[name]) != _made(wanted[name])

    def behind(name: str) -> set[str]:
        direct = set(wanted[name].after)
        return direct.union(*(behind(before) for before in direct))

    for step in reconcile.steps(old, new):
        if step.action in ("restart", "adjust") and not changed(step.name):
            assert any(isinstance(wanted[name], units.Task) and changed(name) for name in behind(step.name))
        if step.action == "rerun" and not changed(step.name):
            assert any(changed(name) for name in behind(step.name))


def _made(unit: units.Unit) -> tuple[object, ...]:
    instances = unit.instances if isinstance(unit, units.Daemon) else ()
    return (type(unit), reconcile.material(unit), instances)


@given(plans(), plans())
def test_a_part_put_into_a_plan_takes_nothing_else_away(old: units.LocalPlan, part: units.LocalPlan) -> None:
    merged = _by_name(reconcile.merged(old, part))
    assert merged == {**_by_name(old), **_by_name(part)}


@given(plans())
def test_a_random_plan_can_run_and_one_with_a_circle_cannot(plan: units.LocalPlan) -> None:
    assert order.mistakes(plan) == ()
    ring = _plan([*plan.units, _task("y", ("z",)), _task("z", ("y",))])
    assert any("a circular wait" in mistake for mistake in order.mistakes(ring))


def _task(name: str, after: tuple[str, ...]) -> units.Task:
    return units.Task(name=name, title="", command=units.Command(argv=("x",)), owner="", after=after)


def test_a_circle_is_told_in_the_direction_of_waiting() -> None:
    ring = _plan([_task("a", ("b",)), _task("b", ("c",)), _task("c", ("a",))])
    told = order.mistakes(ring)[0].removeprefix("a circular wait: ").split(" waits for ")
    for name, before in itertools.pairwise(told):
        assert before in _by_name(ring)[name].after
