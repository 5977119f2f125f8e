"""Running the programs of a backup here: filled in, with their files, ended with us."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable

from groundplan.local import commands, errors, files
from groundplan.local.plan import engines, site
from groundplan.shapes import processes

_LINES = 8
"""Of what a failed program said last."""


def run(title: str, wanted: processes.Run, owner: str, given: Iterable[processes.File], here: site.Site) -> str:
    """Runs a program to its end and returns what it printed; `given` are files of `owner`.

    Raises LocalError with the program's own last words when it fails.
    """
    files.write(engines.files(owner, tuple(given), here))
    command = engines.command(wanted, here)
    done = subprocess.run(
        commands.argv(command, "SIGTERM"),
        env=commands.environment(command),
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()[-_LINES:]
        raise errors.LocalError(f"{title} failed", why="\n      ".join(said) or f"exit code {done.returncode}")
    return done.stdout
