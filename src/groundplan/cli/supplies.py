"""What people bring: secrets from files or asked for, never from the command line in clear."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click

Command = Callable[..., Any]

_supply = click.option(
    "--supply", multiple=True, metavar="PATH=@FILE", help="A secret that people bring, as the file has it; repeatable."
)
_issuer = click.option(
    "--token-issuer",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Who signs the cluster's ServiceAccount tokens (issuer in its /.well-known/openid-configuration).",
)
_keys = click.option(
    "--token-keys",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Their public keys (its /openid/v1/jwks).",
)

_context = click.option(
    "--context",
    metavar="NAME",
    help="A context of the kubeconfig, whose cluster is asked for both; none is taken by default.",
)
_kubeconfig = click.option(
    "--kubeconfig",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Instead of KUBECONFIG and ~/.kube/config.",
)


def options(command: Command) -> Command:
    """The options by which secrets, and what is known of a cluster's tokens, are brought."""
    for each in (_kubeconfig, _context, _keys, _issuer, _supply):
        command = each(command)
    return command


def read(given: dict[str, Any], known: Iterable[str]) -> dict[str, str]:
    """The secrets that `options` was given, by path; `known` are the paths that may be brought."""
    found = dict(_pair(word) for word in given["supply"])
    strangers = sorted(set(found) - set(known))
    if strangers:
        listed = ", ".join(sorted(known)) or "none"
        raise click.BadParameter(f"{', '.join(strangers)}: people bring {listed}", param_hint="--supply")
    return found


def tokens(given: dict[str, Any]) -> dict[str, str]:
    """The issuer and the keys of the cluster's tokens, by path: from files, or from the cluster of a context."""
    from groundplan.live.vault import tokens

    files = dict(zip(tokens.PATHS, (given["token_issuer"], given["token_keys"]), strict=True))
    if given["context"] and any(files.values()):
        raise click.UsageError(
            "--context asks the cluster for what --token-issuer and --token-keys say: give one or the other"
        )
    if given["context"]:
        from groundplan.live import client, kubeconfig

        return tokens.of_cluster(client.Client(kubeconfig.access(given["kubeconfig"], given["context"])))
    return tokens.checked({path: text(file) for path, file in files.items() if file})


def _pair(word: str) -> tuple[str, str]:
    path, sign, file = word.partition("=@")
    if not sign or not path or not file:
        raise click.BadParameter(
            f"{word.partition('=')[0]}: write PATH=@FILE, so that no secret is in the history of the shell",
            param_hint="--supply",
        )
    return path, text(Path(file))


def text(file: Path) -> str:
    """What a file holds, to the byte."""
    try:
        return file.read_bytes().decode()
    except OSError as error:
        raise click.BadParameter(f"{file} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise click.BadParameter(f"{file} holds no text (UTF-8)") from None


def prompt() -> Callable[[str], str] | None:
    """Asks at the terminal, unseen; None where there is none."""
    if not sys.stdin.isatty():
        return None
    return lambda question: str(click.prompt(question, hide_input=True, err=True))
