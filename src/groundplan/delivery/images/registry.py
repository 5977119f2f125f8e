"""Asking a registry which digest a tag stands for, without believing it: what it sends must have that digest.

::

    RegistryError
    ├── Unreachable   nobody answers, or the answer breaks off
    ├── Denied        who asks may not know
    ├── Missing       there is no such image
    ├── Busy          too many requests, or the registry is in trouble, and remains so
    └── Untrue        an answer that contradicts itself

Sources: https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md (pulling manifests),
https://distribution.github.io/distribution/spec/auth/token/ (Bearer challenges).
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import http.client
import ipaddress
import json
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from typing import IO

from groundplan.delivery.images import credentials, references

_HUB_HOST = "registry-1.docker.io"
_KINDS = ", ".join(
    (
        # An index first: its digest holds for every architecture.
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    )
)
_LARGEST = 4 * 1024 * 1024
"""Bytes of a manifest that registries should take (distribution-spec, "Pushing Manifests")."""
_PARAMETER = re.compile(r'(\w+)="([^"]*)"')
_PASSING = (408, 429, 500, 502, 503, 504)


class RegistryError(Exception):
    """No digest, because."""


class Unreachable(RegistryError): ...


class Denied(RegistryError): ...


class Missing(RegistryError): ...


class Busy(RegistryError): ...


class Untrue(RegistryError): ...


@dataclasses.dataclass(frozen=True)
class Patience:
    """In seconds: how long one answer may take, the pauses before each further attempt, the longest pause that a
    registry may ask for (``Retry-After``)."""

    answer: float = 10
    pauses: tuple[float, ...] = (0.5, 2)
    longest: float = 10


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects, but never from HTTPS to HTTP. (Authorization is never sent along: see `_Session`.)"""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        if req.type == "https" and not newurl.startswith("https://"):
            raise Untrue(f"{req.host} sends from HTTPS to {newurl}")
        made = super().redirect_request(req, fp, code, msg, headers, newurl)
        if made is not None:
            made.method = req.get_method()
        return made


@dataclasses.dataclass(frozen=True)
class _Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


class Client:
    """Looks digests up; safe to share between threads."""

    def __init__(self, environment: Mapping[str, str], patience: Patience | None = None) -> None:
        self._environment = environment
        self._patience = patience or Patience()
        self._opener = urllib.request.build_opener(_Redirects())
        # A proxy has a loopback of its own.
        self._near = urllib.request.build_opener(_Redirects(), urllib.request.ProxyHandler({}))

    def digest(self, wanted: references.Reference, known: str = "") -> str:
        """The digest that `wanted` stands for now; raises RegistryError.

        A HEAD request asks for it, which Docker Hub counts as no pull; a digest other than `known` is believed once
        what the registry sends for it has that digest.
        """
        place = f"{_base(wanted.registry)}/v2/{wanted.repository}/manifests/"
        session = _Session(self, wanted, self._environment)
        said = session.ask("HEAD", place + wanted.asked).headers.get("docker-content-digest", "")
        if said and said == known:
            return known
        if said and not references.DIGEST.fullmatch(said):
            raise Untrue(f"{wanted.registry} says {said[:80]!r}, which is no digest of SHA-256")
        body = session.ask("GET", place + (said or wanted.asked)).body
        found = f"sha256:{hashlib.sha256(body).hexdigest()}"
        if found != (said or wanted.digest or found):
            raise Untrue(f"{wanted.registry} says {said or wanted.digest} and sends {found}")
        return found

    def ask(self, method: str, url: str, authorization: str, registry: str) -> _Answer:
        """One answer, after further attempts where that may help; raises Unreachable or Busy."""
        for pause in (*self._patience.pauses, None):
            try:
                answer = self._once(method, url, authorization)
            except (OSError, http.client.HTTPException) as error:
                trouble: RegistryError = Unreachable(f"{registry}: {_reason(error)}")
            else:
                if answer.status not in _PASSING:
                    return answer
                trouble = Busy(f"{registry} answers {answer.status} {http.client.responses.get(answer.status, '')}")
                pause = self._asked_for(answer, pause)
            if pause is None:
                raise trouble
            time.sleep(pause)
        raise AssertionError("the last pause is None")

    def _asked_for(self, answer: _Answer, pause: float | None) -> float | None:
        """The pause that the registry asks for, unless that is more than anybody would wait for."""
        said = answer.headers.get("retry-after", "")
        if pause is None or not said.isdecimal():
            return pause
        return max(pause, float(said)) if float(said) <= self._patience.longest else None

    def _once(self, method: str, url: str, authorization: str) -> _Answer:
        request = urllib.request.Request(url, method=method, headers={"Accept": _KINDS})  # noqa: S310
        request.add_header("User-Agent", "groundplan")
        if authorization:
            request.add_unredirected_header("Authorization", authorization)
        try:
            opener = self._near if _is_loopback(request.host) else self._opener
            with opener.open(request, timeout=self._patience.answer) as response:
                headers = {name.lower(): value for name, value in response.headers.items()}
                return _Answer(response.status, headers, _body(response))
        except urllib.error.HTTPError as error:
            with error:
                return _Answer(error.code, {name.lower(): value for name, value in error.headers.items()}, b"")


def _body(response: http.client.HTTPResponse) -> bytes:
    body = response.read(_LARGEST + 1)
    if len(body) > _LARGEST:
        raise Untrue(f"{response.url} sends more than a manifest may be")
    return body


class _Session:
    """One image's requests: the first challenge is answered, and what answered it is kept."""

    def __init__(self, client: Client, wanted: references.Reference, environment: Mapping[str, str]) -> None:
        self._client, self._wanted, self._environment = client, wanted, environment
        self._login: credentials.Login | None = None
        self._authorization = ""

    def ask(self, method: str, url: str) -> _Answer:
        name = f"{self._wanted.registry}/{self._wanted.repository}"
        answer = self._client.ask(method, url, self._authorization, self._wanted.registry)
        if answer.status == 401 and not self._authorization:
            self._authorization = self._answered(answer.headers.get("www-authenticate", ""))
            answer = self._client.ask(method, url, self._authorization, self._wanted.registry)
        if answer.status in (401, 403):
            who = f"to {self._login[0]}" if self._login else "without a login"
            raise Denied(f"{self._wanted.registry} does not show {name} {who} ({answer.status})")
        if answer.status == 404:
            raise Missing(f"{self._wanted.registry} has no {name}:{self._wanted.asked}")
        if answer.status != 200:
            raise Untrue(f"{self._wanted.registry} answers {answer.status} where a manifest should be")
        return answer

    def _answered(self, challenge: str) -> str:
        """The Authorization header that `challenge` asks for; only now is it asked who we are."""
        self._login = credentials.of(self._wanted.registry, self._environment)
        scheme, _, rest = challenge.partition(" ")
        if scheme.lower() == "basic" and self._login:
            return _basic(self._login)
        if scheme.lower() != "bearer":
            raise Denied(f"{self._wanted.registry} wants a login: docker login {self._wanted.registry}")
        said = dict(_PARAMETER.findall(rest))
        realm = said.get("realm", "")
        if not _is_trusted(realm):
            raise Untrue(f"{self._wanted.registry} sends to {realm[:80]!r} for a token, which is no HTTPS address")
        scope = said.get("scope") or f"repository:{self._wanted.repository}:pull"
        query = {"scope": scope} | ({"service": said["service"]} if "service" in said else {})
        url = f"{realm}{'&' if '?' in realm else '?'}{urllib.parse.urlencode(query)}"
        answer = self._client.ask("GET", url, _basic(self._login) if self._login else "", self._wanted.registry)
        return f"Bearer {self._token(answer)}"

    def _token(self, answer: _Answer) -> str:
        if answer.status != 200:
            raise Denied(f"{self._wanted.registry} gives no token ({answer.status})")
        try:
            said = json.loads(answer.body)
            token = said.get("token") or said["access_token"]
        except (ValueError, KeyError, AttributeError) as error:
            raise Untrue(f"{self._wanted.registry} gives a token that cannot be read") from error
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise Untrue(f"{self._wanted.registry} gives a token that cannot be read")
        return token


def _basic(login: credentials.Login) -> str:
    return "Basic " + base64.b64encode(":".join(login).encode()).decode()


def _base(registry: str) -> str:
    host = _HUB_HOST if registry == references.HUB else registry
    return f"{'http' if _is_loopback(registry) else 'https'}://{host}"


def _is_trusted(url: str) -> bool:
    """Whether a password may go there: over HTTPS, or over no wire at all."""
    try:
        parts = urllib.parse.urlsplit(url)
    except ValueError:
        return False
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts.netloc)))


def _is_loopback(registry: str) -> bool:
    """Registries on this machine speak HTTP, as for Docker."""
    host = urllib.parse.urlsplit(f"//{registry}").hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _reason(error: Exception) -> str:
    inner = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(inner, TimeoutError):
        return "no answer in time"
    return getattr(inner, "strerror", None) or str(inner) or type(inner).__name__
