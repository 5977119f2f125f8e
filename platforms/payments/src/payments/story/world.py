"""The world outside the platform: its front door, the mail that left it, the webhooks it sent, its operator."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")
PATIENCE = 15.0
"""Seconds for what happens behind the scenes (a mail, a webhook)."""


class Refused(Exception):
    """The platform answered, but not what the story needs."""


class World:
    """Everything by URL, as somebody outside sees it."""

    def __init__(self, environment: dict[str, str] | None = None) -> None:
        known = dict(os.environ) if environment is None else environment
        self.public = known["PUBLIC_URL"]
        self.mail = known["MAIL_CATCHER_URL"]
        self.webhooks = known["WEBHOOK_CATCHER_URL"]
        self._operator = shlex.split(known["GROUNDPLAN_EXEC"])

    def call(self, method: str, path: str, body: object = None, token: str = "") -> Any:
        """JSON through the gateway. Raises Refused with what it said for a status of 400 and above."""
        headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {token}"} if token else {})
        data = None if body is None else json.dumps(body).encode()
        return _json(urllib.request.Request(self.public + path, data, headers, method=method))  # noqa: S310

    def operator(self, service: str, *command: str) -> str:
        """What an operator does inside a service (``kubectl exec`` in a cluster). Raises Refused when it fails."""
        done = subprocess.run(
            [*self._operator, service, "--", *command], capture_output=True, text=True, timeout=60, check=False
        )
        if done.returncode:
            raise Refused(f"{' '.join(command)} in {service} exited {done.returncode}: {done.stderr or done.stdout}")
        return done.stdout

    def mail_to(self, address: str, word: str = "") -> str:
        """The text of the newest mail to `address` whose subject or text has `word`; waits for it."""

        def find() -> str | None:
            messages = _json(urllib.request.Request(f"{self.mail}/messages"))  # noqa: S310
            found = (each for each in messages if address in each["to"] and word in each["subject"] + each["text"])
            return next((str(each["text"]) for each in found), None)

        return eventually(find, f"a mail to {address} about {word!r}")

    def deliveries(self, path: str, wanted: Callable[[list[dict[str, Any]]], T | None], what: str) -> T:
        """What `wanted` makes of the webhooks that came on `path`; waits until it makes something."""

        def find() -> T | None:
            came = _json(urllib.request.Request(f"{self.webhooks}/deliveries?limit=1000"))  # noqa: S310
            return wanted([each for each in reversed(came) if each["path"] == path])

        return eventually(find, what)


def eventually(find: Callable[[], T | None], what: str) -> T:
    """What `find` returns once it is not None. Raises Refused when that takes longer than PATIENCE."""
    deadline = time.monotonic() + PATIENCE
    while (found := find()) is None:
        if time.monotonic() > deadline:
            raise Refused(f"waited {PATIENCE:.0f} s for {what}")
        time.sleep(0.05)
    return found


def _json(request: urllib.request.Request) -> Any:
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310  (our own addresses)
            content = answer.read()
    except urllib.error.HTTPError as error:
        said = error.read().decode(errors="replace")
        raise Refused(f"{request.method} {request.full_url} answered {error.code}: {said[:2000]}") from error
    return json.loads(content) if content else None
