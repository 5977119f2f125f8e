"""What every page is made from: the plan, what each cluster holds of it, and where in the plan a fact stands."""

from __future__ import annotations

import dataclasses
import functools
import os
import pathlib
from collections.abc import Iterable

from groundplan import markdown
from groundplan.kubernetes import clusters as known
from groundplan.kubernetes import lower
from groundplan.model import component, environment, platform
from groundplan.model import origin as origins


@dataclasses.dataclass(frozen=True)
class World:
    """A platform and its clusters, in the order of their names."""

    plan: platform.Platform
    lowered: tuple[lower.Lowered, ...]

    @functools.cached_property
    def clusters(self) -> tuple[environment.Environment, ...]:
        """The environments that are clusters, in the order of `lowered`."""
        named = {env.name: env for env in self.plan.environments}
        return tuple(named[each.environment] for each in self.lowered)

    @functools.cached_property
    def components(self) -> dict[str, component.Component]:
        return {each.name: each for each in self.plan.components}

    @functools.cached_property
    def filled(self) -> tuple[known.Cluster, ...]:
        """What is known of each cluster, in the order of `lowered`."""
        return tuple(known.of(self.plan, env, {}) for env in self.clusters)

    def where(self, environments: Iterable[str]) -> str:
        """Some of the clusters, in words."""
        wanted = [each.environment for each in self.lowered if each.environment in set(environments)]
        return "all" if len(wanted) == len(self.lowered) else ", ".join(wanted)

    def place(self, origin: origins.Origin | str) -> tuple[str, int]:
        """The author's file, as seen from the plan's folder, and the line: the same wherever one stands."""
        file, _, number = str(origin).rpartition(":")
        return pathlib.PurePath(os.path.relpath(file, self.plan.file.parent)).as_posix(), int(number)

    def line(self, origin: origins.Origin | str) -> str:
        """That place in Markdown, as a link that GitHub and GitLab follow."""
        file, number = self.place(origin)
        return markdown.link(f"{file}:{number}", f"../{file}#L{number}")
