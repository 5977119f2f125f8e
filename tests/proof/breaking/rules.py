"""What is in a policy: types, rules, peers, blocks, selectors, ports."""

from __future__ import annotations

import ipaddress
import random

from tests.proof.breaking import finding
from tests.proof.breaking.finding import Documents


def wrong_case_type(documents: Documents, rng: random.Random) -> bool | None:
    policy = finding.one([one for one in finding.policies(documents) if one["spec"].get("policyTypes")], rng)
    if policy is None:
        return False
    types = policy["spec"]["policyTypes"]
    spot = rng.randrange(len(types))
    types[spot] = types[spot].lower()
    return None


def drop_type(documents: Documents, rng: random.Random) -> bool | None:
    """The rules of that direction die, and so does its isolation."""
    found = [one for one in finding.policies(documents) if len(one["spec"].get("policyTypes") or []) == 2]
    if not found:
        return False
    types = rng.choice(found)["spec"]["policyTypes"]
    types.remove(rng.choice(types))
    return None


def drop_rule(documents: Documents, rng: random.Random) -> bool | None:
    found = finding.one(finding.rules(documents), rng)
    if found is None:
        return False
    policy, direction, _, rule = found
    policy["spec"][direction].remove(rule)
    return None


def drop_peers(documents: Documents, rng: random.Random) -> bool | None:
    """The rule is for everybody."""
    found = [(peers, rule) for _, _, peers, rule in finding.rules(documents) if rule.get(peers)]
    if not found:
        return False
    peers, rule = rng.choice(found)
    rule[peers] = rng.choice((None, []))
    return None


def drop_peer(documents: Documents, rng: random.Random) -> bool | None:
    found = finding.one([(listed, peer) for listed, peer in finding.peers(documents) if len(listed) > 1], rng)
    if found is None:
        return False
    found[0].remove(found[1])
    return None


def empty_peer(documents: Documents, rng: random.Random) -> bool | None:
    found = finding.one(finding.peers(documents), rng)
    if found is None:
        return False
    found[1].clear()
    return None


def one_dash_more(documents: Documents, rng: random.Random) -> bool | None:
    """Two selectors of one peer become two peers: AND becomes OR."""
    both = {"podSelector", "namespaceSelector"}
    found = finding.one([pair for pair in finding.peers(documents) if both <= set(pair[1])], rng)
    if found is None:
        return False
    listed, peer = found
    listed.append({"podSelector": peer.pop("podSelector")})
    return None


def one_dash_less(documents: Documents, rng: random.Random) -> bool | None:
    """Two peers of one selector each become one peer: OR becomes AND."""
    lists = [listed for listed, _ in finding.peers(documents) if len(listed) > 1]
    found = [
        (listed, one, other)
        for listed in lists
        for one in listed
        for other in listed
        if set(one) == {"namespaceSelector"} and set(other) == {"podSelector"}
    ]
    if not found:
        return False
    listed, one, other = rng.choice(found)
    listed.remove(other)
    one.update(other)
    return None


def flip_operator(documents: Documents, rng: random.Random) -> bool | None:
    flipped = {"In": "NotIn", "NotIn": "In", "Exists": "DoesNotExist", "DoesNotExist": "Exists"}
    fields = ("podSelector", "namespaceSelector")
    chosen = [selector for field in fields for selector in finding.selectors(documents, field)]
    expression = finding.one([one for selector in chosen for one in selector.get("matchExpressions") or []], rng)
    if expression is None:
        return False
    expression["operator"] = flipped[expression["operator"]]
    return None


def misspell_selector(documents: Documents, rng: random.Random) -> bool | None:
    selector = finding.one([one for one in finding.selectors(documents, "podSelector") if one.get("matchLabels")], rng)
    if selector is None:
        return False
    selector["matchlabels"] = selector.pop("matchLabels")
    return None


def unquoted_boolean(documents: Documents, rng: random.Random) -> bool | None:
    """What YAML 1.1 makes of an unquoted yes or on."""
    selector = finding.one([one for one in finding.selectors(documents, "podSelector") if one.get("matchLabels")], rng)
    if selector is None:
        return False
    selector["matchLabels"][rng.choice(sorted(selector["matchLabels"]))] = True
    return None


def widen_block(documents: Documents, rng: random.Random) -> bool | None:
    found = [block for block in finding.blocks(documents) if not block["cidr"].endswith("/0")]
    if not found:
        return False
    block = rng.choice(found)
    block["cidr"] = str(ipaddress.ip_network(block["cidr"], strict=False).supernet())
    return None


def drop_except(documents: Documents, rng: random.Random) -> bool | None:
    found = finding.one([block for block in finding.blocks(documents) if block.get("except")], rng)
    if found is None:
        return False
    found["except"].remove(rng.choice(found["except"]))
    return None


def except_outside(documents: Documents, rng: random.Random) -> bool | None:
    found = [block for block in finding.blocks(documents) if not block["cidr"].endswith("/0")]
    if not found:
        return False
    block = rng.choice(found)
    block["except"] = [*(block.get("except") or []), "0.0.0.0/0" if ":" not in block["cidr"] else "::/0"]
    return None


def drop_ports(documents: Documents, rng: random.Random) -> bool | None:
    """The rule is for every port."""
    rule = finding.one([rule for _, _, _, rule in finding.rules(documents) if rule.get("ports")], rng)
    if rule is None:
        return False
    del rule["ports"]
    return None


def shift_port(documents: Documents, rng: random.Random) -> bool | None:
    found = [one for one in finding.ports(documents) if isinstance(one.get("port"), int) and not one.get("endPort")]
    if not found:
        return False
    port = rng.choice(found)
    port["port"] += 1 if port["port"] < 65535 else -1
    return None


def stretch_range(documents: Documents, rng: random.Random) -> bool | None:
    found = [one for one in finding.ports(documents) if one.get("endPort") and one["endPort"] < 65535]
    if not found:
        return False
    rng.choice(found)["endPort"] += 1
    return None


def turn_range(documents: Documents, rng: random.Random) -> bool | None:
    found = [one for one in finding.ports(documents) if one.get("endPort") and one["endPort"] > one["port"]]
    if not found:
        return False
    port = rng.choice(found)
    port["port"], port["endPort"] = port["endPort"], port["port"]
    return None


def quote_port(documents: Documents, rng: random.Random) -> bool | None:
    port = finding.one([one for one in finding.ports(documents) if isinstance(one.get("port"), int)], rng)
    if port is None:
        return False
    port["port"] = str(port["port"])
    return None


def swap_protocol(documents: Documents, rng: random.Random) -> bool | None:
    port = finding.one(finding.ports(documents), rng)
    if port is None:
        return False
    port["protocol"] = "TCP" if (port.get("protocol") or "TCP") != "TCP" else "UDP"
    return None


def lower_case_protocol(documents: Documents, rng: random.Random) -> bool | None:
    port = finding.one(finding.ports(documents), rng)
    if port is None:
        return False
    port["protocol"] = (port.get("protocol") or "TCP").lower()
    return None


def forget_protocol(documents: Documents, rng: random.Random) -> bool | None:
    port = finding.one([one for one in finding.ports(documents) if one.get("protocol") in ("UDP", "SCTP")], rng)
    if port is None:
        return False
    del port["protocol"]
    return None
