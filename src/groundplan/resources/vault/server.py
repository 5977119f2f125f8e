"""The server: what it offers as a resource, and as a store of secrets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, cast, final, get_args

from groundplan.model import component, environment, findings, resource, store
from groundplan.resources import go_templates, images
from groundplan.resources.vault import access, agent, saving, storage
from groundplan.shapes import backups, ports, processes, quantities, signals, values, workloads

Backend = Literal["raft", "file"]
_USER, _GROUP = 100, 1000
"""``vault`` in the image."""
_DATA = "/vault/data"
_MOST = 7
"""Replicas; more of them decide slower, and are refused before they are built."""
_HEALTH = "/v1/sys/health?standbyok=true"
_WAITS = "sealedcode=200&uninitcode=200&haunhealthycode=200&removedcode=200"
"""What a server answers that lacks people or peers: to start it anew would help nobody, and seal it (the last two are
Vault's since 1.19; others do not know them)."""


@final
class Vault(resource.Resource, store.Store):
    """A Vault server with KV version 2 and Kubernetes authentication.

    `backend` is where it keeps its data: ``raft``, integrated storage, which takes snapshots and stands on as long as
    more than half of its replicas do; or ``file``, one replica, which its vendor advises against in production.
    `replicas` is odd, and an environment may set another number. Every replica that starts is sealed: people unseal
    each (`groundplan vault bootstrap`).
    """

    grants = "nothing by itself; a secret's path is needed"

    def __init__(
        self,
        name: str = "vault",
        *,
        version: str = "1.15.4",
        storage: str = "1Gi",
        backend: Backend = "raft",
        replicas: int = 1,
        backup: backups.Backup | None = None,
        resources: quantities.Compute | None = None,
    ) -> None:
        super().__init__(name, listens={"api": ports.Http(8200), "cluster": ports.Tcp(8201)})
        self.version = version
        self.storage = storage
        self.backend = backend
        self.replicas = replicas
        self.backup = backup or backups.UNASKED
        self.resources = resources or quantities.Compute()
        if backend not in get_args(Backend):
            what, why = f"{name}: backend={backend!r}", "it keeps its data in raft or in files"
            findings.report("GP105", what, why=why, remedy='write backend="raft" or backend="file"')
            self.backend = "raft"

    def settings(self) -> dict[str, type | tuple[type, ...]]:
        return {"storage": str, "resources": quantities.Compute, "replicas": int}

    def backed_up(self) -> backups.Backup:
        return self.backup

    def signals(self) -> signals.Signals:
        return signals.Exports(
            documented=("vault",), port="api", path="/v1/sys/metrics", parameters=(("format", "prometheus"),)
        )

    def procedures(self, edges: Sequence[component.Edge], work: str) -> backups.Procedures:
        if self.backend == "file":
            return saving.copies(self.name, self.version, work)
        return saving.snapshots(self.name, self.namespace or "", self.version, work)

    def runs_here(self, edges: Sequence[component.Edge]) -> processes.NotHere:
        return processes.NotHere("secrets are generated once and kept in files of mode 0600")

    def objects(self, env: environment.Environment, edges: Sequence[component.Edge]) -> workloads.Stateful:
        return workloads.Stateful(
            image=images.vault(self.version),
            command=("vault", "server", values.text("-config={}/vault.hcl", values.Files(self.name))),
            environment=(("HOME", "/tmp"), *_spoken_to(self.name)),  # noqa: S108  (a volume of the pod)
            files=(processes.File("vault.hcl", self._configuration(env)),),
            # A sealed server is alive, but not ready: it waits for people with their shares of the key.
            alive=workloads.Check(port="api", path=f"{_HEALTH}&{_WAITS}"),
            ready=workloads.Check(port="api", path=_HEALTH),
            certificate=storage.CERTIFICATE,
            data=_DATA,
            storage=self.storage,
            by_hand=True,  # a new pod is sealed: it waits for people, who choose when
            peers=self._peers(env) if self.backend == "raft" else None,
            user=_USER,
            group=_GROUP,
            cluster_role="system:auth-delegator",  # it asks the API server whose a token is (TokenReview)
        )

    def _configuration(self, env: environment.Environment) -> values.Value:
        if self.backend == "file":
            return storage.file(self.name)
        number = min(self._number(env), _MOST)
        hosts = [workloads.peer(self.name, self.namespace or "", each) for each in range(number)]
        return storage.raft(self.name, hosts if number > 1 else ())

    def _number(self, env: environment.Environment) -> int:
        """How many replicas; what an environment says of everything is said of services."""
        found = env.own(self, "replicas")
        return cast(int, found.value) if found else self.replicas

    def _peers(self, env: environment.Environment) -> workloads.Peers:
        host = workloads.peer(self.name, self.namespace or "", workloads.POD)
        scheme = values.encrypted(self.name, "https", "http")
        own: tuple[tuple[str, workloads.Word], ...] = (
            ("VAULT_RAFT_NODE_ID", workloads.POD),
            ("VAULT_API_ADDR", values.text("{}://{}:8200", scheme, host)),
            ("VAULT_CLUSTER_ADDR", f"https://{host}:8201"),  # always: peers have certificates of their own making
        )
        return workloads.Peers(self._number(env), own, alone=("cluster",))

    @property
    def server(self) -> tuple[component.Component, str]:
        return self, "api"

    def says(self, path: str) -> str:
        return f'{{{{ with secret "{access.MOUNT}/data/{path}" }}}}{{{{ .Data.data.value }}}}{{{{ end }}}}'

    def quotes(self, text: str) -> str:
        return go_templates.quoted(text)

    def delivers(self, order: workloads.Order) -> workloads.Fetched:
        return workloads.Fetched(
            image=images.vault(self.version),
            command=("vault", "agent", f"-config={order.folder}/agent.hcl"),
            environment=(("HOME", "/tmp"),),  # noqa: S108  (a volume of the pod)
            files=(("agent.hcl", agent.configuration(self.name, order)),),
            audience=access.AUDIENCE,
        )

    def admits(self, holders: Sequence[workloads.Holder], savers: Sequence[workloads.Holder] = ()) -> dict[str, str]:
        return access.files(holders, savers)


def _spoken_to(name: str) -> tuple[tuple[str, values.Value], ...]:
    """What whoever unseals it beside the server needs: `vault` asks for no name that no certificate of ours is for.

    Source: https://developer.hashicorp.com/vault/docs/commands#configure-environment-variables
    """
    return (
        ("VAULT_ADDR", values.text("{}://127.0.0.1:8200", values.encrypted(name, "https", "http"))),
        ("VAULT_CACERT", values.encrypted(name, f"{storage.CERTIFICATE}/ca.crt", "")),
        ("VAULT_TLS_SERVER_NAME", values.encrypted(name, values.Host(name, "api"), "")),
    )
