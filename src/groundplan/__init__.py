"""Groundplan: one Python file is the ground plan of a platform.

This is the public door for plan files, with `groundplan.resources` and `groundplan.secrets` beside it.
Names are imported when they are first asked for: the command line and the supervisor need none of them.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from groundplan.model.autoscale import Autoscale
    from groundplan.model.component import Component, Edge
    from groundplan.model.environment import Environment
    from groundplan.model.measures import cpu, memory
    from groundplan.model.namespace import Namespace
    from groundplan.model.platform import Platform
    from groundplan.model.processes import command, image, python
    from groundplan.model.receivers import Receivers
    from groundplan.model.service import Job, Service, Worker
    from groundplan.shapes.alerts import Alert, Condition
    from groundplan.shapes.boards import Board, Panel
    from groundplan.shapes.objectives import Objective
    from groundplan.shapes.ports import Grpc, Http, Tcp
    from groundplan.shapes.probes import Probes
    from groundplan.shapes.signals import counter, gauge, histogram
    from groundplan.shapes.values import LateBoundError, Value, text

_HOMES = {
    "model.autoscale": ("Autoscale",),
    "model.component": ("Component", "Edge"),
    "model.environment": ("Environment",),
    "model.measures": ("cpu", "memory"),
    "model.namespace": ("Namespace",),
    "model.platform": ("Platform",),
    "model.processes": ("command", "image", "python"),
    "model.receivers": ("Receivers",),
    "model.service": ("Job", "Service", "Worker"),
    "shapes.alerts": ("Alert", "Condition"),
    "shapes.boards": ("Board", "Panel"),
    "shapes.objectives": ("Objective",),
    "shapes.ports": ("Grpc", "Http", "Tcp"),
    "shapes.probes": ("Probes",),
    "shapes.signals": ("counter", "gauge", "histogram"),
    "shapes.values": ("LateBoundError", "Value", "text"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Alert",
    "Autoscale",
    "Board",
    "Component",
    "Condition",
    "Edge",
    "Environment",
    "Grpc",
    "Http",
    "Job",
    "LateBoundError",
    "Namespace",
    "Objective",
    "Panel",
    "Platform",
    "Probes",
    "Receivers",
    "Service",
    "Tcp",
    "Value",
    "Worker",
    "command",
    "counter",
    "cpu",
    "gauge",
    "histogram",
    "image",
    "memory",
    "python",
    "text",
]


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME_OF[name]}"), name)
