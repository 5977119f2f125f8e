"""How verbs end: exit codes, and errors in words or in JSON."""

from __future__ import annotations

import sys
from typing import Any

import click

OK, FAILED, UNUSABLE, UNDECIDABLE, INTERRUPTED = 0, 1, 2, 3, 130


def guarded(program: click.Command) -> int:
    """Runs `program`; returns its exit code and never shows a traceback for what is not our mistake."""
    from groundplan.live import errors as live_errors
    from groundplan.local import errors
    from groundplan.model import findings

    try:
        code = program.main(standalone_mode=False)
        sys.stdout.flush()  # what cannot be written is told here, not by the interpreter at its end
    except click.ClickException as error:
        return _bad_arguments(error)
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except findings.PlanError as error:
        return _findings(error)
    except errors.LocalError as error:
        return _local(error)
    except live_errors.LiveError as error:
        return _live(error)
    except BrokenPipeError:
        # The reader (`| head`) has seen enough; nothing more may be written, not even at exit.
        sys.stdout = None
        return OK
    except OSError as error:
        return _machine(error)
    return code if isinstance(code, int) else OK


def wants_json() -> bool:
    """Was ``--json`` among the arguments? Asked where the arguments themselves may be the trouble."""
    return "--json" in sys.argv


def emit(value: Any) -> None:
    """One JSON document on standard output."""
    import msgspec

    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value)).decode() + "\n")


def _bad_arguments(error: click.ClickException) -> int:
    if wants_json():
        emit({"error": {"kind": type(error).__name__, "what": error.format_message()}})
    else:
        error.show()
    return UNUSABLE


def _findings(error: Any) -> int:
    if wants_json():
        emit({"findings": [_finding(found) for found in error.findings]})
    else:
        for found in error.findings:
            click.echo(str(found), err=True)
    return UNUSABLE


def _finding(found: Any) -> dict[str, str]:
    return {"code": found.code, "what": found.what, "where": str(found.where), "why": found.why, "fix": found.remedy}


def _live(error: Any) -> int:
    from groundplan.live import errors

    _tell(error)
    return UNUSABLE if isinstance(error, errors.NoAccess | errors.Foreign) else FAILED


def _machine(error: OSError) -> int:
    """A full disk, a file that may not be read: nothing that a verb could have done about it."""
    said = f"{error.filename}: {error.strerror}" if error.filename else error.strerror or str(error)
    try:
        if wants_json():
            emit({"error": {"kind": type(error).__name__, "what": said}})
        sys.stdout.flush()
    except OSError:
        sys.stdout = None  # it is standard output itself
    if sys.stdout is None or not wants_json():
        click.echo(f"Error: {said}", err=True)
    return FAILED


def unusable(error: Any) -> int:
    """For a verb whose other codes are answers: says the error, and returns its exit code."""
    _tell(error)
    return UNUSABLE


def _tell(error: Any) -> None:
    if wants_json():
        emit({"error": error.message()})
    else:
        click.echo(str(error), err=True)


def _local(error: Any) -> int:
    from groundplan.local import errors

    _tell(error)
    return UNUSABLE if isinstance(error, errors.UnknownName | errors.PlanUnusable) else FAILED
