"""Work that is done again and again beside the requests."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

import asyncpg

_log = logging.getLogger(__name__)


async def every(seconds: float, work: Callable[[], Awaitable[object]]) -> None:
    """Does `work` every `seconds` until cancelled; a database that is away is waited for, any other error ends this."""
    while True:
        await asyncio.sleep(seconds)
        try:
            await work()
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
            _log.warning("%s is put off: %s", getattr(work, "__qualname__", work), error)
