"""Secrets and rights: nothing secret in plain text, no right that is as good as all."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from groundplan.proof import fields, findings
from groundplan.proof.lint import facts

_NAMES = re.compile(r"(?i)(passwo?r?d|passwd|secret|token|api_?-?key|private_?-?key|credential)s?$")
_VALUES = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----|\bAKIA[0-9A-Z]{16}\b|\bsk_live_[0-9A-Za-z]{10,}|\bghp_[0-9A-Za-z]{30,}|"
    r"\b[a-z][a-z0-9+]*://[^/\s:@]+:[^/\s:@$(){}]+@|\beyJ[0-9A-Za-z_-]{10,}\.eyJ[0-9A-Za-z_-]{10,}\.[0-9A-Za-z_-]+"
)
ROLES = ("Role", "ClusterRole")


def plain(known: facts.Facts) -> Iterator[findings.Finding]:
    """No password in a variable, an argument, an annotation or a config map."""
    for pod in known.pods:
        for container in pod.containers():
            yield from _container(pod, container)
    for each in known.of("ConfigMap"):
        for key, value in fields.inner(each.data, "data").items():
            if looks_secret(str(key), value):
                yield _told(each, ("data", key), f"{facts.title(each, known.default)} holds a secret in {key}")
    for each in known.model.everything:
        for key, value in fields.inner(each.data, "metadata", "annotations").items():
            if _VALUES.search(str(value)):
                path: facts.Path = ("metadata", "annotations", key)
                yield _told(each, path, f"{facts.title(each, known.default)} holds a secret in annotation {key}")


def _container(pod: facts.Pod, container: facts.Container) -> Iterator[findings.Finding]:
    who = f"{pod.title}: container {container.name}"
    for number, env in enumerate(fields.items(container.spec.get("env"))):
        if looks_secret(str(env.get("name", "")), env.get("value")):
            path: facts.Path = (*container.path, "env", number)
            yield _told(pod.document, path, f"{who} has a secret in variable {env.get('name')}")
    for field in ("command", "args"):
        for number, word in enumerate(fields.words(container.spec.get(field))):
            if _VALUES.search(word):
                yield _told(pod.document, (*container.path, field, number), f"{who} has a secret in its {field}")


def looks_secret(name: str, value: Any) -> bool:
    """Is it a secret, by its value, or by its name and a value that is no reference?"""
    if not isinstance(value, str) or not value:
        return False
    if _VALUES.search(value):
        return True
    # A template ("{{ with secret … }}") says where the secret is, and not what it is.
    reference = value.lstrip().startswith(("/", "$", "file:", "vault:", "{{")) or "://" in value or value.isdigit()
    return bool(_NAMES.search(name)) and not reference and value.lower() not in ("true", "false", "none")


def _told(document: Any, path: facts.Path, what: str) -> findings.Finding:
    why = "whoever reads the manifests, the history or the API reads it"
    return facts.finding("GP551", document, path, what, why, "put it into a Secret and mount it as a file")


def tokens(known: facts.Facts) -> Iterator[findings.Finding]:
    """No token of the API server for pods whose account has no rights."""
    bound = {
        (str(subject.get("namespace") or known.namespace(each)), str(subject.get("name")))
        for each in known.of("RoleBinding", "ClusterRoleBinding")
        for subject in fields.items(each.data.get("subjects"))
    }
    for pod in known.pods:
        account = str(pod.spec.get("serviceAccountName") or "default")
        held = known.get("ServiceAccount", pod.namespace, account)
        said = pod.spec.get("automountServiceAccountToken")
        if said is None and held is not None:
            said = held.data.get("automountServiceAccountToken")
        if said is not False and (pod.namespace, account) not in bound:
            what = f"{pod.title} has a token of account {account}, which has no rights"
            why = "the token is of use only to whoever breaks in"
            path = (*pod.path, "automountServiceAccountToken")
            yield facts.finding("GP552", pod.document, path, what, why, "set it to false", pod.namespace)


_DANGERS: tuple[tuple[frozenset[str], frozenset[str], str], ...] = (
    (frozenset({"secrets"}), frozenset({"list", "watch"}), "reads every secret"),
    (frozenset({"pods/exec", "pods/attach", "pods/ephemeralcontainers"}), frozenset({"create", "get"}), "enters pods"),
    (frozenset({"roles", "clusterroles"}), frozenset({"escalate", "bind"}), "gives itself every right"),
    (frozenset({"users", "groups", "serviceaccounts"}), frozenset({"impersonate"}), "acts as others"),
    (frozenset({"nodes/proxy"}), frozenset({"create", "get"}), "enters nodes"),
)


def rights(known: facts.Facts) -> Iterator[findings.Finding]:
    """No wildcards, and no rights that lead to all others; bindings find their role."""
    for each in known.of(*ROLES):
        for number, rule in enumerate(fields.items(each.data.get("rules"))):
            for why in _dangers(rule):
                what = f"{facts.title(each, known.default)} {why}"
                remedy = "name the resources, verbs and resourceNames that are needed"
                yield facts.finding("GP553", each, ("rules", number), what, "", remedy)
    for each in known.of("RoleBinding", "ClusterRoleBinding"):
        role = fields.inner(each.data, "roleRef")
        name, kind = str(role.get("name")), str(role.get("kind"))
        where = known.namespace(each) if kind == "Role" else ""
        found = known.get(kind, where, name) or known.get(kind, known.default, name)
        if found is None and not (kind == "ClusterRole" and (name in _BUILT_IN or name.startswith("system:"))):
            what = f"{facts.title(each, known.default)} names {kind} {name}, which is not there"
            yield facts.finding(
                "GP554", each, ("roleRef",), what, "it gives no right", "correct the name, or add the role"
            )


_BUILT_IN = ("cluster-admin", "admin", "edit", "view")


def _dangers(rule: dict[str, Any]) -> Iterator[str]:
    resources, verbs = set(fields.words(rule.get("resources"))), set(fields.words(rule.get("verbs")))
    if "*" in resources or "*" in verbs:
        yield f"has a wildcard in {'resources' if '*' in resources else 'verbs'}"
        return
    for dangerous, by, why in _DANGERS:
        if resources & dangerous and verbs & by and not rule.get("resourceNames"):
            yield why


LINTS = (plain, tokens, rights)
