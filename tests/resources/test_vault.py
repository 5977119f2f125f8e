"""Vault's replicas in a cluster: what one needs to be one of several, and nothing of it where files are alone."""

from __future__ import annotations

import pathlib

import pytest
import yaml

from groundplan import Platform, cpu, memory
from groundplan.kubernetes import lower
from groundplan.resources import CertManager, NoBackup, Vault
from tests.kubernetes import pod_security, schemas


def lowered(backend: str = "raft", replicas: int = 1, *, tls: bool = False) -> dict[str, dict]:
    plan = Platform("shop")
    space = plan.namespace("space")
    vault = space.add(Vault("safe", backend=backend))
    issuer = plan.namespace("issuing").add(CertManager("issuing", email="a@example.com"))
    common = {"secrets": vault, "resources": cpu("1m", "2m") & memory("1Mi", "2Mi"), "availability_zones": 3}
    said = {**common, "backups": NoBackup("a test"), **({"certificates": issuer} if tls else {})}
    env = plan.environment("live", registry="r.example.com", **said)
    env.set(vault, replicas=replicas)
    return {f"{each.key.kind} {each.key.name}": each.tree for each in lower.lower(plan, env).objects}


def test_each_replica_is_told_its_own_name_before_what_is_made_of_it() -> None:
    spec = lowered(replicas=3)["StatefulSet safe"]["spec"]
    (container,) = spec["template"]["spec"]["containers"]
    first, *others = container["env"]
    assert first == {"name": "POD", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}}}
    said = {each["name"]: each["value"] for each in others}
    assert said["VAULT_RAFT_NODE_ID"] == "$(POD)"
    assert said["VAULT_API_ADDR"] == "http://$(POD).safe-peers.space:8200"
    assert said["VAULT_CLUSTER_ADDR"] == "https://$(POD).safe-peers.space:8201"
    assert (spec["serviceName"], spec["replicas"], spec["podManagementPolicy"]) == ("safe-peers", 3, "Parallel")


def test_they_find_each_other_before_they_are_ready_and_clients_only_those_that_are() -> None:
    found = lowered(replicas=3)
    peers, clients = found["Service safe-peers"]["spec"], found["Service safe"]["spec"]
    assert peers["publishNotReadyAddresses"] is True and "publishNotReadyAddresses" not in clients
    assert [port["name"] for port in peers["ports"]] == ["api", "cluster"]
    assert [port["name"] for port in clients["ports"]] == ["api"]


def test_more_than_half_outlive_a_node_a_zone_and_a_drain() -> None:
    found = lowered(replicas=3)
    spec = found["StatefulSet safe"]["spec"]["template"]["spec"]
    (term,) = spec["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert term["topologyKey"] == "kubernetes.io/hostname"
    (zones,) = spec["topologySpreadConstraints"]
    assert (zones["topologyKey"], zones["whenUnsatisfiable"]) == ("topology.kubernetes.io/zone", "DoNotSchedule")
    assert found["PodDisruptionBudget safe"]["spec"]["maxUnavailable"] == 1
    hard = found["ResourceQuota space-quota"]["spec"]["hard"]
    assert (hard["pods"], hard["persistentvolumeclaims"], hard["requests.storage"]) == ("3", "3", "3072Mi")


def test_the_certificate_holds_the_name_of_each_and_who_joins_asks_for_it() -> None:
    found = lowered(replicas=3, tls=True)
    names = found["Certificate safe-tls"]["spec"]["dnsNames"]
    (text,) = (each for each in found["ConfigMap safe-files"]["data"].values() if "retry_join" in each)
    for number in range(3):
        name = f"safe-{number}.safe-peers.space"
        assert name in names
        assert f'leader_api_addr = "https://{name}:8200"' in text and f'leader_tls_servername = "{name}"' in text
    assert text.count('leader_ca_cert_file = "/certificate/ca.crt"') == 3


@pytest.mark.parametrize("backend", ["raft", "file"])
def test_one_replica_talks_to_nobody_of_its_own(backend: str) -> None:
    found = lowered(backend)
    spec = found["NetworkPolicy safe"]["spec"]
    assert "8201" not in str(spec) and "PodDisruptionBudget safe" not in found
    (text,) = (each for each in found["ConfigMap safe-files"]["data"].values() if "listener" in each)
    assert "retry_join" not in text and f'storage "{backend}"' in text


def test_files_are_kept_as_they_always_were() -> None:
    found = lowered("file")
    spec = found["StatefulSet safe"]["spec"]
    assert spec["serviceName"] == "safe" and "podManagementPolicy" not in spec and "Service safe-peers" not in found
    (container,) = spec["template"]["spec"]["containers"]
    assert not {"POD", "VAULT_API_ADDR"} & {each["name"] for each in container["env"]}


def test_the_job_that_moves_files_is_one_that_a_restricted_namespace_takes() -> None:
    page = (pathlib.Path(__file__).parents[2] / "docs" / "secrets.md").read_text()
    job = yaml.safe_load(page[page.index("apiVersion: batch/v1\nkind: Job") :].partition("```")[0])
    assert schemas.complaints(job) == [] and pod_security.complaints(job["spec"]["template"]) == []
    now, spec = lowered("file")["StatefulSet safe"]["spec"]["template"]["spec"], job["spec"]["template"]["spec"]
    for field in ("runAsUser", "runAsGroup", "fsGroup"):
        assert spec["securityContext"][field] == now["securityContext"][field]
    assert spec["containers"][0]["image"] == now["containers"][0]["image"]
    assert {"name": "data", "mountPath": "/vault/data"} in spec["containers"][0]["volumeMounts"]
