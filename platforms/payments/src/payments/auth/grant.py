"""``python -m payments.auth.grant EMAIL ROLE``: gives somebody a platform role; with ``--take-back`` it takes it.

Connects by DATABASE_DSN. Access tokens that are out keep their roles until they expire (15 minutes at most);
decisions such as an approval ask for the roles as they are now.
"""

from __future__ import annotations

import argparse
import asyncio
import getpass
import sys

import asyncpg
import msgspec

from groundplan_runtime import settings
from payments.auth import permissions
from payments.auth.store import people
from payments.common import fields


class Settings(msgspec.Struct, frozen=True):
    """What the command reads from its environment."""

    database_dsn: settings.Secret


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m payments.auth.grant", description=__doc__)
    parser.add_argument("email")
    parser.add_argument("role", choices=permissions.ROLES)
    parser.add_argument("--take-back", action="store_true")
    given = parser.parse_args(arguments)
    try:
        dsn = settings.load(Settings).database_dsn.reveal()
    except settings.SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    return asyncio.run(_grant(dsn, given.email, given.role, given.take_back))


async def _grant(dsn: str, email: str, role: str, take_back: bool) -> int:
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        actor = f"operator:{getpass.getuser()}"
        user_id = await people.grant(connection, fields.email_key(email), role, actor, take_back=take_back)
    finally:
        await connection.close()
    if user_id is None:
        print(f"nobody here has the address {email}: register and confirm it first", file=sys.stderr)
        return 1
    print(f"{user_id} {'lost' if take_back else 'has'} the role {role}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
