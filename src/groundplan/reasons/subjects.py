"""What somebody's word means: a component, a variable, an object, or several of them, or none."""

from __future__ import annotations

import dataclasses
import difflib

from groundplan.kubernetes import lower
from groundplan.model import platform
from groundplan.reasons import components, things, variables

_SHORT = {
    "deploy": "deployment", "sts": "statefulset", "svc": "service", "cm": "configmap", "netpol": "networkpolicy",
    "ns": "namespace", "sa": "serviceaccount", "pdb": "poddisruptionbudget", "hpa": "horizontalpodautoscaler",
    "ing": "ingress", "cj": "cronjob", "pvc": "persistentvolumeclaim",
}  # fmt: skip
"""As kubectl abbreviates kinds."""


class Unknown(LookupError):
    """A word that means nothing here, or too much."""


@dataclasses.dataclass(frozen=True)
class World:
    """A platform, and what it becomes in each cluster."""

    plan: platform.Platform
    lowered: tuple[lower.Lowered, ...]


def explain(word: str, world: World) -> components.Component | things.Thing | variables.Variable:
    """What there is to tell of the one thing that `word` means; raises `Unknown`."""
    if "/" in word:
        return things.of(_object(word, world), world.plan, world.lowered)
    named = {each.name: each for each in world.plan.components}
    if word in named:
        return components.of(named[word], world.plan, world.lowered)
    if word in variables.names(world.plan):
        return variables.of(word, world.plan)
    raise Unknown(f"{word!r} is no service, resource or variable of {world.plan.name}{_hint(word, world)}")


def _object(word: str, world: World) -> things.Name:
    kind, _, rest = word.partition("/")
    namespace, _, name = rest.rpartition("/")
    wanted = _SHORT.get(kind.lower(), kind.lower())
    known = things.names(world.lowered)
    alike = [each for each in known if wanted in (each.kind.lower(), f"{each.kind.lower()}s") and each.name == name]
    found = [each for each in alike if namespace in ("", each.namespace)]
    if len(found) == 1:
        return found[0]
    if found:
        raise Unknown(f"{word!r} could be {', '.join(str(each) for each in found)}: write one of them whole")
    close = difflib.get_close_matches(f"{wanted}/{name}", [each.short for each in known], n=3)
    hint = f"; did you mean {' or '.join(dict.fromkeys(close))}?" if close else f"; there are {len(known)} objects"
    raise Unknown(f"{world.plan.name} has no {word}{hint}")


def _hint(word: str, world: World) -> str:
    known = [*(each.name for each in world.plan.components), *variables.names(world.plan)]
    lower_case = {each.lower(): each for each in known}
    close = [lower_case[each] for each in difflib.get_close_matches(word.lower(), lower_case, n=3)]
    return f"; did you mean {' or '.join(close)}?" if close else "; objects are KIND/NAME, as in deployment/web"
