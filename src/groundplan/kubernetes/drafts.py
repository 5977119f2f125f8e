"""What the passes write on: objects by key, and the pods whose templates stand in some of them."""

from __future__ import annotations

import dataclasses

from groundplan.kubernetes import flows
from groundplan.model import component, findings
from groundplan.model import origin as origins
from groundplan.shapes import backups, objects, workloads


@dataclasses.dataclass
class Pod:
    """One kind of pod. `template` is the very tree that stands in its controller, so passes add to it in place."""

    name: str
    """Of its workload, its account, its policy, and the label that selects it."""
    namespace: str
    owner: component.Component
    kind: str
    """Of its controller: Deployment, StatefulSet, CronJob or Job."""
    template: objects.Tree
    files: dict[str, str]
    """Text by absolute path, with marks where secrets go."""
    user: int
    group: int
    least: int = 1
    most: int = 1
    callees: tuple[str, ...] = ()
    cluster_role: str = ""
    opens: tuple[str, ...] = ()
    """Ports of its owner that it needs: a step talks to its own engine."""
    storage: str = ""
    """The size of its volume; empty for none or an ephemeral one."""
    place: backups.ObjectStore | None = None
    """Where it takes backups, or takes them from."""

    @property
    def spec(self) -> objects.Tree:
        found: objects.Tree = self.template["spec"]
        return found

    @property
    def container(self) -> objects.Tree:
        found: objects.Tree = self.spec["containers"][0]
        return found

    @property
    def containers(self) -> list[objects.Tree]:
        """All of them, in the order in which they start."""
        return [*self.spec.get("initContainers", ()), *self.spec["containers"]]

    @property
    def origin(self) -> origins.Origin:
        return self.owner.origin

    def mount(self, volume: objects.Tree, *paths: str) -> None:
        """Adds `volume`, mounted read-only at `paths` of each container that is there."""
        self.spec.setdefault("volumes", []).append(volume)
        for container in self.containers:
            mounts = container.setdefault("volumeMounts", [])
            mounts += [{"name": volume["name"], "mountPath": path, "readOnly": True} for path in paths]


class Draft:
    """The objects made so far."""

    def __init__(self, platform: str) -> None:
        self.platform = platform
        self.by = ""
        """The pass that writes now."""
        self.objects: dict[objects.Key, objects.Object] = {}
        self.origins: dict[objects.Key, origins.Origin] = {}
        self.pods: dict[str, Pod] = {}
        self.charts: dict[str, workloads.Chart] = {}
        self.parts: dict[str, Pod] = {}
        """Pods of charts of which a part is ours, by the chart's component: the chart's values take it."""
        self.early: set[objects.Key] = set()
        """Objects of kinds that a chart defines, and that others wait for."""
        self.flows: list[flows.Flow] = []
        self.holders: tuple[workloads.Holder, ...] = ()
        """Who reads which secrets."""
        self.findings: list[findings.Finding] = []

    def labels(self, name: str) -> dict[str, str]:
        """What selects the pods of the workload called `name`; it can never change (selectors are immutable)."""
        return {"app.kubernetes.io/name": name, "app.kubernetes.io/part-of": self.platform}

    def add(
        self,
        kind: str,
        name: str,
        body: objects.Tree,
        origin: origins.Origin,
        *,
        namespace: str | None = None,
        component: str | None = None,
    ) -> objects.Tree:
        """Adds an object of `kind` (``apps/v1 Deployment``) and returns its tree."""
        api, _, plain = kind.rpartition(" ")
        metadata: objects.Tree = {"name": name}
        if namespace is not None:
            metadata["namespace"] = namespace
        metadata["labels"] = self.labels(component or name)
        extra = body.pop("metadata", {})
        metadata["labels"] |= extra.get("labels", {})
        if "annotations" in extra:
            metadata["annotations"] = dict(extra["annotations"])  # later passes add theirs
        made = objects.Object({"apiVersion": api, "kind": plain, "metadata": metadata, **body}, str(origin), self.by)
        self._put(made, origin)
        return made.tree

    def _put(self, made: objects.Object, origin: origins.Origin) -> None:
        if made.key in self.objects:
            self._twice(str(made.key), self.objects[made.key].origin, origin)
        self.objects[made.key] = made
        self.origins[made.key] = origin

    def hold(self, pod: Pod) -> None:
        """Adds a kind of pod; its name selects it, so that there can be but one."""
        self.single(pod)
        self.pods[pod.name] = pod

    def single(self, pod: Pod) -> None:
        """A finding where there is another kind of pod of that name."""
        if pod.name in self.pods:
            self._twice(f"{pod.kind} {pod.name}", str(self.pods[pod.name].origin), pod.origin)

    def _twice(self, what: str, first: str, where: origins.Origin) -> None:
        why, remedy = f"the first is derived from {first}", "give one of the two another name"
        self.findings.append(findings.Finding("GP102", f"{what} comes about twice", where, why, remedy))
