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
                {"matchers": [f'severity="{each}"'], "receiver": each, "repeat_interval": _REPEATED[each]}
                for each in SEVERITIES
            ],
        },
        "inhibit_rules": [
            {
                "source_matchers": ['alertname="ServiceDown"'],
                "target_matchers": ['severity=~"warning|info"'],
                "equal": ["namespace", "job"],
            }
        ],
        "receivers": [{"name": each, **receivers.get(each, {})} for each in SEVERITIES],
    }
