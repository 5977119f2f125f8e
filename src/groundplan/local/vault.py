"""The secrets of a platform on this machine: generated once, each in a file of mode 0600."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping

from groundplan.local import errors, files
from groundplan.local.plan import units
from groundplan.model import secrets


def contents(folder: pathlib.Path, generators: Mapping[str, secrets.Generator]) -> dict[str, str]:
    """What each secret holds, by path; those that are not there yet are generated and kept.

    Raises errors.LocalError when a file cannot be read or written.
    """
    return {path: _content(folder / path, generator) for path, generator in sorted(generators.items())}


def _content(file: pathlib.Path, generator: secrets.Generator) -> str:
    try:
        if file.exists():
            return file.read_text()
        text = generator.generate()
        files.write([units.File(path=str(file), content=text, secret=True)])
    except OSError as error:
        raise errors.from_os(error, f"keep the secret {file.name}") from error
    return text
