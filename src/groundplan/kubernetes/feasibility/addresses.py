"""Names that an environment gives and a cluster or a registry would refuse."""

from __future__ import annotations

import re

from groundplan.kubernetes.feasibility import finding
from groundplan.model import environment, findings, platform

_PART = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
_SUBDOMAIN = re.compile(rf"(?=.{{1,253}}$){_PART}(\.{_PART})*")
# https://github.com/distribution/reference: a host with a port, and a path in small letters.
_REGISTRY = re.compile(r"[A-Za-z0-9.-]+(:[0-9]+)?(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_REVISION = re.compile(r"[^\s~^:?*\[\\]+")
_CLUSTER = re.compile(r"https://\S+|[^\s/]+")

_WORDS = {
    "host": (_SUBDOMAIN, "a host name, without a scheme and without a port", 'host="shop.example.com"'),
    "registry": (_REGISTRY, "a registry, and perhaps a path in it", 'registry="registry.example.com/team"'),
    "issuer": (_SUBDOMAIN, "the name of a ClusterIssuer", 'issuer="letsencrypt"'),
    "storage_class": (_SUBDOMAIN, "the name of a StorageClass", 'storage_class="fast"'),
    "revision": (_REVISION, "a branch, a tag or a commit", 'revision="main"'),
    "cluster": (_CLUSTER, "the URL of an API server, or a cluster's name in Argo CD", 'cluster="production"'),
}

_OPTIONAL = ("host", "issuer")
"""Empty says that there is none."""


def check(plan: platform.Platform, env: environment.Environment) -> finding.Found:
    if not _TAG.fullmatch(plan.version):
        what, why = f"platform {plan.name}: version", f"{plan.version!r} can be no tag of its image"
        yield findings.Finding("GP105", what, plan.origin, why, 'write version="1.0.0"')
    for word, (pattern, meaning, remedy) in _WORDS.items():
        said = str(env.defaults.get(word, ""))
        if word in env.defaults and not pattern.fullmatch(said) and (said or word not in _OPTIONAL):
            why = f"{said!r} is not {meaning}"
            yield findings.Finding("GP105", f"environment {env.name}: {word}", env.origin, why, f"write {remedy}")
    for part in str(env.defaults.get("gateway", "")).split("/"):
        if part and not _SUBDOMAIN.fullmatch(part):
            what, why = f"environment {env.name}: gateway", f"{part!r} is no name that Kubernetes accepts"
            yield findings.Finding("GP105", what, env.origin, why, 'gateway="namespace/name"')
