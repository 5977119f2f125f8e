"""Rights: roles and bindings that give no more than somebody needs, and that lead to a role that is there.

Source: Kubernetes documentation, "Role Based Access Control Good Practices" (privilege escalation risks).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from groundplan.proof import fields, findings
from groundplan.proof.lint import facts

ROLES, BINDINGS = ("Role", "ClusterRole"), ("RoleBinding", "ClusterRoleBinding")
_WRITES = frozenset({"create", "update", "patch"})
_DANGERS: tuple[tuple[frozenset[str], frozenset[str], str], ...] = (
    (frozenset({"secrets"}), frozenset({"list", "watch"}), "reads every secret"),
    (frozenset({"pods/exec", "pods/attach", "pods/ephemeralcontainers"}), frozenset({"create", "get"}), "enters pods"),
    (frozenset({"roles", "clusterroles"}), frozenset({"escalate", "bind"}), "gives itself every right"),
    (frozenset({"users", "groups", "serviceaccounts"}), frozenset({"impersonate"}), "acts as others"),
    (frozenset({"serviceaccounts/token"}), frozenset({"create"}), "makes itself tokens of other accounts"),
    (frozenset({"nodes/proxy"}), frozenset({"create", "get"}), "enters nodes"),
    (frozenset({"persistentvolumes"}), frozenset({"create"}), "mounts any folder of a node"),
    (frozenset({"certificatesigningrequests/approval"}), _WRITES, "signs itself certificates of others"),
    (
        frozenset({"validatingwebhookconfigurations", "mutatingwebhookconfigurations"}), _WRITES,
        "reads and changes whatever is sent to the API server",
    ),
)  # fmt: skip
"""Resources, verbs, and what whoever has both does."""
_BUILT_IN = ("cluster-admin", "admin", "edit", "view")
_EVERYBODY = ("system:anonymous", "system:unauthenticated", "system:authenticated", "system:serviceaccounts")
_HARMLESS = ("system:discovery", "system:basic-user", "system:public-info-viewer")


def roles(known: facts.Facts) -> Iterator[findings.Finding]:
    """No wildcards, and no rights that lead to all others."""
    for each in known.of(*ROLES):
        for number, rule in enumerate(fields.items(each.data.get("rules"))):
            for why in _dangers(rule):
                what = f"{facts.title(each, known.default)} {why}"
                remedy = "name the resources, verbs and resourceNames that are needed"
                yield facts.finding("GP553", each, ("rules", number), what, "", remedy)


def _dangers(rule: dict[str, Any]) -> Iterator[str]:
    resources, verbs = set(fields.words(rule.get("resources"))), set(fields.words(rule.get("verbs")))
    wide = [name for name, some in (("resources", resources), ("verbs", verbs)) if "*" in some]
    if wide == ["verbs"] and all(_custom(each) for each in fields.words(rule.get("apiGroups"))):
        return  # all that can be done with a custom resource, as its operator's own roles have it
    if wide and (resources or "*" in fields.words(rule.get("nonResourceURLs"))):
        yield f"has a wildcard in {wide[0]}"
        return
    for dangerous, by, why in _DANGERS:
        if resources & dangerous and verbs & by and not rule.get("resourceNames"):
            yield why


def _custom(group: str) -> bool:
    return "." in group and not group.endswith(".k8s.io")


def bindings(known: facts.Facts) -> Iterator[findings.Finding]:
    """Bindings find their role, and hand it to somebody in particular."""
    for each in known.of(*BINDINGS):
        role, title = fields.inner(each.data, "roleRef"), facts.title(each, known.default)
        name, kind = str(role.get("name")), str(role.get("kind"))
        where = known.namespace(each) if kind == "Role" else ""
        found = known.get(kind, where, name) or known.get(kind, known.default, name)
        if found is None and not (kind == "ClusterRole" and (name in _BUILT_IN or name.startswith("system:"))):
            what = f"{title} names {kind} {name}, which is not there"
            remedy = "correct the name, or add the role"
            yield facts.finding("GP554", each, ("roleRef",), what, "it gives no right", remedy)
        for number, subject in enumerate(fields.items(each.data.get("subjects"))):
            path: facts.Path = ("subjects", number)
            who = str(subject.get("name"))
            home = str(subject.get("namespace") or known.namespace(each))
            if subject.get("kind") == "ServiceAccount" and _lost(known, home, who):
                what = f"{title} gives {kind} {name} to account {home}/{who}, which is not there"
                remedy = f"correct the name, or add ServiceAccount {home}/{who}"
                yield facts.finding("GP513", each, path, what, "whom it was meant for has no rights", remedy)
            if who.startswith(_EVERYBODY) and name not in _HARMLESS:
                what = f"{title} gives {kind} {name} to {who}"
                why = "that is everybody who reaches the API server" if "auth" in who or "anon" in who else "every pod"
                yield facts.finding("GP558", each, path, what, why, "name the accounts that need it")
            elif kind == "ClusterRole" and name == "cluster-admin" and subject.get("kind") == "ServiceAccount":
                what = f"{title} makes account {who} an administrator of the cluster"
                remedy = "give it a role with the rights it needs"
                yield facts.finding("GP553", each, path, what, "whoever breaks into its pods is one too", remedy)


def _lost(known: facts.Facts, namespace: str, account: str) -> bool:
    """Is an account missing from a namespace whose pods are here? Others may have any."""
    here = bool(known.cluster.neighbours(namespace)) and account != "default"
    return here and known.get("ServiceAccount", namespace, account) is None


LINTS = (roles, bindings)
