"""What an environment's Vault must hold: read off the very objects that are built for it."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from groundplan.kubernetes import lower, names, settings
from groundplan.live.vault import tokens
from groundplan.model import environment, findings, platform, secrets
from groundplan.model import store as stores

MOUNT = "secret"
AUTH = "kubernetes"


@dataclasses.dataclass(frozen=True)
class Wanted:
    """Policies and roles by name, as the API takes them, and the secrets that workloads read, by path."""

    policies: dict[str, str]
    roles: dict[str, dict[str, Any]]
    generated: dict[str, secrets.Generator]
    supplied: tuple[str, ...]
    """Paths of those that people bring: nothing in the plan can make them."""
    tokens: tuple[str, ...]
    """Those of `tokens.PATHS` that somebody reads."""
    replicas: int = 1
    """How many servers it has, each of which is opened by itself."""


def of(plan: platform.Platform, env: environment.Environment) -> Wanted:
    """What the store of `env` must hold; raises findings.PlanError where it keeps no secrets in a Vault."""
    store = settings.store(env)
    lowered = lower.lower(plan, env)
    data = _access(lowered, store) if store else None
    if data is None:
        raise findings.PlanError((_no_vault(env),))
    held = sorted({path for each in lowered.holders for path in each.paths})
    generators = {path: each.generator for path, each in plan.kept.items() if path in held}
    generated = {path: each for path, each in generators.items() if not isinstance(each, secrets.Supplied)}
    return Wanted(
        policies={key.removeprefix("policy.").removesuffix(".hcl"): data[key] for key in data if key.endswith(".hcl")},
        roles={
            key.removeprefix("role.").removesuffix(".json"): json.loads(data[key])
            for key in data
            if key.endswith(".json")
        },
        generated={path: generated[path] for path in sorted(generated)},
        supplied=tuple(path for path in held if path not in generated and path not in tokens.PATHS),
        tokens=tuple(path for path in tokens.PATHS if path in held),
        replicas=_replicas(lowered, store) if store else 1,
    )


def _replicas(lowered: lower.Lowered, store: stores.Store) -> int:
    found = (
        each.tree["spec"]["replicas"]
        for each in lowered.objects
        if each.key.kind == "StatefulSet" and each.key.name == store.name
    )
    return int(next(found, 1))


def _access(lowered: lower.Lowered, store: stores.Store) -> dict[str, str] | None:
    name = f"{store.name}{names.ACCESS}"
    found = (made.tree["data"] for made in lowered.objects if (made.key.kind, made.key.name) == ("ConfigMap", name))
    return next(found, None)


def _no_vault(env: environment.Environment) -> findings.Finding:
    what, why = f"environment {env.name} keeps no secrets in a Vault", "so there is none to set up"
    return findings.Finding("GP303", what, env.origin, why, "add secrets=vault, a Vault(…) of the plan")
