"""Waves: what is applied before what, taken from the start order. Argo CD and `deploy` wait for one before the next.

Wave 0 is the ground: namespaces, policies, accounts, configuration. Then whatever runs, each after what it
waits for: an engine after the store that holds its password, a migration after its engine, a service after
its migration. What only watches over others comes last, since nobody waits for the health of the last wave:
an autoscaler without figures yet, a certificate that is being issued or a suspended Job would stop all the rest.

Source: https://argo-cd.readthedocs.io/en/stable/user-guide/sync-waves/
"""

from __future__ import annotations

import graphlib
from collections.abc import Iterator

from groundplan.kubernetes import clusters, configuration, drafts
from groundplan.model import component, findings
from groundplan.model.check import cycles
from groundplan.shapes import objects, workloads

WAVE = "argocd.argoproj.io/sync-wave"
"""The annotation; where there is none it is wave 0."""
_OPTIONS = "argocd.argoproj.io/sync-options"
_RUN = ("Deployment", "StatefulSet", "Job")
_SECRETS = (("SecretStore", "ClusterSecretStore"), ("ExternalSecret", "SealedSecret"))
"""Kinds from which Secrets come about, those that others wait for first."""
_LAST = ("CronJob", "PersistentVolumeClaim", "HorizontalPodAutoscaler", "Ingress", "HTTPRoute")


def apply(cluster: clusters.Cluster, draft: drafts.Draft) -> None:
    """Writes its wave on every object that is not in wave 0."""
    waves = _of_pods(cluster, draft)
    last = max(waves.values(), default=0) + 1
    defined = {group for answer in draft.charts.values() for group in answer.defines}
    for key, made in draft.objects.items():
        if key.group in defined:  # until its chart is there, the API server does not know its kind
            _annotate(made.tree, _OPTIONS, "SkipDryRunOnMissingResource=true")
        wave = _wave(made, waves, last, key.group in defined and key not in draft.early)
        if wave:
            _annotate(made.tree, WAVE, str(wave))


def of(tree: objects.Tree) -> int:
    """The wave of an object."""
    return int(tree["metadata"].get("annotations", {}).get(WAVE, "0"))


def _wave(made: objects.Object, waves: dict[str, int], last: int, is_custom: bool) -> int:
    kind = made.key.kind
    if kind in _SECRETS[0] or kind in _SECRETS[1]:
        return 1 if kind in _SECRETS[0] else 2
    if kind in _LAST or is_custom or made.tree.get("spec", {}).get("suspend"):
        return last
    return waves[made.key.name] if kind in _RUN else 0


def _annotate(tree: objects.Tree, name: str, value: str) -> None:
    annotations = tree["metadata"].setdefault("annotations", {})
    said = annotations.get(name)
    annotations[name] = f"{said},{value}" if said and name == _OPTIONS else value


def _of_pods(cluster: clusters.Cluster, draft: drafts.Draft) -> dict[str, int]:
    """The wave of each kind of pod that others may wait for: as late as those who wait for it allow.

    As late, since what nobody waits for may need others to be ready, whom it does not wait for (services may
    need each other); so those must not come after it.
    """
    waits = _complete({pod.name: set(_waits(pod, cluster, draft)) for pod in _awaited(draft)}, cluster, draft)
    kinds = {key.kind for key in draft.objects}
    ground = max((wave for wave, names in enumerate(_SECRETS, 1) if kinds & set(names)), default=0)
    before: dict[str, int] = dict.fromkeys(waits, 0)
    """How many waves must come after that of a pod."""
    try:
        order = list(graphlib.TopologicalSorter(waits).static_order())
    except graphlib.CycleError as error:
        draft.findings.append(_circle(error.args[1], cluster))
        return before
    for name in reversed(order):
        for other in waits[name]:
            before[other] = max(before[other], before[name] + 1)
    most = max(before.values(), default=0)
    return {name: ground + 1 + most - number for name, number in before.items()}


def _complete(waits: dict[str, set[str]], cluster: clusters.Cluster, draft: drafts.Draft) -> dict[str, set[str]]:
    """With what must be there so that those who are waited for can become ready: whatever they need themselves."""
    needs = {name: set(others) for name, others in waits.items()}
    for edge in cluster.plan.edges:
        target = edge.right.target
        if isinstance(target, component.Component) and {edge.source.name, target.name} <= needs.keys():
            needs[edge.source.name].add(target.name)
    reached: dict[str, set[str]] = {}

    def reach(name: str) -> set[str]:
        if name not in reached:
            found, ahead = {name}, [name]
            while ahead:
                more = needs[ahead.pop()] - found
                found |= more
                ahead += more
            reached[name] = found
        return reached[name]

    return {
        name: others | {more for other in others for more in reach(other) if name not in reach(more)}
        for name, others in waits.items()
    }


def _awaited(draft: drafts.Draft) -> Iterator[drafts.Pod]:
    """Pods that run as soon as they are applied."""
    for pod in draft.pods.values():
        job = draft.objects.get(objects.Key(pod.namespace, pod.name, "batch", "Job"))
        if pod.kind != "CronJob" and not (job and job.tree["spec"].get("suspend")):
            yield pod


def _waits(pod: drafts.Pod, cluster: clusters.Cluster, draft: drafts.Draft) -> Iterator[str]:
    """The pods that must be there before `pod` is."""
    server = cluster.store.server if cluster.store else None
    if server and configuration.is_secret(pod) and server[0].name in draft.pods:
        yield server[0].name
    if pod.name == pod.owner.name:
        yield from (name for edge in pod.owner.edges for name in _of_edge(edge) if name in draft.pods)
    else:  # a step of an engine, or what tells of it
        yield pod.owner.name
        answer = cluster.answers[pod.owner.name]
        steps = answer.after if isinstance(answer, workloads.Stateful) else ()
        yield from (name for step in steps if step.name == pod.name for name in step.after if name in draft.pods)


def _of_edge(edge: component.Edge) -> Iterator[str]:
    if cycles.gates(edge) and isinstance(edge.right.target, component.Component):
        yield edge.right.target.name
    if edge.right.gates:
        yield edge.right.gates


def _circle(names: list[str], cluster: clusters.Cluster) -> findings.Finding:
    env = cluster.environment
    what = f"{' → '.join(names)} wait for each other in {env.name}"
    why = "a store of secrets cannot wait for what takes its secrets from that store"
    return findings.Finding("GP203", what, env.origin, why, "keep the secrets of this environment in another store")
