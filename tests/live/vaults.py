"""A double of Vault's server, in memory, written from its API documentation and held against a real OpenBao.

https://developer.hashicorp.com/vault/api-docs/system/init, /system/seal-status, /system/unseal, /system/leader,
/system/storage/raft, /system/mounts, /system/auth, /system/policies, /auth/kubernetes, /auth/token, /secret/kv/kv-v2;
status codes and the form of errors: https://developer.hashicorp.com/vault/api-docs#http-status-codes.
"""

from __future__ import annotations

import base64
import contextlib
import copy
import dataclasses
import http.server
import json
import threading
import time
import urllib.parse
from collections.abc import Iterator

NOTHING = (204, {})


class Vault:
    """Shares are compared, not combined: t different ones of those handed out open it."""

    def __init__(self) -> None:
        self.shares: list[str] = []
        self.threshold = 0
        self.sealed = True
        self.entered: list[str] = []
        self.tokens: set[str] = set()
        self.mounts = {"sys/": {"type": "system"}}
        self.logins = {"token/": {"type": "token"}}
        self.policies = {"default": "", "root": ""}
        self.config: dict = {}
        self.roles: dict[str, dict] = {}
        self.kept: dict[str, list[str | None]] = {}
        """Versions of each secret; None for one that was deleted."""

    @property
    def state(self) -> dict:
        """Everything but what differs by chance."""
        known = {path: len(versions) for path, versions in self.kept.items()}
        return {"sealed": self.sealed, "tokens": len(self.tokens), "mounts": self.mounts, "logins": self.logins,
                "policies": self.policies, "config": self.config, "roles": self.roles, "kept": known}  # fmt: skip

    def snapshot(self) -> dict:
        return copy.deepcopy(self.state)

    def answer(self, method: str, path: str, body: dict | None, token: str) -> tuple[int, dict]:
        """What the server says to one request."""
        body = body or {}
        if path == "sys/init":
            return self._init(method, body)
        if path == "sys/seal-status":
            return 200, self._status()
        if path == "sys/unseal":
            return self._unseal(body)
        if not self.shares or self.sealed:
            return 503, {"errors": ["Vault is sealed"]}
        if path == "sys/leader":
            return 200, {"ha_enabled": False, "is_self": False, "leader_address": ""}
        if token not in self.tokens:
            return 403, {"errors": ["permission denied"]}
        return self._inside(method, path, body, token)

    def _init(self, method: str, body: dict) -> tuple[int, dict]:
        if method == "GET":
            return 200, {"initialized": bool(self.shares)}
        if self.shares:
            return 400, {"errors": ["Vault is already initialized"]}
        number, self.threshold = body["secret_shares"], body["secret_threshold"]
        self.shares = [base64.b64encode(f"share {each} of this Vault".encode()).decode() for each in range(number)]
        self.tokens.add("hvs.root")
        return 200, {"keys": [], "keys_base64": self.shares, "root_token": "hvs.root"}

    def _status(self) -> dict:
        number, least = len(self.shares), self.threshold
        return {"type": "shamir", "initialized": bool(number), "sealed": self.sealed, "t": least, "n": number,
                "progress": len(self.entered), "version": "1.15.4"}  # fmt: skip

    def _unseal(self, body: dict) -> tuple[int, dict]:
        if not self.shares:
            return 400, {"errors": ["Vault is not initialized"]}
        if body.get("reset"):
            self.entered = []
            return 200, self._status()
        try:
            base64.b64decode(body["key"], validate=True)
        except ValueError:
            return 400, {"errors": ["'key' must be a valid hex or base64 string"]}
        if self.sealed and body["key"] not in self.entered:
            self.entered.append(body["key"])
        if len(self.entered) >= self.threshold:
            entered, self.entered = self.entered, []
            if not set(entered) <= set(self.shares):
                return 400, {"errors": ["Unseal failed, invalid key"]}
            self.sealed = False
        return 200, self._status()

    def _inside(self, method: str, path: str, body: dict, token: str) -> tuple[int, dict]:
        first, _, rest = path.partition("/")
        if path == "auth/token/lookup-self":
            return 200, {"data": {"policies": ["root"]}}
        if path == "auth/token/revoke-self":
            self.tokens.discard(token)
            return NOTHING
        if first == "sys":
            return self._system(method, rest, body)
        if path.startswith("auth/kubernetes/") and "kubernetes/" in self.logins:
            return self._login(method, path.removeprefix("auth/kubernetes/"), body)
        if first == "secret" and "secret/" in self.mounts:
            return self._secret(method, rest, body)
        return 404, {"errors": [f'no handler for route "{path}"']}

    def _system(self, method: str, path: str, body: dict) -> tuple[int, dict]:
        kind, _, name = path.partition("/")
        if kind in ("mounts", "auth"):
            table = self.mounts if kind == "mounts" else self.logins
            if method == "GET":
                return 200, {"data": table}
            if f"{name}/" in table:
                return 400, {"errors": [f"path is already in use at {name}/"]}
            table[f"{name}/"] = body
            return NOTHING
        name = name.removeprefix("acl/")
        if method == "GET":
            found = self.policies.get(name)
            return (404, {"errors": []}) if found is None else (200, {"data": {"name": name, "policy": found}})
        self.policies[name] = body["policy"]
        return NOTHING

    def _login(self, method: str, path: str, body: dict) -> tuple[int, dict]:
        if path == "config":
            if method == "GET":
                return (200, {"data": self.config}) if self.config else (404, {"errors": []})
            self.config = {"disable_iss_validation": True, **body}
            return NOTHING
        if method == "LIST":
            return (200, {"data": {"keys": sorted(self.roles)}}) if self.roles else (404, {"errors": []})
        name = path.removeprefix("role/")
        if method == "GET":
            return (200, {"data": self.roles[name]}) if name in self.roles else (404, {"errors": []})
        self.roles[name] = {"token_max_ttl": 0, **body, "token_ttl": int(body["token_ttl"].removesuffix("h")) * 3600}
        return NOTHING

    def _secret(self, method: str, path: str, body: dict) -> tuple[int, dict]:
        what, _, name = path.partition("/")
        versions = self.kept.get(name, [])
        if what == "metadata":
            if not versions:
                return 404, {"errors": []}
            times = ["2026-01-01T00:00:00Z" if text is None else "" for text in versions]
            said = {str(at + 1): {"deletion_time": time, "destroyed": False} for at, time in enumerate(times)}
            return 200, {"data": {"current_version": len(versions), "versions": said}}
        if method == "GET":
            found = versions[-1] if versions else None
            data = {"data": {"value": found}, "metadata": {"version": len(versions)}}
            return (404, {"errors": []}) if found is None else (200, {"data": data})
        if body["options"]["cas"] != len(versions):
            return 400, {"errors": ["check-and-set parameter did not match the current version"]}
        self.kept.setdefault(name, []).append(body["data"]["value"])
        return 200, {"data": {"version": len(versions) + 1}}


@dataclasses.dataclass
class Own:
    """What a replica has for itself."""

    sealed: bool = True
    entered: list[str] = dataclasses.field(default_factory=list)
    holds: bool = False
    """Whether it has joined, or was begun."""
    asked: int = 0
    """How often it was asked for its status, empty as it is, while somebody leads: the second time it has joined."""
    joining: bool = False
    """Whether it was given enough shares, and is about to be open: it says so when it is asked next."""


class Replicas:
    """One Vault on several servers, on integrated storage: what it holds is one, each server is sealed by itself."""

    def __init__(self, number: int = 3) -> None:
        self.vault = Vault()
        self.own = [Own() for _ in range(number)]

    @property
    def state(self) -> dict:
        return self.vault.state | {"sealed": [(each.sealed, each.holds) for each in self.own]}

    @property
    def is_led(self) -> bool:
        holding = [each for each in self.own if each.holds]
        return sum(not each.sealed for each in holding) * 2 > len(holding)

    def restart(self) -> None:
        """All of them at once."""
        for each in self.own:
            each.sealed, each.entered, each.joining = True, [], False

    def at(self, server: int) -> At:
        return At(self, server)

    def answer(self, server: int, method: str, path: str, body: dict | None, token: str) -> tuple[int, dict]:
        own = self.own[server]
        if path == "sys/init":
            return self._init(own, method, body)
        if path == "sys/seal-status":
            self._passes(own)
        if path in ("sys/seal-status", "sys/unseal"):
            return self._seal(own, method, path, body)
        if own.sealed or not own.holds:
            return 503, {"errors": ["Vault is sealed"]}
        if path == "sys/leader":
            return 200, {"ha_enabled": True, "leader_address": "http://127.0.0.1:1" if self.is_led else ""}
        if not self.is_led:
            return 500, {"errors": ["local node not active but active cluster node not found"]}
        if path == "sys/storage/raft/configuration":
            names = [f"vault-{number}" for number, each in enumerate(self.own) if each.holds]
            return 200, {"data": {"config": {"servers": [{"node_id": name} for name in names]}}}
        self.vault.sealed = False
        return self.vault.answer(method, path, body, token)

    def _init(self, own: Own, method: str, body: dict | None) -> tuple[int, dict]:
        if method == "GET":
            return 200, {"initialized": own.holds}
        assert not self.vault.shares, "a second Vault was begun beside the first"
        own.holds = True
        return self.vault.answer(method, "sys/init", body, "")

    def _passes(self, own: Own) -> None:
        """What servers do by themselves."""
        if own.joining:
            own.sealed = own.joining = False
        if not own.holds and self.is_led:
            own.asked += 1
            own.holds = own.asked > 1

    def _seal(self, own: Own, method: str, path: str, body: dict | None) -> tuple[int, dict]:
        if not own.holds:
            said = (200, {"type": "shamir", "initialized": False, "sealed": True, "t": 0, "n": 0, "progress": 0})
            return (400, {"errors": ["Vault is not initialized"]}) if path == "sys/unseal" else said
        self.vault.sealed, self.vault.entered = own.sealed, own.entered
        status, said = self.vault.answer(method, path, body, "")
        if own.asked and own.sealed and not self.vault.sealed:  # it joined: it opens a moment later
            own.joining, said["sealed"] = True, True
        else:
            own.sealed = self.vault.sealed
        own.entered = self.vault.entered
        return status, said


@dataclasses.dataclass(frozen=True)
class At:
    """One server of `Replicas`."""

    replicas: Replicas
    server: int

    def answer(self, method: str, path: str, body: dict | None, token: str) -> tuple[int, dict]:
        return self.replicas.answer(self.server, method, path, body, token)


@contextlib.contextmanager
def served(vault: Vault | At, faults: dict[int, str] | None = None) -> Iterator[str]:
    """`vault` at a loopback address; `faults` befall requests by their number: "deaf" is not heard, "mute" is done
    but not answered, "slow" answers late, "503" and "302" are answered in its place, "page" is no JSON."""
    faults = faults or {}
    heard = iter(range(1_000_000))
    lock = threading.Lock()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 65536  # one packet an answer

        def do_GET(self) -> None:
            with lock:
                fault = faults.get(next(heard), "")
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if fault in ("503", "302", "page"):
                    self._send(int(fault) if fault != "page" else 200, b"<html>" if fault == "page" else b"{}")
                    return
                if fault != "deaf":
                    said = vault.answer(
                        self.command,
                        urllib.parse.unquote(self.path.removeprefix("/v1/")),
                        json.loads(body) if body else None,
                        self.headers.get("X-Vault-Token", ""),
                    )
                if fault in ("deaf", "mute"):
                    self.close_connection = True
                    self.connection.shutdown(2)
                    return
                if fault == "slow":
                    time.sleep(0.5)
                self._send(said[0], json.dumps(said[1]).encode() if said[0] != 204 else b"")

        do_POST = do_PUT = do_LIST = do_GET

        def _send(self, status: int, body: bytes) -> None:
            self.send_response(status)
            if status == 302:
                self.send_header("Location", "http://127.0.0.1:9/elsewhere")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
