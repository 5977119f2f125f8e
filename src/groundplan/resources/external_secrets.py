"""External Secrets Operator: an environment whose secrets are kept elsewhere, and brought by the cluster's operator.

Kinds of ``external-secrets.io/v1`` (operator 0.16 and newer; https://external-secrets.io/latest/api/externalsecret/).
The platform team configures the store; the plan says what it is called and what is
behind it, since providers differ in how a secret is named.
"""

from __future__ import annotations

import abc
import dataclasses
import re
from collections.abc import Iterator, Mapping
from typing import Literal, final

from groundplan.model import findings, store
from groundplan.model import origin as origins
from groundplan.resources import go_templates
from groundplan.shapes import workloads


class Provider(abc.ABC):
    """What is behind a store, as far as it matters to who asks for a secret there."""

    @abc.abstractmethod
    def remote(self, path: str) -> Mapping[str, str]:
        """Where the secret at `path` is: ``key``, and ``property`` where it is a part of something."""

    @abc.abstractmethod
    def trouble(self, path: str) -> str:
        """Why no secret can be called so there; empty for none."""


@dataclasses.dataclass(frozen=True)
class VaultKv(Provider):
    """Vault's KV engine: the field ``value`` of each path (https://external-secrets.io/latest/provider/hashicorp-vault/)."""

    prefix: str = ""

    def remote(self, path: str) -> Mapping[str, str]:
        return {"key": f"{self.prefix}{path}", "property": "value"}

    def trouble(self, path: str) -> str:
        return ""


@dataclasses.dataclass(frozen=True)
class AwsSecretsManager(Provider):
    """AWS Secrets Manager: one secret a path, whole (https://external-secrets.io/latest/provider/aws-secrets-manager/)."""

    prefix: str = ""
    _NAME = re.compile(r"[A-Za-z0-9/_+=.@-]{1,512}")
    # https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html

    def remote(self, path: str) -> Mapping[str, str]:
        return {"key": f"{self.prefix}{path}"}

    def trouble(self, path: str) -> str:
        fits = self._NAME.fullmatch(self.remote(path)["key"])
        return "" if fits else "a name there has at most 512 letters, digits and /_+=.@-"


@dataclasses.dataclass(frozen=True)
class GcpSecretManager(Provider):
    """Google Secret Manager: one secret a path, whole, with -- where the path has /
    (https://external-secrets.io/latest/provider/google-secrets-manager/)."""

    prefix: str = ""
    _NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")  # https://cloud.google.com/secret-manager/docs/reference/rest

    def remote(self, path: str) -> Mapping[str, str]:
        return {"key": f"{self.prefix}{path.replace('/', '--')}"}

    def trouble(self, path: str) -> str:
        if any(pair in path for pair in ("--", "-/", "/-")):
            return "-- stands for / there: two secrets could have one name"
        fits = self._NAME.fullmatch(self.remote(path)["key"])
        return "" if fits else "a name there has at most 255 letters, digits, - and _"


@final
class ExternalSecrets(store.Store):
    """Secrets that an operator brings from `provider`, through the store called `store` in the cluster.

    `kind` says whether one store serves all namespaces or each has its own of that name, which is the narrower;
    `refresh` how often it is asked anew.
    """

    brought_by = "external-secrets.io"

    def __init__(
        self,
        store: str,
        provider: Provider,
        *,
        kind: Literal["ClusterSecretStore", "SecretStore"] = "ClusterSecretStore",
        refresh: str = "1h",
    ) -> None:
        self.origin = origins.here()
        self.name = store
        self.provider = provider
        self.kind = kind
        self.refresh = refresh

    def says(self, path: str) -> str:
        return f"{{{{ .{go_templates.field(path)} }}}}"

    def quotes(self, text: str) -> str:
        return go_templates.quoted(text)

    def delivers(self, order: workloads.Order) -> workloads.Synced:
        template = {
            "engineVersion": "v2",
            "mergePolicy": "Replace",
            "data": {each.name: each.text for each in order.templates},
        }
        spec = {
            "refreshInterval": self.refresh,
            "secretStoreRef": {"kind": self.kind, "name": self.name},
            "target": {
                "name": order.secret,
                "creationPolicy": "Owner",
                "deletionPolicy": "Retain",
                "template": template,
            },
            "data": [
                {"secretKey": go_templates.field(path), "remoteRef": {**self.provider.remote(path), **_DEFAULTS}}
                for path in order.holder.paths
            ],
        }
        return workloads.Synced("external-secrets.io/v1 ExternalSecret", {"spec": spec})

    def lacks(self, order: workloads.Order) -> Iterator[findings.Finding]:
        yield from go_templates.twins(order.holder, self.origin)
        for path in order.holder.paths:
            why = self.provider.trouble(path)
            if why:
                what = f"the secret {path} of {order.holder.name} cannot be called so in {type(self.provider).__name__}"
                yield findings.Finding("GP321", what, self.origin, why, "give it another path")


_DEFAULTS = {"conversionStrategy": "Default", "decodingStrategy": "None", "metadataPolicy": "None"}
# The operator's API fills these in where they are missing, and Argo CD would see a difference for ever
# (https://github.com/external-secrets/external-secrets/issues/6797).
