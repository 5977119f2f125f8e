"""Laws of what a platform becomes on this machine, over random platforms."""

from __future__ import annotations

import json

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from groundplan.local.plan import demands, lower, units
from groundplan.model import check, service
from groundplan_runtime import contract
from tests import sites, strategies


def lowered(drawing: strategies.Drawing) -> units.LocalPlan:
    plan = strategies.declare(drawing)
    assert check.check(plan) == ()
    local = lower.lower(sites.imagined(plan))
    return msgspec.structs.replace(local, units=tuple(without_origin(unit) for unit in local.units))


def without_origin(unit: units.Unit) -> units.Unit:
    return msgspec.structs.replace(unit, origin="")


def commands(unit: units.Unit) -> list[units.Command]:
    return [each.command for each in unit.instances] if isinstance(unit, units.Daemon) else [unit.command]


@given(strategies.drawings(), st.integers(1, 10**6))
def test_the_order_of_declaration_never_matters(drawing, seed):
    assert lowered(drawing) == lowered(drawing.shuffled(seed))


@given(strategies.drawings())
def test_a_plan_survives_the_control_socket(drawing):
    plan = lowered(drawing)
    assert msgspec.json.decode(msgspec.json.encode(plan), type=units.LocalPlan) == plan


@given(strategies.drawings())
def test_every_component_that_runs_here_has_a_unit_by_the_authors_name(drawing):
    names = [unit.name for unit in lowered(drawing).units]
    assert len(names) == len(set(names))
    assert {box.name for box in drawing.boxes} <= set(names)


@given(strategies.drawings())
def test_whatever_a_unit_comes_after_is_there(drawing):
    plan = lowered(drawing)
    names = {unit.name for unit in plan.units}
    for unit in plan.units:
        assert set(unit.after) <= names
        assert set(getattr(unit, "needs", ())) <= names


@given(strategies.drawings())
def test_no_secret_stands_in_a_command_line_or_a_variable(drawing):
    for unit in lowered(drawing).units:
        for command in commands(unit):
            words = [*command.argv, *(value for _, value in command.environment)]
            assert not any("<secret" in word or "<token" in word for word in words)
        for file in unit.files:
            assert ("<secret" in file.content or "<token" in file.content) == file.secret
            assert not file.secret or file.mode == 0o600


@given(strategies.drawings())
def test_every_reference_leads_to_a_file_of_the_unit_or_of_its_engine(drawing):
    for unit in lowered(drawing).units:
        paths = {file.path for file in unit.files}
        for command in commands(unit):
            for _, value in command.environment:
                if value.startswith("file://"):
                    assert value.removeprefix("file://") in paths


@given(strategies.drawings())
def test_callers_are_exactly_the_holders_of_edges(drawing):
    plan = strategies.declare(drawing)
    local = {unit.name: unit for unit in lower.lower(sites.imagined(plan)).units}
    for program in plan.programs:
        if not isinstance(program, service.Service) or not demands.instances(program, sites.imagined(plan).environment):
            continue
        written = next(file for file in local[program.name].files if file.path.endswith("callers.json"))
        allowed = json.loads(written.content)["callers"]
        holders = {contract.workload(edge.source.namespace or "", edge.source.name) for edge in plan.edges_to(program)}
        assert set(allowed) == holders


@given(strategies.drawings())
def test_no_port_has_two_listeners_but_replicas_that_share_one(drawing):
    taken: dict[str, str] = {}
    for unit in lowered(drawing).units:
        for command in commands(unit):
            for name, value in command.environment:
                if name.endswith("_LISTEN"):
                    assert taken.setdefault(value, unit.name) == unit.name


@given(strategies.drawings())
def test_only_what_is_named_and_needed_starts(drawing):
    plan = strategies.declare(drawing)
    everything = lower.lower(sites.imagined(plan))
    name = drawing.boxes[0].name
    some = lower.lower(sites.imagined(plan), only=(name,))
    names = {unit.name for unit in some.units}
    assert name in names
    assert names <= {unit.name for unit in everything.units}
    for unit in some.units:
        assert {*unit.after, *getattr(unit, "needs", ())} <= names
