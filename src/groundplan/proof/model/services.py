"""Services: what a name in the cluster leads to. Policies never see them; callers do."""

from __future__ import annotations

import msgspec

from groundplan.proof.manifests import documents
from groundplan.proof.model import shapes, workloads


class ServicePort(msgspec.Struct, gc=False, frozen=True):
    """One port of a service and where it leads."""

    name: str
    protocol: str
    port: int
    target: int | str
    node_port: int = 0


class Service(msgspec.Struct, gc=False, frozen=True, eq=False):
    """One service; without a selector it leads to nothing that labels tell."""

    namespace: str
    name: str
    selector: dict[str, str]
    ports: tuple[ServicePort, ...]
    kind: str
    headless: bool
    document: documents.Document

    @property
    def title(self) -> str:
        """`namespace/name`."""
        return f"{self.namespace}/{self.name}"

    def selects(self, workload: workloads.Workload) -> bool:
        """Does it lead to this workload's pods?"""
        if not self.selector or workload.namespace != self.namespace:
            return False
        # A label whose value only a controller knows equals none that a selector could name.
        return self.selector.items() <= workload.labels.items()


def read(document: documents.Document, namespace: str) -> Service:
    """The service of a document; raises ValueError for a wrong shape."""
    shape: shapes.Service = shapes.convert(document.data, shapes.Service)
    spec = shape.spec or shapes.ServiceSpec()
    ports = tuple(
        ServicePort(
            each.name or "", each.protocol or "TCP", each.port,
            each.port if each.target_port is None else each.target_port, each.node_port or 0,
        )
        for each in spec.ports or ()
    )  # fmt: skip
    kind = spec.type or "ClusterIP"
    headless = spec.cluster_ip == "None"
    return Service(namespace, shape.metadata.name or "", spec.selector or {}, ports, kind, headless, document)


def targets(port: ServicePort, workload: workloads.Workload) -> tuple[int, ...]:
    """The numbers a service port leads to at a workload; none where a named target does not exist there."""
    if isinstance(port.target, int):
        return (port.target,)
    found = (number for name, protocol, number in workload.ports if (name, protocol) == (port.target, port.protocol))
    return tuple(dict.fromkeys(found))
