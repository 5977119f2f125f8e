"""Rules over metrics: what is worth waking somebody for, with an example of when it fires and when it must not.

The notation of series is promtool's: https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Literal

from groundplan.shapes import processes, values

Severity = Literal["critical", "warning", "info", "none"]
"""Nobody is told of "none" but a watchdog."""
ALWAYS = "Watchdog"
"""The alert that fires as long as all is well; the Prometheus community's name for it."""
Sign = Literal["<", "<=", "==", "!=", ">=", ">"]
Series = dict[str, str]
"""Series to its values, one a minute: ``{'up{job="web"}': "1x10 0x20"}``."""


@dataclasses.dataclass(frozen=True)
class Condition:
    """A query and a limit. The query alone always has an answer where its metrics are there: the limit is apart."""

    query: str
    sign: Sign
    limit: float

    def __str__(self) -> str:
        return f"({self.query}) {self.sign} {self.limit:.12g}"


@dataclasses.dataclass(frozen=True)
class Alert:
    """Fires when all its conditions have held for `lasts`."""

    name: str
    conditions: tuple[Condition, ...]
    severity: Severity
    summary: str
    remedy: str
    """What whoever is woken does first."""
    fires: Series
    """An example, of half an hour and more, at whose end it fires."""
    quiet: Series
    """An example as near to it as can be, at whose end it does not."""
    lasts: str = "5m"
    labels: tuple[tuple[str, str], ...] = ()
    """What it says beside the labels of its query."""
    at: str = "40m"
    """When both examples are looked at."""

    @property
    def expression(self) -> str:
        return " and ".join(map(str, self.conditions))


@dataclasses.dataclass(frozen=True)
class Receivers:
    """Who is told: critical alerts go by mail and to a Slack channel, warnings by mail, the rest to a webhook.

    What is secret comes as files: `PASSWORD`, `SLACK`, `WEBHOOK` and `WATCHDOG` are their names.
    """

    mail: str
    """To whom."""
    sender: str
    smarthost: str
    """``host:port`` of the mail server; TLS is required."""
    user: str
    password: values.Value
    """The user's, at the mail server."""
    slack: values.Value
    """URL of the channel's webhook."""
    webhook: values.Value
    """URL."""
    watchdog: values.Value | None = None
    """URL that is called every few minutes while alerts come through: whoever is behind it hears when that ends."""

    @property
    def port(self) -> int:
        return int(self.smarthost.rpartition(":")[2])

    def files(self) -> Iterator[processes.File]:
        """What is secret."""
        found = ((PASSWORD, self.password), (SLACK, self.slack), (WEBHOOK, self.webhook), (WATCHDOG, self.watchdog))
        return (processes.File(name, value) for name, value in found if value is not None)


PASSWORD, SLACK, WEBHOOK, WATCHDOG = "smtp-password", "slack-url", "webhook-url", "watchdog-url"


@dataclasses.dataclass(frozen=True)
class Record:
    """A query whose answer is kept under a name of its own."""

    name: str
    query: str


@dataclasses.dataclass(frozen=True)
class Group:
    """Rules that are evaluated together, in their order."""

    name: str
    rules: tuple[Alert | Record, ...]
