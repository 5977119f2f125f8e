"""How a command is started here: found, wrapped where it refuses root, tied to the life of its parent."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping

from groundplan.local import errors
from groundplan.local.plan import units

INHERITED = (
    "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR",
    "LD_LIBRARY_PATH", "SSL_CERT_FILE", "SSL_CERT_DIR", "XDG_RUNTIME_DIR",
)  # fmt: skip

# What a child prints must be in its file when it dies, not in its buffer.
ALWAYS = {"PYTHONUNBUFFERED": "1"}

NAMESPACE_USER = 1000


def environment(command: units.Command, inherited: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The command's own variables over the few that are inherited."""
    base = {name: inherited[name] for name in INHERITED if name in inherited}
    return {**base, **ALWAYS, **dict(command.environment)}


def argv(command: units.Command, death_signal: str | None) -> list[str]:
    """What to execute; raises NotStarted when the program or a wrapper is missing.

    `death_signal` is what the child gets when its parent is killed (PR_SET_PDEATHSIG in prctl(2)); it is
    set inside the user namespace, since changing credentials would clear it.
    """
    program = _found(command)
    wrapped = [program, *command.argv[1:]]
    if death_signal and sys.platform == "linux" and (setpriv := shutil.which("setpriv")):
        wrapped = [setpriv, "--pdeathsig", death_signal.removeprefix("SIG"), "--", *wrapped]
    if command.refuses_root and os.geteuid() == 0:
        wrapped = [*_unshare(program), *wrapped]
    return wrapped


def _found(command: units.Command) -> str:
    if not command.argv:
        raise errors.NotStarted("an empty command")
    name = command.argv[0]
    if os.sep in name and command.directory and not os.path.isabs(name):  # noqa: PTH117
        name = os.path.join(command.directory, name)  # noqa: PTH118
    if command.directory and not os.path.isdir(command.directory):  # noqa: PTH112
        raise errors.NotStarted(f"there is no directory {command.directory}", why=f"{name} is to be started there")
    found = shutil.which(name, path=environment(command).get("PATH"))
    if found is None:
        raise errors.NotStarted(
            f"there is no program {name}", why="it is not on the PATH", fix="`groundplan doctor` says how to install it"
        )
    return found


def _unshare(program: str) -> list[str]:
    unshare = shutil.which("unshare")
    if unshare is None:
        raise errors.NotStarted(
            f"{program} refuses to run as root, and there is no `unshare` to run it as somebody else",
            fix="run Groundplan as a plain user, or install util-linux",
        )
    return [unshare, "--user", f"--map-user={NAMESPACE_USER}", f"--map-group={NAMESPACE_USER}", "--"]
