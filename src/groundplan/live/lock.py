"""One deploy at a time: a Lease beside the inventory.

Clocks of machines differ, so nobody's time is compared with another's: who finds a lease held looks whether it is
renewed, and takes it when it was not for as long as it lasts. Source:
https://kubernetes.io/docs/concepts/architecture/leases/.
"""

from __future__ import annotations

import datetime
import getpass
import os
import socket
import uuid
from collections.abc import Callable

from groundplan.live import client as clients
from groundplan.live import errors, inventory

LASTS = 15
"""Seconds after its last renewal that a lease is taken over."""
_RENEW = 5.0
_LOOK = 1.0

Tree = clients.Tree


class Lock:
    """Held between `take` and `release`; `renew` belongs into every loop in between."""

    def __init__(self, client: clients.Client, own: inventory.Inventory) -> None:
        self._client = client
        self._collection = f"/apis/coordination.k8s.io/v1/namespaces/{own.namespace}/leases"
        self._path = f"{self._collection}/{own.name}"
        self._name, self._namespace = own.name, own.namespace
        self._subject = f"Lease {own.namespace}/{own.name} (the lock)"
        self.holder = f"{_who()}@{socket.gethostname()} {os.getpid()} {uuid.uuid4().hex[:8]}"
        self._renewed = float("-inf")

    def take(self, waits: Callable[[str], None]) -> None:
        """Raises errors.Locked where another deploy is at work, after waiting for one that may have died."""
        seen, since = "", 0.0
        while True:
            found = self._client.find(self._path, subject=self._subject) or {}
            holder, version = _holder(found), str((found.get("metadata") or {}).get("resourceVersion", ""))
            now = self._client.clock.steady()
            if holder in ("", self.holder) or (seen and now - since >= LASTS):
                if self._write(found):
                    return
                continue
            if seen and seen != version:
                raise _locked(found, self._subject)
            if not seen:
                seen, since = version, now
                waits(f"{holder} holds the lock: is it still at work?")
            self._client.clock.sleep(_LOOK)

    def renew(self) -> None:
        """Says that we are still here, where that is due; raises errors.Locked if somebody took over."""
        while self._client.clock.steady() - self._renewed >= _RENEW:
            found = self._client.get(self._path, subject=self._subject)
            if _holder(found) != self.holder:
                raise _locked(found, self._subject)
            self._write(found)

    def release(self) -> None:
        """Lets the next one in at once."""
        found = self._client.find(self._path, subject=self._subject)
        if found is not None and _holder(found) == self.holder:
            self._write({**found, "spec": {**found["spec"], "holderIdentity": ""}}, held=False)

    def _write(self, found: Tree, *, held: bool = True) -> bool:
        """Whether the lease was still as in `found`; one that was changed meanwhile has to be read again.

        That may be our own doing: the first try arrived, and its answer did not.
        """
        now = datetime.datetime.fromtimestamp(self._client.clock.now(), datetime.UTC)
        moment = now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        spec = {"leaseDurationSeconds": LASTS, "renewTime": moment, "holderIdentity": self.holder if held else ""}
        metadata = found.get("metadata") or {"name": self._name, "namespace": self._namespace}
        tree = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec}
        try:
            if found:
                self._client.replace(self._path, tree, subject=self._subject)
            else:
                self._client.create(self._collection, tree, subject=self._subject)
        except errors.Conflict:
            return False
        self._renewed = self._client.clock.steady()
        return True


def _holder(found: Tree) -> str:
    return str((found.get("spec") or {}).get("holderIdentity") or "")


def _who() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user that no file names
        return str(os.getuid())


def _locked(found: Tree, subject: str) -> errors.Locked:
    spec = found.get("spec") or {}
    why = f"{subject}, renewed {spec.get('renewTime')}"
    return errors.Locked(
        f"another deploy is at work: {_holder(found)}", why=why, fix="wait until it ends, then run this again"
    )
