"""A cluster as its manifests draw it, and the questions it answers."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from groundplan.proof import answers, connections, ends, findings, garbage, intervals, vicinity
from groundplan.proof import options as known
from groundplan.proof.manifests import documents, paths, sources
from groundplan.proof.model import build, policies, selectors, workloads
from groundplan.proof.reach import change, classes, index, layers, mesh, result, sides

USUAL, FEWEST, MOST = sides.Reading.USUAL, sides.Reading.FEWEST, sides.Reading.MOST


class Cluster:
    """Manifests, read and understood. Questions are answered from them alone."""

    def __init__(
        self,
        model: build.Model,
        options: known.Options = known.DEFAULTS,
        *,
        said: tuple[findings.Finding, ...] = (),
        told_apart: intervals.Intervals = (),
    ) -> None:
        self.model, self.options = model, options
        self.said = said
        """What reading found that is no reason to stop."""
        self.told_apart = told_apart
        """Ranges that somebody asks about, not merged, since both ends of each are to be told apart."""
        self._around: dict[str, vicinity.Vicinity] = {}

    @classmethod
    def read(cls, *where: str | Path, options: known.Options = known.DEFAULTS, cache: Path | None = None) -> Cluster:
        """Files, directories, or `-`. Raises `Unusable` with every reason why nothing can be proved about them.

        `cache` is a folder that remembers decoded files by their content.
        """
        with garbage.held():
            found = paths.read(where, cache)
            return cls._checked(found.documents, found.findings, options)

    @classmethod
    def of(cls, objects: Iterable[dict[str, Any]], *, options: known.Options = known.DEFAULTS) -> Cluster:
        """Objects that are decoded already. Raises `Unusable`."""
        with garbage.held():
            found = sources.objects(objects)
            return cls._checked(found.documents, found.findings, options)

    @classmethod
    def _checked(
        cls, found: Iterable[documents.Document], said: tuple[findings.Finding, ...], options: known.Options
    ) -> Cluster:
        model = build.build(found, options.default_namespace)
        every = (*said, *model.findings)
        if wrong := findings.errors(every):
            raise findings.Unusable(wrong)
        return cls(model, options, said=every)

    def asked(self, some: intervals.Intervals) -> Cluster:
        """The same cluster, with these addresses told apart from all others."""
        return Cluster(self.model, self.options, said=self.said, told_apart=some)

    def beside_workloads(self, some: tuple[workloads.Workload, ...], labels: dict[str, dict[str, str]]) -> Cluster:
        """The same cluster with more workloads, in namespaces that have these labels where no manifest says them."""
        fresh = {name: {**own, build.NAME_LABEL: name} for name, own in labels.items()}
        spaces = {**fresh, **{name: own for name, own in self.model.namespaces.items() if name in self.model.declared}}
        model = msgspec.structs.replace(
            self.model, workloads=(*self.model.workloads, *some), namespaces={**self.model.namespaces, **spaces}
        )
        return Cluster(model, self.options, said=self.said, told_apart=self.told_apart)

    def reachable(self, source: str, destination: str, port: int | str | None = None) -> answers.Answer:
        """May `source` connect to `destination` on `port` (8080, "53/UDP"; None: on any)?

        Ends are `namespace/name`, `namespace/name[Kind]`, `name` where only one has it, or an address. The answer is
        true or false, and raises `answers.Undecidable` when taken for either while it is neither. Raises
        `ends.UnknownEnd`.
        """
        ports = None if port is None else connections.parse(str(port))
        return self.between(ends.find(self.model, source), ends.find(self.model, destination), ports)

    def between(self, source: ends.End, destination: ends.End, ports: intervals.Intervals | None) -> answers.Answer:
        """As `reachable`, of ends and ports that are found already."""
        fewest = self._between(source, destination, FEWEST)
        most = self._between(source, destination, MOST) if self.uncertain else fewest
        return answers.answer(self, fewest, most, ports, source, destination)

    def _between(self, source: ends.End, destination: ends.End, reading: sides.Reading) -> intervals.Intervals:
        reach = self.reach(reading)
        found: intervals.Intervals | None = None
        for one in self.numbers(source):
            for other in self.numbers(destination):
                here = reach.between(one, other)
                found = here if found is None else intervals.intersection(found, here)
        return found or intervals.NONE

    def numbers(self, end: ends.End) -> list[int]:
        """The numbers of an end in the universe: several for pods that are told apart, and for several ranges."""
        universe = self.universe
        if end.workload is None:
            return sorted(
                {number for low, high in end.addresses for number in range(universe.atom(low), universe.atom(high) + 1)}
            )
        mine = workloads.each(end.workload, self.numbered)
        if mine == (end.workload,):
            return [universe.where[id(end.workload)]]
        names = {each.name for number, each in enumerate(mine) if end.pod in (None, number)}
        kind, namespace = end.workload.kind, end.workload.namespace
        return [
            number
            for number, each in enumerate(universe.classes)
            if any((one.name in names and one.kind == kind and one.namespace == namespace) for one in each.members)
        ]

    @functools.cached_property
    def named(self) -> classes.Named:
        """What the policies name, and the ranges that are given."""
        found = classes.named(self.model.policies)
        found.statements(self.model.beside)
        mesh.named(found, self.model.mesh)
        found.covered(self.ranges.nodes)
        found.covered(self.ranges.pods)
        found.covered(self.told_apart)
        return found

    @property
    def numbered(self) -> bool:
        """Does a selector ask for a label that tells the pods of a workload apart?"""
        return not workloads.NUMBERED.isdisjoint(self.named.values)

    @property
    def beside(self) -> str:
        """The policies beside NetworkPolicy v1, by name."""
        found = [*(each.title for each in self.model.beside), *(each.title for each in self.model.mesh)]
        return ", ".join(dict.fromkeys(found))

    @property
    def layered(self) -> bool:
        """Are there policies beside NetworkPolicy v1?"""
        return bool(self.model.beside or self.model.mesh)

    @functools.cached_property
    def universe(self) -> classes.Universe:
        """All ends."""
        with garbage.held():
            by_address = self.options.ipblock_matches_pods or self.layered
            return classes.universe(self.model, self.named, by_address=by_address, by_account=bool(self.model.mesh))

    @functools.cached_property
    def index(self) -> index.Index:
        """Selectors over all ends."""
        return index.Index(
            self.universe,
            blocks_match_pods=self.options.ipblock_matches_pods,
            pod_ranges=self.ranges.pods,
            node_ranges=self.ranges.nodes,
        )

    @functools.cached_property
    def ranges(self) -> known.Ranges:
        """The ranges of the options, as sets of addresses."""
        return known.ranges(self.options)

    @functools.cached_property
    def uncertain(self) -> bool:
        """Is there anything that could make an answer undecidable?"""
        table = self.index
        unknown = any(value == selectors.UNKNOWN for _, value in table.values)
        doubles = any(certain != possible for held in table.ports.values() for certain, possible in held.values())
        return bool(
            self.layered or table.nodes or table.maybe or unknown or doubles or self.options.ipblock_matches_pods
        )

    def reach(self, reading: sides.Reading = USUAL) -> result.Reach:
        """Everything at once, in one reading."""
        return self._reach(reading if self.uncertain else USUAL)

    def doubts(self) -> tuple[str, ...]:
        """What keeps some answers from being decidable, in words; empty where every answer is exact."""
        said = [f"nothing here reads {each.kind} {each.name}: it may change any answer" for each in self.model.unread]
        if self.uncertain and _everything(self.reach(FEWEST)) != _everything(self.reach(MOST)):
            said.extend(self._uncertainties() or ["policies may be read in two ways here"])
        return tuple(said)

    def _uncertainties(self) -> list[str]:
        said = list(self._unknowns())
        doubled = sorted({each.title for each in self.model.workloads if _named_twice(each)})
        if doubled:
            said.append(f"{_some(doubled)}: one port name stands for two numbers, and plugins differ on which is meant")
        if self.layered:
            said.append(f"{self.beside} may say either: by what only requests, names, nodes or pod addresses tell")
        return said

    def _unknowns(self) -> Iterable[str]:
        hosts = [each.title for each in self.model.workloads if each.host_network]
        if hosts:
            yield f"{_some(hosts)}: on the node's network, so an isolated pod on the same node reaches and is reached"
        if self.options.ipblock_matches_pods and not self.options.pod_ranges:
            yield "ipBlocks over pods: pod addresses are not known (say --pod-range)"
        unknown = sorted(
            {key for key, value in self.index.values if value == selectors.UNKNOWN} | set(self.index.maybe)
        )
        if unknown:
            yield f"selectors ask for {_some(unknown)}, whose values only a controller knows"

    @functools.cached_property
    def _known(self) -> dict[sides.Reading, result.Reach]:
        return {}

    def _reach(self, reading: sides.Reading) -> result.Reach:
        if reading not in self._known:
            with garbage.held():
                egress, ingress = (self._side(each, reading) for each in (policies.EGRESS, policies.INGRESS))
            self._known[reading] = result.Reach(self.universe, egress, ingress)
        return self._known[reading]

    def changed(self, policy: dict[str, Any] | None, *, instead_of: str) -> tuple[Cluster, change.Changed]:
        """As `changes.changed`."""
        from groundplan.proof import changes

        return changes.changed(self, policy, instead_of)

    def near(self, namespace: str) -> list[policies.Policy]:
        """The NetworkPolicies of a namespace, which are all that hold its pods."""
        return self._near.get(namespace, [])

    @functools.cached_property
    def _near(self) -> dict[str, list[policies.Policy]]:
        found: dict[str, list[policies.Policy]] = {}
        for each in self.model.policies:
            found.setdefault(each.namespace, []).append(each)
        return found

    def neighbours(self, namespace: str) -> list[workloads.Workload]:
        """The workloads of a namespace."""
        return self._neighbours.get(namespace, [])

    @functools.cached_property
    def _neighbours(self) -> dict[str, list[workloads.Workload]]:
        found: dict[str, list[workloads.Workload]] = {}
        for each in self.model.workloads:
            found.setdefault(each.namespace, []).append(each)
        return found

    def around(self, namespace: str) -> vicinity.Vicinity:
        """Both, by labels."""
        known = self._around.get(namespace)
        if known is None:
            known = self._around[namespace] = vicinity.Vicinity(self.neighbours(namespace), self.near(namespace))
        return known

    def _side(self, direction: str, reading: sides.Reading) -> sides.Side:
        some = self.model.policies
        if not self.layered:
            return sides.side(self.index, some, direction, reading)
        around = mesh.Mesh(self.index, self.model.mesh)
        return layers.side(self.index, some, self.model.beside, around, direction, reading)


def _everything(reach: result.Reach) -> list[tuple[int, tuple[result.Part, ...]]]:
    return list(reach.rows())


def _named_twice(each: workloads.Workload) -> bool:
    named = {port for port in each.ports if port[0]}
    return len({port[:2] for port in named}) < len(named)


def _some(names: list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
