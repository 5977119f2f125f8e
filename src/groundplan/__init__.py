"""Groundplan: one Python file is the ground plan of a platform.

This is the public door for plan files, with `groundplan.resources` and `groundplan.secrets` beside it.
"""

from groundplan.model.autoscale import Autoscale
from groundplan.model.component import Component, Edge
from groundplan.model.environment import Environment
from groundplan.model.measures import cpu, memory
from groundplan.model.namespace import Namespace
from groundplan.model.platform import Platform
from groundplan.model.processes import command, image, python
from groundplan.model.service import Job, Service, Worker
from groundplan.shapes.ports import Grpc, Http, Tcp
from groundplan.shapes.probes import Probes
from groundplan.shapes.values import LateBoundError, Value, text

__all__ = [
    "Autoscale",
    "Component",
    "Edge",
    "Environment",
    "Grpc",
    "Http",
    "Job",
    "LateBoundError",
    "Namespace",
    "Platform",
    "Probes",
    "Service",
    "Tcp",
    "Value",
    "Worker",
    "command",
    "cpu",
    "image",
    "memory",
    "python",
    "text",
]
