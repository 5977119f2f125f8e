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
WATCHDOG = "watchdog"
"""Who hears, again and again, that alerts come through."""
_NOBODY = "nobody"
_REPEATED: dict[alerts.Severity, str] = {"critical": "1h", "warning": "12h", "info": "24h"}
"""How long one that nobody has settled stays quiet before it is told again."""


def tree(receivers: Mapping[str, Receiver], *, wait: str = "30s") -> objects.Tree:
    """Alertmanager's configuration, with what each severity's receiver does, and that of `WATCHDOG`; `wait` is how
    long others of a group are waited for.

    What is down as a whole silences the slower warnings about it.
    """
    watched = (WATCHDOG,) if receivers.get(WATCHDOG) else ()
    return {
        "route": {
            "receiver": "warning",
            "group_by": ["alertname", "namespace", "job"],
            "group_wait": wait,
            "group_interval": "5m",
            "repeat_interval": _REPEATED["warning"],
            "routes": [
                *(_watchdog(each) for each in watched),
                {"matchers": ['severity="none"'], "receiver": _NOBODY},
                *(
                    {"matchers": [f'severity="{each}"'], "receiver": each, "repeat_interval": _REPEATED[each]}
                    for each in SEVERITIES
                ),
            ],
        },
        "inhibit_rules": [
            {
                "source_matchers": ['alertname=~"ServiceDown|TargetDown"'],
                "target_matchers": ['severity=~"warning|info"'],
                "equal": ["namespace", "job"],
            }
        ],
        "receivers": [
            *({"name": each, **receivers.get(each, {})} for each in (*SEVERITIES, *watched)),
            {"name": _NOBODY},
        ],
    }


def _watchdog(receiver: str) -> objects.Tree:
    """Told every five minutes: services that wait for such a call count in minutes."""
    often = {"group_wait": "0s", "group_interval": "1m", "repeat_interval": "5m"}
    return {"matchers": [f'alertname="{alerts.ALWAYS}"'], "receiver": receiver, **often}


def told(by: alerts.Receivers, folder: str) -> dict[str, Receiver]:
    """What each receiver does in a cluster, with everything that is secret in files of `folder`."""
    mail = {
        "email_configs": [
            {
                "to": by.mail,
                "from": by.sender,
                "smarthost": by.smarthost,
                "auth_username": by.user,
                "auth_password_file": f"{folder}/{alerts.PASSWORD}",
                "require_tls": True,
                "send_resolved": True,
            }
        ]
    }
    slack = {
        "slack_configs": [
            {
                "api_url_file": f"{folder}/{alerts.SLACK}",
                "send_resolved": True,
                # What a chart's own rules say may lack either.
                "title": "{{ or .CommonAnnotations.summary .CommonLabels.alertname }}",
                "text": "{{ or .CommonAnnotations.runbook .CommonAnnotations.runbook_url"
                " .CommonAnnotations.description }}",
            }
        ]
    }
    webhook = {"webhook_configs": [{"url_file": f"{folder}/{alerts.WEBHOOK}", "send_resolved": True}]}
    found: dict[str, Receiver] = {"critical": {**mail, **slack}, "warning": mail, "info": webhook}
    if by.watchdog is not None:
        # Silence is its alarm: a call that says "resolved" would only reset it.
        found[WATCHDOG] = {"webhook_configs": [{"url_file": f"{folder}/{alerts.WATCHDOG}", "send_resolved": False}]}
    return found
