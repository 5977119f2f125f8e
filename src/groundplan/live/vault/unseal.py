"""The first moments of a Vault: its shares are handed out once, and enough of them open it."""

from __future__ import annotations

from typing import Any

from groundplan.live import errors
from groundplan.live.vault import steps


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


def opened(keys: steps.Keys | None) -> steps.Plan[None]:
    """Unseals it where it is sealed: by the shares that were kept, and by asking for those that are missing."""
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
    ours = list(keys.shares) if keys else []
    if status.get("progress") and len(ours) >= int(status.get("t", 1)):
        # Somebody began, perhaps with a wrong share; with enough of our own we need none of theirs.
        yield from _share({"reset": True})
    while status.get("sealed"):
        before = int(status.get("progress", 0))
        if ours:
            share = ours.pop(0)
        else:
            share = yield steps.Share(before + 1, int(status.get("t", 1)))
        status = yield from _share({"key": share})
    yield steps.Tell("unsealed")


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
