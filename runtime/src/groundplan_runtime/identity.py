"""Who may call this service, and what: workload tokens checked against the edges that the plan declares.

CALLERS refers to a JSON file::

    {"audience": "auth-service", "issuer": "https://kubernetes.default.svc", "jwks": {"keys": [...]},
     "callers": {"system:serviceaccount:gateway:api-gateway": {"http": ["*"], "grpc": ["ValidateToken"]}},
     "anonymous": {"http": ["GET /.well-known/jwks.json"]}}

A rule is ``*``, a gRPC method (``ValidateToken``, or with its service: ``payments.auth.v1.Auth/ValidateToken``),
or an HTTP method and path (``GET /v1/keys/{id}``; ``{…}`` is one segment, a final ``*`` is any rest).
A caller sends its token as `contract.WORKLOAD_TOKEN_HEADER`: a JWT for our audience with its name in
``sub``. The file is read again when it changes.
"""

from __future__ import annotations

import logging
import os
import pathlib
import re
import time
from collections.abc import Callable
from typing import Any

import msgspec

from groundplan_runtime import contract, current, settings

_log = logging.getLogger(__name__)

ALGORITHMS = ("EdDSA", "RS256")
LEEWAY = 10.0
"""Seconds by which clocks may differ."""

_REMEMBERED_TOKENS = 4096
_LOOK_EVERY = 0.5  # seconds between two looks at the file


class Refused(Exception):
    """The call is not allowed."""


class Unauthenticated(Refused):
    """Nobody knows who calls (401, UNAUTHENTICATED)."""


class Forbidden(Refused):
    """The caller is known and may not do this (403, PERMISSION_DENIED)."""


class _Rights(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    http: tuple[str, ...] = ()
    grpc: tuple[str, ...] = ()


class _Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    audience: str
    issuer: str
    jwks: dict[str, Any]
    callers: dict[str, _Rights]
    anonymous: _Rights | None = None


class _Rules:
    """The rights of one caller, ready to ask."""

    def __init__(self, rights: _Rights) -> None:
        self.any_http = "*" in rights.http
        self.any_grpc = "*" in rights.grpc
        self._paths = tuple((rule.split(" ", 1)[0], _path_pattern(rule)) for rule in rights.http if rule != "*")
        self._methods = frozenset(rule.strip("/") for rule in rights.grpc)

    def http(self, method: str, path: str) -> bool:
        if self.any_http:
            return True
        return any(_covers(verb, method) and pattern.fullmatch(path) for verb, pattern in self._paths)

    def grpc(self, path: str) -> bool:
        return self.any_grpc or path[1:] in self._methods or path.rsplit("/", 1)[-1] in self._methods


class Policy:
    """One reading of the file."""

    def __init__(self, document: _Document, keys: tuple[Any, ...]) -> None:
        self.audience = document.audience
        self._issuer = document.issuer
        self._keys = keys
        self._rules = {name: _Rules(rights) for name, rights in document.callers.items()}
        if document.anonymous is not None:
            self._rules[current.ANONYMOUS] = _Rules(document.anonymous)
        self._known: dict[str, tuple[str, float]] = {}

    def caller(self, token: str | None) -> str:
        """The workload that `token` names; raises `Unauthenticated`."""
        if not token:
            if current.ANONYMOUS in self._rules:
                return current.ANONYMOUS
            raise Unauthenticated(
                f"{self.audience} answers known workloads only: send {contract.WORKLOAD_TOKEN_HEADER}"
            )
        known = self._known.get(token)
        if known is not None and known[1] > time.time():
            return known[0]
        return self._verify(token)

    def rules(self, caller: str, action: str) -> _Rules:
        found = self._rules.get(caller)
        if found is None:
            raise Forbidden(f"{caller} is not a declared caller of {self.audience} (it asked for {action})")
        return found

    def _verify(self, token: str) -> str:
        import jwt

        problem: Exception = Unauthenticated("no key")
        for key in self._candidates(token):
            try:
                claims = jwt.decode(
                    token,
                    key,
                    algorithms=[key.algorithm_name],
                    audience=self.audience,
                    issuer=self._issuer,
                    leeway=LEEWAY,
                    options={"require": ["sub", "aud", "iss"]},
                )
            except jwt.InvalidTokenError as error:
                problem = error
                continue
            self._remember(token, claims)
            return str(claims["sub"])
        raise Unauthenticated(f"{self.audience} does not accept this workload token: {problem}")

    def _candidates(self, token: str) -> tuple[Any, ...]:
        import jwt

        try:
            header = jwt.get_unverified_header(token)
        except jwt.InvalidTokenError as error:
            raise Unauthenticated(f"{self.audience} does not accept this workload token: {error}") from None
        named = tuple(key for key in self._keys if key.key_id and key.key_id == header.get("kid"))
        found = named or tuple(key for key in self._keys if not key.key_id or not header.get("kid"))
        if not found:
            raise Unauthenticated(f"{self.audience} knows no key with the id of this workload token")
        return found

    def _remember(self, token: str, claims: dict[str, Any]) -> None:
        if len(self._known) >= _REMEMBERED_TOKENS:
            self._known.pop(next(iter(self._known)))
        self._known[token] = (str(claims["sub"]), float(claims["exp"]) + LEEWAY if "exp" in claims else float("inf"))


class Gate:
    """Asks the policy for each call; keeps the policy as fresh as its file."""

    def __init__(self, path: pathlib.Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        self._stamp = _stamp(path)
        self._policy = load(path)
        self._looked = clock()

    def http(self, token: str | None, method: str, path: str) -> str:
        """The caller, when it may do this; raises `Refused`."""
        policy = self._current()
        caller = policy.caller(token)
        rules = policy.rules(caller, f"{method} {path}")
        if not (rules.any_http or rules.http(method, path)):
            raise Forbidden(f"{caller} may not call {method} {path} of {policy.audience}")
        return caller

    def grpc(self, token: str | None, path: str) -> str:
        """The caller, when it may call the method at `path` (``/package.Service/Method``); raises `Refused`."""
        policy = self._current()
        caller = policy.caller(token)
        if not policy.rules(caller, path).grpc(path):
            raise Forbidden(f"{caller} may not call {path.rsplit('/', 1)[-1]} of {policy.audience} ({path})")
        return caller

    def _current(self) -> Policy:
        now = self._clock()
        if now - self._looked >= _LOOK_EVERY:
            self._looked = now
            self._reload()
        return self._policy

    def _reload(self) -> None:
        try:
            stamp = _stamp(self._path)
            if stamp == self._stamp:
                return
            self._policy = load(self._path)
            self._stamp = stamp
            _log.info("read the callers again", extra={"path": str(self._path)})
        except (OSError, settings.SettingsError) as error:
            # Half-written, or being swapped: the former rules stay until the file is whole again.
            _log.error("the callers' file cannot be read, the former rules stay", extra={"error": str(error)})


def load(path: pathlib.Path) -> Policy:
    """The policy in the file at `path`; raises `SettingsError`."""
    try:
        document = msgspec.json.decode(path.read_bytes(), type=_Document)
        return Policy(document, _keys(document.jwks))
    except (OSError, msgspec.MsgspecError, ValueError) as error:
        raise settings.SettingsError(
            (f"  {contract.CALLERS} refers to {path}, which is not a list of callers: {error}\n    fix: see identity",)
        ) from None


def _keys(jwks: dict[str, Any]) -> tuple[Any, ...]:
    import jwt

    keys = []
    for number, entry in enumerate(jwks.get("keys", ())):
        try:
            key = jwt.PyJWK(entry)
        except (jwt.PyJWTError, ValueError) as error:
            raise ValueError(f"jwks.keys[{number}]: {error}") from None
        if key.algorithm_name not in ALGORITHMS:
            raise ValueError(f"jwks.keys[{number}] is for {key.algorithm_name}, not {' or '.join(ALGORITHMS)}")
        keys.append(key)
    if not keys:
        raise ValueError("jwks.keys is empty, so that nobody could ever call")
    return tuple(keys)


def _covers(verb: str, method: str) -> bool:
    return verb in (method, "*") or (verb == "GET" and method == "HEAD")


def _path_pattern(rule: str) -> re.Pattern[str]:
    method, _, path = rule.partition(" ")
    if not path.startswith("/") or not (method == "*" or method.isupper()):
        raise ValueError(f'the HTTP rule {rule!r} is not like "GET /v1/things/{{id}}"')
    parts = re.split(r"(\{[^{}/]*\})", path.removesuffix("*"))
    pattern = "".join("[^/]+" if part.startswith("{") else re.escape(part) for part in parts)
    return re.compile(pattern + (".*" if path.endswith("*") else ""), re.DOTALL)


def _stamp(path: pathlib.Path) -> tuple[int, int, int]:
    try:
        status = os.stat(path)  # noqa: PTH116  (on the way of a request: pathlib costs 3 times as much)
    except OSError as error:
        raise settings.SettingsError((f"  {contract.CALLERS} refers to {path}: {error.strerror}",)) from None
    return status.st_mtime_ns, status.st_ino, status.st_size
