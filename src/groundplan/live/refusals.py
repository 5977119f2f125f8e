"""The API server's refusals in words: what, why, and what to do.

It answers with a Status: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/. What a
message says about rights is its authorizer's own text, and the only place that names the missing rule.
"""

from __future__ import annotations

import re
from typing import Any

from groundplan.live import errors, words

_RIGHT = re.compile(
    r'User "(?P<user>[^"]*)" cannot (?P<verb>\w+) resource "(?P<resource>[^"]*)" in API group "(?P<group>[^"]*)"'
    r'(?: in the namespace "(?P<namespace>[^"]*)")?'
)
_OWNER = re.compile(r'conflict with "(?P<manager>[^"]*)"')
_WEBHOOK = re.compile(r'failed calling webhook "(?P<name>[^"]*)"')
_LEVEL = re.compile(r'violates PodSecurity "(?P<level>[^"]*)": (?P<why>.*)', re.S)

Status = dict[str, Any]


def error(code: int, status: Status, subject: str) -> errors.LiveError:
    """What an answer of `code` with `status` means for `subject` (``Deployment services/auth-service``)."""
    said = words.plain(status.get("message") or status.get("reason") or f"HTTP {code}")
    match code:
        case 401:
            return errors.Unauthenticated(
                f"{subject}: the API server does not know who asks (401)",
                why=said,
                fix="the credentials are expired or of another cluster: log in again, or name another --context",
            )
        case 403:
            return _forbidden(said, subject)
        case 404:
            return errors.Missing(f"{subject}: not found", why=said)
        case 409:
            return _conflict(status, said, subject)
        case 400 | 413 | 415 | 422:
            return _refused(status, said, subject)
    return _refused(status, said, subject) if is_unknown_field(said) else _unavailable(code, said, subject)


def is_unknown_field(said: str) -> bool:
    """Whether an error is a field that the cluster's version of a kind has not; it comes with code 500."""
    return "failed to create typed patch object" in said


def causes(status: Status) -> list[tuple[str, str, str]]:
    """Reason, field and message of each cause."""
    listed = (status.get("details") or {}).get("causes") or ()
    keys = ("reason", "field", "message")
    return [
        (one, other, last) for one, other, last in ((words.plain(each.get(key, "")) for key in keys) for each in listed)
    ]


def _forbidden(said: str, subject: str) -> errors.LiveError:
    found = _RIGHT.search(said)
    if found is None:
        return _by_admission(said, subject)
    where = f" in {found['namespace']}" if found["namespace"] else ""
    kind = f"a Role{where}" if where else "a ClusterRole"
    rule = f'apiGroups: ["{found["group"]}"], resources: ["{found["resource"]}"], verbs: ["{found["verb"]}"]'
    return errors.Forbidden(
        f"{subject}: {found['user']} may not {found['verb']} {found['resource']}{where} (403)",
        why=said,
        fix=f"have this rule bound to {found['user']} by {kind}: {rule}",
    )


def _by_admission(said: str, subject: str) -> errors.Refused:
    level = _LEVEL.search(said)
    if level:
        what = f"{subject}: Pod Security {level['level']} does not admit it"
        return errors.Refused(
            what, why=level["why"], fix="the namespace's label pod-security.kubernetes.io/enforce says"
        )
    fix = "a quota or an admission policy of the cluster says no; `kubectl describe quota` shows the quotas"
    return errors.Refused(f"{subject}: not admitted (403)", why=said, fix=fix)


def _conflict(status: Status, said: str, subject: str) -> errors.Conflict:
    owners = tuple(
        (found["manager"] if (found := _OWNER.search(message)) else message, field)
        for reason, field, message in causes(status)
        if reason == "FieldManagerConflict"
    )
    if not owners:
        return errors.Conflict(f"{subject}: changed by somebody else at the same moment (409)", why=said)
    listed = "\n".join(f"{field} is set by {manager}" for manager, field in owners)
    fix = "agree with them, or take the fields over: --force-conflicts"
    return errors.Conflict(f"{subject}: others set fields of it to other values", why=listed, fix=fix, owners=owners)


def _refused(status: Status, said: str, subject: str) -> errors.Refused:
    found = causes(status)
    listed = "\n".join(f"{field}: {message}" if field else message for _, field, message in found)
    return errors.Refused(
        f"{subject}: the API server refuses it", why=listed or said, fields=tuple(field for _, field, _ in found)
    )


def _unavailable(code: int, said: str, subject: str) -> errors.Unavailable:
    hook = _WEBHOOK.search(said)
    if hook:
        what = f"{subject}: the webhook {hook['name']} of the cluster does not answer"
        return errors.Unavailable(what, why=said, fix="look after the pods behind that webhook, then run this again")
    fix = "run this again: what was done stays done"
    return errors.Unavailable(f"{subject}: the API server cannot answer now ({code})", why=said, fix=fix)
