"""The certificate: an answer with all that is needed to check it again, by a program that shares nothing with this.

It says which ends there are, where addresses are told apart, what surely and what perhaps passes between them, as
rectangles, and what was claimed. `groundplan.proof.recheck` reads it and the manifests, and knows neither how classes
were found nor how rules were joined. What that program does not know by name gets no certificate.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from groundplan.proof import addresses, claims, cluster, connections, ends, intervals
from groundplan.proof.manifests import documents
from groundplan.proof.model import build, kinds, selectors, workloads
from groundplan.proof.reach import bits, result, sides

FILTERS = ("List", "AuthorizationPolicy", "NetworkPolicy", "Namespace", *(kind for _, kind in kinds.WORKLOADS))
"""Kinds that end like these and are not read may filter traffic, make pods, or hold what does."""
ADDED = ("-hash", "-generation", "-uid", "pod-name", "-index", "job-name", "kubernetes.io/region", "kubernetes.io/zone")
"""Labels that end like these are a controller's."""
Rectangle = dict[str, Any]


class NoCertificate(ValueError):
    """Why an answer cannot be certified."""


def certificate(
    whole: cluster.Cluster, some: Iterable[claims.Claim] = (), closed: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """The certificate of a cluster, in which assumed pods may be; raises NoCertificate.

    `some` are the claims about the namespaces `closed`: whoever checks the certificate finds them kept, or refuted.
    """
    if why := "; ".join(_unfit(whole)):
        raise NoCertificate(why)
    listed = tuple(some)
    known = [(claim, _end(whole, claim.source), _end(whole, claim.destination)) for claim in listed]
    told = [pair for _, *both in known for end in both if end for pair in end.addresses]
    fine = whole.asked((*told, *_blocks(whole)))
    return {
        "kinds": sorted({_kind(each) for each in whole.model.everything if not _read(each)}),
        "cuts": [addresses.address(each) for each in fine.universe.cuts],
        "closed": sorted(closed),
        "taken": [*_namespaces(whole), *(_pod(each) for each in whole.model.workloads if each.kind == claims.ASSUMED)],
        "surely": list(_rectangles(fine, sides.Reading.FEWEST)),
        "perhaps": list(_rectangles(fine, sides.Reading.MOST)),
        "claims": [
            _rectangle(_titles(fine, one, closed), _titles(fine, other, closed), claims.ports(each.ports), _said(each))
            for each, one, other in known
        ],
    }  # fmt: skip


def _unfit(whole: cluster.Cluster) -> Iterator[str]:
    """What of a cluster the checker does not know."""
    model, options = whole.model, whole.options
    if found := [each for each in model.everything if _kind(each).endswith(FILTERS) and not _read(each)]:
        yield f"{', '.join(sorted({f'{each.kind} {each.name}' for each in found}))}: only NetworkPolicies are certified"
    elif model.unread:
        yield f"nothing here reads {', '.join(f'{each.kind} {each.name}' for each in model.unread)}"
    asked = {term.key for term in _terms(whole) if term.key.endswith(ADDED)}
    if asked:
        yield f"selectors ask for {', '.join(sorted(asked))}, which only a controller knows"
    given = {
        "--ipblock-matches-pods": options.ipblock_matches_pods, "--pod-range": options.pod_ranges,
        "--node-range": options.node_ranges, "--namespace": options.default_namespace,
    }  # fmt: skip
    if any(given.values()):
        yield f"what {', '.join(word for word, each in given.items() if each)} says, no manifest does"
    if model.left_out:
        yield f"{len(model.left_out)} objects were left out, as made by controllers or ended: give what they come from"
    if nameless := [each for each in model.everything if not each.metadata.get("name")]:
        yield f"{len(nameless)} objects have no name, as {nameless[0].kind} {nameless[0].name}"
    if not model.workloads:
        yield "there is no workload"


def _kind(document: documents.Document) -> str:
    return f"{document.data['apiVersion']} {document.kind}"


def _read(document: documents.Document) -> bool:
    key = (document.group, document.kind)
    return key in kinds.WORKLOADS or key in (("networking.k8s.io", "NetworkPolicy"), ("", "Namespace"))


def _terms(whole: cluster.Cluster) -> Iterator[selectors.Term]:
    for policy in whole.model.policies:
        yield from policy.subjects
        for rule in (*(policy.ingress or ()), *(policy.egress or ())):
            for peer in rule.peers or ():
                yield from (*peer.pods, *(peer.namespaces or ()))


def _blocks(whole: cluster.Cluster) -> Iterator[tuple[int, int]]:
    """Every network that a rule writes, excepts too: the checker has all their ends told apart."""
    for policy in whole.model.policies:
        for rule in (*(policy.ingress or ()), *(policy.egress or ())):
            for block in (peer.block for peer in rule.peers or () if peer.block):
                yield from (addresses.network(each) for each in (block.cidr, *block.excluded))


def _namespaces(whole: cluster.Cluster) -> Iterator[dict[str, Any]]:
    """Those that are taken to have labels, though no manifest says so."""
    for name in sorted(whole.model.namespaces.keys() - whole.model.declared):
        labels = {key: value for key, value in whole.model.namespaces[name].items() if key != build.NAME_LABEL}
        if labels:
            yield {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def _pod(each: workloads.Workload) -> dict[str, Any]:
    ports = [{"name": name, "protocol": protocol, "containerPort": number} for name, protocol, number in each.ports]
    metadata = {"name": each.name, "namespace": each.namespace, "labels": each.labels}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": [{"ports": ports}]}}


def _rectangles(whole: cluster.Cluster, reading: sides.Reading) -> Iterator[Rectangle]:
    """What passes, each with the rules by which it does."""
    reach = whole.reach(reading)
    for each in reach.rectangles:
        found = {
            "egress": _rules(whole, reach.egress, each.egress),
            "ingress": _rules(whole, reach.ingress, each.ingress),
        }
        why = "; ".join(f"{direction} by {', '.join(rules)}" for direction, rules in found.items() if rules)
        yield _rectangle(_members(reach, each.sources), _members(reach, each.destinations), each.ports, why)


def _rules(whole: cluster.Cluster, side: sides.Side, piece: int) -> list[str]:
    """Whose and which: `namespace/name[0]`. None where no policy isolates, or an address outside is the end."""
    origins = side.pieces[piece].origins if piece >= 0 else []
    return [f"{whole.model.policies[policy].title}[{rule}]" for policy, rule in origins]


def _rectangle(sources: list[str], destinations: list[str], ports: intervals.Intervals, why: str = "") -> Rectangle:
    listed = [
        {"protocol": protocol, "port": low, "endPort": high} for protocol, low, high in connections.triples(ports)
    ]
    return {"sources": sources, "destinations": destinations, "ports": listed, **({"why": why} if why else {})}


def _members(reach: result.Reach, some: int) -> list[str]:
    universe = reach.universe
    last = len(universe.classes)
    found: list[str] = []
    for number in bits.members(some):
        if number < last:
            found.extend(_title(each) for each in universe.classes[number].members)
        else:
            found.append(addresses.address(universe.cuts[number - last]))
    return sorted(found)


def _title(each: workloads.Workload) -> str:
    return f"{each.namespace}/{each.name}[{'Pod' if each.kind == claims.ASSUMED else each.kind}]"


def _end(whole: cluster.Cluster, words: str) -> ends.End | None:
    """The end of a claim; None for whatever is outside."""
    try:
        return None if words == claims.OUTSIDE else claims.end(whole, words)
    except (LookupError, ValueError) as error:
        raise NoCertificate(f"a claim is about an end that is not there: {error}") from None


def _titles(whole: cluster.Cluster, end: ends.End | None, closed: frozenset[str]) -> list[str]:
    universe = whole.universe
    if end is None:
        beyond = [_title(each) for each in whole.model.workloads if each.namespace not in closed]
        return beyond + [addresses.address(each) for each in universe.cuts]
    if end.workload is not None:
        return [_title(end.workload)]
    return _members(whole.reach(), universe.covering(end.addresses))


def _said(claim: claims.Claim) -> str:
    return f"{claim.why or f'{claim.source} → {claim.destination}'}{f' ({claim.origin})' if claim.origin else ''}"
