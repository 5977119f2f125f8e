"""The base of every resource: an engine that services use through rights.

A plan may define its own: subclass, answer the questions, mark it `@final`.
"""

from __future__ import annotations

import abc
from collections.abc import Sequence

from groundplan.model import component, environment, secrets, ungranted
from groundplan.shapes import backups, ports, processes, signals, workloads


class Resource(ungranted.Granting, component.Component, abc.ABC):
    """A stateful or infrastructural part of the platform. "Nothing" is an answer, with a reason."""

    kind = "resource"
    grants = "what its documentation lists"
    """The rights it grants, in words, for an author who asked for another."""

    def __init__(self, name: str, *, listens: dict[str, ports.Port] | None = None) -> None:
        super().__init__(name, ports=listens)

    def secrets(self) -> tuple[secrets.Secret, ...]:
        """Secrets of its own, beside those that rights to it bring."""
        return ()

    @abc.abstractmethod
    def runs_here(self, edges: Sequence[component.Edge]) -> processes.Engine | processes.NotHere:
        """How it runs on this machine, given every edge that leads to it (in the order of their holders' names)."""

    @abc.abstractmethod
    def objects(self, env: environment.Environment, edges: Sequence[component.Edge]) -> workloads.Answer:
        """How it runs in a cluster, given every edge that leads to it (in the order of their holders' names)."""

    @abc.abstractmethod
    def backed_up(self) -> backups.Backup:
        """How its data is kept safe."""

    @abc.abstractmethod
    def signals(self) -> signals.Signals:
        """What it tells of itself, and how one asks it."""

    def procedures(self, edges: Sequence[component.Edge], work: str) -> backups.Procedures | None:
        """How dumps of it are made in the folder `work` and put back from there; None where it has nothing to keep.

        The first thing that saves makes `work` anew, with an empty file ``began`` in it.
        """
        return None


class Issuer(Resource):
    """A resource that issues certificates to an environment's engines (``certificates=`` of `Platform.environment`)."""

    @abc.abstractmethod
    def certificate(self, name: str, hosts: Sequence[str]) -> workloads.Beside:
        """The object by which the Secret `name` comes about and stays fresh, with tls.crt, tls.key and ca.crt (PEM);
        its certificate is valid for `hosts`, as server and as client."""
