"""Who hears of which alert: one route a severity, and what each is told by.

Source: https://prometheus.io/docs/alerting/latest/configuration/
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from groundplan.shapes import alerts, objects

Receiver = Mapping[str, Any]
"""What a receiver does, in Alertmanager's words: ``{"webhook_configs": […]}``; empty for nothing."""

SEVERITIES: tuple[alerts.Severity, ...] = ("critical", "warning", "info")
_NOBODY = "nobody"
_FILES = "/etc/alertmanager/secrets"
"""Where the operator mounts the Secrets that Alertmanager is to read."""
_REPEATED: dict[alerts.Severity, str] = {"critical": "1h", "warning": "12h", "info": "24h"}
"""How long one that nobody has settled stays quiet before it is told again."""


def tree(receivers: Mapping[alerts.Severity, Receiver], *, wait: str = "30s") -> objects.Tree:
    """Alertmanager's configuration; `wait` is how long others of a group are waited for.

    A service that is down silences the slower warnings about it.
    """
    return {
        "route": {
            "receiver": "warning",
            "group_by": ["alertname", "namespace", "job"],
            "group_wait": wait,
            "group_interval": "5m",
            "repeat_interval": _REPEATED["warning"],
            "routes": [
                # The operator's own Watchdog, which always fires, says so of itself.
                {"matchers": ['severity="none"'], "receiver": _NOBODY},
                *(
                    {"matchers": [f'severity="{each}"'], "receiver": each, "repeat_interval": _REPEATED[each]}
                    for each in SEVERITIES
                ),
            ],
        },
        "inhibit_rules": [
            {
                "source_matchers": ['alertname="ServiceDown"'],
                "target_matchers": ['severity=~"warning|info"'],
                "equal": ["namespace", "job"],
            }
        ],
        "receivers": [*({"name": each, **receivers.get(each, {})} for each in SEVERITIES), {"name": _NOBODY}],
    }


def told(by: alerts.Receivers, secret: str) -> dict[alerts.Severity, Receiver]:
    """What each receiver does in a cluster, with everything that is secret in files of `secret`."""
    mail = {
        "email_configs": [
            {
                "to": by.mail,
                "from": by.sender,
                "smarthost": by.smarthost,
                "auth_username": by.user,
                "auth_password_file": f"{_FILES}/{secret}/{alerts.PASSWORD}",
                "require_tls": True,
                "send_resolved": True,
            }
        ]
    }
    slack = {
        "slack_configs": [
            {
                "api_url_file": f"{_FILES}/{secret}/{alerts.SLACK}",
                "send_resolved": True,
                "title": "{{ .CommonAnnotations.summary }}",
                "text": "{{ .CommonAnnotations.runbook }}",
            }
        ]
    }
    webhook = {"webhook_configs": [{"url_file": f"{_FILES}/{secret}/{alerts.WEBHOOK}", "send_resolved": True}]}
    return {"critical": {**mail, **slack}, "warning": mail, "info": webhook}
