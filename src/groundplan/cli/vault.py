"""``groundplan vault``: the store of an environment's secrets."""

from __future__ import annotations

import dataclasses
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from groundplan.cli import output, supplies, targets

if TYPE_CHECKING:
    from groundplan.live.vault import bootstrap, run, steps


@targets.example("groundplan vault bootstrap payments --environment production --keys-to vault-keys.json")
@click.group("vault")
def command() -> None:
    """Set up the Vault of an environment."""


@targets.example(
    "kubectl -n vault port-forward vault-0 8200 &\n  groundplan vault bootstrap payments --environment staging "
    "--keys-to vault-keys.json --supply app/smtp=@smtp.json"
)
@command.command("bootstrap")
@click.argument("name", required=False, metavar="[NAME]")
@click.option("--environment", required=True, metavar="ENV", help="The environment whose Vault it is.")
@click.option(
    "--address",
    envvar="VAULT_ADDR",
    metavar="URL",
    multiple=True,
    default=["http://127.0.0.1:8200"],
    show_default=True,
    help="Where it answers (or VAULT_ADDR); of several replicas once for each.",
)
@click.option(
    "--ca",
    envvar="VAULT_CACERT",
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    help="Certificates (PEM) of its authority (or VAULT_CACERT).",
)
@click.option(
    "--keys-to",
    required=True,
    metavar="FILE|-",
    help="Where its keys go, and come from when it is sealed; - prints them.",
)
@click.option(
    "--shares",
    type=click.IntRange(1, 255),
    default=5,
    show_default=True,
    help="How many people get a share of the key.",
)
@click.option(
    "--threshold", type=click.IntRange(1, 255), default=3, show_default=True, help="How many of them are needed."
)
@click.option(
    "--token-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="A token for one set up before (or VAULT_TOKEN).",
)
@click.option("--keep-root-token", is_flag=True, help="Do not revoke the first token at the end.")
@supplies.options
@click.option(
    "--kubernetes-host",
    metavar="URL",
    default="https://kubernetes.default.svc:443",
    show_default=True,
    help="The API server, as Vault reaches it.",
)
@click.option(
    "--kubernetes-ca",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Its authority, for a Vault outside the cluster.",
)
@click.option(
    "--reviewer-token",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="A token that may review others, for a Vault outside the cluster.",
)
@targets.as_json
def bootstrap_command(name: str | None, environment: str, as_json: bool, **given: Any) -> int:
    """Initialise and unseal a Vault, and put policies, roles and secrets in it.

    Nothing that is there is overwritten; what was interrupted goes on where it stopped. Keys are written only
    to --keys-to (mode 0600), secrets are read from files or asked for, and neither is ever printed otherwise.
    """
    from groundplan.cli import environments
    from groundplan.live.vault import bootstrap, wanted

    _check(given, as_json)
    plan, env = environments.find(name, environment)
    wants = wanted.of(plan, env)
    brought = supplies.read(given, wants.supplied)
    keys = _keys(given["keys_to"])
    hands = _hands(given, brought)
    choices = bootstrap.Choices(
        shares=given["shares"],
        threshold=given["threshold"],
        token=_token(given["token_file"]),
        keep_root_token=given["keep_root_token"],
        kubernetes=_kubernetes(given),
        tokens=supplies.tokens(given),
        servers=len(given["address"]),
    )
    click.echo(f"the Vault of {env.name} at {', '.join(given['address'])}", err=True)
    made = hands.carry_out(bootstrap.bootstrap(wants, keys, choices))
    _show(made, as_json)
    _lacking(made, wants.replicas, choices.servers)
    return output.OK


def _check(given: dict[str, Any], as_json: bool) -> None:
    from groundplan.live.vault import client

    try:
        checked = [client.checked(address) for address in given["address"]]
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--address") from None
    if len(set(checked)) < len(checked):
        raise click.BadParameter("one of them is given twice", param_hint="--address")
    if given["threshold"] > given["shares"]:
        raise click.BadParameter("more than there are shares", param_hint="--threshold")
    if given["threshold"] == 1 and given["shares"] > 1:
        raise click.BadParameter("Vault takes a threshold of 1 for a single share alone", param_hint="--threshold")
    if as_json and given["keys_to"] == "-":
        raise click.UsageError("--json and --keys-to - both want standard output: name a file for the keys")


def _keys(where: str) -> steps.Keys | None:
    from groundplan.live.vault import keys

    return None if where == "-" else keys.File(Path(where)).read()


def _hands(given: dict[str, Any], brought: dict[str, str]) -> run.Hands:
    from groundplan.live.vault import client, keys, run

    where = given["keys_to"]
    first, *others = (client.Client(client.checked(address), given["ca"]) for address in given["address"])
    return run.Hands(
        vault=first,
        others=others,
        keeper=_Printed() if where == "-" else keys.File(Path(where)),
        supplies=brought,
        prompt=supplies.prompt(),
        tell=lambda text: click.echo(f"  {text}", err=True),
    )


class _Printed:
    """Shows keys once, on standard output."""

    def __init__(self) -> None:
        self.shown = False

    def reserve(self) -> None:
        """There is nothing to make sure of."""

    def keep(self, keys: steps.Keys) -> None:
        from groundplan.live.vault import keys as files

        if not self.shown:
            sys.stdout.write(files.text(keys))
            sys.stdout.flush()
        self.shown = True


def _token(file: Path | None) -> str:
    if file is not None:
        return supplies.text(file).strip()
    return os.environ.get("VAULT_TOKEN", "").strip()


def _kubernetes(given: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {"kubernetes_host": given["kubernetes_host"]}
    if given["kubernetes_ca"]:
        made |= {"kubernetes_ca_cert": supplies.text(given["kubernetes_ca"]), "disable_local_ca_jwt": True}
    if given["reviewer_token"]:
        made["token_reviewer_jwt"] = supplies.text(given["reviewer_token"]).strip()
    return made


def _lacking(made: bootstrap.Outcome, replicas: int, asked: int) -> None:
    if made.joined and len(made.joined) < replicas:
        names = ", ".join(made.joined)
        click.echo(f"{len(made.joined)} of {replicas} replicas are in it: {names}; the others are not", err=True)
    if asked < replicas:
        click.echo(f"{asked} of {replicas} replicas were looked at: each is sealed by itself", err=True)


def _show(made: bootstrap.Outcome, as_json: bool) -> None:
    if as_json:
        output.emit(dataclasses.asdict(made))
        return
    for each in made.strangers:
        click.echo(f"role {each} is not in the plan: who has it may log in", err=True)
    click.echo(f"{len(made.changed)} things made" if made.changed else "everything was there already", err=True)
