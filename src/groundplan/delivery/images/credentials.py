"""Names and passwords for registries: what ``docker login``, ``podman login`` and credential helpers left.

Sources: https://docs.docker.com/reference/cli/docker/login/ (config.json, credHelpers, credsStore),
https://github.com/containers/image/blob/main/docs/containers-auth.json.5.md.
"""

from __future__ import annotations

import base64
import json
import os
import pathlib
import re
import subprocess
from collections.abc import Iterator, Mapping
from typing import Any

from groundplan.delivery.images import references

_HUB_KEYS = ("https://index.docker.io/v1/", references.HUB)
_HELPER = re.compile(r"[A-Za-z0-9_.-]+")
_HELPER_SECONDS = 30

Login = tuple[str, str]


def of(registry: str, environment: Mapping[str, str]) -> Login | None:
    """Who to be at `registry`; None for nobody in particular. What cannot be read says nothing."""
    keys = _HUB_KEYS if registry == references.HUB else (registry, f"https://{registry}")
    for file in _files(environment):
        said = _read(file)
        found = _helped(said, keys, environment) or _written(said, keys)
        if found:
            return found
    return None


def _files(environment: Mapping[str, str]) -> Iterator[pathlib.Path]:
    """In the order in which podman, buildah and skopeo look."""
    if named := environment.get("REGISTRY_AUTH_FILE"):
        yield pathlib.Path(named)
    if runtime := environment.get("XDG_RUNTIME_DIR"):
        yield pathlib.Path(runtime) / "containers" / "auth.json"
    home = pathlib.Path(environment.get("HOME", os.devnull))
    yield pathlib.Path(environment.get("DOCKER_CONFIG") or home / ".docker") / "config.json"


def _read(file: pathlib.Path) -> dict[str, Any]:
    try:
        said = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}


def _written(said: Mapping[str, Any], keys: tuple[str, ...]) -> Login | None:
    logins = said.get("auths")
    for key in keys:
        entry = logins.get(key) if isinstance(logins, dict) else None
        text = entry.get("auth") if isinstance(entry, dict) else None
        if isinstance(text, str) and text:
            return _decoded(text)
    return None


def _decoded(text: str) -> Login | None:
    try:
        name, colon, password = base64.b64decode(text, validate=True).decode().partition(":")
    except ValueError:
        return None
    return (name, password) if colon else None


def _helped(said: Mapping[str, Any], keys: tuple[str, ...], environment: Mapping[str, str]) -> Login | None:
    helpers = said.get("credHelpers")
    for key in keys:
        name = helpers.get(key) if isinstance(helpers, dict) else None
        name = name or said.get("credsStore")
        if isinstance(name, str) and _HELPER.fullmatch(name) and (found := _ask(name, key, environment)):
            return found
    return None


def _ask(helper: str, key: str, environment: Mapping[str, str]) -> Login | None:
    """Asks a credential helper. Source: https://github.com/docker/docker-credential-helpers#development."""
    command = [f"docker-credential-{helper}", "get"]
    try:
        done = subprocess.run(
            command, input=key, capture_output=True, text=True, env=environment, timeout=_HELPER_SECONDS, check=True
        )
        answer = json.loads(done.stdout)
        name, password = str(answer["Username"]), str(answer["Secret"])
    except (OSError, subprocess.SubprocessError, ValueError, KeyError, TypeError):
        return None
    # A user of this name means that the secret is an identity token, which only Docker's own login can trade in.
    return None if name == "<token>" else (name, password)
