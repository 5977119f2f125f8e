"""cert-manager: certificates for the entry from an authority that speaks ACME (RFC 8555), for engines from its own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import final

from groundplan.model import component, environment, findings, resource
from groundplan.resources import images
from groundplan.shapes import backups, ports, processes, signals, workloads

LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory"
_SOLVER = (("acme.cert-manager.io/http01-solver", "true"),)
_SOLVER_PORT = 8089
_TEN_YEARS, _YEAR, _SIXTY_DAYS = "87600h", "8760h", "1440h"


@final
class CertManager(resource.Issuer):
    """Installed where an environment names an `issuer`, with a ClusterIssuer of that name, and where it is an
    environment's `certificates`: then it is also an authority of its own, for engines.

    The authority calls ``http://HOST/.well-known/acme-challenge/…``, so the entry must be reachable from outside
    on port 80. It writes to `email` before a certificate ends. `directory` is the authority's URL.
    """

    grants = "nothing; certificates of the entry and of engines come from it"

    def __init__(
        self, name: str = "cert-manager", *, email: str, directory: str = LETS_ENCRYPT, ingress_class: str = "nginx"
    ) -> None:
        super().__init__(name, listens={"metrics": ports.Http(9402)})
        if not isinstance(email, str) or not re.fullmatch(r"[^@\s]+@[^@\s]+", email):
            findings.report("GP105", f"{name}: email={email!r}", remedy='write email="operations@example.com"')
            email = ""
        self.email = email
        self.directory = directory
        self.ingress_class = ingress_class

    def settings(self) -> dict[str, type | tuple[type, ...]]:
        return {"directory": str}

    def backed_up(self) -> backups.Backup:
        return backups.NoBackup("certificates are issued anew")

    def signals(self) -> signals.Signals:
        return signals.Exports(documented=("cert-manager",), door="http-metrics")

    def runs_here(self, edges: Sequence[component.Edge]) -> processes.NotHere:
        return processes.NotHere("nothing speaks TLS on a laptop")

    def objects(self, env: environment.Environment, edges: Sequence[component.Edge]) -> workloads.Answer:
        issuer = str(env.defaults.get("issuer", ""))
        if not issuer and env.certificates is not self:
            return workloads.NotThere("no issuer is named, and engines speak in the clear")
        return workloads.Chart(
            source=images.CERT_MANAGER,
            release=self.name,
            values=self._values(),
            pods=(("app.kubernetes.io/component", "controller"), ("app.kubernetes.io/name", "cert-manager")),
            defines=("acme.cert-manager.io", "cert-manager.io"),
            cluster_wide=(
                "admissionregistration.k8s.io/MutatingWebhookConfiguration",
                "admissionregistration.k8s.io/ValidatingWebhookConfiguration",
                "apiextensions.k8s.io/CustomResourceDefinition",
                "rbac.authorization.k8s.io/ClusterRole",
                "rbac.authorization.k8s.io/ClusterRoleBinding",
            ),
            beside=(
                *((_cluster_issuer(issuer, self._acme(env, issuer)),) if issuer else ()),
                *(self._own_authority() if env.certificates is self else ()),
            ),
            webhooks=(10250,),
            # The authority, and the check that a challenge is answered before it is called.
            outward=(80, 443) if issuer else (),
            guest=workloads.Guest(_SOLVER, _SOLVER_PORT) if issuer else None,
        )

    @property
    def _authority(self) -> str:
        return f"{self.name}-authority"

    def _own_authority(self) -> tuple[workloads.Beside, ...]:
        """Source: https://cert-manager.io/docs/configuration/selfsigned/#bootstrapping-ca-issuers"""
        root = f"{self.name}-root"
        spec = {
            "isCA": True,
            "commonName": self._authority,
            "secretName": self._authority,
            "duration": _TEN_YEARS,
            "privateKey": {"algorithm": "ECDSA", "size": 256},
            "issuerRef": _reference(root),
        }
        return (
            _cluster_issuer(root, {"selfSigned": {}}, early=True),
            workloads.Beside("cert-manager.io/v1 Certificate", self._authority, spec, early=True),
            _cluster_issuer(self._authority, {"ca": {"secretName": self._authority}}, early=True),
        )

    def certificate(self, name: str, hosts: Sequence[str]) -> workloads.Beside:
        """For a year, renewed 60 days before it ends: an engine that is restarted within that time never shows an
        old one. cert-manager's figures are hours."""
        spec = {
            "secretName": name,
            "dnsNames": list(hosts),
            "duration": _YEAR,
            "renewBefore": _SIXTY_DAYS,
            "usages": ["digital signature", "server auth", "client auth"],
            "privateKey": {"algorithm": "ECDSA", "size": 256, "rotationPolicy": "Always"},
            "issuerRef": _reference(self._authority),
        }
        return workloads.Beside("cert-manager.io/v1 Certificate", name, spec, early=True)

    def _values(self) -> workloads.Values:
        """Source: https://cert-manager.io/docs/installation/helm/"""
        return {
            "nameOverride": "cert-manager",
            "fullnameOverride": self.name,
            "crds": {"enabled": True, "keep": True},
            # Leases stand in kube-system unless they are told otherwise; nothing of ours reaches there.
            "global": {"leaderElection": {"namespace": self.namespace}},
            # ingress-nginx refuses the dot in an Exact path (https://github.com/kubernetes/ingress-nginx/issues/11176).
            "config": {"featureGates": {"ACMEHTTP01IngressPathTypeExact": False}},
            # A Job that waits for the webhook: whoever needs it tries again anyway.
            "startupapicheck": {"enabled": False},
        }

    def _acme(self, env: environment.Environment, issuer: str) -> workloads.Values:
        """Source: https://cert-manager.io/docs/configuration/acme/"""
        # Not the default NodePort: the controller alone calls it, and quotas allow none.
        solver = {"http01": {"ingress": {"ingressClassName": self.ingress_class, "serviceType": "ClusterIP"}}}
        return {
            "acme": {
                "server": str(env.setting(self, "directory", self.directory)),
                "email": self.email,
                "privateKeySecretRef": {"name": f"{issuer}-account"},
                "solvers": [solver],
            }
        }


def _cluster_issuer(name: str, spec: workloads.Values, *, early: bool = False) -> workloads.Beside:
    return workloads.Beside("cert-manager.io/v1 ClusterIssuer", name, spec, namespaced=False, early=early)


def _reference(issuer: str) -> workloads.Values:
    return {"group": "cert-manager.io", "kind": "ClusterIssuer", "name": issuer}
