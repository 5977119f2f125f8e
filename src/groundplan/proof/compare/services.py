"""Whether a name leads where it should: policies see pods, callers see Services, and an edge needs both."""

from __future__ import annotations

from groundplan.proof import connections, ends, findings, intervals
from groundplan.proof.model import build, services, workloads


def trouble(
    model: build.Model, through: str, destination: ends.End | None, wanted: intervals.Intervals
) -> tuple[str, findings.Place] | None:
    """Why dialling `through` (``namespace/name:port``) does not lead to these ports of the destination, and where."""
    title, _, dialled = through.rpartition(":")
    found = next((each for each in model.services if each.title == title), None)
    if found is None:
        return f"there is no Service {title}", findings.Place()
    subject = destination.workload if destination else None
    if subject is None or not found.selects(subject):
        return f"Service {title} does not select {destination}", found.document.place("spec", "selector")
    led = _led(found, int(dialled), subject)
    missing = intervals.difference(wanted, led)
    if not missing:
        return None
    said = f"{connections.text(led)} there" if led else "nothing"
    return f"port {dialled} of Service {title} leads to {said}", found.document.place("spec", "ports")


def _led(service: services.Service, dialled: int, subject: workloads.Workload) -> intervals.Intervals:
    """What a caller reaches who dials a port by the service's name: a headless one is but the pods' addresses."""
    if service.headless:
        every = (connections.of(protocol, dialled, dialled) for protocol in connections.PROTOCOLS)
        return intervals.of(pair for each in every for pair in each)
    reached = (
        connections.of(port.protocol, number, number)
        for port in service.ports if port.port == dialled
        for number in services.targets(port, subject)
    )  # fmt: skip
    return intervals.of(pair for each in reached for pair in each)
