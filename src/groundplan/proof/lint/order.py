"""Order: nothing waits for what comes later, and no two wait for each other.

Argo CD applies an application step by step, by phase and wave, and begins a step only when all before it are healthy.
So an object that cannot become healthy without one of a later step stops it for ever. Objects of one step are applied
together. Source: Argo CD documentation, "Sync Phases and Waves", "Resource Hooks", "Helm" (hooks).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from groundplan.proof import fields, findings
from groundplan.proof.lint import facts, references
from groundplan.proof.manifests import documents

Step = tuple[int, int]
"""Phase and wave."""
PHASES = ("PreSync", "Sync", "PostSync")
HOOK, WAVE = "argocd.argoproj.io/hook", "argocd.argoproj.io/sync-wave"
DELETE = "argocd.argoproj.io/hook-delete-policy"
_HELM = {
    "pre-install": "PreSync", "pre-upgrade": "PreSync", "post-install": "PostSync", "post-upgrade": "PostSync",
}  # fmt: skip


class Need(msgspec.Struct, frozen=True):
    """An object that is not healthy, or cannot be applied at all, before another is there."""

    holder: documents.Document
    path: facts.Path
    wanted: documents.Document
    why: str


def step(document: documents.Document) -> Step | None:
    """When it is applied first; None for what no sync applies."""
    notes = fields.inner(document.metadata, "annotations")
    helm = [_HELM.get(each.strip(), "") for each in str(notes.get("helm.sh/hook") or "").split(",")]
    said = [each.strip() for each in str(notes.get(HOOK) or "").split(",")]
    hooks = [each for each in said if each] or [each for each in helm if each]
    wave = _number(notes.get(WAVE, notes.get("helm.sh/hook-weight") if hooks else None))
    if not hooks:
        return (PHASES.index("Sync"), wave) if not notes.get("helm.sh/hook") else None
    phases = [PHASES.index(each) for each in hooks if each in PHASES]
    return (min(phases), wave) if phases else None


def _number(value: object) -> int:
    text = str(value)
    return int(text) if re.fullmatch(r"[+-]?[0-9]{1,9}", text) else 0


def _shown(when: Step) -> str:
    return f"{PHASES[when[0]]} wave {when[1]}"


def later(known: facts.Facts) -> Iterator[findings.Finding]:
    """Nothing needs what a later step brings, or what an earlier one has taken away again."""
    if not any(_ordered(each) for each in known.model.everything):
        return
    for need in _needs(known):
        mine, its = step(need.holder), step(need.wanted)
        if mine is None or its is None:
            continue
        holder, wanted = (facts.title(each, known.default) for each in (need.holder, need.wanted))
        if its > mine:
            what = f"{holder} ({_shown(mine)}) waits for {wanted} ({_shown(its)})"
            why = f"{need.why}; the later step begins when the earlier one is healthy, which is never"
            remedy = f"give {wanted} {_shown(mine)} or an earlier one, or {holder} a later one"
            yield facts.finding("GP581", need.holder, need.path, what, why, remedy, known.default)
        elif its[0] < mine[0] and "HookSucceeded" in _policy(need.wanted):
            what = f"{holder} ({_shown(mine)}) needs {wanted}, which is deleted at the end of {PHASES[its[0]]}"
            remedy = f"remove HookSucceeded from its {DELETE}, or make it no hook"
            yield facts.finding("GP583", need.holder, need.path, what, need.why, remedy, known.default)


def _ordered(document: documents.Document) -> bool:
    notes = fields.inner(document.metadata, "annotations")
    return any(each in notes for each in (HOOK, WAVE, "helm.sh/hook"))


def _policy(document: documents.Document) -> str:
    notes = fields.inner(document.metadata, "annotations")
    return str(notes.get(DELETE, "")) + str(notes.get("helm.sh/hook-delete-policy", "")).replace("hook-s", "HookS")


def _needs(known: facts.Facts) -> Iterator[Need]:
    yield from _homes(known)
    for pod in known.pods:
        for kind, name, _, path in references.mentions(pod):
            found = known.get(kind, pod.namespace, name) or references.maker(known, kind, pod.namespace, name)
            if found is not None:
                yield Need(pod.document, path, found, f"its pods do not start without {kind} {name}")
        for path, service, members in waits(known, pod):
            for member in members:
                yield Need(pod.document, path, member, f"it waits for Service {service} to answer")


def _homes(known: facts.Facts) -> Iterator[Need]:
    """Namespaces and definitions: without them the API server refuses an object."""
    homes = {each.name: each for each in known.of("Namespace") if not each.group}
    kinds = {
        (
            str(fields.inner(each.data, "spec").get("group")),
            str(fields.inner(each.data, "spec", "names").get("kind")),
        ): each
        for each in known.of("CustomResourceDefinition")
    }
    for each in known.model.everything:
        home, kind = homes.get(known.namespace(each)), kinds.get((each.group, each.kind))
        if home is not None and home is not each:
            yield Need(each, ("metadata", "namespace"), home, "the API server refuses it before its namespace is there")
        if kind is not None:
            yield Need(each, ("kind",), kind, "the API server refuses it before its definition is there")


Wait = tuple[facts.Path, str, list[documents.Document]]
"""Where it is written, the service, and what is behind it."""
_WORD = re.compile(r"[A-Za-z0-9][-A-Za-z0-9.]*(?::[0-9]{1,5})?")
_ASKS = re.compile(r"\b(nc|wait-for|wait4x|wait-for-it|pg_isready|until|while|curl|wget|dockerize|nslookup|getent)\b")


def waits(known: facts.Facts, pod: facts.Pod) -> Iterator[Wait]:
    """The services whose answer the init containers of a pod wait for, as far as their commands say."""
    for container in pod.containers():
        if container.kind != "initContainers" or container.stays:
            continue
        text = _said(container)
        if not _ASKS.search(text):
            continue
        for name, namespace in sorted(_hosts(text, pod.namespace)):
            service = known.service(namespace, name)
            members = [one.document for one in known.cluster.neighbours(namespace) if service and service.selects(one)]
            if members:
                yield (*container.path, "command"), f"{namespace}/{name}", members


_VARIABLE = re.compile(r"\$[({]?([A-Za-z_][A-Za-z0-9_]*)[)}]?")


def _said(container: facts.Container) -> str:
    """Command and arguments, with the variables filled in that the container gives a value.

    Once, and not in what was filled in: variables of variables could make a text of any length.
    """
    text = " ".join(each for field in ("command", "args") for each in fields.words(container.spec.get(field)))
    values = {str(each.get("name")): str(each.get("value", "")) for each in fields.items(container.spec.get("env"))}
    return _VARIABLE.sub(lambda match: values.get(match[1], ""), text)


def _hosts(text: str, own: str) -> set[tuple[str, str]]:
    """Words that may name a service; those that name none are dropped by whoever asks."""
    found = set()
    for word in _WORD.findall(text):
        host = word.partition(":")[0].rstrip(".").lower()
        name, _, rest = host.partition(".")
        namespace = rest.partition(".")[0] or own
        found.add((name, namespace))
    return found


def circles(known: facts.Facts) -> Iterator[findings.Finding]:
    """No pods wait, by way of others, for themselves."""
    wanted: dict[int, list[tuple[facts.Path, documents.Document]]] = {}
    for pod in known.pods:
        wanted[id(pod.document)] = [(path, each) for path, _, members in waits(known, pod) for each in members]
    told: set[frozenset[int]] = set()
    for pod in known.pods:
        circle = _circle(pod.document, wanted)
        members = frozenset(id(each) for each in circle)
        if circle and members not in told:
            told.add(members)
            names = [facts.title(each, known.default) for each in circle]
            what = f"{' waits for '.join([*names, names[0]])}" if len(names) > 1 else f"{names[0]} waits for itself"
            path = wanted[id(pod.document)][0][0]
            why = "an init container waits for pods that start only after it"
            remedy = "take the wait out of one of them, and let its process try again instead"
            yield facts.finding("GP582", pod.document, path, what, why, remedy, pod.namespace)


def _circle(
    start: documents.Document, wanted: dict[int, list[tuple[facts.Path, documents.Document]]]
) -> list[documents.Document]:
    """The way from an object back to itself; empty where there is none."""
    ways: list[list[documents.Document]] = [[start]]
    seen: set[int] = set()
    while ways:
        way = ways.pop(0)
        for _, each in wanted.get(id(way[-1]), ()):
            if each is start:
                return way
            if id(each) not in seen:
                seen.add(id(each))
                ways.append([*way, each])
    return []


LINTS = (later, circles)
