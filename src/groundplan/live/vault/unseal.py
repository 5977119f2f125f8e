"""The first moments of a Vault: its shares are handed out once, and enough of them open it."""

from __future__ import annotations

from typing import Any

from groundplan.live import errors
from groundplan.live.vault import steps

_PATIENCE, _PAUSE = 60, 0.5
"""Seconds for what servers do by themselves, in all and before each further look: an empty one asks for the others
every two seconds, an election takes up to fifteen."""


def initialize(number: int, threshold: int) -> steps.Plan[steps.Keys]:
    """Initialises it and keeps what comes of it: there is no second time."""
    yield steps.Reserve()
    body = {"secret_shares": number, "secret_threshold": threshold}
    answer = yield steps.Request("POST", "sys/init", body, repeatable=False)
    shares = answer.body.get("keys_base64") or answer.body.get("keys")
    if answer.status != 200 or not isinstance(shares, list):
        why = answer.errors or "its answer holds no shares (a Vault that a cloud's key unseals hands out none)"
        raise errors.Refused(f"Vault was not initialised: {answer.status}", why=why)
    root = str(answer.body.get("root_token", ""))
    keys = steps.Keys(tuple(str(each) for each in shares), threshold, number, root)
    yield steps.Keep(keys)
    yield steps.Tell(f"initialised: {threshold} of {number} shares open it")
    return keys


def begun(servers: int) -> steps.Plan[tuple[bool, ...]]:
    """Which of the servers hold a Vault, or a part of one."""
    found = []
    for server in range(servers):
        answer = yield steps.Request("GET", "sys/init", server=server)
        if answer.status != 200:
            raise errors.Unexpected(f"/v1/sys/init was answered {answer.status}", why=answer.errors)
        found.append(bool(answer.body.get("initialized")))
    return tuple(found)


def all_opened(keys: steps.Keys | None, holding: tuple[bool, ...]) -> steps.Plan[None]:
    """Unseals every server; those that are empty last, since they take what they lack from the others."""
    known = list(keys.shares) if keys else []
    for server in sorted(range(len(holding)), key=lambda each: not holding[each]):
        if not holding[server]:
            yield from steps.at(server, _joined(server))
        yield from steps.at(server, opened(keys, known))
    yield from steps.at(holding.index(True), _led())


def opened(keys: steps.Keys | None, known: list[str]) -> steps.Plan[None]:
    """Unseals a server that is sealed: by the shares that are known, and by asking for those that are missing, which
    are known then."""
    status = yield from _status()
    if not status.get("sealed"):
        return
    if status.get("type", "shamir") != "shamir":
        why = f"its seal is {status.get('type')}, which opens it by itself"
        raise errors.Waiting("Vault is sealed", why=why, fix="find out in its log why that key cannot be reached")
    if keys and not keys.number:
        why = "Vault hands them out once, and the run that asked for them was interrupted before they came"
        fix = "nothing is in it yet: delete its pod and its volume, and begin anew; or delete the empty file of keys "
        raise errors.Waiting("initialised, but nobody has its shares", why=why, fix=f"{fix}if you do have them")
    if status.get("progress") and len(known) >= int(status.get("t", 1)):
        # Somebody began, perhaps with a wrong share; with enough of our own we need none of theirs.
        status = yield from _share({"reset": True})
    yield from _enter(status, known)
    yield steps.Tell("unsealed")


def _enter(status: dict[str, Any], known: list[str]) -> steps.Plan[None]:
    least, used = int(status.get("t", 1)), 0
    while status.get("sealed"):
        before = int(status.get("progress", 0))
        if used == len(known):
            share = yield steps.Share(before + 1, least)
            known.append(share)
        status = yield from _share({"key": known[used]})
        used += 1
        if status.get("sealed") and before + 1 >= least and not status.get("progress"):
            # It has enough of them, and is about to join the others with them.
            yield from _until("sealed", False, "the shares do not open it, or whoever leads does not reach it")
            return


def _joined(server: int) -> steps.Plan[None]:
    """Until an empty server has found the others."""
    yield steps.Tell(f"server {server + 1} is empty, and looks for the others")
    yield from _until("initialized", True, "it has found no other that is open; its log says whom it asked")


def _until(field: str, wanted: bool, why: str) -> steps.Plan[None]:
    """Until its status says so."""
    for _ in range(round(_PATIENCE / _PAUSE)):
        status = yield from _status()
        if bool(status.get(field)) == wanted:
            return
        yield steps.Pause(_PAUSE)
    raise errors.Unavailable(f"a server did not join the others within {_PATIENCE} s", why=why, fix="run it again")


def _led() -> steps.Plan[None]:
    """Until somebody leads: after a restart they vote, which takes some seconds."""
    for _ in range(round(_PATIENCE / _PAUSE)):
        answer = yield steps.Request("GET", "sys/leader")
        if answer.status == 200 and (answer.body.get("leader_address") or not answer.body.get("ha_enabled")):
            return
        yield steps.Pause(_PAUSE)
    why = "it takes more than half of the replicas, each of them unsealed"
    raise errors.Unavailable(f"nobody leads after {_PATIENCE} s", why=why, fix="give the address of each: --address")


def _status() -> steps.Plan[dict[str, Any]]:
    answer = yield steps.Request("GET", "sys/seal-status")
    if answer.status != 200 or "sealed" not in answer.body:
        raise errors.Unexpected(f"/v1/sys/seal-status was answered {answer.status}", why=answer.errors)
    return dict(answer.body)


def _share(body: dict[str, Any]) -> steps.Plan[dict[str, Any]]:
    answer = yield steps.Request("POST", "sys/unseal", body)
    if answer.status != 200:
        why = answer.errors or f"it was answered {answer.status}"
        raise errors.Refused("a share does not open this Vault", why=why, fix="run it again with shares of this Vault")
    return dict(answer.body)
