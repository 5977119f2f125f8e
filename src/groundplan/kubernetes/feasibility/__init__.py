"""What an environment must have to work: found before anything is emitted, at the plan's line.

Belongs here: what only a cluster needs. What is wrong wherever it runs is found by `groundplan.model.check`.
"""

from __future__ import annotations

from collections.abc import Callable

from groundplan.kubernetes.feasibility import (
    addresses,
    amounts,
    backups,
    environments,
    externals,
    finding,
    programs,
    syncing,
)
from groundplan.model import environment, findings, platform

CHECKS: tuple[Callable[[platform.Platform, environment.Environment], finding.Found], ...] = (
    environments.needed,
    addresses.check,
    externals.reached,
    externals.ranges,
    programs.run,
    programs.variables,
    amounts.check,
    backups.check,
    syncing.check,
)


def check(plan: platform.Platform, env: environment.Environment) -> tuple[findings.Finding, ...]:
    """Every finding of one environment, in the order of lines."""
    found = list(environments.words(env))
    if not found:  # values of the wrong kind would only be found again and again
        found = [finding for each in CHECKS for finding in each(plan, env)]
    return tuple(sorted(dict.fromkeys(found), key=lambda finding: (finding.where, finding.code, finding.what)))
