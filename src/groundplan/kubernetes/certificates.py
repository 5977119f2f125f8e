"""Certificates: engines that speak TLS get one, and whoever talks to them gets what to verify it by.

The certificate of an authority reaches another namespace only inside a Secret of that namespace, so each one has a
certificate of its own of which nobody is given more than ca.crt. A bundle distributed by trust-manager would do the
same with one more controller in the cluster.

Sources: https://cert-manager.io/docs/usage/certificate/, https://kubernetes.io/docs/concepts/configuration/secret/
"""

from __future__ import annotations

import json

from groundplan.kubernetes import charts, clusters, configuration, drafts, names
from groundplan.model import component, resource
from groundplan.shapes import workloads

_READABLE = 0o440
"""For the pod's own group: PostgreSQL refuses a key that others may read (ssl_key_file in its documentation)."""
_PUBLIC = 0o444


def apply(cluster: clusters.Cluster, draft: drafts.Draft) -> None:
    """Nothing where the environment names nobody who issues them."""
    issuer = cluster.environment.certificates
    if not isinstance(issuer, resource.Issuer):
        return
    for name, answer in cluster.answers.items():
        if isinstance(answer, workloads.Engine) and cluster.encrypts(name):
            _serve(cluster.components[name], answer, issuer, cluster, draft)
    trusting = [pod for pod in (*draft.pods.values(), *draft.parts.values()) if _trusts(pod, cluster)]
    for pod in trusting:
        secret = {"secretName": f"{pod.namespace}{names.AUTHORITY}", "defaultMode": _PUBLIC}
        only = [{"key": "ca.crt", "path": "ca.crt"}]
        pod.mount({"name": "authority", "secret": secret | {"items": only}}, clusters.AUTHORITY)
    needed = {pod.namespace for pod in trusting}
    for space in cluster.plan.namespaces:
        if space.name in needed:
            name = f"{space.name}{names.AUTHORITY}"
            made = issuer.certificate(name, [f"{name}.{space.name}.svc"])
            charts.beside(made, space.name, space.origin, space.name, cluster, draft)


def _serve(
    engine: component.Component,
    answer: workloads.Engine,
    issuer: resource.Issuer,
    cluster: clusters.Cluster,
    draft: drafts.Draft,
) -> None:
    pod = draft.pods[engine.name]
    service = f"{engine.name}.{pod.namespace}"
    # The last one for whoever comes by `kubectl port-forward`: to set up a Vault, to look into a database.
    hosts = [engine.name, service, f"{service}.svc", f"{service}.svc.cluster.local", "localhost"]
    peers = cluster.peers(engine.name)
    hosts += [workloads.peer(engine.name, pod.namespace, number) for number in range(peers.replicas if peers else 0)]
    made = issuer.certificate(f"{engine.name}{names.TLS}", hosts)
    charts.beside(made, engine.name, engine.origin, pod.namespace, cluster, draft)
    pod.mount(
        {"name": "certificate", "secret": {"secretName": made.name, "defaultMode": _READABLE}}, answer.certificate
    )


def _trusts(pod: drafts.Pod, cluster: clusters.Cluster) -> bool:
    """Whether anything that it is told names the authority's file."""
    said = [json.dumps(pod.template), *pod.files.values()]
    server = cluster.store.server if cluster.store else None
    fetches = server is not None and cluster.encrypts(server[0].name) and configuration.is_secret(pod)
    return fetches or any(cluster.authority() in text for text in said)
