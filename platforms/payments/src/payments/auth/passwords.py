"""Passwords: argon2id with OWASP's settings, in a pool of threads that bounds how many are hashed at once.

https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html: 19 MiB, two passes, one lane.
Each hash takes about 20 ms of a core and its memory; more of them at once would only make all of them late.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent import futures
from typing import Any, TypeVar

import argon2
from argon2 import exceptions

from groundplan_runtime import http

T = TypeVar("T")

MEMORY_KIB, PASSES, LANES = 19 * 1024, 2, 1
WAITING = 128
"""How many may wait for a thread; at 40 hashes a second and core they wait a few seconds at most."""


def argon2id() -> argon2.PasswordHasher:
    """The hash as it is used here; it lets go of the interpreter's lock while it works."""
    return argon2.PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES)


_HASHER = argon2id()


class Passwords:
    """Hashes and verifies; `hashes` counts the work, which must not depend on who exists."""

    def __init__(self, threads: int | None = None) -> None:
        threads = threads or min(os.cpu_count() or 1, 4)
        self._pool = futures.ThreadPoolExecutor(threads, "argon2")
        self._room = threads + WAITING
        self._busy = 0
        self.hashes = 0
        # What the password of nobody is compared with: the same work as for somebody.
        self._nobody = _HASHER.hash(os.urandom(16).hex())

    async def __aenter__(self) -> Passwords:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def hash(self, password: str) -> str:
        """`password` as it is stored."""
        return await self._run(_HASHER.hash, password)

    async def verify(self, stored: str | None, password: str) -> bool:
        """Whether `password` is the one behind `stored`; None, where there is nobody, costs the same and is False."""
        return await self._run(_matches, stored or self._nobody, password) and stored is not None

    def outdated(self, stored: str) -> bool:
        """Whether `stored` was made with other settings than today's."""
        return _HASHER.check_needs_rehash(stored)

    async def _run(self, work: Callable[..., T], *arguments: Any) -> T:
        if self._busy >= self._room:
            raise http.Problem(503, "Service Unavailable", "too many sign-ins at once", headers={"retry-after": "2"})
        self._busy += 1
        self.hashes += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work, *arguments)
        finally:
            self._busy -= 1


def _matches(stored: str, password: str) -> bool:
    try:
        return _HASHER.verify(stored, password)
    except exceptions.VerificationError:
        return False
