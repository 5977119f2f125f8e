"""Namespaces: the walls of the ground plan."""

from __future__ import annotations

import dataclasses
import decimal
from typing import TYPE_CHECKING, TypeVar

from groundplan.model import component as components
from groundplan.model import findings
from groundplan.model import origin as origins
from groundplan.shapes import quantities

if TYPE_CHECKING:
    from groundplan.model import platform

C = TypeVar("C", bound=components.Component)


@dataclasses.dataclass(frozen=True)
class Estimate:
    """What was reckoned with for a namespace before there was a plan."""

    pods: int
    each_cpu: decimal.Decimal
    """Cores that one pod requests."""
    each_memory: decimal.Decimal
    """Bytes that one pod requests."""
    origin: origins.Origin

    @property
    def cpu(self) -> decimal.Decimal:
        return self.pods * self.each_cpu

    @property
    def memory(self) -> decimal.Decimal:
        return self.pods * self.each_memory


class Namespace:
    """A Kubernetes namespace with the components in it.

    `privileged` says why pods in it may use the host: the one exception to the restricted standard, by name.
    """

    def __init__(self, name: str, plan: platform.Platform, privileged: str = "") -> None:
        self.origin = origins.here()
        self.name = components.checked_name(name, "namespace", self.origin)
        self.plan = plan
        self.privileged = privileged
        self.components: list[components.Component] = []
        self.estimate: Estimate | None = None

    def add(self, component: C) -> C:
        """Puts `component` here and returns it."""
        if not isinstance(component, components.Component):
            findings.report(
                "GP106",
                f"{self.name}.add({component!r})",
                why="a namespace holds services, workers, jobs and resources",
            )
            return component
        if component.namespace is not None:
            findings.report(
                "GP102", f"{component.name} is added to {component.namespace} and to {self.name}", remedy="add it once"
            )
            return component
        component.namespace = self.name
        self.components.append(component)
        return component

    def estimated(self, each: quantities.Compute, *, pods: int = 1) -> None:
        """Says what was reckoned with: `pods` that request `each`. ``groundplan docs`` compares with it."""
        if not isinstance(each, quantities.Compute) or each.cpu is None or each.memory is None:
            remedy = f'write {self.name}.estimated(cpu("100m") & memory("128Mi"), pods=2)'
            findings.report("GP105", f"{self.name}.estimated({each!r})", why="it takes CPU and memory", remedy=remedy)
            return
        number = pods if isinstance(pods, int) and not isinstance(pods, bool) and pods >= 0 else None
        if number is None:
            findings.report("GP105", f"{self.name}.estimated(pods={pods!r})", remedy="give a whole number, 0 or more")
            return
        cpu, memory = quantities.parse(each.cpu.request), quantities.parse(each.memory.request)
        self.estimate = Estimate(number, cpu, memory, origins.here())
