"""One namespace by its labels: whom a selector may be for, and which policies may hold a pod, without asking all.

What comes back may be too much and is never too little: whoever asks still matches each.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from groundplan.proof.model import policies, selectors, workloads

Pair = tuple[str, str]
_UNSURE = (selectors.UNKNOWN, selectors.MAYBE)


class Vicinity:
    """The workloads and NetworkPolicies of a namespace."""

    def __init__(self, some: list[workloads.Workload], held: list[policies.Policy]) -> None:
        self.workloads, self.policies = some, held

    @functools.cached_property
    def _labelled(self) -> dict[Pair, list[workloads.Workload]]:
        found: dict[Pair, list[workloads.Workload]] = {}
        for each in self.workloads:
            for pair in each.labels.items():
                found.setdefault(pair, []).append(each)
        return found

    @functools.cached_property
    def _asking(self) -> _Asking:
        found = _Asking({}, {}, [])
        for number, policy in enumerate(self.policies):
            term = next((each for each in policy.subjects if each.operator == "In"), None)
            if term is None:
                found.anything.append(number)
                continue
            found.about.setdefault(term.key, []).append(number)
            for value in term.values:
                found.just.setdefault((term.key, value), []).append(number)
        return found

    def labelled(self, key: str, value: str) -> Sequence[workloads.Workload]:
        """Those with just this label."""
        return self._labelled.get((key, value), ())

    def selected(self, selector: selectors.Selector) -> Sequence[workloads.Workload]:
        """Those whom a selector may select."""
        found: Sequence[workloads.Workload] = self.workloads
        for term in selector:
            if term.operator == "In":
                values = (*term.values, *_UNSURE)
                some = [each for value in values for each in self.labelled(term.key, value)]
                found = some if len(some) < len(found) else found
        return found

    def holding(self, labels: Mapping[str, str]) -> list[policies.Policy]:
        """The policies that may hold pods of these labels."""
        asking = self._asking
        found = {*asking.anything}
        for key, value in labels.items():
            found.update(asking.about.get(key, ()) if value in _UNSURE else asking.just.get((key, value), ()))
        return [self.policies[number] for number in sorted(found)]


class _Asking(NamedTuple):
    """Policies by one label that they ask for, as numbers."""

    just: dict[Pair, list[int]]
    about: dict[str, list[int]]
    anything: list[int]
