"""Egress beyond the cluster: rules for every address there is, and the address where nodes get their credentials."""

from __future__ import annotations

from collections.abc import Iterator

from groundplan.proof import addresses, connections, fields, findings, intervals
from groundplan.proof.lint import facts
from groundplan.proof.model import policies, statements

METADATA = "169.254.169.254"
_PRIVATE = "except 169.254.0.0/16, 10.0.0.0/8, 172.16.0.0/12 and 192.168.0.0/16, or name the addresses"
_NAMES = intervals.of((connections.number(protocol, 53),) * 2 for protocol in ("TCP", "UDP"))


def outside(known: facts.Facts) -> Iterator[findings.Finding]:
    """Egress to the whole internet, and to the metadata address."""
    reaching = _reaching_metadata(known)
    for policy in known.model.policies:
        for number, rule in enumerate(policy.egress or ()):
            path: facts.Path = ("spec", "egress", number)
            whole = list(_everywhere(rule, path))
            for what, where, remedy in whole:
                what = f"NetworkPolicy {policy.title} allows egress to {what}"
                why = "that is every address, private ones and the cloud's metadata service included"
                yield facts.finding("GP426", policy.document, where, what, why, remedy)
            if not whole:
                yield from _to_metadata(known, reaching, policy, rule, path)
    yield from _metadata(known, reaching)


def _everywhere(rule: policies.Rule, path: facts.Path) -> Iterator[tuple[str, facts.Path, str]]:
    if rule.peers is None and (rule.ports.names or intervals.difference(rule.ports.numbers, _NAMES)):
        yield "everywhere", path, "say in `to` whom"
    blocks = [(place, peer.block) for place, peer in enumerate(rule.peers or ()) if peer.block is not None]
    alone = [(place, block) for place, block in blocks if block.covers in (addresses.ALL_V4, addresses.ALL_V6)]
    for place, block in alone:
        yield block.cidr, (*path, "to", place, "ipBlock"), _PRIVATE
    together = intervals.of(pair for _, block in blocks for pair in block.covers)
    if not alone and _whole(together):
        # 0.0.0.0/1 and 128.0.0.0/1 are everything too.
        yield " and ".join(block.cidr for _, block in blocks), path, _PRIVATE


def _whole(covers: intervals.Intervals) -> bool:
    return any(not intervals.difference(each, covers) for each in (addresses.ALL_V4, addresses.ALL_V6))


def elsewhere(known: facts.Facts) -> Iterator[findings.Finding]:
    """Egress to the whole internet by policies of other kinds."""
    for policy in known.model.beside:
        for each in policy.statements:
            if each.direction != policies.EGRESS or each.action != statements.ALLOW or each.conditional:
                continue
            blocks = [peer for peer in each.peers if isinstance(peer, statements.Networks) and not peer.unsure]
            everybody = any(isinstance(peer, statements.Everywhere) for peer in each.peers)
            ports = intervals.difference(each.ports.numbers, _NAMES) or each.ports.names
            together = intervals.of(pair for peer in blocks for pair in peer.covers)
            if ports and (everybody or _whole(together)):
                what = f"{fields.dotted(each.path)} of {policy.title} allows egress to everywhere"
                why = "that is every address, private ones and the cloud's metadata service included"
                yield facts.finding("GP426", policy.document, each.path, what, why, "name the addresses that are meant")


def _to_metadata(
    known: facts.Facts, reaching: int, policy: policies.Policy, rule: policies.Rule, path: facts.Path
) -> Iterator[findings.Finding]:
    if not intervals.contains(rule.ports.numbers, connections.number("TCP", 80)):
        return
    if not known.cluster.index.own(policy.namespace, policy.subjects)[1] & reaching:
        return  # another kind of policy denies it
    for place, peer in enumerate(rule.peers or ()):
        if peer.block is not None and intervals.contains(peer.block.covers, addresses.number(METADATA)):
            what = f"NetworkPolicy {policy.title} allows egress to {METADATA}, in {peer.block.cidr}"
            why = "the metadata service hands out the node's credentials"
            remedy = f"except {METADATA}/32, or name the addresses that are meant"
            yield facts.finding("GP427", policy.document, (*path, "to", place, "ipBlock"), what, why, remedy)


def _reaching_metadata(known: facts.Facts) -> int:
    """The classes of isolated pods that reach it all the same."""
    reach, found = known.cluster.reach(), 0
    atom = known.cluster.universe.atom(addresses.number(METADATA))
    for piece in reach.egress.pieces:
        if piece.peers >> atom & 1 and intervals.contains(piece.ports, connections.number("TCP", 80)):
            found |= piece.subjects
    return found & reach.egress.isolated & ~known.cluster.universe.hosts()


def _metadata(known: facts.Facts, reaching: int) -> Iterator[findings.Finding]:
    """By policies of other kinds; a NetworkPolicy's rule is told itself."""
    if not known.cluster.layered:
        return
    for each, number in known.numbered():
        plain = any(known.cluster.index.own(one.namespace, one.subjects)[1] >> number & 1 and one.egress
                    for one in known.cluster.near(each.namespace))  # fmt: skip
        if reaching >> number & 1 and not plain:
            what = f"{each.title} reaches {METADATA}"
            why = "the metadata service hands out the node's credentials"
            remedy = f"except {METADATA}/32 from what allows it: `explain` tells which rule does"
            yield facts.finding("GP427", each.document, ("metadata", "name"), what, why, remedy)


LINTS = (outside, elsewhere)
