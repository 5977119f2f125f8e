"""Stores: where an environment keeps its secrets (``secrets=`` of `Platform.environment`), and how they reach a pod."""

from __future__ import annotations

import abc
from collections.abc import Iterator, Sequence
from typing import ClassVar

from groundplan.model import component, findings
from groundplan.model import origin as origins
from groundplan.shapes import workloads


class Store(abc.ABC):
    """Keeps secrets outside the emitted objects, and fills templates in with them."""

    name: str
    origin: origins.Origin

    brought_by: ClassVar[str] = ""
    """The API group of the controller that brings its secrets; empty where workloads fetch them."""

    @property
    def server(self) -> tuple[component.Component, str] | None:
        """The component, and its port, from which workloads fetch what they read; None where others bring it."""
        return None

    @abc.abstractmethod
    def says(self, path: str) -> str:
        """What stands in a template for the secret at `path`."""

    @abc.abstractmethod
    def quotes(self, text: str) -> str:
        """Plain `text` as a template says it."""

    @abc.abstractmethod
    def delivers(self, order: workloads.Order) -> workloads.Fetched | workloads.Synced:
        """How templates come to be filled in for a workload."""

    def admits(self, holders: Sequence[workloads.Holder], savers: Sequence[workloads.Holder] = ()) -> dict[str, str]:
        """Who may read what, and which workloads take snapshots of it, as files by name, for those who set it up; kept
        beside its server."""
        return {}

    def lacks(self, order: workloads.Order) -> Iterator[findings.Finding]:
        """Why it cannot deliver."""
        return iter(())
