"""A Vault of three replicas: set up by one run, however often it is interrupted, on a double and on the real thing."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import gzip
import pathlib
import re
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundplan.live import errors
from groundplan.live.vault import bootstrap, keys, run, steps
from tests.live import openbaos, rafts, test_agent, test_bootstrap, vaults

CHOICES = dataclasses.replace(test_bootstrap.CHOICES, servers=3)
KEEPING = dataclasses.replace(CHOICES, keep_root_token=True)


@functools.cache
def wants() -> bootstrap.wants.Wanted:
    return dataclasses.replace(test_bootstrap.wants(), replicas=3)


class Desk(test_bootstrap.Desk):
    """Where the plan is carried out on a double of three servers."""

    shares_asked = 0

    def __init__(self) -> None:
        self.replicas = vaults.Replicas()
        super().__init__(self.replicas.vault)

    def plan(self, choices: bootstrap.Choices) -> steps.Plan[bootstrap.Outcome]:
        return bootstrap.bootstrap(wants(), self.kept, choices)

    def do(self, step: steps.Step) -> object:
        if isinstance(step, steps.Request):
            return steps.Answer(*self.replicas.answer(step.server, step.method, step.path, step.body, step.token))
        self.shares_asked += isinstance(step, steps.Share)
        return super().do(step)


def calm(choices: bootstrap.Choices = CHOICES) -> Desk:
    desk = Desk()
    desk.work(choices)
    return desk


def test_one_run_begins_one_vault_and_opens_all_of_it() -> None:
    desk = Desk()
    made = desk.work(CHOICES)
    assert made.initialized and made.joined == ("vault-0", "vault-1", "vault-2")
    assert [each.sealed for each in desk.replicas.own] == [False] * 3 and desk.vault.tokens == set()


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_whenever_it_is_killed_the_next_run_ends_where_an_undisturbed_one_does(data: st.DataObject) -> None:
    desk, undisturbed = Desk(), calm()
    lost = False
    for stop in data.draw(st.lists(st.integers(1, undisturbed.done - 1), min_size=1, max_size=3)):
        try:
            desk.work(CHOICES, stop=stop)
        except (test_bootstrap.Stopped, errors.Waiting):
            lost = lost or (bool(desk.vault.shares) and not desk.kept.shares)
    if lost:
        with pytest.raises(errors.Waiting, match="nobody has its shares"):
            desk.work(CHOICES)
        return
    try:
        desk.work(CHOICES)
    except errors.Waiting as told:  # only the revocation was left
        assert desk.kept.finished and "generate-root" in told.fix
    assert desk.replicas.state == undisturbed.replicas.state and desk.kept == undisturbed.kept


def test_after_every_single_request_the_next_run_goes_on() -> None:
    undisturbed = calm()
    for stop in range(1, 40):
        desk = Desk()
        with pytest.raises(test_bootstrap.Stopped):
            desk.work(CHOICES, stop=stop)
        if not (desk.vault.shares and not desk.kept.shares):
            desk.work(CHOICES)
            assert desk.replicas.state == undisturbed.replicas.state, stop


def test_all_that_restarted_are_opened_by_the_same_shares_entered_once() -> None:
    desk = calm(KEEPING)
    desk.replicas.restart()
    desk.kept = dataclasses.replace(desk.kept, shares=())
    assert desk.work(KEEPING).changed == ()
    assert not any(each.sealed for each in desk.replicas.own) and desk.shares_asked == 3


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_one_that_lost_its_volume_joins_again_and_nothing_is_begun(lost: int) -> None:
    desk = calm(KEEPING)
    desk.replicas.own[lost] = vaults.Own()
    made = desk.work(KEEPING)
    assert not made.initialized and made.changed == () and len(made.joined) == 3
    assert not desk.replicas.own[lost].sealed


def test_nothing_is_begun_where_one_was_not_asked() -> None:
    desk = Desk()
    with pytest.raises(errors.Waiting, match="1 of 3 replicas are empty") as told:
        desk.work(dataclasses.replace(CHOICES, servers=1))
    assert "--address" in told.value.fix and not desk.vault.shares


def test_a_majority_that_stays_sealed_is_said() -> None:
    desk = calm(KEEPING)
    desk.replicas.restart()
    with pytest.raises(errors.Unavailable, match="nobody leads") as told:
        desk.work(dataclasses.replace(KEEPING, servers=1))
    assert "more than half" in told.value.why


Made = tuple[rafts.Cluster, run.Hands, keys.File]


@contextlib.contextmanager
def served(folder: pathlib.Path, number: int) -> Iterator[Made]:
    """The first real replicas, set up by one run."""
    made, file = rafts.Cluster(folder), keys.File(folder / "keys.json")
    (folder / "reviewer").mkdir()
    try:
        made.start(*range(number))
        with test_agent.reviewer(folder / "reviewer") as api_server:
            config = {**CHOICES.kubernetes, "kubernetes_host": api_server, "token_reviewer_jwt": "a reviewer's"}
            choices = dataclasses.replace(KEEPING, kubernetes=config, servers=number)
            first, *others = (each.client for each in made.replicas[:number])
            hands = run.Hands(first, file, test_bootstrap.brought(), None, lambda text: None, others)
            wanted = dataclasses.replace(wants(), replicas=number)
            outcome = hands.carry_out(bootstrap.bootstrap(wanted, file.read(), choices))
            assert outcome.initialized and len(outcome.joined) == (number if number > 1 else 0)
            token = folder / "secrets" / "tokens" / "vault"
            token.parent.mkdir(parents=True)
            token.write_text(test_agent.token("vault", "vault-backup"))
            yield made, hands, file
    finally:
        made.kill()


@pytest.fixture(scope="module")
def single(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    with served(tmp_path_factory.mktemp("raft"), 1) as made:
        yield made


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    with served(tmp_path_factory.mktemp("raft"), 3) as made:
        yield made


def secrets_of(replica: rafts.Replica, root: str) -> dict[str, str]:
    paths = (*wants().generated, *wants().supplied, *wants().tokens)
    return {path: replica.ask("GET", f"secret/data/{path}", token=root).data["data"]["value"] for path in paths}


@pytest.mark.slow
def test_real_replicas_are_one_vault_and_a_standby_passes_on(cluster) -> None:
    made, _, file = cluster
    root, standby = file.read().root_token, made.standby()
    said = {"data": {"value": "by a standby"}}
    # A standby answers 400 until it has heard that the new mount is one with versions.
    rafts.until(lambda: standby.ask("POST", "secret/data/written", said, root).status == 200, "a standby passes it on")
    assert made.leader().ask("GET", "secret/data/written", token=root).data["data"]["value"] == "by a standby"
    assert len({tuple(sorted(secrets_of(each, root).items())) for each in made.replicas}) == 1
    assert {each.probe(kind) for each in made.replicas for kind in ("readinessProbe", "livenessProbe")} == {200}


@pytest.mark.slow
def test_whoever_starts_gets_its_secrets_of_whichever_replica_it_finds(cluster) -> None:
    made, _, _ = cluster
    for each in made.replicas:
        place = test_agent.Place(each.address, made.authority.file, made.folder, rafts.production(), {})
        config = test_agent.files_of(place, "auth-service")["agent.hcl"]
        done = place.agent(config, ("services", "auth-service"))
        assert done.returncode == 0, done.stdout + done.stderr
        assert list((made.folder / "pod").rglob("*"))


@pytest.fixture(scope="module")
def kept(single: Made) -> bytes:
    """What the emitted CronJob keeps."""
    made, _, _ = single
    done = made.run("vault-backup", made.leader())
    assert done.returncode == 0, done.stderr
    (found,) = (made.folder / "backups" / "vault").glob("*/vault.snap")
    return found.read_bytes()


def test_a_backup_is_a_verified_snapshot_by_a_role_that_may_do_nothing_else(single, kept) -> None:
    made, _, _ = single
    jwt = (made.folder / "secrets" / "tokens" / "vault").read_text()
    told = (
        made.leader().ask("POST", "auth/kubernetes/login", {"role": "vault-backup.snapshot", "jwt": jwt}).body["auth"]
    )
    assert told["policies"] == ["vault-backup.snapshot"] and told["num_uses"] == 1
    for path in ("secret/data/app/smtp", "auth/token/lookup-self", "sys/storage/raft/configuration"):
        body = {"role": "vault-backup.snapshot", "jwt": jwt}
        token = made.leader().ask("POST", "auth/kubernetes/login", body).body["auth"]["client_token"]
        assert made.leader().ask("GET", path, token=token).status == 403, path
    assert made.leader().ask("POST", "sys/storage/raft/snapshot-force", {}, told["client_token"]).status == 403
    assert len(kept) > 10_000


@pytest.mark.parametrize("harm", ["cut short", "altered", "no gzip", "without its seal"])
def test_a_harmed_snapshot_is_refused_before_anything_is_destroyed(single, kept, harm: str) -> None:
    made, _, file = single
    work = made.folder / "harmed"
    work.mkdir(exist_ok=True)
    (work / "vault.snap").write_bytes(harmed(kept, harm))
    (work / "token").write_text(file.read().root_token)
    before = secrets_of(made.leader(), file.read().root_token)
    done = put(made, work)
    assert done.returncode == 1 and "vault.snap" in done.stderr, done.stderr
    assert secrets_of(made.leader(), file.read().root_token) == before


def harmed(content: bytes, harm: str) -> bytes:
    if harm == "cut short":
        return content[:-64]
    plain = bytearray(gzip.decompress(content))
    if harm == "altered":
        plain[plain.index(b"state.bin") + 2048] ^= 1
        return gzip.compress(bytes(plain))
    return bytes(plain) if harm == "no gzip" else gzip.compress(bytes(plain).replace(b"SHA256SUMS.sealed", b"X" * 17))


def put(made: rafts.Cluster, work: pathlib.Path) -> subprocess.CompletedProcess[str]:
    words = [
        "put-vault",
        f"--address={made.leader().address}",
        f"--authority={made.authority.file}",
        f"--token={work}/token",
    ]
    command = [sys.executable, "-m", "groundplan_runtime.backup", *words, f"--work={work}"]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_without_a_token_of_peoples_a_restore_says_whose_it_takes(single, kept) -> None:
    made, _, _ = single
    done = made.run("vault-restore", made.leader())
    assert done.returncode == 1 and "there is no token" in done.stderr and "runbook" in done.stderr


def test_a_vault_that_is_not_lost_goes_back_to_a_snapshot(single, kept) -> None:
    made, _, file = single
    root, leader = file.read().root_token, made.leader()
    before = secrets_of(leader, root)
    leader.ask("POST", "secret/data/app/smtp", {"data": {"value": "a mistake"}}, root)
    (made.folder / "account").mkdir()
    (made.folder / "account" / "token").write_text(root)
    done = made.run("vault-restore", leader)
    assert done.returncode == 0, done.stderr
    if leader.ask("GET", "sys/seal-status").body["sealed"]:
        _unseal(leader, file)
    rafts.until(lambda: leader.leads, "it leads")
    assert secrets_of(leader, root) == before


@pytest.mark.slow
def test_it_outlives_its_leader_a_volume_and_all_of_it(cluster, capsys: pytest.CaptureFixture[str]) -> None:
    """kill -9 of whoever leads; an empty volume; then every volume gone, and the way of the runbook back."""
    made, hands, file = cluster
    root, before = file.read().root_token, secrets_of(made.leader(), file.read().root_token)
    path = "sys/storage/raft/configuration"

    def voting() -> bool:
        servers = made.leader().ask("GET", path, token=root).data["config"]["servers"]
        return [each["voter"] for each in servers] == [True] * 3

    rafts.until(voting, "all of them vote")
    fallen = made.leader()
    fallen.kill()
    taken = rafts.until(lambda: bool(made.leader()), "another leads")
    assert all(secrets_of(each, root) == before for each in made.replicas if each is not fallen)

    fallen.wipe()
    made.start(made.replicas.index(fallen))
    assert fallen.probe("livenessProbe") == 200 and fallen.probe("readinessProbe") in (501, 503)
    again = bootstrap.bootstrap(wants(), file.read(), dataclasses.replace(KEEPING, kubernetes=_present(made, root)))
    assert hands.carry_out(again).changed == () and secrets_of(fallen, root) == before

    assert made.run("vault-backup", made.standby()).returncode == 0
    began = time.monotonic()
    made.kill()
    for each in made.replicas:
        each.wipe()
    _way_back(made, file)
    made.start(1, 2)
    for each in made.replicas[1:]:
        rafts.until(lambda each=each: each.ask("GET", "sys/init").body["initialized"], "it has found the first")
        _unseal(each, file)
    assert all(secrets_of(each, root) == before for each in made.replicas)
    with capsys.disabled():
        print(
            f"\nVault of 3: another leads {taken:.1f} s after kill -9; "
            f"restored with {len(before)} secrets in {time.monotonic() - began:.1f} s"
        )


def _present(made: rafts.Cluster, root: str) -> dict:
    found = made.leader().ask("GET", "auth/kubernetes/config", token=root).data
    return {name: found[name] for name in test_bootstrap.OUTSIDE}


def _way_back(made: rafts.Cluster, file: keys.File) -> None:
    """The runbook's commands for the first replica, as requests."""
    first = made.replicas[0]
    made.start(0)
    begun = first.ask("POST", "sys/init", {"secret_shares": 1, "secret_threshold": 1}).body
    first.ask("POST", "sys/unseal", {"key": begun["keys_base64"][0]})
    rafts.until(lambda: first.leads, "the empty one leads")
    (made.folder / "account").mkdir()
    (made.folder / "account" / "token").write_text(begun["root_token"])
    done = made.run("vault-restore", first)
    assert done.returncode == 0, done.stderr
    first.kill()
    made.start(0)
    _unseal(first, file)
    rafts.until(lambda: first.leads, "the restored one leads")
    assert first.ask("GET", "auth/token/lookup-self", token=begun["root_token"]).status == 403


def _unseal(replica: rafts.Replica, file: keys.File) -> None:
    for share in file.read().shares[: file.read().threshold]:
        replica.ask("POST", "sys/unseal", {"key": share})
    rafts.until(lambda: replica.ask("GET", "sys/seal-status").body["sealed"] is False, "it opens")


@pytest.mark.slow
def test_another_storage_is_moved_to_integrated_storage_by_what_the_page_says(tmp_path: pathlib.Path) -> None:
    """Of files there is none to try: OpenBao has dropped them. It moves its own storage by the same command."""
    page = (pathlib.Path(__file__).parents[2] / "docs" / "secrets.md").read_text()
    move = textwrap.dedent(page[page.index("              storage_source") : page.index("              END")])
    made = rafts.Cluster(tmp_path)
    first, old = made.replicas[0], tmp_path / "old"
    raft = first.config.read_text()
    first.config.write_text(
        re.sub(r'storage "raft" \{.*?\n\}\n', f'storage "pebbledb" {{path = "{old}"}}\n', raft, flags=re.S)
    )
    try:
        made.start(0)
        begun = first.ask("POST", "sys/init", {"secret_shares": 1, "secret_threshold": 1}).body
        root, share = begun["root_token"], begun["keys_base64"][0]
        first.ask("POST", "sys/unseal", {"key": share})
        first.ask("POST", "sys/mounts/kept", {"type": "kv"}, root)
        rafts.until(lambda: first.ask("POST", "kept/a", {"value": "b"}, root).status == 204, "it is written")
        first.stop()
        for before, after in (
            ('"file"', '"pebbledb"'),
            ("/vault/data/file", str(old)),
            ('"/vault/data"', f'"{first.folder}"'),
            ("vault-0.vault-peers.vault:8201", f"127.0.0.1:{first.cluster_port}"),
        ):
            assert before in move
            move = move.replace(before, after)
        (tmp_path / "move.hcl").write_text(move)
        command = [openbaos.binary(), "operator", "migrate", f"-config={tmp_path}/move.hcl"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        first.config.write_text(raft)
        made.start(0, 1)
        first.ask("POST", "sys/unseal", {"key": share})
        rafts.until(lambda: first.leads, "it leads")
        second = made.replicas[1]
        rafts.until(lambda: second.ask("GET", "sys/init").body["initialized"], "another has found it")
        second.ask("POST", "sys/unseal", {"key": share})
        rafts.until(lambda: second.ask("GET", "kept/a", token=root).data == {"value": "b"}, "the other has it too")
    finally:
        made.kill()
