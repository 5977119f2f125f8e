"""``groundplan explain``: why one end may or may not connect to another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from groundplan.cli import manifests, output, targets

if TYPE_CHECKING:
    from groundplan.proof.explain import pairs


@targets.example("groundplan explain shop/web shop/orders-db 5432 --in manifests/")
@click.command("explain")
@click.argument("source", metavar="SRC")
@click.argument("destination", metavar="DST")
@click.argument("port", required=False)
@click.option("--in", "paths", multiple=True, metavar="PATH", help="The manifests; repeatable.  [default: .]")
@manifests.readings
@targets.as_json
def command(
    source: str, destination: str, port: str | None, paths: tuple[str, ...], as_json: bool, **given: Any
) -> int:
    """Say why SRC may or may not connect to DST: each side, each policy, each rule, and what would change it.

    Ends are namespace/name, namespace/name[Kind], name alone, an address or a CIDR; PORT is 5432 or 53/UDP. Exits 0
    when it may, 1 when it may not, 3 when that is not decidable.
    """
    try:
        found = _explained(source, destination, port, paths or (".",), given)
    except manifests.Ended as ended:
        return ended.code
    except LookupError as error:
        raise click.UsageError(str(error)) from None
    _show(found, as_json)
    return {"allowed": output.OK, "denied": output.FAILED}.get(found.answer.verdict, output.UNDECIDABLE)


def _explained(
    source: str, destination: str, port: str | None, paths: tuple[str, ...], given: dict[str, Any]
) -> pairs.Explanation:
    from groundplan.proof import ends
    from groundplan.proof.explain import pairs

    cluster = manifests.cluster(paths, given)
    left, right = (ends.find(cluster.model, each) for each in (source, destination))
    return pairs.explain(cluster, left, right, manifests.ports(port))


def _show(found: pairs.Explanation, as_json: bool) -> None:
    from groundplan.proof.show import explained

    if as_json:
        output.emit(explained.data(found))
    else:
        click.echo("\n".join(explained.lines(found)))
