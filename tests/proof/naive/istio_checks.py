"""What Istio takes as an AuthorizationPolicy.

Source: istio.io/latest/docs/reference/config/security/authorization-policy.
"""

from __future__ import annotations

from typing import Any

from tests.proof.naive import labels
from tests.proof.naive.refusals import Invalid


def check(policy: dict[str, Any]) -> None:
    where = f"AuthorizationPolicy {policy['metadata']['name']}"
    spec = policy.get("spec") or {}
    labels.fields(spec, {"selector", "targetRef", "targetRefs", "action", "provider", "rules"}, where)
    if spec.get("action", "ALLOW") not in ("ALLOW", "DENY", "AUDIT", "CUSTOM"):
        raise Invalid(f"{where}: {spec['action']!r} is no action (ALLOW, DENY, AUDIT, CUSTOM)")
    labels.fields(spec.get("selector") or {}, {"matchLabels"}, where)
    for rule in spec.get("rules") or []:
        labels.fields(rule, {"from", "to", "when"}, where)
        for end, inner in (("from", "source"), ("to", "operation")):
            for one in rule.get(end) or []:
                labels.fields(one, {inner}, where)
                check_lists(one.get(inner), f"{where} {inner}")


def check_lists(thing: Any, where: str) -> None:
    if not isinstance(thing, dict) or not thing:
        raise Invalid(f"{where}: must not be empty")
    for key, values in thing.items():
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise Invalid(f"{where}: {key} must be a list of strings")
