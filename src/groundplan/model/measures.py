"""CPU and memory as plan files say them."""

from __future__ import annotations

from groundplan.model import findings
from groundplan.shapes import quantities


def cpu(request: str, limit: str | None = None) -> quantities.Compute:
    """Cores requested and their limit, such as ``cpu("100m", "200m")``; the limit is the request when left out."""
    return quantities.Compute(cpu=_range("cpu", request, limit))


def memory(request: str, limit: str | None = None) -> quantities.Compute:
    """Memory requested and its limit, such as ``memory("128Mi", "256Mi")``."""
    return quantities.Compute(memory=_range("memory", request, limit))


def _range(what: str, request: str, limit: str | None) -> quantities.Range | None:
    limit = limit or request
    try:
        if quantities.parse(request) > quantities.parse(limit):
            raise ValueError(f"the request {request} is above the limit {limit}")
    except (ValueError, TypeError) as error:
        findings.report(
            "GP105",
            f"{what}({request!r}, {limit!r})",
            why=str(error),
            remedy=f'write {what}("100m")' if what == "cpu" else 'write memory("128Mi")',
        )
        return None
    return quantities.Range(request, limit)
