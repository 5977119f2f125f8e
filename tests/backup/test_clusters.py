"""Backups in a cluster: who has one has a place for it, a way back, and nothing that it does not need."""

from __future__ import annotations

import pytest

from groundplan import Platform, cpu, memory
from groundplan.kubernetes import feasibility, lower
from groundplan.model import platform
from groundplan.model import resource as resources
from groundplan.resources import NoBackup, ObjectStore, Postgres, Redis, Vault, Volume, daily
from groundplan.shapes import ports, processes, signals, workloads

BUCKET = ObjectStore("https://store.example.com:9000", bucket="kept", cidrs=["198.51.100.0/24"])


def plan(backend: str = "raft", **said: object) -> tuple[platform.Platform, object]:
    """A platform with three engines that are backed up, and its only cluster."""
    made = Platform("kept")
    space = made.namespace("space")
    db = space.add(Postgres("db", backup=daily(keep=3, at="01:30")))
    db.database("orders")
    space.add(Redis("keys", backup=daily(keep=3)))
    vault = space.add(Vault("safe", backend=backend, backup=daily(keep=2)))
    common = {"registry": "r.example.com", "secrets": vault, "resources": cpu("1m", "2m") & memory("1Mi", "2Mi")}
    return made, made.environment("live", **{**common, **said})


def lowered(backend: str = "raft", **said: object) -> dict[str, dict]:
    made = lower.lower(*plan(backend, **said))
    return {f"{each.key.kind} {each.key.name}": each.tree for each in made.objects}


def spec_of(tree: dict) -> dict:
    return tree["spec"]["jobTemplate"]["spec"]["template"]["spec"]


@pytest.mark.parametrize("place", [Volume("9Gi"), BUCKET], ids=["volume", "bucket"])
def test_each_engine_has_a_schedule_and_a_way_back_that_waits(place: object) -> None:
    found = lowered(backups=place)
    for name, cron in (("db", "30 1 * * *"), ("keys", "0 3 * * *"), ("safe", "0 3 * * *")):
        saves, restores = found[f"CronJob {name}-backup"]["spec"], found[f"CronJob {name}-restore"]["spec"]
        assert (saves["schedule"], saves["timeZone"], saves.get("suspend")) == (cron, "Etc/UTC", None)
        assert restores["suspend"] is True
        for spec in (saves, restores):
            assert spec["concurrencyPolicy"] == "Forbid"
            assert spec["jobTemplate"]["spec"]["activeDeadlineSeconds"] > 0
        assert f"ServiceAccount {name}-backup" in found and f"ServiceAccount {name}-restore" in found
    assert ("PersistentVolumeClaim db-backups" in found) == isinstance(place, Volume)


def test_a_volume_of_backups_outlives_its_line_in_the_plan() -> None:
    claim = lowered(backups=Volume("9Gi"))["PersistentVolumeClaim db-backups"]
    assert claim["spec"]["resources"]["requests"]["storage"] == "9Gi"
    assert claim["metadata"]["annotations"]["argocd.argoproj.io/sync-options"] == "Prune=false,Delete=false"


def test_only_saving_and_fetching_reach_the_bucket_and_on_its_port_alone() -> None:
    found = lowered(backups=BUCKET)
    for name, tree in found.items():
        if not name.startswith("NetworkPolicy"):
            continue
        rules = [
            rule for rule in tree["spec"].get("egress", ()) if {"ipBlock": {"cidr": "198.51.100.0/24"}} in rule["to"]
        ]
        assert bool(rules) == name.endswith(("-backup", "-restore")), name
        assert all(rule["ports"] == [{"protocol": "TCP", "port": 9000}] for rule in rules)


def test_dumps_are_made_by_a_role_of_their_own_and_the_engines_volume_is_read_only_while_it_runs() -> None:
    found = lowered("file", backups=BUCKET)
    dump = spec_of(found["CronJob db-backup"])["initContainers"][1]
    assert {"name": "PGUSER", "value": "db_backup"} in dump["env"]
    assert "admin-password" not in str(found["ConfigMap db-backup-files"])
    safe = spec_of(found["CronJob safe-backup"])
    mounts = [mount for each in safe["initContainers"] + safe["containers"] for mount in each["volumeMounts"]]
    assert all(mount["readOnly"] for mount in mounts if mount["name"] == "data")
    assert safe["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert "affinity" not in spec_of(found["CronJob keys-backup"])


def test_a_store_of_secrets_is_restored_without_its_own_secrets() -> None:
    restore = spec_of(lowered(backups=BUCKET)["CronJob safe-restore"])
    assert [each["name"] for each in restore["initContainers"]] == ["fetch"]
    assert {"secretName": "safe-restore-account", "optional": True} in [
        each.get("secret") for each in restore["volumes"]
    ]


def test_an_environment_with_a_reason_has_none_of_it() -> None:
    assert not [name for name in lowered(backups=NoBackup("test data")) if "-backup" in name or "-restore" in name]


class Odd(resources.Resource):
    """A resource of a plan's own that wants a backup and forgot to say how."""

    def runs_here(self, edges: object) -> processes.NotHere:
        return processes.NotHere("it is odd")

    def objects(self, env: object, edges: object) -> workloads.NotThere:
        return workloads.NotThere("it is odd")

    def backed_up(self) -> object:
        return daily(keep=1)

    def signals(self) -> signals.Signals:
        return signals.Silent("it is odd")


@pytest.mark.parametrize(
    ("said", "code", "words"),
    [
        ({}, "GP303", 'backups=Volume("20Gi")'),
        ({"backups": Volume("much")}, "GP105", "'much' is no size"),
        ({"backups": NoBackup("  ")}, "GP105", "say why"),
        ({"backups": ObjectStore("http://s3.example.com", "b", cidrs=["192.0.2.0/24"])}, "GP105", "in the clear"),
        ({"backups": ObjectStore("https://s3.example.com", "", cidrs=["192.0.2.0/24"])}, "GP105", "bucket"),
        ({"backups": ObjectStore("https://s3.example.com", "b")}, "GP305", "every public address would be open"),
        ({"backups": ObjectStore("https://s3.example.com", "b", cidrs=["192.0.2.1/24"])}, "GP105", "host bits"),
        ({"backups": "s3://bucket"}, "GP302", "ObjectStore"),
        ({"backups": BUCKET, "storage": "ephemeral"}, "GP331", "keeps its data nowhere"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_cannot_work_is_found_at_the_line_of_the_plan(said: dict, code: str, words: str) -> None:
    made, env = plan(**said)
    found = [each for each in feasibility.check(made, env) if each.code == code]
    assert any(words in str(each) for each in found), found


@pytest.mark.parametrize(
    ("backup", "words"),
    [
        (daily(keep=0), "the last good one always stays"),
        (daily(keep=3, at="25:00"), "no time of a day"),
        (daily(keep=3, at="3am"), "no time"),
    ],
)
def test_a_schedule_that_makes_no_sense_is_a_finding(backup: object, words: str) -> None:
    made, env = plan(backups=BUCKET)
    made.namespaces[0].add(Redis("more", backup=backup))
    assert any(words in str(each) for each in feasibility.check(made, env))


def test_a_resource_that_forgot_to_say_how_is_a_finding() -> None:
    made, env = plan(backups=BUCKET)
    made.namespaces[0].add(Odd("odd", listens={"port": ports.Tcp(1)}))
    assert [each.what for each in feasibility.check(made, env) if each.code == "GP330"] == [
        "odd wants a backup and does not say how"
    ]
