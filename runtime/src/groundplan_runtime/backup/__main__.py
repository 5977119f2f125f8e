"""``python -m groundplan_runtime.backup``: one step of a backup or a restore. Exits 0, or 1 with what is wrong."""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import shutil
import sys

from groundplan_runtime.backup import folders, keeping, manifests, places, rdb, vault
from groundplan_runtime.backup.problems import BackupError

AT = "BACKUP_AT"
"""The variable with the moment that `fetch` goes back to, where its argument says none."""
ARCHIVE = "data.tar"


def main(words: list[str] | None = None) -> int:
    """Runs one verb; what went well is a line on standard output, what did not is one on standard error."""
    given = _arguments().parse_args(words)
    try:
        print(_VERBS[given.verb](given), flush=True)
    except BackupError as error:
        print(error, file=sys.stderr, flush=True)
        return 1
    return 0


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m groundplan_runtime.backup", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    added = {name: verbs.add_parser(name) for name in _VERBS}
    for name in ("keep", "fetch", "list"):
        added[name].add_argument("resource")
        added[name].add_argument("--place", required=True, metavar="URL", help="file:///folder or s3://bucket/prefix")
        added[name].add_argument(
            "--endpoint", default="", metavar="URL", help="of an object store that is not Amazon's"
        )
        added[name].add_argument("--region", default="")
        added[name].add_argument("--account", type=pathlib.Path, metavar="FILE", help="JSON: the keys of an account")
    for name in ("keep", "fetch", "rdb", "put-rdb", "copy", "snapshot", "put", "vault", "put-vault"):
        added[name].add_argument("--work", required=True, type=pathlib.Path, metavar="DIR", help="the dumps lie here")
    for name in ("put-rdb", "copy", "snapshot", "put"):
        added[name].add_argument("--data", required=True, type=pathlib.Path, metavar="DIR", help="the engine's folder")
    added["keep"].add_argument("--keep", type=int, default=1, metavar="N", help="the last N stay")
    added["keep"].add_argument("--engine", default="", help="what wrote the dumps, where they do not say")
    added["fetch"].add_argument("--at", default="", metavar="MOMENT", help="the newest not after it, in UTC")
    added["fetch"].add_argument("--reader", default="", help='what shall read them: "PostgreSQL 15"')
    added["rdb"].add_argument("--host", required=True)
    added["rdb"].add_argument("--port", required=True, type=int)
    added["rdb"].add_argument("--user", required=True)
    added["rdb"].add_argument("--password", required=True, type=pathlib.Path, metavar="FILE")
    added["rdb"].add_argument("--authority", default="", metavar="FILE", help="by whom its certificate is verified")
    for name in ("vault", "put-vault"):
        added[name].add_argument("--address", required=True, metavar="URL", help="any server of it")
        added[name].add_argument("--authority", default="", metavar="FILE", help="by whom its certificate is verified")
    added["vault"].add_argument("--role", required=True, help="by which it logs in")
    added["vault"].add_argument("--account-token", required=True, type=pathlib.Path, metavar="FILE", help="its own")
    added["put-vault"].add_argument("--token", required=True, type=pathlib.Path, metavar="FILE", help="of Vault's")
    added["put-rdb"].add_argument("--append-only", action="store_true", help="the server keeps an append-only file")
    return parser


def _place(given: argparse.Namespace) -> places.Place:
    return places.at(given.place, endpoint=given.endpoint, region=given.region, account=given.account)


def _keep(given: argparse.Namespace) -> str:
    made = keeping.keep(_place(given), given.resource, given.work, number=given.keep, engine=given.engine)
    shutil.rmtree(given.work)  # on the volume of the backups it would take their room
    by = f", by {made.engine}" if made.engine else ""
    return f"kept {made.resource}/{made.stamp}: {len(made.files)} files, {made.size} bytes{by}"


def _fetch(given: argparse.Namespace) -> str:
    at = given.at or os.environ.get(AT, "")
    moment = manifests.moment(at) if at else ""
    stamp = keeping.fetch(_place(given), given.resource, given.work, at=moment, reader=given.reader)
    return f"fetched {given.resource}/{stamp}: every file is as it was written"


def _list(given: argparse.Namespace) -> str:
    found = keeping.complete(_place(given), given.resource)
    lines = [{"stamp": each.stamp, "engine": each.engine, "bytes": each.size} for each in found]
    return "\n".join(map(json.dumps, lines)) or f"there is no backup of {given.resource}"


def _rdb(given: argparse.Namespace) -> str:
    work = keeping.begun(given.work)
    account = rdb.Account(given.user, given.password.read_text().strip())
    engine = rdb.save(given.host, given.port, account, work / rdb.FILE, authority=given.authority)
    (work / keeping.ENGINE).write_text(engine)
    return f"saved {(work / rdb.FILE).stat().st_size} bytes of {engine}"


def _put_rdb(given: argparse.Namespace) -> str:
    rdb.put(given.work / rdb.FILE, given.data, append_only=given.append_only)
    shutil.rmtree(given.work)
    return f"put {rdb.FILE} into {given.data}"


def _copy(given: argparse.Namespace) -> str:
    folders.copy(given.data, keeping.begun(given.work) / ARCHIVE)
    return f"copied {given.data}: nothing changed meanwhile"


def _snapshot(given: argparse.Namespace) -> str:
    folders.snapshot(given.data, keeping.begun(given.work) / ARCHIVE)
    return f"copied {given.data}"


def _put(given: argparse.Namespace) -> str:
    folders.put(given.work / ARCHIVE, given.data)
    shutil.rmtree(given.work)
    return f"put {ARCHIVE} into {given.data}"


def _vault(given: argparse.Namespace) -> str:
    file = keeping.begun(given.work) / vault.FILE
    vault.save(vault.Server(given.address, given.authority), given.role, given.account_token, file)
    return f"saved {file.stat().st_size} bytes: every checksum holds"


def _put_vault(given: argparse.Namespace) -> str:
    vault.put(vault.Server(given.address, given.authority), given.token, given.work / vault.FILE)
    shutil.rmtree(given.work)
    return f"put {vault.FILE} back: the shares that open it are those of the Vault that it was taken from"


_VERBS = {
    "keep": _keep,
    "fetch": _fetch,
    "list": _list,
    "rdb": _rdb,
    "put-rdb": _put_rdb,
    "copy": _copy,
    "snapshot": _snapshot,
    "put": _put,
    "vault": _vault,
    "put-vault": _put_vault,
}

if __name__ == "__main__":
    sys.exit(main())
