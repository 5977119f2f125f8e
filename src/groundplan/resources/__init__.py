"""The catalogue of resources: one module each, with all its faces together.

Belongs here: what a resource offers and grants, and how it runs here. Does not belong here: what is
common to all (labels, security, policies), which the passes of `groundplan.kubernetes` add.
This is a public door: plan files import from it.
"""

from groundplan.model.resource import Resource
from groundplan.resources.cert_manager import CertManager
from groundplan.resources.external_secrets import AwsSecretsManager, ExternalSecrets, GcpSecretManager, VaultKv
from groundplan.resources.ingress_nginx import IngressNginx
from groundplan.resources.mail_catcher import MailCatcher
from groundplan.resources.otel_collector import OpenTelemetryCollector
from groundplan.resources.postgres import Postgres
from groundplan.resources.prometheus_stack import PrometheusStack
from groundplan.resources.redis import Redis
from groundplan.resources.sealed_secrets import SealedSecrets
from groundplan.resources.secret_operators import ExternalSecretsOperator, SealedSecretsController
from groundplan.resources.vault import Vault
from groundplan.resources.webhook_catcher import WebhookCatcher
from groundplan.shapes.backups import NoBackup, ObjectStore, Volume, daily

__all__ = [
    "AwsSecretsManager",
    "CertManager",
    "ExternalSecrets",
    "ExternalSecretsOperator",
    "GcpSecretManager",
    "IngressNginx",
    "MailCatcher",
    "NoBackup",
    "ObjectStore",
    "OpenTelemetryCollector",
    "Postgres",
    "PrometheusStack",
    "Redis",
    "Resource",
    "SealedSecrets",
    "SealedSecretsController",
    "Vault",
    "VaultKv",
    "Volume",
    "WebhookCatcher",
    "daily",
]
