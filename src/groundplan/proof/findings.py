"""What is wrong with manifests: code, severity, what, where, why, and what to do about it.

Codes: GP2xx is between a plan and its manifests, GP40x refuses a network object, GP41x questions one, GP5xx is about
reading. The codes of the lints that `check` adds are in `groundplan.proof.lint.codes`.
"""

from __future__ import annotations

import dataclasses

ERROR, WARNING, NOTE = "error", "warning", "note"
SEVERITIES = (ERROR, WARNING, NOTE)
"""Worst first."""

CODES: dict[str, tuple[str, str]] = {
    "GP204": (ERROR, "an edge that the manifests block"),
    "GP207": (ERROR, "a connection that the manifests allow and the plan does not draw"),
    "GP208": (ERROR, "an edge whose Service does not lead to its port"),
    "GP209": (ERROR, "an edge whose end is not among the manifests"),
    "GP210": (ERROR, "a folder that is not what the plan says"),
    "GP401": (ERROR, "a network policy that the API server would refuse"),
    "GP402": (ERROR, "two objects of one kind and name"),
    "GP403": (ERROR, "an object without a namespace"),
    "GP404": (ERROR, "a workload that the API server would refuse"),
    "GP405": (ERROR, "a namespace that the API server would refuse"),
    "GP406": (ERROR, "a service that the API server would refuse"),
    "GP411": (WARNING, "rules that never apply, since policyTypes leaves their direction out"),
    "GP501": (ERROR, "a document that cannot be read"),
    "GP502": (ERROR, "one key twice in a mapping"),
    "GP503": (ERROR, "a document that is no Kubernetes object"),
    "GP504": (ERROR, "nothing was read"),
    "GP505": (ERROR, "a path that cannot be read"),
    "GP506": (WARNING, "an unquoted word or number that readers of YAML understand differently"),
    "GP507": (ERROR, "a kustomization that is not built"),
    "GP508": (WARNING, "a patch of a kustomization that is for no object"),
}
"""Every code with its severity and what it stands for."""


@dataclasses.dataclass(frozen=True)
class Place:
    """Where in the input: a file, and the line of it that is meant (0 where only the file is)."""

    file: str = ""
    line: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclasses.dataclass(frozen=True)
class Finding:
    """One thing wrong, with its place and a remedy."""

    code: str
    what: str
    where: Place = Place()
    why: str = ""
    remedy: str = ""
    subject: str = ""
    """The object, as `kind namespace/name`."""
    field: str = ""
    """The path inside the object, such as `spec.ingress[0].from`."""
    severity: str = ""
    declared: str = ""
    """The plan's file and line, where a plan says something else."""

    def __post_init__(self) -> None:
        if not self.severity:
            object.__setattr__(self, "severity", CODES.get(self.code, (ERROR, ""))[0])

    @property
    def said(self) -> str:
        """Why, or what the code stands for."""
        return self.why or CODES.get(self.code, ("", ""))[1]

    def __str__(self) -> str:
        lines = [f"{self.code} {self.what}", f"      {self.said}    {self.where}".rstrip()]
        if self.remedy:
            lines.append(f"      fix: {self.remedy}")
        # A name with a new line in it begins no line of its own, where it could pass for another finding or a verdict.
        return "\n".join(each.replace("\n", "\n      ") for each in lines)


class Unusable(Exception):
    """Manifests that nothing can be proved about; carries every finding."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__("\n".join(str(finding) for finding in findings))
        self.findings = findings


def errors(some: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Those that make a proof impossible."""
    return tuple(each for each in some if each.severity == ERROR)
