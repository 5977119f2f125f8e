"""Ends of connections in words: `namespace/name`, `namespace/name[Kind]`, `name` alone, or addresses."""

from __future__ import annotations

import difflib
import re

import msgspec

from groundplan.proof import addresses, intervals
from groundplan.proof.model import build, workloads

_WORDS = re.compile(r"(?:(?P<namespace>[^/\[\]#]+)/)?(?P<name>[^/\[\]#]+)(?:\[(?P<kind>\w+)\])?(?:#(?P<pod>\d+))?")


class UnknownEnd(LookupError):
    """Words that name no end, or more than one."""


class End(msgspec.Struct, frozen=True, eq=False):
    """A workload, one pod of it, or addresses outside."""

    workload: workloads.Workload | None = None
    pod: int | None = None
    addresses: intervals.Intervals = ()

    def __str__(self) -> str:
        if self.workload is None:
            return ",".join(addresses.text(*each) for each in self.addresses)
        return self.workload.title + (f"#{self.pod}" if self.pod is not None else "")


def labels(end: End) -> dict[str, str]:
    """The labels of a workload's pods; those that number them too, where one pod is meant."""
    if end.workload is None:
        return {}
    return workloads.labels(end.workload, end.pod)


def find(model: build.Model, words: str) -> End:
    """The end that words name; raises UnknownEnd."""
    try:
        return End(addresses=addresses.parse(words))
    except ValueError:
        pass
    match = _WORDS.fullmatch(words)
    if match is None:
        raise UnknownEnd(f"{words!r} is no end: write namespace/name, namespace/name[Kind], an address or a CIDR")
    found = [each for each in model.workloads if _fits(each, match)]
    if len(found) == 1:
        pod = match["pod"]
        return End(found[0], int(pod) if pod else None)
    raise UnknownEnd(_several(words, found) if found else _none(model, words))


def _fits(workload: workloads.Workload, match: re.Match[str]) -> bool:
    wanted = (match["namespace"], match["name"], match["kind"])
    said = (workload.namespace, workload.name, workload.kind)
    return all(want in (None, have) for want, have in zip(wanted, said, strict=True))


def _several(words: str, found: list[workloads.Workload]) -> str:
    return f"{words!r} could be {', '.join(each.title for each in found[:5])}: write one of them whole"


def _none(model: build.Model, words: str) -> str:
    titles = {each.title: each for each in model.workloads}
    short = {f"{each.namespace}/{each.name}": title for title, each in titles.items()}
    close = difflib.get_close_matches(words, [*short, *(each.name for each in model.workloads)], n=3)
    hint = f"; did you mean {' or '.join(dict.fromkeys(close))}?" if close else f"; there are {len(titles)} workloads"
    return f"no workload is called {words!r}{hint}"
