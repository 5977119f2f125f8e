"""Secrets: nothing secret in plain text, and no token of the API server for whoever has no use for it."""

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
_GIVEN = re.compile(r"(?i)^--?[a-z0-9_-]*(passwo?r?d|passwd|secret|token|api-?key|private-?key)s?[= ](.+)$")
_REFERENCES = ("/", "$", "file:", "vault:", "{{", "<", "%", "--")
_LARGEST = 1024 * 1024
_LINE = re.compile(
    r"(?i)^\s*[\w.-]*(password|passwd|secret_?key|api_?key|access_?token)\s*[:=]\s*[\"']?([^\s\"'#,;]{6,})"
)
"""A line of a file: what is shorter is a word of prose more often than a secret."""


def plain(known: facts.Facts) -> Iterator[findings.Finding]:
    """No password in a variable, an argument, an annotation or a config map."""
    for pod in known.pods:
        for container in pod.containers():
            yield from _container(known, pod, container)
    for each in known.of("ConfigMap"):
        for key, value in fields.inner(each.data, "data").items():
            if looks_secret(str(key), value) or _in_file(value):
                yield _told(each, ("data", key), f"{facts.title(each, known.default)} holds a secret in {key}")
    for each in known.model.everything:
        for key, value in fields.inner(each.data, "metadata", "annotations").items():
            if _VALUES.search(str(value)):
                path: facts.Path = ("metadata", "annotations", key)
                yield _told(each, path, f"{facts.title(each, known.default)} holds a secret in annotation {key}")


def _container(known: facts.Facts, pod: facts.Pod, container: facts.Container) -> Iterator[findings.Finding]:
    who = f"{pod.title}: container {container.name}"
    for number, env in enumerate(fields.items(container.spec.get("env"))):
        names_one = known.get("Secret", pod.namespace, str(env.get("value"))) is not None
        if looks_secret(str(env.get("name", "")), env.get("value")) and not names_one:
            path: facts.Path = (*container.path, "env", number)
            yield _told(pod.document, path, f"{who} has a secret in variable {env.get('name')}")
    for field in ("command", "args"):
        words = fields.words(container.spec.get(field))
        for number, word in enumerate(words):
            # `--password hunter2` may be two words.
            given = _GIVEN.match(word) or _GIVEN.match(" ".join(words[number : number + 2]))
            if _VALUES.search(word) or (given and looks_secret(given[1], given[2])):
                yield _told(pod.document, (*container.path, field, number), f"{who} has a secret in its {field}")


_WORDS = frozenset({
    "true", "false", "none", "null", "yes", "no", "on", "off", "y", "n", "enabled", "disabled", "required", "optional",
})  # fmt: skip
"""What a setting that speaks of secrets says, as in ALLOW_EMPTY_PASSWORD."""


def looks_secret(name: str, value: Any) -> bool:
    """Is it a secret, by its value, or by its name and a value that is no reference?"""
    if not isinstance(value, str) or not value:
        return False
    if _VALUES.search(value):
        return True
    # A template ("{{ with secret … }}") says where the secret is, and not what it is.
    reference = value.lstrip().startswith(_REFERENCES) or "://" in value or value.isdigit()
    return bool(_NAMES.search(name)) and not reference and value.lower() not in _WORDS


def _in_file(value: Any) -> bool:
    if not isinstance(value, str) or "\n" not in value or len(value) > _LARGEST:
        return False
    found = (_LINE.match(line) for line in value.splitlines())
    return any(each is not None and looks_secret(each[1], each[2]) for each in found)


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
            what = f"{pod.title} has a token of account {account}, to which no binding gives rights"
            why = "the token is of use only to whoever breaks in"
            path = (*pod.path, "automountServiceAccountToken")
            remedy = "set automountServiceAccountToken: false on the pod, or on the account"
            yield facts.finding("GP552", pod.document, path, what, why, remedy, pod.namespace)


def variables(known: facts.Facts) -> Iterator[findings.Finding]:
    """Secrets are mounted as files: children, crash reports and `describe` show variables to more people."""
    for pod in known.pods:
        handed = [
            ((*container.path, field, number), container.name)
            for container in pod.containers()
            for field in ("env", "envFrom")
            for number, each in enumerate(fields.items(container.spec.get(field)))
            if fields.inner(each, "valueFrom").get("secretKeyRef") or each.get("secretRef")
        ]
        if handed:
            names = ", ".join(dict.fromkeys(name for _, name in handed))
            what = f"{pod.title} gets secrets in variables (container{'s' if ', ' in names else ''} {names})"
            why = "every child process inherits them, and crash reports print them"
            remedy = "mount the Secret as files where the program can read those"
            yield facts.finding("GP559", pod.document, handed[0][0], what, why, remedy, pod.namespace)


LINTS = (plain, tokens, variables)
