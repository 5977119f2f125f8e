"""Checks a certificate against manifests: ``python recheck.py CERTIFICATE FILE…`` (``/dev/stdin`` for what is piped).

It needs PyYAML, and shares no code with what made the certificate. From the API reference of NetworkPolicy it works out
which ports surely and which perhaps pass between all ends: workloads, pods taken to be there, addresses from one cut to
the next. The certificate must say the same, and its claims be all that passes, surely and perhaps, at the namespaces it
calls closed. What is not known here by name is refused. Exits 0 when all holds, 1 when not, 2 for unusable input.
"""

import collections
import functools
import ipaddress
import itertools
import json
import pathlib
import sys
from typing import Any

import yaml

APPS = (f"apps/v1 {each}" for each in ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"))
WORKLOADS = {"v1 Pod", "v1 ReplicationController", "batch/v1 Job", "batch/v1 CronJob", *APPS}
NAMESPACE, POLICY, OWN_NAME = "v1 Namespace", "networking.k8s.io/v1 NetworkPolicy", "kubernetes.io/metadata.name"
READ = WORKLOADS | {NAMESPACE, POLICY}
# Nobody may take kinds that end like these to change nothing; what labels are that end so, only controllers know.
FILTERS = ("List", "AuthorizationPolicy", *(each.split()[1] for each in READ))
ADDED = ("-hash", "-generation", "-uid", "pod-name", "-index", "job-name", "kubernetes.io/region", "kubernetes.io/zone")
PROTOCOLS, PORT = ("TCP", "UDP", "SCTP"), ("protocol", "port", "endPort")
LISTS = ("kinds", "cuts", "closed", "taken", "surely", "perhaps", "claims")
End = collections.namedtuple("End", "home labels ports node address")


def some(value: Any, kind: type) -> list[Any]:
    """A list; ValueError, here and below, for what no API server takes."""
    if value is not None and (not isinstance(value, list) or any(type(each) is not kind for each in value)):
        raise ValueError(f"{value!r:.80} is no list of {kind.__name__}")
    return value or []


def words(labels: Any) -> dict[str, str]:
    labels = {} if labels is None else labels
    return dict(zip(some([*labels.keys()], str), some([*labels.values()], str), strict=True))


def fields(value: Any, *names: str) -> tuple[Any, ...]:
    """The fields of a mapping that may have no others."""
    if value is not None and (not isinstance(value, dict) or set(value) - set(names)):
        raise ValueError(f"{value!r:.80} is no mapping of {', '.join(names)}")
    return tuple((value or {}).get(each) for each in names)


def items(value: Any, *names: str) -> tuple[tuple[Any, ...], ...]:
    return tuple(fields(each, *names) for each in some(value, dict))


def selected(selector: Any, labels: dict[str, dict[str, str]]) -> set[str]:
    """Those whose labels a selector selects; none selects everybody."""
    equal, expressions = fields(selector, "matchLabels", "matchExpressions")
    terms = [(key, "In", [value]) for key, value in words(equal).items()]
    found = set(labels)
    for key, operator, values in (*terms, *items(expressions, "key", "operator", "values")):
        known = ("In", "NotIn") if some(values, str) else ("Exists", "DoesNotExist")
        if key.endswith(ADDED) or operator not in known:
            raise ValueError(f"{key} {operator} {values} is no requirement, or about what only controllers know")
        among = {each for each in found if key in labels[each] and (not values or labels[each][key] in values)}
        found = among if operator in ("In", "Exists") else found - among
    return found


@functools.cache
def opened(ports: Any, there: Any = (), surely: bool = True) -> int:
    """A rule's ports, as bits, at an end that listens there; a name that has two numbers surely means neither."""
    found = 0
    for protocol, port, last in ports or ((each, None, None) for each in PROTOCOLS):
        if type(port) is str and not port.isdigit() and last is None and protocol in (None, *PROTOCOLS):
            under = {number for name, by, number in there if (name, by or "TCP") == (port, protocol or "TCP")}
            spans = [(each, each) for each in under if len(under) == 1 or not surely]
        else:
            spans = [(1, 65535) if port is last is None else (port, port if last is None else last)]
        for low, high in spans:
            if type(low) is not int or type(high) is not int or not 1 <= low <= high <= 65535:
                raise ValueError(f"{low!r} to {high!r} are no ports")
            found |= ((1 << high - low + 1) - 1) << (PROTOCOLS.index(protocol or "TCP") << 16) + low
    return found


def workload(one: Any) -> tuple[str, End]:
    kind, home, spec = one["kind"], some([one["metadata"]["namespace"] or None], str)[0], one["spec"]
    pod = one if kind == "Pod" else (spec["jobTemplate"]["spec"] if kind == "CronJob" else spec)["template"]
    labels, spec = words((pod.get("metadata") or {}).get("labels")), pod["spec"]
    init = (each for each in some(spec.get("initContainers"), dict) if each.get("restartPolicy") == "Always")
    held = (port for each in (*some(spec["containers"], dict), *init) for port in some(each.get("ports"), dict))
    ports = tuple((port.get("name"), port.get("protocol"), port["containerPort"]) for port in held)
    node = some([spec.get("hostNetwork") or False], bool)[0]
    return f"{home}/{one['metadata']['name']}[{kind}]", End(home, labels, ports, node, None)


class World:
    """All ends, and the rules that hold them."""

    def __init__(self, documents: list[Any], cuts: list[str]) -> None:
        named = [(f"{each['apiVersion']} {each['kind']}", each["metadata"], each) for each in documents]
        keys = {(kind, kind == NAMESPACE or meta.get("namespace"), meta["name"]) for kind, meta, _ in named}
        if len(keys) < len(named):
            raise ValueError("an object is there twice")
        self.unread = {kind for kind, _, _ in named} - READ
        spaces = {meta["name"]: words(meta.get("labels")) for kind, meta, _ in named if kind == NAMESPACE}
        pods = dict(workload(one) for kind, _, one in named if kind in WORKLOADS)
        self.ends = pods | {str(each): End("", {}, (), False, each) for each in map(ipaddress.ip_address, cuts)}
        self.pods = {title: end.labels for title, end in pods.items() if not end.node}
        self.namespaces = {home: {**spaces.get(home, {}), OWN_NAME: home} for home, *_ in pods.values()}
        self.rules: dict[tuple[str, str], list[tuple[set[str], Any]]] = {}
        for one in (one for kind, _, one in named if kind == POLICY):
            spec = fields(one.get("spec"), "podSelector", "policyTypes", "ingress", "egress")
            self.hold(*some([one["metadata"]["namespace"] or None], str), *spec)

    def hold(self, home: str, subjects: Any, types: Any, ingress: Any, egress: Any) -> None:
        held = [each for each in selected(subjects, self.pods) if self.ends[each].home == home]
        rules = {"Ingress": items(ingress, "from", "ports"), "Egress": items(egress, "to", "ports")}
        for direction in some(types, str) or ["Ingress", *(["Egress"] if egress else [])]:
            read = [(self.peers(home, peers), items(ports, *PORT)) for peers, ports in rules[direction]]
            sum(opened(ports) for _, ports in read)  # so that wrong ones are refused, whoever they are for
            for each in held:
                self.rules.setdefault((each, direction), []).extend(read)

    def peers(self, home: str, peers: Any) -> set[str]:
        found = set() if peers else set(self.ends)
        for pods, namespaces, block in items(peers, "podSelector", "namespaceSelector", "ipBlock"):
            if (block is None) == (pods is namespaces is None):
                raise ValueError("a peer is either an ipBlock or by selectors")
            if block is None:
                near = {home} if namespaces is None else selected(namespaces, self.namespaces)
                found |= {each for each in selected(pods, self.pods) if self.ends[each].home in near}
            else:
                cidr, excepted = fields(block, "cidr", "except")
                found |= self.within(cidr).difference(*map(self.within, some(excepted, str)))
        return found

    def within(self, cidr: str) -> set[str]:
        """The addresses of a network, whose ends must be cuts."""
        network = ipaddress.ip_network(cidr, strict=False)
        first, last, kind = int(network[0]), int(network[-1]), type(network[0])
        cuts = {int(end.address): title for title, end in self.ends.items() if type(end.address) is kind}
        written = cidr.partition("/")[2] == str(network.prefixlen)
        if not (written and {first, last + 1} <= {*cuts, 1 << network.max_prefixlen}):
            raise SystemExit(f"refuted: {cidr} is no network whose ends are told apart")
        return {title for cut, title in cuts.items() if first <= cut <= last}

    def passing(self, source: str, destination: str, surely: bool) -> int:
        """What both sides let pass. An isolated pod and its own node reach each other perhaps, but never surely."""
        found, there = opened(()), self.ends[destination]
        listening = () if there.node and surely else there.ports
        for subject, direction, other in ((source, "Egress", destination), (destination, "Ingress", source)):
            rules = self.rules.get((subject, direction))
            if found and rules is not None and (surely or not self.ends[other].node):
                both = [opened(ports, listening, surely) for peers, ports in rules if other in peers]
                found &= functools.reduce(int.__or__, both, 0)
        return found if there.home or self.ends[source].home else 0


def told(rectangles: Any) -> dict[tuple[str, str], int]:
    """What rectangles say, pair by pair."""
    found: dict[tuple[str, str], int] = {}
    for sources, destinations, ports, _ in items(rectangles, "sources", "destinations", "ports", "why"):
        bits = opened(items(ports, *PORT))
        for pair in itertools.product(some(sources, str), some(destinations, str)):
            found[pair] = found[pair] | bits if pair in found else bits
    return found


def check(certificate: Any, documents: list[Any]) -> str:
    """How much a certificate is about that holds; ends with why it does not, or as Python does with bad input."""
    kinds, cuts, closed, taken, *lists = fields(certificate, *LISTS)
    world, about, compared = World([*documents, *some(taken, dict)], some(cuts, str)), {*some(closed, str)}, 0
    world.within("0.0.0.0/0"), world.within("::/0")
    known = {each for each in some(kinds, str) if not each.endswith(FILTERS)}
    if astray := world.unread ^ known | {each["kind"] for each in taken} - {"Pod", "Namespace"}:
        raise SystemExit(f"refuted: it cannot be about {', '.join(sorted(astray))}")
    surely, perhaps, claims = map(told, lists)
    for pair in itertools.product(world.ends, world.ends):
        right = (world.passing(*pair, surely=True), world.passing(*pair, surely=False))
        if right != (surely.pop(pair, 0), perhaps.pop(pair, 0)):
            raise SystemExit(f"refuted: {pair[0]} to {pair[1]} is not as it says")
        if pair[0] != pair[1] and not about.isdisjoint(world.ends[each].home for each in pair):
            compared += 1
            if right != (claims.get(pair, 0),) * 2:
                raise SystemExit(f"refuted: {pair[0]} to {pair[1]} is not as it claims")
    if surely or perhaps or not world.namespaces or (claims and not compared):
        raise SystemExit("refuted: it is about ends that are not there, or about none")
    return f"{len(world.ends)} ends, {len(taken)} objects taken to be there, {compared} pairs as claimed"


if __name__ == "__main__":
    try:
        claim, *others = (pathlib.Path(each).read_text("utf-8") for each in sys.argv[1:])
        loaded = (yaml.load_all(each, getattr(yaml, "CSafeLoader", yaml.SafeLoader)) for each in others)
        listed = (each["items"] if each["kind"] == "List" else [each] for each in itertools.chain(*loaded) if each)
        print("the certificate holds:", check(json.loads(claim), list(itertools.chain(*listed))))
    except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError, yaml.YAMLError) as error:
        print(f"cannot be read as a certificate and manifests: {type(error).__name__}: {error}", file=sys.stderr)
        sys.exit(2)
