"""``groundplan explain``: where a thing comes from, and why one end may or may not connect to another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from groundplan.cli import explain_platform, explain_subject, manifests, output, targets

if TYPE_CHECKING:
    from groundplan.proof.explain import pairs


@targets.example(
    "groundplan explain AUTH_SERVICE_URL --in payments\n"
    "  groundplan explain networkpolicy/postgres --in payments\n"
    "  groundplan explain shop/web shop/orders-db 5432 --in manifests/"
)
@click.command("explain")
@click.argument("subject", metavar="SUBJECT|SRC")
@click.argument("destination", required=False, metavar="[DST]")
@click.argument("port", required=False)
@click.option(
    "--in", "paths", multiple=True, metavar="NAME|PATH", help="A platform, or manifests; repeatable.  [default: .]"
)
@click.option("--environment", metavar="NAME", help="Of a platform: the cluster that a connection is asked of.")
@manifests.readings
@targets.as_json
def command(
    subject: str, destination: str | None, port: str | None, paths: tuple[str, ...], environment: str | None,
    as_json: bool, **given: Any,
) -> int:  # fmt: skip
    """Say where a thing of a platform comes from, or why SRC may or may not connect to DST.

    SUBJECT is a service or resource by name, a variable, or an object such as deployment/auth-service: the plan's line,
    the pass that made it, what differs from cluster to cluster. Of a connection: each side, each policy, each rule, and
    what would change it; with a platform, the edge that drew it. Ends are namespace/name, namespace/name[Kind], name
    alone, an address or a CIDR; PORT is 5432 or 53/UDP. Exits 0 when it may, 1 when not, 3 when it is not decidable.
    """
    plan = targets.platform_of(paths)
    if destination is None:
        if plan is None:
            raise click.UsageError("say --in NAME for a thing of a platform, or two ends for a connection")
        return explain_subject.run(subject, plan, as_json)
    try:
        drawn = explain_platform.Drawn.of(plan, environment) if plan else None
        found = _explained(subject, destination, port, drawn.paths if drawn else paths or (".",), given)
    except manifests.Ended as ended:
        return ended.code
    except LookupError as error:
        raise click.UsageError(str(error)) from None
    _show(found, drawn, as_json)
    return {"allowed": output.OK, "denied": output.FAILED}.get(found.answer.verdict, output.UNDECIDABLE)


def _explained(
    source: str, destination: str, port: str | None, paths: tuple[str, ...], given: dict[str, Any]
) -> pairs.Explanation:
    from groundplan.proof import ends
    from groundplan.proof.explain import pairs

    cluster = manifests.cluster(paths, given)
    left, right = (ends.find(cluster.model, each) for each in (source, destination))
    return pairs.explain(cluster, left, right, manifests.ports(port))


def _show(found: pairs.Explanation, drawn: explain_platform.Drawn | None, as_json: bool) -> None:
    from groundplan.proof.show import explained

    if as_json:
        output.emit({**explained.data(found), **({"drawn": drawn.claims(found)} if drawn else {})})
        return
    click.echo("\n".join(explained.lines(found)))
    for line in drawn.lines(found) if drawn else ():
        click.echo(f"  drawn: {line}")
