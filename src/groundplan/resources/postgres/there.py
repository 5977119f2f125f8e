"""How a server runs in a cluster: the official image as its own user, its files under a volume.

Sources: https://hub.docker.com/_/postgres (PGDATA, POSTGRES_PASSWORD_FILE, arbitrary users),
https://www.postgresql.org/docs/15/app-pg-isready.html
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from groundplan.model import component
from groundplan.resources import images
from groundplan.resources.postgres import bootstrap, here
from groundplan.shapes import processes, values, workloads

if TYPE_CHECKING:
    from groundplan.resources.postgres import server as servers

_USER = 70
"""``postgres`` in the image made of Alpine."""
_DATA = "/var/lib/postgresql/data"
_SOCKETS = "/var/run/postgresql"


def objects(server: servers.Postgres, edges: Sequence[component.Edge]) -> workloads.Stateful:
    """The server, with a bootstrap and a migration for each database after it."""
    return workloads.Stateful(
        image=images.postgres(server.version),
        argv=("postgres", *_options()),
        environment=(
            # A folder of its own: initdb refuses one that holds a file system's lost+found.
            ("PGDATA", f"{_DATA}/pgdata"),
            ("POSTGRES_USER", bootstrap.ADMIN),
            ("POSTGRES_PASSWORD_FILE", values.text("{}/admin-password", values.Files(server.name))),
            ("POSTGRES_INITDB_ARGS", "--auth=scram-sha-256 --encoding=UTF8 --locale=C"),
        ),
        files=(processes.File("admin-password", server.admin_password.value),),
        ready=workloads.Check(argv=_is_ready()),
        alive=workloads.Check(argv=_answers()),
        data=_DATA,
        storage=server.storage,
        user=_USER,
        group=_USER,
        scratch=(_SOCKETS,),
        after=here.jobs(server, edges),
    )


def _options() -> tuple[str, ...]:
    options = {
        "listen_addresses": "*",
        "max_connections": "200",
        "shared_buffers": "64MB",
        "log_min_messages": "warning",
        "log_line_prefix": "%m [%p] %u@%d ",
        "timezone": "UTC",
    }
    return tuple(word for name, value in options.items() for word in ("-c", f"{name}={value}"))


def _is_ready() -> tuple[str, ...]:
    # By TCP: the image's entry point first starts a server that listens on the socket alone, to initialise.
    return ("pg_isready", "--quiet", "--host=127.0.0.1", f"--username={bootstrap.ADMIN}")


def _answers() -> tuple[str, ...]:
    # Exit 1 says that the server refuses for now: it recovers after a crash, and a restart would begin that anew.
    return ("sh", "-c", f"{' '.join(_is_ready())} || [ $? -eq 1 ]")
