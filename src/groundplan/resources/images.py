"""The images of the engines: every pin, and nowhere else. They are tags until `images lock` has seen a registry."""

from __future__ import annotations


def postgres(version: int) -> str:
    """The official image, made of Alpine."""
    return f"docker.io/library/postgres:{version}-alpine"


def redis(version: int) -> str:
    """The official image, made of Alpine."""
    return f"docker.io/library/redis:{version}-alpine"


def vault(version: str) -> str:
    """HashiCorp's image: the server, and the agent that fetches secrets."""
    return f"docker.io/hashicorp/vault:{version}"
