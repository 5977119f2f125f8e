"""Vault (or OpenBao, which speaks the same API): where a cluster keeps its secrets."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import final

from groundplan.model import component, environment, resource, store
from groundplan.resources import go_templates, images
from groundplan.shapes import backups, ports, processes, quantities, signals, values, workloads

AUDIENCE = "vault"
MOUNT = "secret"
"""The mount of the KV engine, version 2."""
LEASE = "24h"
"""How long a workload's login lasts."""
_USER, _GROUP = 100, 1000
"""``vault`` in the image."""
_DATA = "/vault/data"
_CERTIFICATE = "/certificate"
_TLS = f"""\
  tls_cert_file = "{_CERTIFICATE}/tls.crt"
  tls_key_file = "{_CERTIFICATE}/tls.key"
"""
_HEALTH = "/v1/sys/health?standbyok=true"


@final
class Vault(resource.Resource, store.Store):
    """A Vault server with file storage, KV version 2 and Kubernetes authentication."""

    grants = "nothing by itself; a secret's path is needed"

    def __init__(
        self,
        name: str = "vault",
        *,
        version: str = "1.15.4",
        storage: str = "1Gi",
        backup: backups.Backup | None = None,
        resources: quantities.Compute | None = None,
    ) -> None:
        super().__init__(name, listens={"api": ports.Http(8200), "cluster": ports.Tcp(8201)})
        self.version = version
        self.storage = storage
        self.backup = backup or backups.UNASKED
        self.resources = resources or quantities.Compute()

    def settings(self) -> dict[str, type | tuple[type, ...]]:
        return {"storage": str, "resources": quantities.Compute}

    def backed_up(self) -> backups.Backup:
        return self.backup

    def signals(self) -> signals.Signals:
        return signals.Exports(
            documented=("vault",), port="api", path="/v1/sys/metrics", parameters=(("format", "prometheus"),)
        )

    def procedures(self, edges: Sequence[component.Edge], work: str) -> backups.Procedures:
        # File storage has no snapshots: HashiCorp says to stop the server, or to use integrated storage. Stopping it
        # every night would stop every pod that starts meanwhile, so the copy proves that nothing changed under it.
        module = ("python", "-m", "groundplan_runtime.backup")
        paths = (f"--work={work}", values.text("--data={}", values.Folder(self.name)))
        return backups.Procedures(
            reader=f"Vault {self.version}",
            save=backups.Work(run=processes.Run(argv=(*module, "copy", *paths)), on="volume"),
            restore=backups.Work(run=processes.Run(argv=(*module, "put", *paths)), on="volume"),
            promise="Its files, encrypted by its seal, as they were at one moment: a copy counts only when nothing "
            "changed while it was made. Without the shares of the unseal key nobody can read it.",
        )

    def runs_here(self, edges: Sequence[component.Edge]) -> processes.NotHere:
        return processes.NotHere("secrets are generated once and kept in files of mode 0600")

    def objects(self, env: environment.Environment, edges: Sequence[component.Edge]) -> workloads.Stateful:
        return workloads.Stateful(
            image=images.vault(self.version),
            command=("vault", "server", values.text("-config={}/vault.hcl", values.Files(self.name))),
            environment=(("HOME", "/tmp"), *_spoken_to(self.name)),  # noqa: S108  (a volume of the pod)
            files=(processes.File("vault.hcl", _configuration(self.name)),),
            # A sealed server is alive, but not ready: it waits for people with their shares of the key.
            alive=workloads.Check(port="api", path=f"{_HEALTH}&sealedcode=200&uninitcode=200"),
            ready=workloads.Check(port="api", path=_HEALTH),
            certificate=_CERTIFICATE,
            data=_DATA,
            storage=self.storage,
            by_hand=True,  # a new pod is sealed: it waits for people, who choose when
            user=_USER,
            group=_GROUP,
            cluster_role="system:auth-delegator",  # it asks the API server whose a token is (TokenReview)
        )

    @property
    def server(self) -> tuple[component.Component, str]:
        return self, "api"

    def says(self, path: str) -> str:
        return f'{{{{ with secret "{MOUNT}/data/{path}" }}}}{{{{ .Data.data.value }}}}{{{{ end }}}}'

    def quotes(self, text: str) -> str:
        return go_templates.quoted(text)

    def delivers(self, order: workloads.Order) -> workloads.Fetched:
        return workloads.Fetched(
            image=images.vault(self.version),
            command=("vault", "agent", f"-config={order.folder}/agent.hcl"),
            environment=(("HOME", "/tmp"),),  # noqa: S108  (a volume of the pod)
            files=(("agent.hcl", _agent(self.name, order)),),
            audience=AUDIENCE,
        )

    def admits(self, holders: Sequence[workloads.Holder]) -> dict[str, str]:
        files = {f"policy.{holder.name}.hcl": _policy(holder) for holder in holders}
        return files | {f"role.{holder.name}.json": _role(holder) for holder in holders}


def _configuration(name: str) -> values.Value:
    return values.text(
        """\
ui = true
disable_mlock = true
api_addr = "{scheme}://{api}"
cluster_addr = "https://{cluster}"
storage "file" {{
  path = "{data}"
}}
listener "tcp" {{
  address = "0.0.0.0:8200"
  cluster_address = "0.0.0.0:8201"
{tls}  telemetry {{
    unauthenticated_metrics_access = true
  }}
}}
telemetry {{
  prometheus_retention_time = "2m"
  disable_hostname = true
}}
""",
        scheme=values.encrypted(name, "https", "http"),
        tls=values.encrypted(name, _TLS, "  tls_disable = true\n"),
        api=values.Address(name, "api"),
        cluster=values.Address(name, "cluster"),
        data=values.Folder(name),
    )


def _spoken_to(name: str) -> tuple[tuple[str, values.Value], ...]:
    """What whoever unseals it beside the server needs: `vault` asks for no name that no certificate of ours is for.

    Source: https://developer.hashicorp.com/vault/docs/commands#configure-environment-variables
    """
    return (
        ("VAULT_ADDR", values.text("{}://127.0.0.1:8200", values.encrypted(name, "https", "http"))),
        ("VAULT_CACERT", values.encrypted(name, f"{_CERTIFICATE}/ca.crt", "")),
        ("VAULT_TLS_SERVER_NAME", values.encrypted(name, values.Host(name, "api"), "")),
    )


def _agent(name: str, order: workloads.Order) -> values.Value:
    """Source: https://developer.hashicorp.com/vault/docs/agent-and-proxy/agent"""
    head = f"""\
exit_after_auth = true
disable_mlock = true
vault {{{{
  address = "{{scheme}}://{{address}}"
{{verified}}}}}}
auto_auth {{{{
  method "kubernetes" {{{{
    mount_path = "auth/kubernetes"
    config = {{{{
      role = "{order.holder.name}"
      token_path = "{order.token_file}"
    }}}}
  }}}}
}}}}
template_config {{{{
  exit_on_retry_failure = true
}}}}
"""
    templates = "".join(_template(each, order.folder) for each in order.templates)
    filled = values.text(
        head,
        scheme=values.encrypted(name, "https", "http"),
        address=values.Address(name, "api"),
        verified=values.encrypted(name, values.text('  ca_cert = "{}"\n', values.Authority()), ""),
    )
    return values.text("{}{}", filled, templates)


def _template(template: workloads.Template, folder: str) -> str:
    return f"""\
template {{
  source = "{folder}/{template.name}"
  destination = "{template.destination}"
  perms = "0600"
  error_on_missing_key = true
}}
"""


def _policy(holder: workloads.Holder) -> str:
    rules = (f'path "{MOUNT}/data/{path}" {{\n  capabilities = ["read"]\n}}\n' for path in sorted(holder.paths))
    return "".join(rules)


def _role(holder: workloads.Holder) -> str:
    role = {
        "audience": AUDIENCE,
        "bound_service_account_names": [holder.name],
        "bound_service_account_namespaces": [holder.namespace],
        "token_policies": [holder.name],
        "token_ttl": LEASE,
    }
    return json.dumps(role, indent=1, sort_keys=True) + "\n"
