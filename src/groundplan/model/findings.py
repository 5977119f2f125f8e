"""What is wrong with a plan: code, what, where, why, and what to do about it.

An author's mistake is a value, not an exception: it is written on the current `Sheet` where it is made,
so that all of them are shown at once.
"""

from __future__ import annotations

import dataclasses

from groundplan.model import origin as origins

CODES = {
    "GP001": "the plan file cannot be run",
    "GP002": "the file holds no plan",
    "GP003": "a file beside the plan that cannot be used",
    "GP101": "a name that Kubernetes would refuse",
    "GP102": "two declarations with one name",
    "GP103": "used by the plan, but in no namespace of it",
    "GP104": "two listeners on one port",
    "GP105": "a value that is no such quantity, number, duration or version",
    "GP106": "nothing to run",
    "GP201": "an edge to a port that does not exist",
    "GP202": "a right that its target does not grant",
    "GP203": "components that wait for each other in a circle",
    "GP205": "one variable with two values",
    "GP206": "an edge that leads back to where it starts",
    "GP301": "a setting that does not exist",
    "GP302": "a setting of the wrong kind",
    "GP303": "an environment that lacks what the plan needs there",
    "GP304": "an external with nothing behind it",
    "GP305": "an external without addresses, where every address would be open",
    "GP306": "autoscaling by what is not measured",
    "GP307": "replicas that cannot be kept so",
    "GP308": "an interval that cron has no words for",
    "GP309": "no time to drain",
    "GP310": "a secret where everybody could read it",
    "GP311": "a query about a metric that nobody exports, or that is of another kind",
    "GP320": "no such environment",
    "GP321": "a secret that its reader could not get",
    "GP322": "a secret that is not sealed for its reader",
}
"""Every code with what it stands for."""


@dataclasses.dataclass(frozen=True)
class Finding:
    """One mistake, with the author's file and line and a remedy."""

    code: str
    what: str
    where: origins.Origin
    why: str = ""
    remedy: str = ""

    def __str__(self) -> str:
        lines = [f"{self.code} {self.what}", f"      {self.why or CODES[self.code]}    {self.where}"]
        if self.remedy:
            lines.append(f"      fix: {self.remedy}")
        return "\n".join(each.replace("\n", "\n      ") for each in lines)  # no word of theirs begins a line


class PlanError(Exception):
    """A plan that cannot be used; carries every finding."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__("\n".join(str(finding) for finding in findings))
        self.findings = findings


class Sheet:
    """The findings made so far while a plan is read."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.plan: object | None = None
        """The platform that began it."""


_current = Sheet()


def begin() -> Sheet:
    """A new current sheet; a `Platform` begins one, and what is declared after it is written there."""
    global _current
    _current = Sheet()
    return _current


def current() -> Sheet:
    """The sheet that findings are written on now."""
    return _current


def report(code: str, what: str, *, why: str = "", remedy: str = "", where: origins.Origin | None = None) -> None:
    """Writes a finding on the current sheet, at the author's line."""
    _current.findings.append(Finding(code, what, where or origins.here(), why, remedy))
