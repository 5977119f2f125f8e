"""Programs as Deployments and CronJobs, engines as StatefulSets, or as Deployments where they keep nothing."""

from __future__ import annotations

import math

from groundplan.kubernetes import clusters, containers, drafts, names, schedules, settings
from groundplan.model import resource, service, surroundings
from groundplan.shapes import objects, workloads

_ONE_BY_ONE = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}


def apply(cluster: clusters.Cluster, draft: drafts.Draft) -> None:
    """A controller for each program, and for each resource that runs in the cluster."""
    for program in cluster.plan.programs:
        _program(program, cluster, draft)
    for each in cluster.plan.resources:
        answer = cluster.answers[each.name]
        if isinstance(answer, workloads.Stateful):
            _stateful(each, answer, cluster, draft)
        elif isinstance(answer, workloads.Stateless):
            pod = _engine(each, answer, "Deployment", cluster, draft)
            body = deployment(pod, draft, fixed=True)
            draft.add("apps/v1 Deployment", pod.name, {"spec": body}, each.origin, namespace=pod.namespace)
        elif isinstance(answer, workloads.Chart):
            draft.charts[each.name] = answer


def _program(program: service.Program, cluster: clusters.Cluster, draft: drafts.Draft) -> None:
    around = surroundings.of(program, cluster.plan, cluster.environment, cluster.leading_to(program.name))
    least, most = settings.replicas(cluster.environment, program)
    pod = drafts.Pod(
        name=program.name,
        namespace=program.namespace or "",
        owner=program,
        kind="CronJob" if isinstance(program, service.Job) else "Deployment",
        template=_template(program.name, containers.of_program(program, around, cluster), draft),
        files={f"/{file.path}": file.content.resolve(cluster) for file in around.files.values()},
        user=containers.USER,
        group=containers.USER,
        least=1 if isinstance(program, service.Job) else least,
        most=1 if isinstance(program, service.Job) else most,
        callees=around.callees,
    )
    draft.hold(pod)
    if isinstance(program, service.Job):
        pod.spec["restartPolicy"] = "Never"
        draft.add("batch/v1 CronJob", pod.name, {"spec": _cron(program, pod)}, pod.origin, namespace=pod.namespace)
        return
    pod.spec["terminationGracePeriodSeconds"] = math.ceil(program.grace)
    body = deployment(pod, draft, fixed=settings.autoscaled(cluster.environment, program) is None)
    draft.add("apps/v1 Deployment", pod.name, {"spec": body}, pod.origin, namespace=pod.namespace)


def _template(name: str, container: objects.Tree, draft: drafts.Draft) -> objects.Tree:
    return {"metadata": {"labels": draft.labels(name)}, "spec": {"containers": [container]}}


def deployment(pod: drafts.Pod, draft: drafts.Draft, *, fixed: bool) -> objects.Tree:
    """What a Deployment of `pod` says; its number of replicas is not `fixed` where something else decides it."""
    # Who autoscales says no number here: applying it again would undo what the autoscaler did.
    number = {"replicas": pod.most} if fixed else {}
    return {
        **number,
        "revisionHistoryLimit": 5,
        "selector": {"matchLabels": draft.labels(pod.name)},
        "strategy": _ONE_BY_ONE,
        "template": pod.template,
    }


def _cron(job: service.Job, pod: drafts.Pod) -> objects.Tree:
    return {
        "schedule": schedules.cron(job.every) or "",
        "timeZone": "Etc/UTC",
        "concurrencyPolicy": "Forbid",
        "startingDeadlineSeconds": max(10, min(math.ceil(job.every), 3600)),
        "successfulJobsHistoryLimit": 1,
        "failedJobsHistoryLimit": 3,
        "jobTemplate": {
            "spec": {
                "backoffLimit": 0,
                "activeDeadlineSeconds": math.ceil(job.timeout),
                "template": pod.template,
            }
        },
    }


def _engine(
    engine: resource.Resource, answer: workloads.Engine, kind: str, cluster: clusters.Cluster, draft: drafts.Draft
) -> drafts.Pod:
    pod = drafts.Pod(
        name=engine.name,
        namespace=engine.namespace or "",
        owner=engine,
        kind=kind,
        template=_template(engine.name, containers.of_engine(engine, answer, cluster), draft),
        files={f"{clusters.FILES}/{file.name}": file.content.resolve(cluster) for file in answer.files},
        user=answer.user,
        group=answer.group,
        cluster_role=answer.cluster_role,
    )
    draft.hold(pod)
    pod.spec["terminationGracePeriodSeconds"] = answer.grace
    _scratch(pod, answer)
    return pod


def _stateful(
    engine: resource.Resource, answer: workloads.Stateful, cluster: clusters.Cluster, draft: drafts.Draft
) -> None:
    pod = _engine(engine, answer, "StatefulSet", cluster, draft)
    size = settings.storage(cluster.environment, engine, answer.storage)
    pod.storage = "" if size == settings.EPHEMERAL else size
    pod.container["volumeMounts"].insert(0, {"name": "data", "mountPath": answer.data})
    pod.least = pod.most = answer.replicas
    body = {
        "serviceName": f"{engine.name}{names.PEERS}" if answer.peers else engine.name,
        "replicas": answer.replicas,
        # One waits for the others, all wait for people: none is ready before the next is started.
        **({"podManagementPolicy": "Parallel"} if answer.peers else {}),
        "revisionHistoryLimit": 5,
        "selector": {"matchLabels": draft.labels(engine.name)},
        "template": pod.template,
        **({"updateStrategy": {"type": "OnDelete"}} if answer.by_hand else {}),
        **_volume(pod, answer, cluster),
    }
    draft.add("apps/v1 StatefulSet", engine.name, {"spec": body}, engine.origin, namespace=pod.namespace)


def _scratch(pod: drafts.Pod, answer: workloads.Engine) -> None:
    for number, path in enumerate(answer.scratch):
        name = f"scratch-{number}"
        pod.spec.setdefault("volumes", []).append({"name": name, "emptyDir": {"sizeLimit": "16Mi"}})
        pod.container["volumeMounts"].append({"name": name, "mountPath": path})


def _volume(pod: drafts.Pod, answer: workloads.Stateful, cluster: clusters.Cluster) -> objects.Tree:
    if not pod.storage:
        pod.spec.setdefault("volumes", []).append({"name": "data", "emptyDir": {"sizeLimit": answer.storage}})
        return {}
    claim: objects.Tree = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": pod.storage}},
    }
    if "storage_class" in cluster.environment.defaults:
        claim["storageClassName"] = str(cluster.environment.defaults["storage_class"])
    return {"volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": claim}]}
