"""Who asks: headers and certificates from a user's entry, with a plugin's credentials renewed before they expire.

Source: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
"""

from __future__ import annotations

import base64
import dataclasses
import datetime
import json
import os
import subprocess
import sys
from typing import Any

from groundplan.live import clocks, errors, kubeconfig

SPOKEN = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")
_EARLY = 10
"""Seconds before their end at which credentials are renewed."""
_PATIENCE = 60
"""Seconds that a plugin which asks nobody anything may take."""


@dataclasses.dataclass(frozen=True)
class Credentials:
    """What requests carry for a while."""

    token: str = dataclasses.field(default="", repr=False)
    certificate: bytes = b""
    key: bytes = dataclasses.field(default=b"", repr=False)
    expires: float | None = None
    """Seconds since 1970."""


class Source:
    """The credentials of one way in, made anew when they are about to expire or were refused."""

    def __init__(self, access: kubeconfig.Access, clock: clocks.Clock) -> None:
        self._access, self._clock = access, clock
        self._plugged: Credentials | None = None

    @property
    def renewable(self) -> bool:
        """Whether asking again may give others."""
        return self._access.user.plugin is not None or self._access.user.token_file is not None

    def forget(self) -> None:
        """They were refused."""
        self._plugged = None

    def current(self) -> Credentials:
        """What the next request should carry; raises errors.Unauthenticated."""
        user = self._access.user
        token = user.token
        if user.token_file is not None:
            token = self._read(user.token_file)
        elif not token and user.plugin is not None:
            return self._from_plugin(user.plugin)
        return Credentials(token=token, certificate=user.certificate, key=user.key)

    def headers(self, credentials: Credentials) -> list[tuple[str, str]]:
        """Of every request; a name may stand there more than once."""
        user, found = self._access.user, list[tuple[str, str]]()
        if credentials.token:
            found.append(("Authorization", f"Bearer {credentials.token}"))
        elif user.basic is not None:
            found.append(("Authorization", f"Basic {base64.b64encode(':'.join(user.basic).encode()).decode()}"))
        if user.impersonates:
            found.append(("Impersonate-User", user.impersonates))
        return found + [("Impersonate-Group", group) for group in user.groups]

    def _read(self, path: Any) -> str:
        try:
            return str(path.read_text().strip())
        except OSError as error:
            raise errors.Unauthenticated(f"cannot read the token at {path}", why=error.strerror or "") from None

    def _from_plugin(self, plugin: kubeconfig.Plugin) -> Credentials:
        known = self._plugged
        if known is None or (known.expires is not None and known.expires - _EARLY < self._clock.now()):
            self._plugged = known = _parsed(plugin, _ask(plugin, self._access))
        return known


def _ask(plugin: kubeconfig.Plugin, access: kubeconfig.Access) -> str:
    if plugin.api_version not in SPOKEN:
        raise errors.Unauthenticated(
            f"{plugin.argv[0]}: a plugin for {plugin.api_version or 'no version'}",
            why=f"spoken are {' and '.join(SPOKEN)}",
            fix="let the cloud's tool write the kubeconfig anew",
        )
    asks = plugin.interactive != "Never" and sys.stdin is not None and sys.stdin.isatty()
    environment = {**os.environ, **dict(plugin.environment), "KUBERNETES_EXEC_INFO": _about(plugin, access, asks)}
    try:
        ran = subprocess.run(
            plugin.argv,
            env=environment,
            stdin=None if asks else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            check=False,
            timeout=None if asks else _PATIENCE,
        )
    except OSError as error:
        fix = plugin.hint or f"install {plugin.argv[0]}, or use another context"
        raise errors.Unauthenticated(f"{plugin.argv[0]}: {error.strerror}", fix=fix) from None
    except subprocess.TimeoutExpired:
        raise errors.Unauthenticated(f"{plugin.argv[0]} gave no credentials in {_PATIENCE} s") from None
    if ran.returncode:
        what = f"{' '.join(plugin.argv)} ended with exit code {ran.returncode}"
        raise errors.Unauthenticated(what, why="it should have printed credentials", fix="log in with it anew")
    return ran.stdout.decode(errors="replace")


def _about(plugin: kubeconfig.Plugin, access: kubeconfig.Access, asks: bool) -> str:
    spec: dict[str, Any] = {"interactive": asks}
    if plugin.wants_cluster:
        cluster = {
            "server": access.server,
            "certificate-authority-data": base64.b64encode(access.authority).decode(),
            "insecure-skip-tls-verify": access.insecure,
            "tls-server-name": access.server_name,
            "proxy-url": access.proxy,
        }
        spec["cluster"] = {key: value for key, value in cluster.items() if value}
    return json.dumps({"apiVersion": plugin.api_version, "kind": "ExecCredential", "spec": spec})


def _parsed(plugin: kubeconfig.Plugin, text: str) -> Credentials:
    wrong = errors.Unauthenticated(
        f"{plugin.argv[0]} printed no credentials", why="expected an ExecCredential with a token or a certificate"
    )
    try:
        status = json.loads(text)["status"]
        token, certificate = status.get("token") or "", (status.get("clientCertificateData") or "").encode()
        key, until = (status.get("clientKeyData") or "").encode(), status.get("expirationTimestamp")
        expires = datetime.datetime.fromisoformat(until).timestamp() if until else None
    except (ValueError, TypeError, KeyError, AttributeError):
        raise wrong from None
    if not isinstance(token, str) or not (token or (certificate and key)):
        raise wrong
    return Credentials(token, certificate, key, expires)
