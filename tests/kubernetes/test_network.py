"""Network policies let through exactly the declared edges, and what a cluster needs: read back from the policies."""

from __future__ import annotations

import ipaddress

from hypothesis import HealthCheck, given, settings

from groundplan.kubernetes import lower
from groundplan.model import component, platform, resource, service
from groundplan.shapes import backups, workloads
from tests import strategies
from tests.kubernetes import apiserver, worlds

FEW = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])


class Reading:
    """The policies of one environment, asked pod by pod (NetworkPolicy v1: union of all rules that select it)."""

    def __init__(self, one: lower.Lowered, charts: dict[str, tuple[str, dict]]) -> None:
        self.policies = [made.tree for made in one.objects if made.key.kind == "NetworkPolicy"]
        self.pods = {
            made.key.name: (made.key.namespace, template["metadata"]["labels"])
            for made in one.objects
            if (template := apiserver.template_of(made.tree))
        } | charts

    def _of(self, name: str, side: str) -> list[dict]:
        namespace, labels = self.pods[name]
        return [
            rule
            for policy in self.policies
            if policy["metadata"]["namespace"] == namespace and selects(policy["spec"]["podSelector"], labels)
            for rule in policy["spec"].get(side, ())
        ]

    def ports(self, source: str, target: str) -> set[tuple[str, int]]:
        """What `source` may reach of `target`: allowed on both sides."""
        return self._allowed(source, "egress", "to", target) & self._allowed(target, "ingress", "from", source)

    def _allowed(self, name: str, side: str, word: str, other: str) -> set[tuple[str, int]]:
        namespace, labels = self.pods[other]
        found = set()
        for rule in self._of(name, side):
            if word not in rule or any(is_peer(peer, namespace, labels) for peer in rule[word]):
                found |= {
                    (port["protocol"], port["port"]) for port in rule.get("ports", [{"protocol": "*", "port": 0}])
                }
        return found

    def outside(self, name: str) -> list[tuple[dict, list[dict]]]:
        """Addresses that `name` may reach, with the ports."""
        return [
            (peer["ipBlock"], rule["ports"])
            for rule in self._of(name, "egress")
            for peer in rule["to"]
            if "ipBlock" in peer
        ]


def selects(selector: dict, labels: dict) -> bool:
    return selector.get("matchLabels", {}).items() <= labels.items()


def is_peer(peer: dict, namespace: str, labels: dict) -> bool:
    if "ipBlock" in peer:
        return False
    space = {"kubernetes.io/metadata.name": namespace}
    return selects(peer["namespaceSelector"], space) and selects(peer.get("podSelector", {}), labels)


def charts(plan: platform.Platform) -> dict[str, tuple[str, dict]]:
    env = next(each for each in plan.environments if not each.local)
    answers = {each: each.objects(env, ()) for each in plan.resources}
    return {
        each.name: (each.namespace, dict(said.pods))
        for each, said in answers.items()
        if isinstance(said, workloads.Chart)
    }


def declared(plan: platform.Platform, reading: Reading) -> dict[tuple[str, str], set[tuple[str, int]]]:
    """Ports by source and target: edges, entries, scrapes, steps, and the way to the store."""
    found: dict[tuple[str, str], set[tuple[str, int]]] = {}
    for edge in plan.edges:
        target = edge.right.target
        if isinstance(target, component.Component) and edge.right.opens:
            numbers = {("TCP", target.ports[name].number) for name in edge.right.opens}
            found.setdefault((edge.source.name, target.name), set()).update(numbers)
    for entry in plan.entries:
        for _, endpoint in entry.routes:
            found.setdefault((entry.controller.name, endpoint.owner.name), set()).add(("TCP", endpoint.port.number))
    scraper = next(each.name for each in plan.resources if type(each).__name__ == "PrometheusStack")
    for program in plan.programs:
        if "metrics" in program.ports:
            found.setdefault((scraper, program.name), set()).add(("TCP", program.ports["metrics"].number))
    for each in plan.resources:
        kind = type(each).__name__
        if kind in EXPORTERS:
            own, asked = EXPORTERS[kind]
            found[scraper, f"{each.name}-exporter"] = {("TCP", own)}
            found[f"{each.name}-exporter", each.name] = {("TCP", asked)}
        if kind == "Vault":
            found.setdefault((scraper, each.name), set()).add(("TCP", 8200))
        if kind == "OpenTelemetryCollector":
            found.setdefault((scraper, each.name), set()).add(("TCP", 8888))
    return found


EXPORTERS = {"Postgres": (9187, 5432), "Redis": (9121, 6379)}
"""Where an exporter answers, and where it asks its engine."""


def assert_exact(plan: platform.Platform, one: lower.Lowered) -> int:
    reading = Reading(one, charts(plan))
    wanted = declared(plan, reading)
    vault = next(each.name for each in plan.resources if type(each).__name__ == "Vault")
    holders = {made.key.name for made in one.objects if "secrets" in init_containers(made.tree)}
    checked = 0
    for source in reading.pods:
        for target in reading.pods:
            if source in charts(plan) and target in charts(plan):
                continue  # within a chart's namespace its pods are on their own
            expected = set(wanted.get((source, target), ()))
            if target == vault and source in holders:
                expected.add(("TCP", 8200))
            if is_step_of(source, target, plan, one):
                expected.add(("TCP", 5432))
            if (source, target) in backups_of(plan):
                ports = backups_of(plan)[source, target].ports
                expected |= {("TCP", port.number) for name, port in ports.items() if name != "cluster"}
            if source == target and has_peers(source, one):
                assert reading.ports(source, target) == {("TCP", 8200), ("TCP", 8201)}
            if source != target:
                assert reading.ports(source, target) == expected, (source, target)
                checked += 1
    return checked


def init_containers(tree: dict) -> set[str]:
    template = apiserver.template_of(tree) or {"spec": {}}
    return {each["name"] for each in template["spec"].get("initContainers", ())}


def is_step_of(source: str, target: str, plan: platform.Platform, one: lower.Lowered) -> bool:
    """Whether `source` is a Job of the engine `target`."""
    servers = [each for each in plan.resources if type(each).__name__ == "Postgres" and each.name == target]
    own = {f"{target}-bootstrap"} | {
        f"{database.name.replace('_', '-')}-{verb}"
        for server in servers
        for database in server.databases
        for verb in ("migrate", "rollback")
    }
    return bool(servers) and source in own


def backups_of(plan: platform.Platform) -> dict[tuple[str, str], resource.Resource]:
    """Backups and restores that work over the engine's port, by name and engine."""
    kept = [each for each in plan.resources if isinstance(each.backed_up(), backups.Daily)]
    found = {(f"{each.name}-backup", each.name): each for each in kept}
    live = [each for each in kept if type(each).__name__ in ("Postgres", "Vault")]
    return found | {(f"{each.name}-restore", each.name): each for each in live}


def has_peers(name: str, one: lower.Lowered) -> bool:
    """Whether it has replicas with disks."""
    found = {(made.key.kind, made.key.name): made.tree["spec"] for made in one.objects if "spec" in made.tree}
    return found.get(("StatefulSet", name), {}).get("replicas", 1) > 1


def test_the_payments_platform_is_as_closed_as_it_was_drawn():
    for one in worlds.payments_lowered():
        assert assert_exact(worlds.payments(), one) > 400


@FEW
@given(strategies.drawings())
def test_every_platform_is_as_closed_as_it_was_drawn(drawing):
    plan = worlds.drawn(drawing)
    for one in worlds.lowered(plan):
        assert assert_exact(plan, one)


def test_every_namespace_denies_both_ways_by_default():
    for one in worlds.payments_lowered():
        policies = [made.tree for made in one.objects if made.key.kind == "NetworkPolicy"]
        spaces = {made.key.name for made in one.objects if made.key.kind == "Namespace"}
        closed = {
            each["metadata"]["namespace"]
            for each in policies
            if each["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
        }
        assert closed == spaces
        assert all(each["spec"]["policyTypes"] == ["Ingress", "Egress"] for each in policies)


def test_whoever_reaches_anything_may_resolve_its_name_by_udp_and_tcp():
    one = worlds.payments_lowered()[0]
    reading = Reading(one, {"dns": ("kube-system", {"k8s-app": "kube-dns"})})
    for name in reading.pods:
        if name in ("dns", "postgres", "redis"):
            continue
        out = reading._allowed(name, "egress", "to", "dns")
        assert out == {("TCP", 53), ("UDP", 53)}, name
    for name in ("postgres", "redis"):
        egress = [rule for rule in reading._of(name, "egress") for peer in rule["to"] if "ipBlock" in peer]
        assert egress == [], name


FORBIDDEN = (
    "10.1.2.3",
    "192.168.0.1",
    "172.16.5.5",
    "127.0.0.1",
    "169.254.169.254",
    "100.100.100.200",
    "fd00:ec2::254",
    "fe80::1",
    "::1",
)


def test_the_internet_holds_no_private_link_local_or_metadata_address():
    plan = worlds.payments()
    for one in worlds.payments_lowered():
        reading = Reading(one, {})
        blocks = reading.outside("webhook-sender")
        assert len(blocks) == 2
        for block, ports in blocks:
            assert [port["port"] for port in ports] == [443]
            for address in FORBIDDEN:
                assert not is_in(address, block), (address, block)
        assert any(is_in("93.184.215.14", block) for block, _ in blocks)
        assert any(is_in("2606:2800:21f::1", block) for block, _ in blocks)
    reachers = {edge.source.name for edge in plan.edges if edge.right.target.__class__.__name__ == "Internet"}
    assert reachers == {"webhook-sender"}


def is_in(address: str, block: dict) -> bool:
    def within(cidr: str) -> bool:
        network = ipaddress.ip_network(cidr)
        return ipaddress.ip_address(address).version == network.version and ipaddress.ip_address(address) in network

    return within(block["cidr"]) and not any(within(less) for less in block.get("except", ()))


def test_an_external_is_reached_at_its_own_addresses_and_port_alone():
    production = next(one for one in worlds.payments_lowered() if one.environment == "production")
    reading = Reading(production, {})
    tcp_443 = [{"protocol": "TCP", "port": 443}]
    assert reading.outside("transaction-service") == [({"cidr": "203.0.113.0/24"}, tcp_443)]
    assert reading.outside("merchant-service") == [({"cidr": "198.51.100.0/24"}, [{"protocol": "TCP", "port": 587}])]
    assert reading.outside("payment-api-service") == []


def test_only_who_asks_the_api_server_may_reach_it():
    for one in worlds.payments_lowered():
        for made in one.objects:
            template = apiserver.template_of(made.tree)
            if template:
                assert template["spec"]["automountServiceAccountToken"] is (made.key.name == "vault")


def test_every_flow_says_why_and_where():
    plan = worlds.payments()
    for one in worlds.payments_lowered():
        assert all(flow.why and ":" in flow.origin for flow in one.flows)
    assert any(isinstance(each, service.Worker) for each in plan.programs)
