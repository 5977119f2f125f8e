"""Who hears of alerts, as a plan says it: checked, with secrets of the plan for what nobody else may read."""

from __future__ import annotations

import re
from typing import final

from groundplan.model import findings, secrets
from groundplan.shapes import alerts, values

_ADDRESS = r"[^@\s,]+@[^@\s,]+"
_REMEDIES = {
    "mail": 'write mail="oncall@example.com"',
    "sender": 'write sender="alerts@example.com"',
    "smarthost": 'write smarthost="smtp.example.com:587"',
    "user": 'write user="alerts"',
}
_FORMS = {"mail": rf"{_ADDRESS}(, ?{_ADDRESS})*", "sender": _ADDRESS, "smarthost": r"[^:\s]+:\d{1,5}", "user": r"\S.*"}


@final
class Receivers(alerts.Receivers):
    """Critical alerts go by mail to `mail` and to a Slack channel, warnings by mail, the rest to a webhook.

    Mails go from `sender` by way of `smarthost` (``host:port``, TLS is required), where `user` logs in with `password`.
    The URLs of the channel's webhook, of the webhook, and of a `watchdog` that notices when alerts come through no
    more (a dead man's switch: it is called every few minutes) are secrets, too:
    ``plan.secret("alerts/slack-url", supplied())``.
    """

    def __init__(
        self,
        *,
        mail: str,
        sender: str,
        smarthost: str,
        user: str,
        password: secrets.Secret,
        slack: secrets.Secret,
        webhook: secrets.Secret,
        watchdog: secrets.Secret | None = None,
    ) -> None:
        super().__init__(
            mail=_checked("mail", mail),
            sender=_checked("sender", sender),
            smarthost=_checked("smarthost", smarthost),
            user=_checked("user", user),
            password=_secret("password", password),
            slack=_secret("slack", slack),
            webhook=_secret("webhook", webhook),
            watchdog=None if watchdog is None else _secret("watchdog", watchdog),
        )


def _checked(name: str, given: object) -> str:
    if isinstance(given, str) and re.fullmatch(_FORMS[name], given) and (name != "smarthost" or _has_port(given)):
        return given
    findings.report("GP105", f"Receivers: {name}={given!r}", remedy=_REMEDIES[name])
    return "nobody@localhost:25"


def _has_port(host: str) -> bool:
    return 0 < int(host.rpartition(":")[2]) < 2**16


def _secret(name: str, given: object) -> values.Value:
    if isinstance(given, secrets.Secret):
        return given.value
    # Not a word of it: it may be the password itself.
    why = f"a plan and its YAML are read by many: give a secret, not {type(given).__name__}"
    remedy = f'write {name}=plan.secret("alerts/{name}", supplied())'
    findings.report("GP105", f"Receivers: {name}", why=why, remedy=remedy)
    return values.of("")
