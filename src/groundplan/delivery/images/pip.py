"""What a build must know of the user's pip: its indexes, and the certificates that it trusts. Nothing is made up.

Source: https://pip.pypa.io/en/stable/topics/configuration/ (files, variables, which of them wins).
"""

from __future__ import annotations

import ast
import dataclasses
import pathlib
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping

from groundplan.delivery.images import containerfile

_WANTED = ("index-url", "extra-index-url", "find-links", "trusted-host", "proxy", "timeout", "retries", "no-index")
_PLACES = ("index-url", "extra-index-url", "find-links")
_LINE = re.compile(r"(?:global|install|wheel|:env:)\.(?P<name>[a-z-]+)=(?P<value>.+)")
_SECONDS = 30


@dataclasses.dataclass(frozen=True)
class Settings:
    """As much of pip's configuration as means something inside of a build."""

    values: Mapping[str, str]
    certificates: pathlib.Path | None
    left: tuple[str, ...]
    """Places of packages on this machine, which a build cannot see."""

    def text(self) -> str:
        """As a configuration file for the build."""
        said = dict(self.values)
        if self.certificates:
            said["cert"] = containerfile.CERTIFICATES
        # A value of several lines goes on in indented ones.
        lines = (f"{name} = {value.replace(chr(10), chr(10) + '    ')}\n" for name, value in sorted(said.items()))
        return "[global]\n" + "".join(lines)


def settings(environment: Mapping[str, str]) -> Settings:
    """What ``pip config list`` says; without pip, what its variables say."""
    said = dict(_listed(environment) or _from(environment))
    values = {name: said[name] for name in _WANTED if name in said}
    left: list[str] = []
    for name in _PLACES:
        words = values.get(name, "").split()
        left += [word for word in words if not _is_remote(word)]
        remote = [word for word in words if _is_remote(word)]
        values.pop(name, None)
        if remote:
            values[name] = "\n".join(remote)
    certificates = pathlib.Path(said["cert"]).expanduser() if "cert" in said else None
    return Settings(values, certificates if certificates and certificates.is_file() else None, tuple(left))


def _listed(environment: Mapping[str, str]) -> list[tuple[str, str]]:
    command = [sys.executable, "-m", "pip", "config", "list"]
    aloud = {**environment, "PIP_QUIET": "0"}  # its configuration may say quiet, and then it lists nothing
    try:
        done = subprocess.run(command, capture_output=True, text=True, env=aloud, timeout=_SECONDS, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    return list(_read(done.stdout))


def _read(listing: str) -> Iterator[tuple[str, str]]:
    """The lines of ``pip config list``; variables come last and win, as they do for pip."""
    found = [match for line in listing.splitlines() if (match := _LINE.fullmatch(line))]
    for match in sorted(found, key=lambda each: each[0].startswith(":env:")):
        try:
            value = ast.literal_eval(match["value"])
        except (ValueError, SyntaxError):
            continue
        yield match["name"], str(value)


def _from(environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, value in environment.items():
        if name.startswith("PIP_"):
            yield name.removeprefix("PIP_").lower().replace("_", "-"), value


def _is_remote(place: str) -> bool:
    return "://" in place and not place.startswith("file:")
