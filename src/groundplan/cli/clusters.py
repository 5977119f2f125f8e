"""What the verbs that ask an API server have in common: which platform, which environment, which cluster."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from groundplan.kubernetes import lower
    from groundplan.live import client, inventory
    from groundplan.model import environment, platform

_environment = click.option("--environment", required=True, metavar="ENV", help="The environment of the plan.")
_kubeconfig = click.option(
    "--kubeconfig",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Instead of $KUBECONFIG, ~/.kube/config or a pod's own account.",
)
_context = click.option("--context", metavar="NAME", help="The kubeconfig's context, instead of its current one.")
_inventory = click.option(
    "--inventory",
    metavar="NAMESPACE",
    default="default",
    show_default=True,
    help="Where the list of what was deployed, and the lock, are kept.",
)

Command = Callable[..., Any]


def options(command: Command) -> Command:
    """Of every verb that asks a cluster."""
    for each in (_inventory, _context, _kubeconfig, _environment):
        command = each(command)
    return command


def opened(given: dict[str, Any]) -> client.Client:
    """A client of the cluster that `options` were given; nothing is asked yet."""
    from groundplan.live import client, kubeconfig

    return client.Client(kubeconfig.access(given["kubeconfig"], given["context"]))


def own(plan: platform.Platform, env: environment.Environment, given: dict[str, Any]) -> inventory.Inventory:
    """What was deployed there of a platform."""
    from groundplan.live import inventory

    return inventory.Inventory(plan.name, env.name, given["inventory"])


def lowered(plan: platform.Platform, env: environment.Environment) -> lower.Lowered:
    """What `build` writes of an environment."""
    from groundplan.delivery import deploy
    from groundplan.delivery.images import lock

    made = deploy.lowered(plan, lock.read(plan.file.parent))
    return next(each for each in made if each.environment == env.name)


def heading(plan: platform.Platform, env: environment.Environment, asked: client.Client) -> str:
    """Whose what is asked where: said before anything happens."""
    return f"{plan.name} in {env.name}: context {asked.access.context}, {asked.access.server}"
