"""Which request comes next, until a Vault holds what is wanted: decided from its answers alone, without a connection.

It looks before it changes anything, so that it can be stopped after any request and begun anew. One moment
cannot be made safe: Vault hands out its shares once, in the answer to ``/sys/init``; whoever never got that
answer has an empty Vault that nobody can open, and must begin with an empty volume.

Sources: https://developer.hashicorp.com/vault/api-docs/system/init, /system/seal-status, /system/unseal,
/system/mounts, /system/auth, /system/policies, /auth/kubernetes, /secret/kv/kv-v2, /auth/token (OpenBao's are alike).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from groundplan.live import errors
from groundplan.live.vault import steps, unseal
from groundplan.live.vault import wanted as wants


@dataclasses.dataclass(frozen=True)
class Choices:
    """What the one who sets it up chooses."""

    shares: int = 5
    threshold: int = 3
    token: str = dataclasses.field(default="", repr=False)
    """A token of theirs, for a Vault that was set up before; it is never revoked."""
    keep_root_token: bool = False
    kubernetes: Mapping[str, Any] = dataclasses.field(
        default_factory=lambda: {"kubernetes_host": "https://kubernetes.default.svc:443"}
    )
    """``auth/kubernetes/config``."""
    servers: int = 1
    """How many of its servers can be asked."""
    tokens: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """The present issuer and keys of the cluster's tokens, by path (`tokens.PATHS`): they alone are kept current."""


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What was made now, in the order in which it was made; what was there already is not in it."""

    initialized: bool
    changed: tuple[str, ...]
    strangers: tuple[str, ...]
    """Roles that the plan does not know: who else may log in."""
    joined: tuple[str, ...] = ()
    """The replicas that are one Vault, where there are to be several and the token may ask."""


def bootstrap(wanted: wants.Wanted, keys: steps.Keys | None, choices: Choices) -> steps.Plan[Outcome]:
    """The plan; `keys` are those kept by an earlier run."""
    holding = yield from unseal.begun(choices.servers)
    fresh = not any(holding)
    brought: dict[str, str] = {}
    if fresh:
        _all_there(wanted, choices)
        # Whoever must bring something hears so before there is anything to lose.
        unknown = (path for path in wanted.tokens if path not in choices.tokens)
        brought = yield from _supplied((*wanted.supplied, *unknown))
        keys = yield from unseal.initialize(choices.shares, choices.threshold)
        holding = (True, *holding[1:])
    yield from unseal.all_opened(keys, holding)
    return (yield from steps.at(holding.index(True), _filled(wanted, keys, choices, brought, fresh)))


def _all_there(wanted: wants.Wanted, choices: Choices) -> None:
    """One that was not asked may hold everything: an empty one beside it must join it, and begin nothing of its own."""
    if choices.servers < wanted.replicas:
        what = f"{choices.servers} of {wanted.replicas} replicas are empty, and the others were not asked"
        why = "a Vault is begun once, and the others join it"
        raise errors.Waiting(what, why=why, fix="give the address of each: --address URL --address URL …")


def _filled(
    wanted: wants.Wanted, keys: steps.Keys | None, choices: Choices, brought: dict[str, str], fresh: bool
) -> steps.Plan[Outcome]:
    """What an open Vault lacks is put in it."""
    token, is_ours = yield from _token(keys, choices)
    vault = _Vault(token)
    joined = (yield from vault.joined()) if wanted.replicas > 1 else ()
    yield from vault.mount()
    yield from vault.login(dict(choices.kubernetes))
    yield from vault.policies(wanted.policies)
    yield from vault.roles(wanted.roles)
    yield from vault.secrets(wanted, {**brought, **choices.tokens})
    yield from vault.current({path: choices.tokens[path] for path in wanted.tokens if path in choices.tokens})
    strangers = yield from vault.strangers(wanted.roles)
    if is_ours and keys is not None and not choices.keep_root_token:
        yield from _revoke(keys)
    return Outcome(fresh, tuple(vault.changed), strangers, joined)


def _ask(request: steps.Request, *expected: int) -> steps.Plan[steps.Answer]:
    """The answer to `request`; raises errors.LiveError where it is none of 2xx and `expected`."""
    answer: steps.Answer = yield request
    if answer.status // 100 == 2 or answer.status in expected:
        return answer
    said = f"{request.method} /v1/{request.path} was answered {answer.status}"
    if answer.status == 403:
        raise errors.Refused(said, why=answer.errors, fix="give a token that may do this: --token-file, or VAULT_TOKEN")
    raise errors.Refused(said, why=answer.errors)


def _supplied(paths: tuple[str, ...]) -> steps.Plan[dict[str, str]]:
    if not paths:
        return {}
    found: dict[str, str] = yield steps.Supply(paths)
    return found


def _token(keys: steps.Keys | None, choices: Choices) -> steps.Plan[tuple[str, bool]]:
    """A token that is good, and whether it is the first one, which this run should revoke."""
    root = keys.root_token if keys else ""
    for token, is_ours in ((choices.token, False), (root, True)):
        if not token:
            continue
        answer = yield from _ask(steps.Request("GET", "auth/token/lookup-self", token=token), 403)
        if answer.status != 403:
            return token, is_ours
        if is_ours and keys and keys.finished:
            yield steps.Keep(dataclasses.replace(keys, root_token=""))
    why = (
        "the first token was revoked when it was set up" if not choices.token else "the one given is not good any more"
    )
    fix = "give one by --token-file or VAULT_TOKEN; `vault operator generate-root` makes one of the shares"
    raise errors.Waiting("Vault is set up and open, and to look at it takes a token", why=why, fix=fix)


def _revoke(keys: steps.Keys) -> steps.Plan[None]:
    # First the note, then the deed: whoever is stopped between them finds out by the note that nothing is missing.
    yield steps.Keep(dataclasses.replace(keys, finished=True))
    yield from _ask(steps.Request("POST", "auth/token/revoke-self", {}, token=keys.root_token), 403)
    yield steps.Keep(dataclasses.replace(keys, finished=True, root_token=""))
    yield steps.Tell("the first token is revoked")


class _Vault:
    """An open Vault: what it holds is compared with what it should hold, and what is missing is added."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.changed: list[str] = []

    def joined(self) -> steps.Plan[tuple[str, ...]]:
        """The names of the replicas that are in it."""
        request = steps.Request("GET", "sys/storage/raft/configuration", token=self.token)
        found = (yield from _ask(request, 403, 404)).data.get("config", {}).get("servers", ())
        return tuple(sorted(str(each.get("node_id")) for each in found))

    def mount(self) -> steps.Plan[None]:
        """The KV engine, version 2."""
        found = (yield from self._get("sys/mounts")).get(f"{wants.MOUNT}/")
        if found is None:
            body = {"type": "kv", "options": {"version": "2"}}
            yield from self._enable(f"sys/mounts/{wants.MOUNT}", body, f"engine {wants.MOUNT}/ (KV version 2)")
        elif found.get("type") != "kv" or (found.get("options") or {}).get("version") != "2":
            why = f"it is of type {found.get('type')}, with the options {found.get('options')}"
            raise errors.Refused(
                f"{wants.MOUNT}/ is something else than KV version 2", why=why, fix="move it elsewhere"
            )

    def login(self, config: dict[str, Any]) -> steps.Plan[None]:
        """The login by ServiceAccount."""
        if f"{wants.AUTH}/" not in (yield from self._get("sys/auth")):
            yield from self._enable(f"sys/auth/{wants.AUTH}", {"type": "kubernetes"}, f"login {wants.AUTH}/")
        path = f"auth/{wants.AUTH}/config"
        found = yield from self._get(path, missing=404)
        # A reviewer's token is never read back; giving it again is how it is renewed.
        if "token_reviewer_jwt" in config or any(found.get(name) != value for name, value in config.items()):
            yield from self._put(path, config, f"login {wants.AUTH}/ asks {config['kubernetes_host']}")

    def policies(self, wanted: Mapping[str, str]) -> steps.Plan[None]:
        for name, text in wanted.items():
            path = f"sys/policies/acl/{name}"
            found = yield from self._get(path, missing=404)
            if found.get("policy") != text:
                yield from self._put(path, {"policy": text}, f"policy {name}")

    def roles(self, wanted: Mapping[str, dict[str, Any]]) -> steps.Plan[None]:
        for name, body in wanted.items():
            path = f"auth/{wants.AUTH}/role/{name}"
            found = yield from self._get(path, missing=404)
            if any(found.get(key) != _as_kept(key, value) for key, value in body.items()):
                yield from self._put(path, body, f"role {name}")

    def strangers(self, wanted: Mapping[str, Any]) -> steps.Plan[tuple[str, ...]]:
        """Roles that nobody of the plan has."""
        request = steps.Request("LIST", f"auth/{wants.AUTH}/role", token=self.token)
        found = (yield from _ask(request, 404)).data
        return tuple(sorted(str(name) for name in found.get("keys", ()) if name not in wanted))

    def secrets(self, wanted: wants.Wanted, brought: Mapping[str, str]) -> steps.Plan[None]:
        """Every secret that is not there yet; first all that people must bring, then all that can be made."""
        versions = yield from self._versions((*wanted.generated, *wanted.supplied, *wanted.tokens))
        missing = [path for path in wanted.supplied if not versions[path]]
        missing += [path for path in wanted.tokens if not versions[path]]
        given = {**brought, **(yield from _supplied(tuple(path for path in missing if path not in brought)))}
        for path in missing:
            yield from self._write(path, given[path], 0)
        for path, generator in wanted.generated.items():
            if not versions[path]:
                yield from self._write(path, generator.generate(), 0)

    def current(self, wanted: Mapping[str, str]) -> steps.Plan[None]:
        """What the cluster says of its tokens: no secret, and replaced when the cluster changes its keys."""
        for path, text in wanted.items():
            found = yield from self._get(f"{wants.MOUNT}/data/{path}")
            if found["data"].get("value") != text:
                yield from self._write(path, text, int(found["metadata"]["version"]))

    def _versions(self, paths: tuple[str, ...]) -> steps.Plan[dict[str, int]]:
        """The version of what is kept at each path; 0 for nothing."""
        found: dict[str, int] = {}
        gone: list[str] = []
        for path in paths:
            kept = yield from self._get(f"{wants.MOUNT}/metadata/{path}", missing=404)
            found[path] = int(kept.get("current_version", 0))
            newest = kept.get("versions", {}).get(str(found[path]), {})
            if newest.get("deletion_time") or newest.get("destroyed"):
                gone.append(path)
        if gone:
            why = "somebody did so on purpose, or by mistake: nothing is written over it"
            fix = "`vault kv undelete`, or `vault kv metadata delete` for a new one to be made"
            raise errors.Refused(f"deleted in the store: {', '.join(gone)}", why=why, fix=fix)
        return found

    def _write(self, path: str, text: str, version: int) -> steps.Plan[None]:
        body = {"options": {"cas": version}, "data": {"value": text}}
        request = steps.Request("POST", f"{wants.MOUNT}/data/{path}", body, token=self.token)
        answer = yield from _ask(request, 400)
        if answer.status == 400 and "check-and-set" not in answer.errors:
            raise errors.Refused(f"the secret {path} was not taken", why=answer.errors)
        if answer.status != 400:  # else somebody was faster: theirs stays
            yield from self._done(f"secret {path}")

    def _get(self, path: str, missing: int = 0) -> steps.Plan[dict[str, Any]]:
        answer = yield from _ask(steps.Request("GET", path, token=self.token), *((missing,) if missing else ()))
        return {} if answer.status == missing else answer.data

    def _put(self, path: str, body: dict[str, Any], what: str) -> steps.Plan[None]:
        yield from _ask(steps.Request("POST", path, body, token=self.token))
        yield from self._done(what)

    def _enable(self, path: str, body: dict[str, Any], what: str) -> steps.Plan[None]:
        answer = yield from _ask(steps.Request("POST", path, body, token=self.token), 400)
        # In use, though it was not a moment ago: the answer to a first request was lost on its way.
        if answer.status == 400 and "already in use" not in answer.errors:
            raise errors.Refused(f"{what} was not enabled", why=answer.errors)
        yield from self._done(what)

    def _done(self, what: str) -> steps.Plan[None]:
        self.changed.append(what)
        yield steps.Tell(what)


def _as_kept(key: str, value: Any) -> Any:
    """A role's field as Vault gives it back: durations are seconds."""
    if key == "token_ttl":
        return int(str(value).removesuffix("h")) * 3600
    return value
