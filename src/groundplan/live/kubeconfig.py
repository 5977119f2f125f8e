"""From kubeconfig files to one way into one cluster.

Several files merge as for kubectl: whoever names a thing first, says what it is; paths are relative to the file they
stand in. Without any file, a pod's own ServiceAccount is used. Sources:
https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/,
https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/,
https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import os
import pathlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import yaml

from groundplan.live import errors

VARIABLE = "KUBECONFIG"
USUAL = "~/.kube/config"
ACCOUNT = pathlib.Path("/var/run/secrets/kubernetes.io/serviceaccount")

_SECTIONS = {"clusters": "cluster", "contexts": "context", "users": "user"}


@dataclasses.dataclass(frozen=True)
class Plugin:
    """A program that is asked for credentials."""

    api_version: str
    argv: tuple[str, ...]
    environment: tuple[tuple[str, str], ...] = ()
    hint: str = ""
    """How to install it."""
    interactive: str = "IfAvailable"
    """Whether it may ask the user something: Never, IfAvailable or Always."""
    wants_cluster: bool = False


@dataclasses.dataclass(frozen=True)
class User:
    """Who asks. At most one of the kinds is used, in the order of `credentials`."""

    token: str = dataclasses.field(default="", repr=False)
    token_file: pathlib.Path | None = None
    """Read again before each use, since kubelets renew it."""
    certificate: bytes = b""
    key: bytes = dataclasses.field(default=b"", repr=False)
    """PEM, both."""
    plugin: Plugin | None = None
    basic: tuple[str, str] | None = dataclasses.field(default=None, repr=False)
    impersonates: str = ""
    groups: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Access:
    """One way into one cluster."""

    context: str
    """The name by which the user knows it."""
    server: str
    user: User
    namespace: str = "default"
    authority: bytes = b""
    """PEM; empty for what the system trusts."""
    insecure: bool = False
    server_name: str = ""
    """The name that the server's certificate must have, where it is not that of the address."""
    proxy: str = ""


def access(file: pathlib.Path | None = None, context: str | None = None) -> Access:
    """The way in that the user means: `file`, or ``KUBECONFIG``, or ~/.kube/config, or the pod's own account.

    Raises errors.NoAccess.
    """
    files = _files(file)
    if not files and context is None and (found := in_cluster()):
        return found
    if not files:
        looked = os.environ.get(VARIABLE) or USUAL
        raise errors.NoAccess(
            "there is no cluster to talk to",
            why=f"no kubeconfig at {looked}, and this is no pod of a cluster",
            fix="name one: --kubeconfig FILE, or set KUBECONFIG; `kubectl config get-contexts` shows what there is",
        )
    return _chosen(_merged(files), context, ", ".join(map(str, files)))


def in_cluster(account: pathlib.Path = ACCOUNT) -> Access | None:
    """What a pod finds of its own ServiceAccount; None elsewhere."""
    host, port = (os.environ.get(f"KUBERNETES_SERVICE_{name}", "") for name in ("HOST", "PORT"))
    token = account / "token"
    if not host or not token.is_file():
        return None
    place = f"[{host}]" if ":" in host else host
    space = account / "namespace"
    return Access(
        context="in-cluster",
        server=f"https://{place}:{port or 443}",
        user=User(token_file=token),
        namespace=space.read_text().strip() if space.is_file() else "default",
        authority=_bytes(account / "ca.crt"),
    )


def _files(named: pathlib.Path | None) -> list[pathlib.Path]:
    if named is not None:
        if not named.is_file():
            raise errors.NoAccess(f"there is no kubeconfig at {named}", fix="name one that exists: --kubeconfig FILE")
        return [named]
    listed = [part for part in os.environ.get(VARIABLE, "").split(os.pathsep) if part]
    paths = [pathlib.Path(part).expanduser() for part in listed or [USUAL]]
    return [path for path in paths if path.is_file()]


@dataclasses.dataclass(frozen=True)
class _Entry:
    """What one file says under one name."""

    tree: dict[str, Any]
    file: pathlib.Path
    what: str

    def text(self, key: str) -> str:
        value = self.tree.get(key)
        if value is None or isinstance(value, str):
            return value or ""
        raise self.wrong(f"{key} is {type(value).__name__}, not text")

    def mapping(self, key: str) -> dict[str, Any]:
        value = self.tree.get(key) or {}
        if isinstance(value, dict):
            return value
        raise self.wrong(f"{key} is {type(value).__name__}, not a mapping")

    def path(self, key: str) -> pathlib.Path | None:
        return self.file.parent / pathlib.Path(self.text(key)).expanduser() if self.text(key) else None

    def pem(self, key: str) -> bytes:
        """The content of ``key-data``, or of the file that `key` names."""
        data = self.text(f"{key}-data")
        if not data:
            path = self.path(key)
            return _bytes(path) if path else b""
        try:
            return base64.b64decode(data, validate=True)
        except (binascii.Error, ValueError) as error:
            raise self.wrong(f"{key}-data is no base64: {error}") from None

    def wrong(self, why: str) -> errors.NoAccess:
        return errors.NoAccess(f"{self.file}: {self.what} cannot be used", why=why, fix="mend the kubeconfig")


_Merged = tuple[str, dict[str, dict[str, _Entry]]]


def _merged(files: Iterable[pathlib.Path]) -> _Merged:
    current, found = "", {section: dict[str, _Entry]() for section in _SECTIONS}
    for file in files:
        tree = _read(file)
        current = current or str(tree.get("current-context") or "")
        for section, inner in _SECTIONS.items():
            for name, body in _named(tree.get(section) or (), section, inner, file):
                found[section].setdefault(name, _Entry(body, file, f"{inner} {name}"))
    return current, found


def _read(file: pathlib.Path) -> dict[str, Any]:
    try:
        tree = yaml.safe_load(file.read_bytes())
    except (OSError, yaml.YAMLError, ValueError, RecursionError) as error:
        raise errors.NoAccess(f"{file} cannot be read", why=str(error).splitlines()[0]) from None
    if tree is not None and not isinstance(tree, dict):
        raise errors.NoAccess(f"{file} is no kubeconfig", why=f"it holds {type(tree).__name__}, not a mapping")
    return tree or {}


def _named(items: Any, section: str, inner: str, file: pathlib.Path) -> Iterable[tuple[str, dict[str, Any]]]:
    if not isinstance(items, Sequence) or isinstance(items, str):
        raise errors.NoAccess(f"{file} is no kubeconfig", why=f"{section} is no list")
    for item in items:
        if not isinstance(item, Mapping) or not isinstance(item.get("name"), str):
            raise errors.NoAccess(f"{file} is no kubeconfig", why=f"an item of {section} has no name")
        body = item.get(inner)
        yield item["name"], body if isinstance(body, dict) else {}


def _chosen(merged: _Merged, wanted: str | None, where: str) -> Access:
    current, found = merged
    name = wanted or current
    if not name:
        fix = f"name one: --context NAME; there are: {_listed(found['contexts'])}"
        raise errors.NoAccess(f"{where}: no current context", fix=fix)
    context = _lookup(found["contexts"], name, "context", where)
    cluster = _lookup(found["clusters"], context.text("cluster"), f"cluster of context {name}", where)
    user_name = context.text("user")
    user = _lookup(found["users"], user_name, f"user of context {name}", where) if user_name else None
    server = cluster.text("server")
    if not server.startswith(("https://", "http://")):
        raise cluster.wrong(f"server is {server!r}, no address like https://host:6443")
    return Access(
        context=name,
        server=server.rstrip("/"),
        user=_user(user) if user else User(),
        namespace=context.text("namespace") or "default",
        authority=cluster.pem("certificate-authority"),
        insecure=cluster.tree.get("insecure-skip-tls-verify") is True,
        server_name=cluster.text("tls-server-name"),
        proxy=cluster.text("proxy-url"),
    )


def _lookup(entries: Mapping[str, _Entry], name: str, what: str, where: str) -> _Entry:
    if name not in entries:
        raise errors.NoAccess(f"{where}: there is no {what} {name!r}".rstrip(), fix=f"there are: {_listed(entries)}")
    return entries[name]


def _listed(entries: Mapping[str, _Entry]) -> str:
    return ", ".join(sorted(entries)) or "none"


def _user(entry: _Entry) -> User:
    if entry.tree.get("auth-provider"):
        raise entry.wrong("auth-provider is gone since Kubernetes 1.26: use the provider's exec plugin")
    name = entry.text("username")
    groups = entry.tree.get("as-groups") or ()
    return User(
        token=entry.text("token"),
        token_file=entry.path("tokenFile"),
        certificate=entry.pem("client-certificate"),
        key=entry.pem("client-key"),
        plugin=_plugin(entry) if entry.tree.get("exec") else None,
        basic=(name, entry.text("password")) if name else None,
        impersonates=entry.text("as"),
        groups=tuple(str(each) for each in groups),
    )


def _plugin(entry: _Entry) -> Plugin:
    said = _Entry(entry.mapping("exec"), entry.file, f"{entry.what}: exec")
    command = said.text("command")
    if not command:
        raise said.wrong("it names no command")
    if "/" in command:
        command = str(entry.file.parent / command)
    pairs = said.tree.get("env") or ()
    try:
        environment = tuple((str(pair["name"]), str(pair["value"])) for pair in pairs)
    except (TypeError, KeyError):
        raise said.wrong("env is no list of name and value") from None
    return Plugin(
        api_version=said.text("apiVersion"),
        argv=(command, *(str(each) for each in said.tree.get("args") or ())),
        environment=environment,
        hint=said.text("installHint"),
        interactive=said.text("interactiveMode") or "IfAvailable",
        wants_cluster=said.tree.get("provideClusterInfo") is True,
    )


def _bytes(path: pathlib.Path) -> bytes:
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:  # a path with a null byte is a ValueError
        raise errors.NoAccess(f"cannot read {path}", why=getattr(error, "strerror", "") or str(error)) from None
