"""Names of derived objects: the author's, and a suffix from this list. Nothing else names an object."""

from __future__ import annotations

from collections.abc import Iterator

from groundplan.kubernetes import drafts
from groundplan.model import findings
from groundplan.model import names as model_names
from groundplan.shapes import backups, workloads

FILES = "-files"
SECRETS = "-secrets"
DEFAULT_DENY = "-default-deny"
CHART = "-chart"
QUOTA = "-quota"
LIMITS = "-limits"
BOOTSTRAP = "-bootstrap"
MIGRATE = "-migrate"
ROLLBACK = "-rollback"
ACCESS = "-access"
ROLE = "-role"
TLS = "-tls"
AUTHORITY = "-authority"
ROOT = "-root"
GUESTS = "-guests"
ENGINES = "-engines"
SERVICES = "-services"
EXPORTER = "-exporter"
METRICS = "-metrics"
ALERTS = "-alerts"
BOARD = "-board"
CALLERS = "-callers"
ALERTMANAGER = "-alertmanager"
PEERS = workloads.PEERS
BACKUP = backups.BACKUP
BACKUPS = "-backups"
RESTORE = backups.RESTORE
ACCOUNT = backups.ACCOUNT

SUFFIXES = (
    FILES,
    SECRETS,
    DEFAULT_DENY,
    CHART,
    QUOTA,
    LIMITS,
    BOOTSTRAP,
    MIGRATE,
    ROLLBACK,
    ACCESS,
    ROLE,
    TLS,
    AUTHORITY,
    ROOT,
    GUESTS,
    ENGINES,
    SERVICES,
    EXPORTER,
    METRICS,
    ALERTS,
    BOARD,
    CALLERS,
    ALERTMANAGER,
    PEERS,
    BACKUP,
    BACKUPS,
    RESTORE,
    ACCOUNT,
)

LONGEST = 63
"""A Job's name becomes a label of its pods, and so does the name of everything that has an account."""


def check(draft: drafts.Draft) -> Iterator[findings.Finding]:
    """Names that only came about here, and that Kubernetes would refuse."""
    for made in draft.objects.values():
        why = model_names.trouble(made.key.name, LONGEST)
        if why:
            yield findings.Finding(
                "GP101", f"{made.key}", draft.origins[made.key], why, "give it a shorter name, of a-z, 0-9 and -"
            )


def rollback(step: str) -> str:
    """Of what takes back the step called `step`: ``micro-auth-migrate`` → ``micro-auth-rollback``."""
    return f"{step.removesuffix(MIGRATE)}{ROLLBACK}"
