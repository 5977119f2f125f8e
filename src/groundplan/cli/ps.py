"""``groundplan ps``: what runs, why not, and since when."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from groundplan.cli import output, targets

if TYPE_CHECKING:
    from groundplan.local.state import store

COLOURS = {
    "ready": "green",
    "done": "dim",
    "idle": "green",
    "failed": "red",
    "restarting": "yellow",
    "unready": "yellow",
}


@targets.example("groundplan ps payments --json")
@click.command("ps")
@targets.names
@targets.data
@targets.as_json
def command(names: tuple[str, ...], data: Path | None, as_json: bool) -> int:
    """Show what runs, why not, since when, and how much memory it takes."""
    from groundplan.local import client, errors

    target = targets.resolve(names, data)
    model = client.snapshot(target.place)
    rows = _rows(model, target.services)
    if missing := set(target.services) - {row["unit"] for row in rows}:
        from groundplan.local.state import units

        raise errors.unknown(sorted(missing), [unit.name for unit in model.all(units.Unit)])
    if as_json:
        platform = model.platform()
        output.emit({"platform": platform, "instances": rows})
    else:
        _show(model, rows)
    return output.OK


def _rows(model: store.Store, services: tuple[str, ...]) -> list[dict[str, Any]]:
    from groundplan.local import processes
    from groundplan.local.state import units

    everyone, now = processes.everyone(), time.time()
    described = {unit.name: unit for unit in model.all(units.Unit)}
    chosen = [unit for unit in described.values() if not services or unit.name in services]
    found = [instance for unit in chosen for name in unit.instances if (instance := model.instance(name))]
    rows = []
    for instance in found:
        unit = described[instance.unit]
        family = sorted(processes.family([instance.pid], everyone)) if instance.pid else []
        rows.append({
            "name": instance.name, "unit": unit.name, "kind": unit.kind, "phase": instance.phase,
            "state": instance.words(now), "since": instance.since, "pids": family, "restarts": instance.restarts,
            "memory": processes.memory(family), "addresses": dict(unit.addresses), "runs": unit.runs or unit.title,
            "fidelity": unit.fidelity, "origin": unit.origin,
        })  # fmt: skip
    return rows


def _show(model: store.Store, rows: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("NAME", "KIND", "STATE", "SINCE", "PID", "RESTARTS", "MEMORY", "ADDRESSES", "RUNS"):
        right = title in ("PID", "RESTARTS", "MEMORY")
        table.add_column(title, justify="right" if right else "left", no_wrap=title in ("NAME", "SINCE"))
    for row in rows:
        table.add_row(*_cells(row))
    # A file or a pipe has no width, and a cut table is of no use in one.
    console = Console() if sys.stdout.isatty() else Console(width=200)
    console.print(table)
    _footer(console, model, rows)


def _cells(row: dict[str, Any]) -> list[Any]:
    from rich.text import Text

    pid = str(row["pids"][0]) if row["pids"] else ""
    memory = f"{row['memory'] / 1024**2:.0f} MiB" if row["memory"] else ""
    runs = row["runs"] + (f" ({row['fidelity']})" if row["fidelity"] else "")
    state = Text(row["state"], style=COLOURS.get(row["phase"], ""))
    since = ago(time.time() - row["since"])
    addresses = "\n".join(row["addresses"].values())
    return [row["name"], row["kind"], state, since, pid, str(row["restarts"] or ""), memory, addresses, runs]


def _footer(console: Any, model: store.Store, rows: list[dict[str, Any]]) -> None:
    from groundplan.local import processes

    platform = model.platform()
    own = processes.memory([platform.pid]) if platform else 0
    total = own + sum(row["memory"] for row in rows)
    console.print(f"\n{total / 1024**2:.0f} MiB in all, {own / 1024**2:.0f} MiB of it the supervisor", highlight=False)
    for path, url in platform.entries if platform else ():
        console.print(f"{path}  {url}", highlight=False, markup=False, soft_wrap=True)
    for note in platform.notes if platform else ():
        console.print(note, style="dim", highlight=False, markup=False, soft_wrap=True)


def ago(seconds: float) -> str:
    """A duration in one word: 42 s, 3 min, 2 h, 5 d."""
    for size, name in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {name}"
    return f"{max(0, int(seconds))} s"
