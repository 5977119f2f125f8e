"""What runs to its end: bootstraps, migrations that come before their service on every release, rollbacks that wait.

A Job cannot be changed, only replaced: Argo CD deletes the old one before it makes the new
(https://argo-cd.readthedocs.io/en/stable/user-guide/resource_hooks/), and so does `deploy`.
"""

from __future__ import annotations

from groundplan.kubernetes import clusters, containers, drafts, names
from groundplan.model import component
from groundplan.shapes import objects, processes, workloads

_EACH_RELEASE = {
    "argocd.argoproj.io/hook": "Sync",
    "argocd.argoproj.io/hook-delete-policy": "BeforeHookCreation",
}
_WAITING = {
    "argocd.argoproj.io/ignore-healthcheck": "true",  # else all of the application would be called suspended
    "argocd.argoproj.io/sync-options": "Force=true,Replace=true",
}
_TRIES = 10


def apply(cluster: clusters.Cluster, draft: drafts.Draft) -> None:
    """A Job for each step of each engine, and a suspended one for what takes it back."""
    for name, answer in sorted(cluster.answers.items()):
        if not isinstance(answer, workloads.Stateful):
            continue
        engine = cluster.components[name]
        for step in answer.after:
            _job(engine, answer, step, step.name, step.run, cluster, draft, _EACH_RELEASE)
            if step.undo:
                waiting = names.rollback(step.name)
                _job(engine, answer, step, waiting, step.undo, cluster, draft, _WAITING, suspend=True)


def _job(
    engine: component.Component,
    answer: workloads.Stateful,
    step: processes.Step,
    name: str,
    run: processes.Run,
    cluster: clusters.Cluster,
    draft: drafts.Draft,
    annotations: dict[str, str],
    *,
    suspend: bool = False,
) -> None:
    is_python = run.argv[0] == "python"
    reference = containers.built(cluster.plan, cluster.environment) if is_python else answer.image
    container = containers.of_step(run, name, reference, cluster)
    pod = drafts.Pod(
        name=name,
        namespace=engine.namespace or "",
        owner=engine,
        kind="Job",
        template={
            "metadata": {"labels": draft.labels(name)},
            "spec": {"restartPolicy": "OnFailure", "containers": [container]},
        },
        files={f"{clusters.FILES}/{file.name}": file.content.resolve(cluster) for file in step.files},
        user=containers.USER if is_python else answer.user,
        group=containers.USER if is_python else answer.group,
        opens=tuple(sorted(engine.ports)),
    )
    draft.hold(pod)
    spec: objects.Tree = {"backoffLimit": _TRIES, **({"suspend": True} if suspend else {}), "template": pod.template}
    body = {"metadata": {"annotations": annotations}, "spec": spec}
    draft.add("batch/v1 Job", name, body, engine.origin, namespace=pod.namespace)
