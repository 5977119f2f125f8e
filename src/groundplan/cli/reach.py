"""``groundplan reach``: every connection that manifests allow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from groundplan.cli import manifests, output, targets

if TYPE_CHECKING:
    from groundplan import proof
    from groundplan.proof.show import rows

FORMATS = ("table", "json", "dot", "mermaid", "svg")


@targets.example("groundplan reach manifests/ --to shop/orders-db --port 5432")
@click.command("reach")
@manifests.paths
@manifests.environment
@click.option("--from", "source", metavar="END", help="Only from this workload, glob, address or CIDR.")
@click.option("--to", "destination", metavar="END", help="Only to this workload, glob, address or CIDR.")
@click.option("--port", metavar="PORT", help="Only these ports: 5432, 80-90, 53/UDP.")
@click.option("--pods", is_flag=True, help="Between pods instead of workloads.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="table", show_default=True)
@manifests.readings
@targets.as_json
def command(
    paths: tuple[str, ...], environment: str | None, source: str | None, destination: str | None, port: str | None,
    pods: bool, form: str,
    as_json: bool, **given: Any,
) -> int:  # fmt: skip
    """Show every connection that manifests allow: a platform's, files, directories, or - for standard input."""
    from groundplan.proof.show import rows

    try:
        cluster = manifests.cluster(manifests.places(paths, environment), given)
        wanted = rows.Wanted(source, destination, manifests.ports(port), pods, cluster.ranges.pods)
        found = list(rows.rows(cluster.model, cluster.reach(), wanted))
    except manifests.Ended as ended:
        return ended.code
    except LookupError as error:
        raise click.UsageError(str(error)) from None
    _show(found, "json" if as_json else form)
    return _doubts(cluster)


def _show(found: list[rows.Row], form: str) -> None:
    from groundplan.proof.show import graphs, svg, table

    if form == "json":
        output.emit(found)
        return
    lines = {"table": table.lines, "dot": graphs.dot, "mermaid": graphs.mermaid, "svg": svg.lines}[form](found)
    click.echo("\n".join(lines))
    if form == "table" and not found:
        click.echo("no such connection is allowed", err=True)


def _doubts(cluster: proof.Cluster) -> int:
    doubts = cluster.doubts()
    for each in doubts:
        click.echo(f"not decidable: {each}", err=True)
    return output.UNDECIDABLE if doubts else output.OK
