"""From a target to its platform, and to what runs here of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from groundplan.cli import targets
    from groundplan.local.plan import units
    from groundplan.model import platform


def loaded(target: targets.Target) -> tuple[platform.Platform, units.LocalPlan]:
    """The platform, and all of it lowered for the target's data directory."""
    from groundplan.local import directory, prepare
    from groundplan.model import load

    plan = load.load(target.plan_file or load.find(None, Path()))
    return plan, prepare.prepare(plan, directory.make(target.place.root))
