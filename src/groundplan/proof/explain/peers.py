"""Does a peer of a rule match an end, and if not, why, in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from groundplan.proof import addresses, ends, intervals, vicinity
from groundplan.proof.model import build, policies, selectors

Match = tuple[bool | None, str]
"""Whether it does (None: not decidable), and why, in words."""


def selected(labels: Mapping[str, str], selector: selectors.Selector, what: str) -> Match:
    """Do labels match a selector?"""
    for term in selector:
        found = selectors.matches((term,), labels)
        if found is not True:
            return found, f"{what} {_difference(term, labels)}"
    return True, f"{what} matches {selectors.text(selector)}" if selector else f"{what} is selected by {{}}"


def _difference(term: selectors.Term, labels: Mapping[str, str]) -> str:
    value = labels.get(term.key)
    if value == selectors.UNKNOWN:
        return f"has a {term.key} that only its controller knows, and the selector asks for {term}"
    has = f"{term.key}={value}" if value is not None else f"no {term.key}"
    return f"has {has}, and the selector asks for {term}"


class Judge:
    """Judges peers against ends of one model."""

    def __init__(
        self, model: build.Model, around: Callable[[str], vicinity.Vicinity], matches_pods: bool,
        pod_ranges: intervals.Intervals, nodes: intervals.Intervals,
    ) -> None:  # fmt: skip
        self.model, self.around, self.matches_pods, self.pod_ranges, self.nodes = (
            model, around, matches_pods, pod_ranges, nodes
        )  # fmt: skip

    def node(self, end: ends.End) -> bool:
        """Is it a node, or may it be one: a pod on its node's network, or an address of the node ranges?"""
        if end.workload is not None:
            return end.workload.host_network
        return bool(intervals.intersection(end.addresses, self.nodes))

    def peer(self, peer: policies.Peer, own: str, end: ends.End) -> Match:
        """Does it match?"""
        if peer.block is not None:
            return self.block(peer.block, end)
        if end.workload is None:
            return False, "selectors are for pods, and this is an address outside"
        if end.workload.host_network:
            return None, f"{end.workload.title} is on its node's network, where no selector sees it"
        where = end.workload.namespace
        if peer.namespaces is None:
            if where != own:
                return False, f"it is for pods of namespace {own}, and {end.workload.title} is in {where}"
        else:
            found, why = selected(self.model.namespaces.get(where, {}), peer.namespaces, f"namespace {where}")
            if found is not True:
                return found, why
        return selected(ends.labels(end), peer.pods, end.workload.title)

    def block(self, block: policies.Block, end: ends.End) -> Match:
        """Does it cover?"""
        if end.workload is None:
            found, why = self._covers(block, end.addresses, str(end))
            return (None, f"{why}; it is a node's") if found and self.node(end) else (found, why)
        if not self.matches_pods:
            return False, f"ipBlock {block.cidr} is for addresses outside, and this is a pod"
        known = tuple((addresses.number(each),) * 2 for each in end.workload.addresses)
        if end.workload.host_network:
            return None, f"{end.workload.title} has its node's address, and plugins differ on blocks over nodes"
        return self._covers(block, known or self.pod_ranges or addresses.ALL_V4, end.workload.title)

    def _covers(self, block: policies.Block, some: intervals.Intervals, what: str) -> Match:
        common = intervals.intersection(block.covers, some)
        if common == some:
            return True, f"ipBlock {block.cidr} covers {what}"
        without = f" except {', '.join(block.excluded)}" if block.excluded else ""
        if common:
            return None, f"ipBlock {block.cidr}{without} covers a part of {what}"
        return False, f"ipBlock {block.cidr}{without} does not cover {what}"
