"""A thin client of an API server: JSON over one pool of connections, asked again where that is safe.

Every request that is made here may be made twice: applying, replacing a known version and deleting a known object by
their nature, creating because the second is told that it exists. So whatever was dropped on its way is sent again.
Sources: https://kubernetes.io/docs/reference/using-api/api-concepts/,
https://kubernetes.io/docs/concepts/cluster-administration/flow-control/ (429 and Retry-After).
"""

from __future__ import annotations

import json
import re
import threading
import urllib.parse
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent import futures
from typing import Any, TypeVar

import urllib3
from urllib3 import exceptions as broken

from groundplan.live import clocks, credentials, errors, kubeconfig, pools, refusals

Tree = dict[str, Any]

TRIES = 8
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 10.0
"""Seconds between tries: doubled each time, or what the server asks for."""
_PATIENCE = 40.0
"""Seconds for one answer: the API server gives admission webhooks up to 30."""
_AGAIN = (429, 500, 502, 503, 504)
_PAGE = 500

APPLY = "application/apply-patch+yaml"
"""Server-side apply; JSON is YAML."""


_AT_ONCE = 8
"""Requests that only look; a far-away server is waited for once instead of a hundred times."""

One = TypeVar("One")
Other = TypeVar("Other")


class Client:
    """Asks one API server."""

    def __init__(
        self, access: kubeconfig.Access, clock: clocks.Clock | None = None, *, patience: float = _PATIENCE
    ) -> None:
        self.access = access
        self.clock = clock or clocks.System()
        self._patience = patience
        self._source = credentials.Source(access, self.clock)
        self._pool: urllib3.PoolManager | None = None
        self._certified: tuple[bytes, bytes] | None = None
        self._reached = False
        self._lock = threading.Lock()

    def get(self, path: str, *, subject: str = "", **query: str) -> Tree:
        """The object at `path`; raises errors.LiveError, as all of these."""
        return self.ask("GET", path, subject=subject, query=query)

    def find(self, path: str, *, subject: str = "") -> Tree | None:
        """The object at `path`; None where there is none."""
        try:
            return self.get(path, subject=subject)
        except errors.Missing:
            return None

    def list(self, path: str, *, subject: str = "", **query: str) -> Iterator[Tree]:
        """The objects of a collection, page by page; `query` may have labelSelector and fieldSelector."""
        asked = {**query, "limit": str(_PAGE)}
        while True:
            page = self.get(path, subject=subject, **asked)
            yield from page.get("items") or ()
            more = (page.get("metadata") or {}).get("continue")
            if not more:
                return
            asked["continue"] = more

    def together(self, look: Callable[[One], Other], some: Iterable[One]) -> tuple[Other, ...]:
        """What `look` returns for each, in their order, several at once; raises what the first of them raised."""
        pool = futures.ThreadPoolExecutor(_AT_ONCE)
        try:
            return tuple(pool.map(look, some))
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def apply(
        self, path: str, tree: Tree, *, manager: str, force: bool = False, dry_run: bool = False, subject: str = ""
    ) -> Tree:
        """Server-side apply with strict field validation: the object as it is (or would be) afterwards."""
        query = {"fieldManager": manager, "force": str(force).lower(), "fieldValidation": "Strict"}
        if dry_run:
            query["dryRun"] = "All"
        return self.ask("PATCH", path, query=query, body=tree, content=APPLY, subject=subject)

    def create(self, path: str, tree: Tree, *, subject: str = "") -> Tree:
        """A new object in the collection at `path`."""
        return self.ask("POST", path, body=tree, subject=subject)

    def replace(self, path: str, tree: Tree, *, subject: str = "") -> Tree:
        """The object at `path` anew, if its version is still that of `tree`."""
        return self.ask("PUT", path, body=tree, subject=subject)

    def delete(self, path: str, *, uid: str, policy: str = "Background", subject: str = "") -> None:
        """Deletes that very object, and what it owns before it ("Foreground") or after; being gone is no error."""
        body = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": policy,
            "preconditions": {"uid": uid},
        }
        try:
            self.ask("DELETE", path, body=body, subject=subject)
        except errors.Missing:
            return

    def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Tree | None = None,
        content: str = "application/json",
        subject: str = "",
    ) -> Tree:
        """One request and its answer's JSON; `subject` is what errors name."""
        url = self.access.server + path + (f"?{urllib.parse.urlencode(query)}" if query else "")
        data = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        pause, renewed = _FIRST_PAUSE, False
        for left in reversed(range(TRIES)):
            try:
                answer = self._send(method, url, data, content)
            except broken.HTTPError as error:
                if not left or not self._worth_another(error, left):
                    raise self._unreachable(error) from None
                wait = pause
            else:
                if answer.status < 400:
                    return _decoded(answer, subject or path)
                if answer.status == 401 and self._source.renewable and not renewed:
                    self._source.forget()
                    renewed = True
                    continue
                if not left or not _is_passing(method, answer):
                    raise refusals.error(answer.status, _status(answer), subject or path)
                wait = max(pause, _asked_for(answer))
            self.clock.sleep(min(wait, _LONGEST_PAUSE))
            pause *= 2
        raise errors.Unavailable(f"{subject or path}: no answer")

    def _send(self, method: str, url: str, data: bytes | None, content: str) -> urllib3.BaseHTTPResponse:
        with self._lock:
            now = self._source.current()
            if self._pool is None or self._certified != (now.certificate, now.key):
                self._pool, self._certified = pools.of(self.access, now, _AT_ONCE), (now.certificate, now.key)
            pool = self._pool
        headers = urllib3.HTTPHeaderDict(self._source.headers(now))
        headers.add("Accept", "application/json")
        headers.add("User-Agent", "groundplan")
        if data is not None:
            headers.add("Content-Type", content)
        timeout = urllib3.Timeout(connect=10, read=self._patience)
        # Redirects are not followed: they would carry the token to another host.
        answer = pool.request(method, url, body=data, headers=headers, retries=False, redirect=False, timeout=timeout)
        self._reached = True
        return answer

    def _worth_another(self, error: Exception, left: int) -> bool:
        """Whether a server that answered before may answer again; who never did is not waited for long."""
        if isinstance(error, broken.SSLError | broken.LocationValueError):
            return False
        return self._reached or (left > TRIES - 3 and isinstance(error, broken.ProtocolError))

    def _unreachable(self, error: Exception) -> errors.Unreachable:
        access = self.access
        what = f"no answer from {access.server} (context {access.context})"
        if isinstance(error, broken.SSLError) or "certificate" in str(error):
            fix = "see certificate-authority and tls-server-name of the cluster's entry in the kubeconfig"
            return errors.Unreachable(f"{access.server}: its certificate is not trusted", why=_plain(error), fix=fix)
        if isinstance(error, broken.ProxyError):
            return errors.Unreachable(f"the proxy to {access.server} fails", why=_plain(error), fix="see proxy-url")
        fix = "is it the right context, and is the cluster up? --context NAME names another"
        if self._reached:
            fix = "run this again when the connection is back: what was done stays done"
        return errors.Unreachable(what, why=_plain(error), fix=fix)


def _is_passing(method: str, answer: urllib3.BaseHTTPResponse) -> bool:
    """Whether the same request may succeed in a moment."""
    said = str(_status(answer).get("message"))
    if answer.status in _AGAIN:
        return not refusals.is_unknown_field(said)
    # Applying reads and writes; when somebody else writes in between, the server gives up and says so.
    return method == "PATCH" and answer.status == 409 and "the object has been modified" in said


def _asked_for(answer: urllib3.BaseHTTPResponse) -> float:
    """Retry-After, in seconds."""
    said = answer.headers.get("Retry-After", "")
    return float(said) if said.isdecimal() else 0.0


def _status(answer: urllib3.BaseHTTPResponse) -> Tree:
    """The body as a Status, whoever wrote it: a proxy in between answers in HTML."""
    try:
        found = json.loads(answer.data)
    except (ValueError, RecursionError):
        return {"message": answer.data[:200].decode(errors="replace")}
    return found if isinstance(found, dict) else {}


def _decoded(answer: urllib3.BaseHTTPResponse, subject: str) -> Tree:
    try:
        found = json.loads(answer.data)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        why = f"the answer is no JSON object: {answer.data[:80].decode(errors='replace')!r}"
        raise errors.Unexpected(f"{subject}: that is no API server", why=why, fix="see server in the kubeconfig")
    return found


def _plain(error: Exception) -> str:
    """Without the pool or connection that urllib3 puts in front."""
    return re.sub(r"^HTTPS?Connection(Pool)?\([^)]*\): ", "", str(error))
