"""Operators that bring secrets into a cluster, installed where an environment's secrets come by theirs.

Sources: https://external-secrets.io/latest/introduction/getting-started/,
https://github.com/bitnami/sealed-secrets/tree/main/helm/sealed-secrets
"""

from __future__ import annotations

import abc
from collections.abc import Sequence
from typing import final

from groundplan.model import component, environment, resource, store
from groundplan.resources import images
from groundplan.shapes import backups, ports, processes, signals, workloads

_CLUSTER_WIDE = (
    "apiextensions.k8s.io/CustomResourceDefinition",
    "rbac.authorization.k8s.io/ClusterRole",
    "rbac.authorization.k8s.io/ClusterRoleBinding",
)


class _Operator(resource.Resource, abc.ABC):
    grants = "nothing; secrets come through it"

    def backed_up(self) -> backups.Backup:
        return backups.NoBackup("it holds nothing that it could not fetch or open anew")

    def signals(self) -> signals.Signals:
        return signals.NoSignals("no alert of ours asks it; what it fails to bring keeps pods from starting")

    def runs_here(self, edges: Sequence[component.Edge]) -> processes.NotHere:
        return processes.NotHere("secrets are generated once and kept in files of mode 0600")

    def objects(self, env: environment.Environment, edges: Sequence[component.Edge]) -> workloads.Answer:
        chart = self.chart()
        kept = env.defaults.get("secrets")
        if isinstance(kept, store.Store) and kept.brought_by in chart.defines:
            return chart
        return workloads.NotThere("this environment's secrets come another way")

    @abc.abstractmethod
    def chart(self) -> workloads.Chart:
        """What installs it."""


@final
class ExternalSecretsOperator(_Operator):
    """The External Secrets Operator, for environments with ``secrets=ExternalSecrets(…)``.

    It calls its provider by HTTPS at public addresses. Where the provider asks for an account, and which, the
    platform team says in the ClusterSecretStore (https://external-secrets.io/latest/provider/).
    """

    def __init__(self, name: str = "external-secrets") -> None:
        super().__init__(name, listens={"metrics": ports.Http(8080)})

    def chart(self) -> workloads.Chart:
        return workloads.Chart(
            source=images.EXTERNAL_SECRETS,
            release=self.name,
            values={"fullnameOverride": self.name, "nameOverride": "external-secrets", "installCRDs": True},
            pods=(("app.kubernetes.io/name", "external-secrets"),),
            defines=("external-secrets.io", "generators.external-secrets.io"),
            cluster_wide=("admissionregistration.k8s.io/ValidatingWebhookConfiguration", *_CLUSTER_WIDE),
            webhooks=(10250,),
            outward=(443,),
        )


@final
class SealedSecretsController(_Operator):
    """The controller of Sealed Secrets, for environments with ``secrets=SealedSecrets(…)``.

    Its keys are Secrets in its namespace: keep them safe (``kubectl get secret -l
    sealedsecrets.bitnami.com/sealed-secrets-key``), for without them nobody opens what is committed.
    """

    def __init__(self, name: str = "sealed-secrets-controller") -> None:
        super().__init__(name, listens={"http": ports.Http(8080), "metrics": ports.Http(8081)})

    def chart(self) -> workloads.Chart:
        return workloads.Chart(
            source=images.SEALED_SECRETS,
            release="sealed-secrets",
            values={"fullnameOverride": self.name, "nameOverride": "sealed-secrets"},
            pods=(("app.kubernetes.io/name", "sealed-secrets"),),
            defines=("bitnami.com",),
            cluster_wide=_CLUSTER_WIDE,
        )
