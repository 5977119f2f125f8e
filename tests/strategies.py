"""Random platforms: a few namespaces, services, engines, secrets, externals, and edges among them.

A `Drawing` is a plain description; `declare` makes a platform of it, in any order of declaration.
"""

from __future__ import annotations

import dataclasses
import random

from hypothesis import strategies as st

from groundplan import Http, Job, Platform, Service, Worker, command, python
from groundplan.model import platform, service
from groundplan.resources import MailCatcher, Postgres, Redis, daily
from groundplan.secrets import ed25519
from groundplan.secrets import random as random_secret

NAMES = st.from_regex(r"[a-z][a-z0-9]{0,6}(-[a-z0-9]{1,5})?", fullmatch=True)


@dataclasses.dataclass(frozen=True)
class Box:
    """One component."""

    kind: str
    name: str
    namespace: str
    replicas: int
    grpc: bool
    needs: tuple[int, ...]
    """Indices of what it calls or uses, modulo what there is."""


@dataclasses.dataclass(frozen=True)
class Drawing:
    namespaces: tuple[str, ...]
    boxes: tuple[Box, ...]
    secrets: tuple[str, ...]
    order: int
    """Seed of the order of declaration."""

    def shuffled(self, seed: int) -> Drawing:
        return dataclasses.replace(self, order=seed)


@st.composite
def drawings(draw: st.DrawFn) -> Drawing:
    names = draw(st.lists(NAMES, min_size=4, max_size=12, unique=True))
    # No name is that of another's replica ("a-0" beside "a"): that is a finding.
    names = [name for name in names if not (name.rpartition("-")[2].isdigit() and name.rpartition("-")[0] in names)]
    spaces = tuple(draw(st.lists(NAMES, min_size=1, max_size=3, unique=True)))
    kinds = st.sampled_from(("service", "service", "command", "worker", "job", "postgres", "redis"))
    boxes = tuple(
        Box(
            kind=draw(kinds),
            name=name,
            namespace=draw(st.sampled_from(spaces)),
            replicas=draw(st.integers(1, 3)),
            grpc=draw(st.booleans()),
            needs=tuple(draw(st.lists(st.integers(0, 30), max_size=4, unique=True))),
        )
        for name in names
    )
    return Drawing(spaces, boxes, ("app/one", "app/two"), order=0)


def declare(drawing: Drawing) -> platform.Platform:
    """The platform that `drawing` describes; the order of declaration follows its seed, the meaning does not."""
    shuffle = random.Random(drawing.order)
    plan = Platform("random")
    spaces = {name: plan.namespace(name) for name in _mixed(drawing.namespaces, shuffle)}
    made = {}
    for box in _mixed(drawing.boxes, shuffle):
        made[box.name] = spaces[box.namespace].add(_component(box))
    secrets = {path: plan.secret(path, random_secret()) for path in _mixed(drawing.secrets, shuffle)}
    secrets["app/key"] = plan.secret("app/key", ed25519())
    outside = plan.external("outside-world", tcp=587, stand_in=MailCatcher("mail-stand-in"))
    databases = {
        box.name: made[box.name].database(f"db_{number}")
        for number, box in enumerate(sorted(drawing.boxes, key=lambda each: each.name))
        if box.kind == "postgres"
    }
    targets = [*sorted(made), *sorted(secrets), "outside-world"]
    for box in _mixed(drawing.boxes, shuffle):
        for right in _mixed(_rights(box, targets, made, databases, secrets, outside), shuffle):
            made[box.name].needs(right)
    return plan


def _component(box: Box):
    if box.kind == "postgres":
        return Postgres(box.name, backup=daily(keep=3) if box.grpc else None)
    if box.kind == "redis":
        return Redis(box.name, backup=daily(keep=3) if box.grpc else None)
    if box.kind == "worker":
        return Worker(box.name, python("somewhere.worker"), replicas=box.replicas)
    if box.kind == "job":
        return Job(box.name, python("somewhere.job"), every="5m")
    process = command(["serve", box.name]) if box.kind == "command" else python("somewhere.service")
    return Service(
        box.name, process, http=Http(8000, expose=80), grpc=9000 if box.grpc else None, replicas=box.replicas
    )


def _rights(box, targets, made, databases, secrets, outside):
    if box.kind in ("postgres", "redis"):
        return []
    found = {}
    for index in box.needs:
        name = targets[index % len(targets)]
        right = _right(box, name, made, databases, secrets, outside)
        if right is not None:
            found.setdefault(_slot(name, made), right)
    return list(found.values())


def _slot(name: str, made) -> str:
    """One database and one Redis a holder: two would want the same variable."""
    kind = type(made[name]).__name__ if name in made else name
    return kind if kind in ("Postgres", "Redis") else name


def _right(box, name, made, databases, secrets, outside):
    if name in secrets:
        return secrets[name]
    if name == "outside-world":
        return outside
    target = made[name]
    if target is made[box.name]:
        return None
    if isinstance(target, Postgres):
        return databases[name].read_write()
    if isinstance(target, Redis):
        return target.keys(f"{box.name}:")
    if isinstance(target, service.Service):
        return target.grpc.methods("Ask") if "grpc" in target.ports else target.http
    return None


def _mixed(things, shuffle: random.Random):
    things = list(things)
    shuffle.shuffle(things)
    return things
