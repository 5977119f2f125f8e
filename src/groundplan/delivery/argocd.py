"""Argo CD: what may be synced, from where and to where, and the applications of each environment.

Everything lies in ``argocd/``: a folder an environment, and one application that stands for that folder, so that
a single ``kubectl apply`` hands an environment over. No application deletes what it made when it is deleted itself
(none has Argo CD's finalizer): databases outlive a slip of the hand.

Sources: https://argo-cd.readthedocs.io/en/stable/operator-manual/declarative-setup/, …/user-guide/sync-options/
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from groundplan.delivery import yamls
from groundplan.kubernetes import charts, lower, settings
from groundplan.model import environment, gitops, platform
from groundplan.shapes import objects, workloads

FOLDER = "argocd"
ASSUMES = "groundplan/assumes"
"""The annotation of an application with what policies assume of the pods that its chart installs."""
_API = "argoproj.io/v1alpha1"
_WAVE = "argocd.argoproj.io/sync-wave"


def files(plan: platform.Platform, lowered: Sequence[lower.Lowered]) -> dict[str, str]:
    """Every file by its path below the folder, ``argocd/production/project.yaml``; none without a repository."""
    where = plan.synced
    if where is None:
        return {}
    environments = {env.name: env for env in plan.environments}
    found: dict[str, str] = {}
    for each in lowered:
        found |= _of_environment(plan, where, environments[each.environment], each)
    return found


def _of_environment(
    plan: platform.Platform, where: gitops.Gitops, env: environment.Environment, lowered: lower.Lowered
) -> dict[str, str]:
    name = f"{plan.name}-{env.name}"
    trees = {"project": _project(name, where, env, lowered), "platform": _application(name, lowered, where, env)}
    if lowered.releases:
        trees["charts"] = _charts_project(name, where, env, lowered.releases)
    for each in lowered.releases:
        trees[f"charts/{each.component}"] = _chart(name, each, where, env)
    folder = f"{FOLDER}/{env.name}"
    found = {f"{folder}/{path}.yaml": yamls.document(tree) for path, tree in trees.items()}
    found[f"{folder}/kustomization.yaml"] = yamls.document(
        {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "resources": sorted(path.removeprefix(f"{folder}/") for path in found),
        }
    )
    found[f"{folder}.yaml"] = yamls.document(_root(name, where, env))
    return found


def _object(kind: str, name: str, where: gitops.Gitops, spec: objects.Tree, **annotations: str) -> objects.Tree:
    metadata: objects.Tree = {"name": name, "namespace": where.namespace}
    if annotations:
        metadata["annotations"] = annotations
    return {"apiVersion": _API, "kind": kind, "metadata": metadata, "spec": spec}


def _project(name: str, where: gitops.Gitops, env: environment.Environment, lowered: lower.Lowered) -> objects.Tree:
    """The platform's own: its repository, its namespaces, and the kinds that it is made of."""
    keys = [made.key for made in lowered.objects]
    spaces = sorted(key.name for key in keys if key.kind == "Namespace")
    return _object(
        "AppProject",
        name,
        where,
        {
            "description": f"{name}: what the plan says, and nothing else",
            "sourceRepos": [where.repository],
            "destinations": [_destination(env, space) for space in spaces],
            "clusterResourceWhitelist": _kinds({(key.group, key.kind) for key in keys if not key.namespace}),
            "namespaceResourceWhitelist": _kinds({(key.group, key.kind) for key in keys if key.namespace}),
        },
        **{_WAVE: "-1"},
    )


def _charts_project(
    name: str, where: gitops.Gitops, env: environment.Environment, releases: tuple[charts.Release, ...]
) -> objects.Tree:
    """The charts': apart, since what they install in the cluster is no business of the platform's own."""
    return _object(
        "AppProject",
        f"{name}-charts",
        where,
        {
            "description": f"{name}: the charts of others that it stands on",
            "sourceRepos": sorted({each.source.repository for each in releases}),
            "destinations": [
                _destination(env, space)
                for space in sorted({space for each in releases for space in (each.namespace, *each.spaces)})
            ],
            "clusterResourceWhitelist": _kinds({kind for each in releases for kind in each.cluster_wide}),
        },
        **{_WAVE: "-1"},
    )


def _kinds(found: set[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"group": group, "kind": kind} for group, kind in sorted(found)]


def _destination(env: environment.Environment, space: str) -> dict[str, str]:
    where = settings.cluster(env)
    return {"server" if "://" in where else "name": where, "namespace": space}


def _source(where: gitops.Gitops, env: environment.Environment, path: str) -> objects.Tree:
    return {
        "repoURL": where.repository,
        "targetRevision": settings.revision(env),
        "path": f"{where.folder}/{path}",
    }


def _application(name: str, lowered: lower.Lowered, where: gitops.Gitops, env: environment.Environment) -> objects.Tree:
    space = min(made.key.name for made in lowered.objects if made.key.kind == "Namespace")
    spec: objects.Tree = {
        "project": name,
        "source": _source(where, env, f"overlays/{env.name}"),
        "destination": _destination(env, space),  # every object says its own; a project wants one that it permits
        "syncPolicy": _policy(env, "FailOnSharedResource=true", "PruneLast=true"),
    }
    if any(made.tree.get("spec", {}).get("suspend") for made in lowered.objects if made.key.kind == "Job"):
        # Whoever lets a rollback run must not see it suspended again.
        spec["ignoreDifferences"] = [{"group": "batch", "kind": "Job", "jsonPointers": ["/spec/suspend"]}]
    # Compared by the API server: what it fills in or writes otherwise ("1000m", "1") is no difference.
    return _object("Application", name, where, spec, **{"argocd.argoproj.io/compare-options": "ServerSideDiff=true"})


def _chart(name: str, each: charts.Release, where: gitops.Gitops, env: environment.Environment) -> objects.Tree:
    source: dict[str, Any] = {
        "repoURL": each.source.repository,
        "chart": each.source.name,
        "targetRevision": each.source.version,
        "helm": {"releaseName": each.name, "valuesObject": each.values},
    }
    spec: objects.Tree = {
        "project": f"{name}-charts",
        "source": source,
        "destination": _destination(env, each.namespace),
        "syncPolicy": _policy(env, *(("RespectIgnoreDifferences=true",) if each.draws else ())),
    }
    if each.draws:
        spec["ignoreDifferences"] = [_drawn(field) for field in each.draws]
    said = {ASSUMES: each.assumes, "argocd.argoproj.io/compare-options": "ServerSideDiff=true"}
    return _object("Application", f"{name}-{each.component}", where, spec, **said)


def _drawn(field: workloads.Drawn) -> objects.Tree:
    group, _, kind = field.kind.rpartition("/")
    return {**({"group": group} if group else {}), "kind": kind, "name": field.name, "jsonPointers": [field.pointer]}


def _root(name: str, where: gitops.Gitops, env: environment.Environment) -> objects.Tree:
    """The application of applications. Whoever may push to its folder decides what the projects permit."""
    spec: objects.Tree = {
        "project": "default",
        "source": _source(where, env, f"{FOLDER}/{env.name}"),
        "destination": {"server": "https://kubernetes.default.svc", "namespace": where.namespace},
        "syncPolicy": _policy(env),
    }
    return _object("Application", f"{name}-applications", where, spec)


def _policy(env: environment.Environment, *options: str) -> objects.Tree:
    """When, and how: namespaces are ours and carry labels, so none is made by the way (no CreateNamespace)."""
    sync = settings.sync(env)
    confirmed = ("Delete=confirm", "Prune=confirm") if sync == settings.APPROVED else ()
    automated = {} if sync == settings.MANUAL else {"automated": {"prune": True, "selfHeal": True}}
    return {
        **automated,
        "syncOptions": sorted(("ServerSideApply=true", *options, *confirmed)),
        # A chart may come before its namespace, and an object before the chart that defines its kind.
        "retry": {"limit": 10, "backoff": {"duration": "10s", "factor": 2, "maxDuration": "5m"}},
    }
