"""Backups: for each resource that has one, a CronJob that makes it, and one that waits until somebody restores.

A restore is a CronJob too, suspended and with the rarest of days, since `kubectl create job --from` takes nothing else,
and since a Job runs but once. Sources: https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/,
https://kubernetes.io/docs/concepts/storage/ephemeral-volumes/#generic-ephemeral-volumes
"""

from __future__ import annotations

import dataclasses

from groundplan.backup import commands, items
from groundplan.kubernetes import clusters, containers, drafts, names, settings
from groundplan.shapes import backups, objects, processes, values, workloads

ROOT = "/backups"
"""Where backups are made: the volume that keeps them, or room for one on its way to or from an object store."""
RAREST = "0 0 29 2 *"
LONGEST = 4 * 3600
"""Seconds after which a run is ended: one that hangs would keep every later one from starting."""
_ACCOUNT = "object-store.json"
_KEPT = {
    # Nobody shall lose backups by taking a line out of a plan, and an unused volume is bound by the first backup only.
    "argocd.argoproj.io/sync-options": "Prune=false,Delete=false",
    "argocd.argoproj.io/ignore-healthcheck": "true",
}


@dataclasses.dataclass(frozen=True)
class _Side:
    """One of the two: what runs, in which order."""

    name: str
    steps: tuple[tuple[str, processes.Run], ...]
    files: dict[str, str]
    work: backups.Work
    saves: bool
    by_hand: bool = False
    """Whether people bring something."""


def apply(cluster: clusters.Cluster, draft: drafts.Draft) -> None:
    """Two CronJobs a resource, where the environment has a place for backups."""
    place = settings.backups(cluster.environment)
    if place is None or isinstance(place, backups.NoBackup):
        return
    for item in items.of(cluster.plan):
        answer = cluster.answers[item.resource.name]
        if isinstance(answer, workloads.Stateful):
            for side in _sides(item, place, cluster):
                _job(item, answer, side, place, cluster, draft)
            if isinstance(place, backups.Volume):
                _claim(item, place, cluster, draft)


def account(resource: str) -> str:
    """The path of the secret with the account of an object store, one for each resource."""
    return f"backup/{resource}{names.ACCOUNT}"


def _sides(item: items.Item, place: backups.Place, cluster: clusters.Cluster) -> tuple[_Side, _Side]:
    name = item.resource.name
    saving, restoring = f"{ROOT}/.work/save", f"{ROOT}/.work/restore"
    save, restore = item.procedures(cluster.plan, saving), item.procedures(cluster.plan, restoring)
    words = _words(item, place, cluster)
    keep = commands.keep(name, saving, words, number=item.schedule.keep, engine=save.reader)
    words = _words(item, place, cluster, restores=True)
    fetch = commands.fetch(name, restoring, words, reader=restore.reader, by_variable=True)
    return (
        _Side(
            f"{name}{names.BACKUP}",
            (("dump", save.save.run), ("keep", keep)),
            _files(item, save.save, place, cluster),
            save.save,
            saves=True,
        ),
        _Side(
            f"{name}{names.RESTORE}",
            (("fetch", fetch), ("restore", restore.restore.run)),
            _files(item, restore.restore, place, cluster, restores=True),
            restore.restore,
            saves=False,
            by_hand=bool(restore.restore.by_hand) or _is_brought(item, place, cluster),
        ),
    )


def _words(
    item: items.Item, place: backups.Place, cluster: clusters.Cluster, *, restores: bool = False
) -> tuple[str, ...]:
    if not isinstance(place, backups.ObjectStore):
        return commands.folder(ROOT)
    by_hand = restores and _is_brought(item, place, cluster)
    file = f"{backups.BY_HAND if by_hand else clusters.FILES}/{_ACCOUNT}"
    return commands.bucket(place, cluster.plan.name, cluster.environment.name, file)


def _files(
    item: items.Item, work: backups.Work, place: backups.Place, cluster: clusters.Cluster, *, restores: bool = False
) -> dict[str, str]:
    found = {f"{clusters.FILES}/{file.name}": file.content.resolve(cluster) for file in work.files}
    if isinstance(place, backups.ObjectStore) and not (restores and _is_brought(item, place, cluster)):
        found[f"{clusters.FILES}/{_ACCOUNT}"] = values.SecretText(account(item.resource.name)).resolve(cluster)
    return found


def _is_brought(item: items.Item, place: backups.Place, cluster: clusters.Cluster) -> bool:
    """Whether a restore's account of an object store comes by hand: a store that has yet to be restored hands out
    nothing."""
    return isinstance(place, backups.ObjectStore) and cluster.keeps_secrets(item.resource)


def _job(
    item: items.Item,
    answer: workloads.Stateful,
    side: _Side,
    place: backups.Place,
    cluster: clusters.Cluster,
    draft: drafts.Draft,
) -> None:
    made = [containers.of_step(run, name, _image(run, answer, cluster), cluster) for name, run in side.steps]
    spec: objects.Tree = {"restartPolicy": "Never", "initContainers": made[:-1], "containers": made[-1:]}
    pod = drafts.Pod(
        name=side.name,
        namespace=item.resource.namespace or "",
        owner=item.resource,
        kind="CronJob",
        template={"metadata": {"labels": draft.labels(side.name)}, "spec": spec},
        files=side.files,
        user=answer.user,
        group=answer.group,
        callees=(side.work.audience,) if side.work.audience else (),
        opens=_opens(item, answer) if side.work.on == "port" else (),
        place=place if isinstance(place, backups.ObjectStore) else None,
    )
    draft.hold(pod)
    _room(pod, item, answer, side, place, cluster)
    if side.work.on == "volume":
        _data(pod, item, answer, side, draft)
    if side.by_hand:
        # Made by people in the hour of need: until then it is missing, and `fetch` says so.
        made_by_hand = {"secretName": f"{side.name}{names.ACCOUNT}", "optional": True}
        pod.mount({"name": "account", "secret": made_by_hand}, backups.BY_HAND)
    body = {"spec": _cron(item, side, pod)}
    draft.add("batch/v1 CronJob", side.name, body, pod.origin, namespace=pod.namespace)


def _opens(item: items.Item, answer: workloads.Stateful) -> tuple[str, ...]:
    return tuple(sorted(set(item.resource.ports) - set(answer.peers.alone if answer.peers else ())))


def _image(run: processes.Run, answer: workloads.Stateful, cluster: clusters.Cluster) -> str:
    return containers.built(cluster.plan, cluster.environment) if run.argv[0] == "python" else answer.image


def _room(
    pod: drafts.Pod,
    item: items.Item,
    answer: workloads.Stateful,
    side: _Side,
    place: backups.Place,
    cluster: clusters.Cluster,
) -> None:
    """The volume for dumps, in all containers."""
    if isinstance(place, backups.Volume):
        claim = f"{item.resource.name}{names.BACKUPS}"
        volume: objects.Tree = {"name": "backups", "persistentVolumeClaim": {"claimName": claim}}
        pod.storage = place.storage if side.saves else ""  # the two share one claim
    else:
        said = settings.storage(cluster.environment, item.resource, answer.storage)
        pod.storage = answer.storage if said == settings.EPHEMERAL else said
        template = {"spec": _claimed(pod.storage, cluster)}
        volume = {"name": "backups", "ephemeral": {"volumeClaimTemplate": template}}
    _mounted(pod, volume, {"name": "backups", "mountPath": ROOT})


def _data(pod: drafts.Pod, item: items.Item, answer: workloads.Stateful, side: _Side, draft: drafts.Draft) -> None:
    """The engine's own volume. It hangs on one node, so whoever reads it while the engine runs must be there too."""
    claim = f"data-{item.resource.name}-0"
    mount: objects.Tree = {"name": "data", "mountPath": answer.data}
    _mounted(
        pod,
        {"name": "data", "persistentVolumeClaim": {"claimName": claim}},
        mount | ({"readOnly": True} if side.saves else {}),
    )
    if side.saves:
        chosen = {"matchLabels": draft.labels(item.resource.name)}
        term = {"labelSelector": chosen, "topologyKey": "kubernetes.io/hostname"}
        pod.spec["affinity"] = {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}


def _mounted(pod: drafts.Pod, volume: objects.Tree, mount: objects.Tree) -> None:
    pod.spec.setdefault("volumes", []).append(volume)
    for container in pod.containers:
        container["volumeMounts"].append(mount)


def _claim(item: items.Item, place: backups.Volume, cluster: clusters.Cluster, draft: drafts.Draft) -> None:
    draft.add(
        "v1 PersistentVolumeClaim",
        f"{item.resource.name}{names.BACKUPS}",
        {"metadata": {"annotations": _KEPT}, "spec": _claimed(place.storage, cluster)},
        item.resource.origin,
        namespace=item.resource.namespace,
    )


def _claimed(size: str, cluster: clusters.Cluster) -> objects.Tree:
    claim: objects.Tree = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}}
    if "storage_class" in cluster.environment.defaults:
        claim["storageClassName"] = str(cluster.environment.defaults["storage_class"])
    return claim


def _cron(item: items.Item, side: _Side, pod: drafts.Pod) -> objects.Tree:
    return {
        "schedule": item.cron if side.saves else RAREST,
        "timeZone": "Etc/UTC",
        **({} if side.saves else {"suspend": True}),
        "concurrencyPolicy": "Forbid",
        "startingDeadlineSeconds": 3600,
        "successfulJobsHistoryLimit": 1,
        "failedJobsHistoryLimit": 3,
        "jobTemplate": {
            "spec": {
                "backoffLimit": 2 if side.saves else 0,
                "activeDeadlineSeconds": LONGEST,
                "template": pod.template,
            }
        },
    }
