"""Reading a plan file: running it, and finding what is wrong with it."""

from __future__ import annotations

import pathlib
import runpy
import sys
import traceback

from groundplan.model import check, findings, names, platform
from groundplan.model import origin as origins


def load(path: pathlib.Path) -> platform.Platform:
    """The platform that `path` declares.

    Raises findings.PlanError with every finding when the file cannot be run, declares no platform, or
    has mistakes. The author's modules beside the plan can be imported by it.
    """
    sheet = findings.begin()
    folder = str(path.resolve().parent)
    sys.path.insert(0, folder)
    try:
        space = runpy.run_path(str(path), run_name="plan")
    except (Exception, SystemExit) as error:  # whatever the author's file raises is his mistake, shown at its line
        raise findings.PlanError((*_so_far(sheet), _broken(path, error))) from error
    finally:
        sys.path.remove(folder)
    plans = [value for value in space.values() if isinstance(value, platform.Platform)]
    if not plans:
        raise findings.PlanError((_no_plan(path),))
    found = check.check(plans[0])
    if found:
        raise findings.PlanError(found)
    return plans[0]


def find(name: str | None, start: pathlib.Path) -> pathlib.Path:
    """The plan file that `name` means: a directory under ``platforms/``, a path, or ``./plan.py`` without one.

    Raises findings.PlanError when there is none.
    """
    candidates = [start / "plan.py"] if name is None else _candidates(name, start)
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    known = sorted(each.parent.name for each in start.glob("platforms/*/plan.py"))
    subject = f"no plan called {name}" if name else "no plan.py here"
    remedy = names.meant(name or "", known) if known else "write one with: groundplan new NAME"
    why = "looked for " + ", ".join(origins.shown(str(each)) for each in candidates)
    raise findings.PlanError((findings.Finding("GP002", subject, origins.Origin(str(start), 0), why, remedy),))


def _candidates(name: str, start: pathlib.Path) -> list[pathlib.Path]:
    given = pathlib.Path(name)
    places = [start / "platforms" / name / "plan.py", start / given / "plan.py", start / given]
    return [place for place in places if place.suffix == ".py"]


def _so_far(sheet: findings.Sheet) -> tuple[findings.Finding, ...]:
    """What was found before the file stopped: nothing of it is lost, and nothing said of what is only missing yet."""
    current = findings.current()
    whole = check.check(current.plan) if isinstance(current.plan, platform.Platform) else ()
    found = [*sheet.findings, *current.findings, *(each for each in whole if each.code != "GP103")]
    return tuple(dict.fromkeys(found))


def _broken(path: pathlib.Path, error: BaseException) -> findings.Finding:
    line = _line(path, error)
    why = f"{type(error).__name__}: {error}"
    where = origins.Origin(origins.shown(str(path)), line)
    if not line:
        return findings.Finding(
            "GP001", f"{path.name} cannot be read", where, why, "give a Python file that you may read"
        )
    remedy = "mend this line; findings above, if any, stand before it"
    return findings.Finding("GP001", f"{path.name} stops at line {line}", where, why, remedy)


def _line(path: pathlib.Path, error: BaseException) -> int:
    if isinstance(error, SyntaxError) and error.lineno:
        return error.lineno
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if pathlib.Path(frame.filename).resolve() == path.resolve()
    ]
    return (frames[-1].lineno or 0) if frames else 0


def _no_plan(path: pathlib.Path) -> findings.Finding:
    where = origins.Origin(origins.shown(str(path)), 0)
    return findings.Finding(
        "GP002", f"{path.name} declares no platform", where, "", 'begin with: plan = Platform("name")'
    )
