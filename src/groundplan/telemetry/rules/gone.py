"""Sets of pods of which not one is there: engines, what lets the world in, and whatever else nobody asks after."""

from __future__ import annotations

from collections.abc import Iterator

from groundplan.model import platform
from groundplan.shapes import alerts

_COUNTED = {
    "statefulset": ("status_replicas_ready", "replicas"),
    "deployment": ("status_replicas_available", "spec_replicas"),
}
"""How many pods of a set do their work, and how many are wanted."""


def rules(plan: platform.Platform, ours: str, space: str) -> Iterator[alerts.Alert]:
    """For the sets in the namespaces that are `ours`, a matcher; `space`, one of them, is the examples'.

    Of a service that is gone ServiceDown tells, by what its own metrics no longer say.
    """
    yield _gone(
        "EngineDown",
        "critical",
        "statefulset",
        ours,
        f'namespace="{space}", statefulset="db"',
        "kubectl describe its pod: no node, no volume, or a server that does not come up; then its logs",
    )
    entries = sorted({entry.controller.name for entry in plan.entries})
    if entries:
        yield _gone(
            "EntryDown",
            "critical",
            "deployment",
            f'{ours}, deployment=~"{"|".join(entries)}"',
            f'namespace="{space}", deployment="{entries[0]}"',
            "the world gets no answer at all: kubectl describe its pods, then their logs",
        )
    told = sorted({*entries, *(program.name for program in plan.programs if "metrics" in program.ports)})
    yield _gone(
        "DeploymentDown",
        "warning",
        "deployment",
        f'{ours}, deployment!~"{"|".join(told)}"',
        f'namespace="{space}", deployment="db-exporter"',
        "kubectl describe its pods: nobody waits for an exporter or an operator until something else goes wrong",
    )


def _gone(name: str, severity: alerts.Severity, kind: str, chosen: str, example: str, remedy: str) -> alerts.Alert:
    there, wanted = (f"kube_{kind}_{each}" for each in _COUNTED[kind])
    return alerts.Alert(
        name,
        # Where none is wanted somebody has scaled it to nothing, as a restore does.
        (alerts.Condition(f"{there}{{{chosen}}}", "<", 1), alerts.Condition(f"{wanted}{{{chosen}}}", ">", 0)),
        severity,
        f"{{{{ $labels.{kind} }}}} in {{{{ $labels.namespace }}}} has no pod that is ready",
        remedy,
        fires={f"{there}{{{example}}}": "1x20 0x30", f"{wanted}{{{example}}}": "1x60"},
        quiet={f"{there}{{{example}}}": "1x20 0x30", f"{wanted}{{{example}}}": "1x20 0x30"},
    )
