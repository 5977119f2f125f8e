"""What a platform's story is told: where the platform is, and how to look inside it."""

from __future__ import annotations

import sys
from pathlib import Path

from groundplan.local import directory
from groundplan.local.plan import units
from groundplan_runtime import contract


def variables(
    plan: units.LocalPlan, plan_file: Path, place: directory.Directory, *, as_json: bool, keep: bool
) -> dict[str, str]:
    """PUBLIC_URL; the URL of each stand-in that speaks HTTP; GROUNDPLAN_EXEC, which runs a command in a unit.

    With `as_json`, GROUNDPLAN_JSON asks for a line of JSON a step; with `keep`, GROUNDPLAN_KEEP says that the
    platform goes on running afterwards, so that the story may end with how to use it.
    """
    found = {"PUBLIC_URL": plan.entries[0][1] if plan.entries else ""}
    for unit in plan.units:
        if isinstance(unit, units.Daemon) and unit.kind == "stand-in":
            urls = [address for _, address in unit.addresses if address.startswith("http://")]
            found |= {contract.url_variable(unit.name): url for url in urls[:1]}
    found["GROUNDPLAN_EXEC"] = f"{sys.executable} -m groundplan exec {plan_file} --data {place.root}"
    asked = {"GROUNDPLAN_JSON": as_json, "GROUNDPLAN_KEEP": keep}
    found |= {name: "1" for name, wanted in asked.items() if wanted}
    source = plan_file.resolve().parent / "src"
    return {**found, "PYTHONPATH": str(source)}
