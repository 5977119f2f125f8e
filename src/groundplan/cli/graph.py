"""``groundplan graph``: who calls whom, as a picture on standard output."""

from __future__ import annotations

from pathlib import Path

import click

from groundplan.cli import output, targets


@targets.example("groundplan graph payments --svg > payments.svg")
@click.command("graph")
@click.argument("name", required=False, metavar="[NAME]")
@click.option("--svg", "as_svg", is_flag=True, help="A drawing for a browser, instead of Mermaid for Markdown.")
@targets.as_json
def command(name: str | None, as_svg: bool, as_json: bool) -> int:
    """Print who calls whom, by what the plan draws for its clusters: in Mermaid's language, or as SVG."""
    from groundplan.delivery import deploy
    from groundplan.documents import pages, traffic
    from groundplan.documents import world as worlds
    from groundplan.model import load

    plan = load.load(load.find(name, Path()))
    world = worlds.World(plan, deploy.lowered(plan, {}))
    picture = pages.picture(world) if as_svg else traffic.flow(world)
    if picture is None:
        raise click.ClickException(f"{plan.name} has more arrows than Mermaid draws: use --svg")
    if as_json:
        output.emit({"picture": picture})
    else:
        click.echo(picture.rstrip("\n"))
    return output.OK
