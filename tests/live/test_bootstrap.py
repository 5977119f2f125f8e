"""A Vault that is set up: what it holds in the end, however often the work was interrupted on the way."""

from __future__ import annotations

import dataclasses
import functools
import json
import stat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundplan.live import errors
from groundplan.live.vault import bootstrap, client, keys, run, steps, tokens, wanted
from tests.kubernetes import worlds
from tests.live import certificates, openbaos, vaults

ISSUER = "https://oidc.example.com/cluster"
JWKS = json.dumps({"keys": [{"kty": "RSA", "kid": "one", "n": "AQAB", "e": "AQAB"}]})
KNOWN = dict(zip(tokens.PATHS, (ISSUER, JWKS), strict=True))
SMTP = {"app/smtp": '{"username": "me", "password": "{{ $x }}"}'}
OUTSIDE = {
    "kubernetes_host": "https://127.0.0.1:6443",
    "kubernetes_ca_cert": certificates.self_signed()[0].decode(),
    "disable_local_ca_jwt": True,
}
CHOICES = bootstrap.Choices(shares=5, threshold=3, tokens=KNOWN, kubernetes=OUTSIDE)


@functools.cache
def wants() -> wanted.Wanted:
    """Of one server; tests/live/test_replicas.py has several."""
    plan = worlds.payments()
    found = wanted.of(plan, next(env for env in plan.environments if env.name == "production"))
    return dataclasses.replace(found, replicas=1)


def brought() -> dict[str, str]:
    """What people bring."""
    return {path: SMTP.get(path, f"the account of {path}") for path in wants().supplied}


class Stopped(Exception):
    """kill -9."""


@dataclasses.dataclass
class Desk:
    """Where the plan is carried out: the file of keys, and a Vault without a connection between."""

    vault: vaults.Vault
    kept: steps.Keys | None = None
    done: int = 0

    def work(self, choices: bootstrap.Choices = CHOICES, stop: int | None = None) -> bootstrap.Outcome:
        """Everything; or until `stop` steps are done, the last one without its answer ever being heard."""
        plan = self.plan(choices)
        self.done, heard = 0, None
        while True:
            try:
                step = plan.send(heard)
            except StopIteration as ended:
                return ended.value
            heard = self.do(step)
            self.done += 1
            if self.done == stop:
                raise Stopped

    def plan(self, choices: bootstrap.Choices) -> steps.Plan[bootstrap.Outcome]:
        return bootstrap.bootstrap(wants(), self.kept, choices)

    def do(self, step: steps.Step) -> object:
        match step:
            case steps.Request():
                return steps.Answer(*self.vault.answer(step.method, step.path, step.body, step.token))
            case steps.Reserve():
                self.kept = self.kept or keys.NONE_YET
            case steps.Keep():
                self.kept = step.keys
            case steps.Share():
                return self.vault.shares[step.number - 1]
            case steps.Supply():
                return {path: brought()[path] for path in step.paths}
        return None


@functools.cache
def steps_of_a_run() -> int:
    desk = Desk(vaults.Vault())
    desk.work()
    return desk.done


def test_a_new_vault_holds_what_the_workloads_read_and_no_token_is_left():
    desk = Desk(vaults.Vault())
    made = desk.work()
    vault = desk.vault
    assert made.initialized and len(desk.kept.shares) == 5 and desk.kept.root_token == ""
    assert not vault.sealed and vault.tokens == set()
    assert vault.policies["auth-service"].count("path ") == len(set(vault.policies["auth-service"].split("path "))) - 1
    read = {
        line.split('"')[1].removeprefix("secret/data/")
        for text in vault.policies.values()
        for line in text.split("\n")
        if "path" in line
    }
    assert (
        read == {*vault.kept, "sys/storage/raft/snapshot"} and {"app/smtp", "app/jwt-signing-key", *tokens.PATHS} < read
    )
    assert vault.roles["auth-service"]["bound_service_account_namespaces"] == ["services"]
    assert vault.roles["auth-service"]["token_ttl"] == 86400
    assert vault.kept["app/smtp"] == [SMTP["app/smtp"]] and vault.kept[tokens.PATHS[0]] == [ISSUER]
    assert [each["version"] for each in json.loads(vault.kept["app/jwt-signing-key"][0])["keys"]] == [2, 1]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_whenever_it_is_killed_the_next_run_ends_where_an_undisturbed_one_does(data):
    desk, calm = Desk(vaults.Vault()), Desk(vaults.Vault())
    calm.work()
    lost = False
    for stop in data.draw(st.lists(st.integers(1, steps_of_a_run() - 1), min_size=1, max_size=3)):
        try:
            desk.work(stop=stop)
        except (Stopped, errors.Waiting):
            lost = lost or (bool(desk.vault.shares) and not desk.kept.shares)
    secrets = {path: list(versions) for path, versions in desk.vault.kept.items()}
    if lost:  # the one moment that cannot be made safe says what to do
        with pytest.raises(errors.Waiting, match="nobody has its shares") as told:
            desk.work()
        assert "volume" in told.value.fix
        return
    try:
        desk.work()
    except errors.Waiting as told:  # only the revocation was left: nothing is missing but a token to look with
        assert desk.kept.finished and "generate-root" in told.fix
    assert desk.vault.state == calm.vault.state and desk.kept == calm.kept
    assert all(desk.vault.kept[path] == versions for path, versions in secrets.items()), "a secret was overwritten"


def test_it_is_lost_at_one_step_alone():
    """Where a kill loses the shares: between the request to initialise and the file that holds what came of it."""
    lost = []
    for stop in range(1, steps_of_a_run()):
        desk = Desk(vaults.Vault())
        with pytest.raises(Stopped):
            desk.work(stop=stop)
        if desk.vault.shares and not desk.kept.shares:
            lost.append(stop)
    assert len(lost) == 1


def test_a_second_run_changes_nothing_and_a_changed_plan_only_what_changed():
    desk = Desk(vaults.Vault())
    desk.work(dataclasses.replace(CHOICES, keep_root_token=True))
    before, secrets = desk.vault.snapshot(), json.dumps(desk.vault.kept)
    assert desk.work(dataclasses.replace(CHOICES, keep_root_token=True)).changed == ()
    assert desk.vault.state == before and json.dumps(desk.vault.kept) == secrets
    del desk.vault.kept["app/fingerprint-key"]
    desk.vault.policies["auth-service"] = 'path "secret/*" { capabilities = ["read"] }'
    desk.vault.roles["somebody"] = {}
    again = desk.work(dataclasses.replace(CHOICES, keep_root_token=True))
    assert again.changed == ("policy auth-service", "secret app/fingerprint-key") and again.strangers == ("somebody",)


def test_new_keys_of_the_cluster_replace_the_old_and_nothing_else_is_replaced():
    desk = Desk(vaults.Vault())
    desk.work(dataclasses.replace(CHOICES, keep_root_token=True))
    new = {**KNOWN, tokens.PATHS[1]: JWKS.replace("one", "two")}
    assert desk.work(dataclasses.replace(CHOICES, tokens=new)).changed == ("secret platform/token-keys",)
    assert desk.vault.kept[tokens.PATHS[1]] == [JWKS, new[tokens.PATHS[1]]]


def test_a_token_of_ones_own_is_never_revoked():
    desk = Desk(vaults.Vault())
    desk.work()
    desk.vault.tokens.add("mine")
    assert desk.work(dataclasses.replace(CHOICES, token="mine")).changed == ()
    assert desk.vault.tokens == {"mine"}


def test_without_a_token_a_finished_one_says_how_to_get_one():
    desk = Desk(vaults.Vault())
    desk.work()
    with pytest.raises(errors.Waiting, match="takes a token") as told:
        desk.work()
    assert "generate-root" in told.value.fix


def test_a_deleted_secret_is_not_made_anew():
    desk = Desk(vaults.Vault())
    desk.work(dataclasses.replace(CHOICES, keep_root_token=True))
    desk.vault.kept["app/api-key-pepper"].append(None)
    with pytest.raises(errors.Refused, match="app/api-key-pepper") as told:
        desk.work()
    assert "undelete" in told.value.fix


def test_what_somebody_else_mounted_there_is_left_alone():
    desk = Desk(vaults.Vault())
    desk.vault.mounts["secret/"] = {"type": "kv", "options": {"version": "1"}}
    with pytest.raises(errors.Refused, match="something else"):
        desk.work()


@pytest.mark.parametrize("begun", [0, 1, 2])
def test_a_restarted_vault_is_opened_by_its_file_whatever_others_entered(begun):
    desk = Desk(vaults.Vault())
    desk.work(dataclasses.replace(CHOICES, keep_root_token=True))
    desk.vault.sealed = True
    desk.vault.entered = ["d3Jvbmc=", desk.vault.shares[4]][:begun]
    assert desk.work(dataclasses.replace(CHOICES, keep_root_token=True)).changed == ()
    assert not desk.vault.sealed


def test_shares_that_people_took_are_asked_for():
    desk = Desk(vaults.Vault())
    desk.work(dataclasses.replace(CHOICES, keep_root_token=True))
    desk.vault.sealed = True
    desk.kept = dataclasses.replace(desk.kept, shares=desk.kept.shares[:1])
    desk.work()
    assert not desk.vault.sealed


class Still:
    """A clock on which no time passes."""

    @staticmethod
    def now() -> float:
        return 0.0

    steady = now

    def sleep(self, seconds: float) -> None:
        pass


def over_http(vault: vaults.Vault, file: keys.File, faults: dict[int, str], **more) -> bootstrap.Outcome:
    with vaults.served(vault, faults) as address:
        hands = run.Hands(
            client.Client(address, timeout=20, clock=Still(), **more), file, brought(), None, lambda text: None
        )
        return hands.carry_out(bootstrap.bootstrap(wants(), file.read(), CHOICES))


@settings(max_examples=12, deadline=None)
@given(st.dictionaries(st.integers(6, 120), st.sampled_from(["deaf", "mute", "slow", "503"]), max_size=8))
def test_a_connection_that_breaks_changes_nothing_of_what_comes_out(tmp_path_factory, faults):
    # From the sixth request on it is initialised; each of the later ones may be asked again.
    vault, file = vaults.Vault(), keys.File(tmp_path_factory.mktemp("keys") / "keys.json")
    over_http(vault, file, faults)
    calm = Desk(vaults.Vault())
    calm.work()
    assert vault.state == calm.vault.state
    assert all(len(versions) == 1 for versions in vault.kept.values())


def test_the_keys_are_their_owners_alone_and_hold_no_token_in_the_end(tmp_path):
    file = keys.File(tmp_path / "keys.json")
    over_http(vaults.Vault(), file, {})
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    said = json.loads(file.path.read_text())
    assert len(said["unseal_keys_b64"]) == 5 and "root_token" not in said
    assert [each.name for each in tmp_path.iterdir()] == ["keys.json"]


def test_an_answer_to_init_that_is_lost_is_not_asked_for_again(tmp_path):
    vault, file = vaults.Vault(), keys.File(tmp_path / "keys.json")
    with pytest.raises(errors.Unreachable):
        over_http(vault, file, {1: "mute"})
    assert vault.shares and file.read() == keys.NONE_YET
    with pytest.raises(errors.Waiting, match="nobody has its shares"):
        over_http(vault, file, {})


@pytest.mark.parametrize("fault", ["302", "page"])
def test_who_is_no_vault_is_sent_no_token(tmp_path, fault):
    with pytest.raises(errors.Unexpected):
        over_http(vaults.Vault(), keys.File(tmp_path / "keys.json"), {0: fault})


def test_a_server_that_stays_ill_is_given_up(tmp_path):
    vault = vaults.Vault()
    with pytest.raises(errors.Unavailable, match="503"):
        over_http(vault, keys.File(tmp_path / "keys.json"), dict.fromkeys(range(6, 200), "503"))


@pytest.mark.parametrize(
    "content", ['{"other": 1}', "no json", '{"unseal_keys_b64": 5, "unseal_threshold": 1, "unseal_shares": 1}']
)
def test_a_file_that_holds_something_else_is_not_touched(tmp_path, content):
    file = keys.File(tmp_path / "keys.json")
    file.path.write_text(content)
    with pytest.raises(errors.Waiting, match="something else"):
        over_http(vaults.Vault(), file, {})
    assert file.path.read_text() == content


def test_keys_of_another_vault_are_not_written_over(tmp_path):
    vault, file = vaults.Vault(), keys.File(tmp_path / "keys.json")
    file.keep(steps.Keys(("a", "b"), 1, 2))
    before = file.path.read_text()
    with pytest.raises(errors.Waiting, match="already holds keys"):
        over_http(vault, file, {})
    assert file.path.read_text() == before and not vault.shares


def test_two_at_once_leave_the_keys_of_the_one_that_came_first(tmp_path):
    file = keys.File(tmp_path / "keys.json")
    file.reserve()
    file.reserve()
    file.keep(steps.Keys(("a",), 1, 1))
    with pytest.raises(errors.Waiting, match="already holds keys"):
        file.reserve()
    assert file.read() == steps.Keys(("a",), 1, 1)
    desk = Desk(vaults.Vault())
    desk.vault.answer("POST", "sys/init", {"secret_shares": 1, "secret_threshold": 1}, "")
    plan = bootstrap.bootstrap(wants(), None, CHOICES)
    heard: object = plan.send(None) and steps.Answer(200, {"initialized": False})  # as it was a moment ago
    with pytest.raises(errors.Refused, match="already initialized"):
        while True:
            heard = desk.do(plan.send(heard))


def test_a_file_that_cannot_be_written_is_told_before_there_are_keys(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for path in (tmp_path / "no" / "such" / "folder", tmp_path / "link"):
        vault = vaults.Vault()
        with pytest.raises(errors.Waiting, match="cannot write"):
            over_http(vault, keys.File(path), {})
        assert not vault.shares


def test_a_real_server_ends_up_alike(tmp_path):
    """OpenBao itself: first run, a second one, after it was sealed, and with a token that may do nothing."""
    with openbaos.served(tmp_path) as address:
        file = keys.File(tmp_path / "keys.json")
        hands = run.Hands(client.Client(address), file, brought(), None, lambda text: None)
        choices = dataclasses.replace(CHOICES, keep_root_token=True)

        def work(choices: bootstrap.Choices = choices) -> bootstrap.Outcome:
            return hands.carry_out(bootstrap.bootstrap(wants(), file.read(), choices))

        def ask(method: str, path: str, body: dict | None = None, token: str = file.path.name) -> steps.Answer:
            return hands.vault.ask(steps.Request(method, path, body, token=token))

        desk = Desk(vaults.Vault())
        assert work().changed == desk.work(choices).changed
        assert work().changed == ()
        root = file.read().root_token
        ask("POST", "sys/seal", {}, root)
        assert work().changed == ()
        path = "secret/data/app/smtp"
        assert ask("GET", path, token=root).data["data"]["value"] == SMTP["app/smtp"]
        weak = ask("POST", "auth/token/create", {"policies": ["merchant-service"]}, root).body["auth"]["client_token"]
        assert ask("GET", path, token=weak).status == 200
        assert ask("GET", "secret/data/app/jwt-signing-key", token=weak).status == 403
        with pytest.raises(errors.Refused, match="403"):
            work(dataclasses.replace(choices, token=weak))
        ask("DELETE", path, token=root)
        with pytest.raises(errors.Refused, match="app/smtp"):
            work()
        ask("POST", "secret/undelete/app/smtp", {"versions": [1]}, root)
        work(CHOICES)
        assert ask("GET", "auth/token/lookup-self", token=root).status == 403
        assert file.read().root_token == ""
