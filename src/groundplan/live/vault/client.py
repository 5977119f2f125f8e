"""One request to Vault after the other: thin, and careful with what it carries.

No redirect is followed, since the token would go along, and no proxy is asked. What can be repeated is
repeated when the connection breaks or the server is not ready; what cannot is asked once.
"""

from __future__ import annotations

import ipaddress
import json
import ssl
import urllib.parse

import urllib3
from urllib3 import exceptions as broken

from groundplan.live import clocks, errors
from groundplan.live.vault import steps

_PAUSES = (0.2, 0.5, 1.0, 2.0, 4.0)
"""Seconds before each further try."""
_ONCE = 120.0
"""Seconds for an answer that is given but once: a server on integrated storage votes before it hands out shares."""


class Client:
    """Talks to the Vault at `address`; `authority` is a file of certificates (PEM) that its own is checked against."""

    def __init__(
        self, address: str, authority: str | None = None, *, timeout: float = 15, clock: clocks.Clock | None = None
    ) -> None:
        self.address = address
        self._clock = clock or clocks.System()
        self._reached = False
        self._timeout = timeout
        self._pool = urllib3.PoolManager(
            retries=False, ssl_context=_context(authority) if address.startswith("https:") else None
        )

    def pause(self, seconds: float) -> None:
        """Waits, by its clock."""
        self._clock.sleep(seconds)

    def ask(self, request: steps.Request) -> steps.Answer:
        """The answer to `request`; raises errors.LiveError."""
        for pause in _PAUSES if request.repeatable else ():
            try:
                answer = self._once(request)
            except errors.Unreachable:
                if not self._reached:  # who never answered is not waited for
                    raise
                self._clock.sleep(pause)
                continue
            if answer.status < 500 and answer.status != 429:
                return answer
            self._clock.sleep(pause)
        answer = self._once(request)
        if answer.status >= 500 or answer.status == 429:
            what = f"{request.method} /v1/{request.path} was answered {answer.status}"
            raise errors.Unavailable(what, why=answer.errors, fix="run it again; it goes on where it stopped")
        return answer

    def _once(self, request: steps.Request) -> steps.Answer:
        headers = {"X-Vault-Request": "true"} | ({"X-Vault-Token": request.token} if request.token else {})
        body = None if request.body is None else json.dumps(request.body).encode()
        url = f"{self.address}/v1/{urllib.parse.quote(request.path, safe='/')}"
        try:
            answer = self._pool.request(
                request.method,
                url,
                body=body,
                headers=headers,
                redirect=False,
                timeout=self._timeout if request.repeatable else _ONCE,
            )
        except broken.SSLError as error:
            fix = "give the certificate of its authority: --ca FILE"
            raise errors.Refused(f"{self.address} is not trusted", why=str(error), fix=fix) from error
        except broken.HTTPError as error:
            fix = "is it running, and the address right? kubectl port-forward brings one from a cluster"
            raise errors.Unreachable(f"nobody answers in full at {self.address}", why=str(error), fix=fix) from error
        self._reached = True
        return self._read(answer)

    def _read(self, answer: urllib3.BaseHTTPResponse) -> steps.Answer:
        if 300 <= answer.status < 400:
            fix = f"give the address of the active server: {answer.headers.get('Location', 'its log names it')}"
            raise errors.Unexpected(
                f"{self.address} points to another server", why="no token is sent after it", fix=fix
            )
        try:
            body = json.loads(answer.data) if answer.data else {}
        except ValueError:
            body = None
        if isinstance(body, dict):
            return steps.Answer(answer.status, body)
        if answer.status >= 500:  # the page of a proxy in between
            return steps.Answer(answer.status, {"errors": ["not in Vault's own words"]})
        raise errors.Unexpected(f"{self.address} does not answer as Vault does", why=f"status {answer.status}")


def _context(authority: str | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=authority)
    except (OSError, ssl.SSLError) as error:
        raise errors.NoAccess(
            f"{authority} holds no certificate", why=str(error), fix="give one in PEM: --ca FILE"
        ) from error


def checked(address: str) -> str:
    """`address` if a token may be sent there; raises ValueError with the reason."""
    place = urllib.parse.urlsplit(address)
    if place.scheme not in ("http", "https") or not place.hostname or place.path.strip("/") or place.query:
        raise ValueError("an address is like https://vault.example.com:8200")
    if place.scheme == "http" and not _is_here(place.hostname):
        why = "over http everybody on the way could read the token and the secrets"
        raise ValueError(f"{why}: use https, or bring it to this machine by `kubectl port-forward`")
    return f"{place.scheme}://{place.hostname if ':' not in place.hostname else f'[{place.hostname}]'}:{_port(place)}"


def _port(place: urllib.parse.SplitResult) -> int:
    return place.port or (443 if place.scheme == "https" else 80)


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
