"""What can be said about a plan before anything runs: one module a question, all findings at once.

Belongs here: checks over the whole platform. A check of a single value is made where the value is made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from groundplan.model import findings, platform
from groundplan.model.check import cycles, edges, membership, naming, sockets, variables

CHECKS: tuple[Callable[[platform.Platform], Iterator[findings.Finding]], ...] = (
    naming.check,
    membership.check,
    sockets.check,
    edges.check,
    cycles.check,
    variables.check,
)


def check(plan: platform.Platform) -> tuple[findings.Finding, ...]:
    """Every finding: those made while the plan was read, and those of the whole, in the order of lines."""
    found = [*plan.sheet.findings, *(finding for each in CHECKS for finding in each(plan))]
    unique = dict.fromkeys(found)
    return tuple(sorted(unique, key=lambda finding: (finding.where, finding.code, finding.what)))
