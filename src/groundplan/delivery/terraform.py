"""What a plan says to Terraform: a file of variables an environment, for whatever stands in ``terraform/`` beside it.

Infrastructure is written by people, who know their account; its size, zones and ports follow from the plan.

Sources: https://developer.hashicorp.com/terraform/language/values/variables#variable-definitions-tfvars-files,
https://developer.hashicorp.com/terraform/language/expressions/strings (escapes).
"""

from __future__ import annotations

import decimal
import json
import math
from collections.abc import Sequence

from groundplan.kubernetes import lower, settings
from groundplan.model import environment, platform
from groundplan.shapes import backups, quantities

FOLDER = "terraform"

_MEBI = decimal.Decimal(1024) ** 2
Value = str | int | dict[str, int]


def files(plan: platform.Platform, lowered: Sequence[lower.Lowered]) -> dict[str, str]:
    """``terraform/production.tfvars`` by its path below ``deploy/``; nothing where no Terraform is beside the plan."""
    if not (plan.file.parent / FOLDER).is_dir():
        return {}
    environments = {env.name: env for env in plan.environments}
    return {
        f"{FOLDER}/{each.environment}.tfvars": _text(variables(plan, environments[each.environment], each))
        for each in lowered
    }


def variables(plan: platform.Platform, env: environment.Environment, made: lower.Lowered) -> dict[str, Value]:
    """The variables of one environment. Sums are those of its quotas: all pods, in the middle of a rollout, at the top
    of their range; namespaces with a chart have no quota and do not count."""
    hard = [each.tree["spec"]["hard"] for each in made.objects if each.key.kind == "ResourceQuota"]

    def total(name: str) -> decimal.Decimal:
        return sum((quantities.parse(each.get(name, "0")) for each in hard), decimal.Decimal())

    return {
        "platform": plan.name,
        "environment": env.name,
        "host": settings.host(env),
        "zones": settings.zones(env),
        "requests_cpu_millicores": math.ceil(total("requests.cpu") * 1000),
        "requests_memory_mebibytes": math.ceil(total("requests.memory") / _MEBI),
        "pods": math.ceil(total("pods")),
        "node_ports": _node_ports(plan),
        "backup_keep_days": _keeps(plan),
    }


def _node_ports(plan: platform.Platform) -> dict[str, int]:
    """By the port that the world uses."""
    for entry in plan.entries:
        said = getattr(entry.controller, "node_ports", None)
        if said:
            return dict(zip(("80", "443"), said, strict=True))
    return {}


def _keeps(plan: platform.Platform) -> int:
    said = (each.backed_up() for each in plan.resources)
    return max((each.keep for each in said if isinstance(each, backups.Daily)), default=0)


def _text(said: dict[str, Value]) -> str:
    """The variables as terraform fmt writes them: one column of equals signs a block of plain ones."""
    plain = {name: value for name, value in said.items() if not isinstance(value, dict)}
    width = max(map(len, plain))
    lines = [f"{name:<{width}} = {_value(value)}\n" for name, value in plain.items()]
    for name, value in said.items():
        if isinstance(value, dict):
            lines += ["\n", f"{name} = {{\n", *_pairs(value), "}\n"]
    return "".join(lines)


def _pairs(said: dict[str, int]) -> list[str]:
    width = max((len(_value(name)) for name in said), default=0)
    return [f"  {_value(name):<{width}} = {value}\n" for name, value in said.items()]


def _value(value: str | int) -> str:
    if isinstance(value, int):
        return str(value)
    # JSON's text is HCL's, which fills in ${…} and %{…} besides.
    return json.dumps(value, ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")
