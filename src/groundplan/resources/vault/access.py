"""Who may read what of a Vault: policies and roles as files, for those who set it up."""

from __future__ import annotations

import json
from collections.abc import Sequence

from groundplan.shapes import workloads

AUDIENCE = "vault"
MOUNT = "secret"
"""The mount of the KV engine, version 2."""
SNAPSHOT = "sys/storage/raft/snapshot"
_LEASE = "24h"
"""How long a workload's login lasts."""
_ONCE = "1h"
"""How long a snapshot's login lasts; it is good for one request."""


def files(holders: Sequence[workloads.Holder], savers: Sequence[workloads.Holder]) -> dict[str, str]:
    """A policy and a role for each workload that holds secrets, and one for each that takes snapshots."""
    found = {f"policy.{holder.name}.hcl": _policy(holder) for holder in holders}
    found |= {f"role.{holder.name}.json": _role(holder, holder.name, token_ttl=_LEASE) for holder in holders}
    for saver in savers:
        name = snapshots(saver.name)
        found[f"policy.{name}.hcl"] = _may_read(SNAPSHOT)
        found[f"role.{name}.json"] = _role(saver, name, token_ttl=_ONCE, token_num_uses=1, token_no_default_policy=True)
    return found


def snapshots(saver: str) -> str:
    """The role by which the workload called `saver` takes snapshots; no workload can have a name with a dot."""
    return f"{saver}.snapshot"


def _policy(holder: workloads.Holder) -> str:
    return "".join(_may_read(f"{MOUNT}/data/{path}") for path in sorted(holder.paths))


def _may_read(path: str) -> str:
    return f'path "{path}" {{\n  capabilities = ["read"]\n}}\n'


def _role(holder: workloads.Holder, policy: str, **token: object) -> str:
    role = {
        "audience": AUDIENCE,
        "bound_service_account_names": [holder.name],
        "bound_service_account_namespaces": [holder.namespace],
        "token_policies": [policy],
        **token,
    }
    return json.dumps(role, indent=1, sort_keys=True) + "\n"
