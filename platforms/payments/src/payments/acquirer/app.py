"""Wires the acquirer."""

from __future__ import annotations

import contextlib
import pathlib
from collections.abc import AsyncIterator

import msgspec

from groundplan_runtime import service
from payments.acquirer import bank, faults, http, store


class Settings(msgspec.Struct, frozen=True):
    """What the acquirer reads from its environment."""

    http_listen: str
    data_directory: pathlib.Path
    public_url: str = ""
    """Where card holders reach its pages; the address it listens on when empty."""


async def build(context: service.Context) -> service.App:
    settings = context.load(Settings)
    book, wrongs = await context.enter(_open(settings.data_directory)), faults.Faults()
    base = (settings.public_url or f"http://{settings.http_listen}").rstrip("/")
    acquirer = bank.Bank(book, wrongs, lambda challenge: f"{base}/authenticate/{challenge}")
    # It stands for a system outside: who may call it is not the platform's to say.
    return service.App(routes=http.Face(acquirer, book, wrongs).routes(), open=True)


@contextlib.asynccontextmanager
async def _open(directory: pathlib.Path) -> AsyncIterator[store.Store]:
    book = store.Store(directory)
    try:
        yield book
    finally:
        book.close()
