"""Namespaces: the walls of the ground plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from groundplan.model import component as components
from groundplan.model import findings
from groundplan.model import origin as origins

if TYPE_CHECKING:
    from groundplan.model import platform

C = TypeVar("C", bound=components.Component)


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
