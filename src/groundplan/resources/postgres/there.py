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
_CERTIFICATE = "/certificate"


def objects(server: servers.Postgres, edges: Sequence[component.Edge]) -> workloads.Stateful:
    """The server, with a bootstrap and a migration for each database after it."""
    return workloads.Stateful(
        image=images.postgres(server.version),
        argv=("postgres", *_options(server)),
        environment=(
            # A folder of its own: initdb refuses one that holds a file system's lost+found.
            ("PGDATA", f"{_DATA}/pgdata"),
            ("POSTGRES_USER", bootstrap.ADMIN),
            ("POSTGRES_PASSWORD_FILE", values.text("{}/admin-password", values.Files(server.name))),
            ("POSTGRES_INITDB_ARGS", "--auth=scram-sha-256 --encoding=UTF8 --locale=C"),
        ),
        files=(
            processes.File("admin-password", server.admin_password.value),
            processes.File("pg_hba.conf", _doors(server)),
        ),
        certificate=_CERTIFICATE,
        ready=workloads.Check(argv=_is_ready()),
        alive=workloads.Check(argv=_answers()),
        data=_DATA,
        storage=server.storage,
        user=_USER,
        group=_USER,
        scratch=(_SOCKETS,),
        after=here.jobs(server, edges),
    )


def _doors(server: servers.Postgres) -> values.Value:
    """Who may come in: everybody with a password, and from elsewhere by TLS alone where the server speaks it.

    Source: https://www.postgresql.org/docs/15/auth-pg-hba-conf.html
    """
    return values.text(_HBA, values.encrypted(server.name, "hostssl", "host"))


_HBA = """\
local all all scram-sha-256
host all all 127.0.0.1/32 scram-sha-256
host all all ::1/128 scram-sha-256
{} all all all scram-sha-256
"""


def _options(server: servers.Postgres) -> tuple[processes.Word, ...]:
    options: dict[str, processes.Word] = {
        "listen_addresses": "*",
        "hba_file": values.text("{}/pg_hba.conf", values.Files(server.name)),
        "ssl": values.encrypted(server.name, "on", "off"),
        "ssl_cert_file": f"{_CERTIFICATE}/tls.crt",
        "ssl_key_file": f"{_CERTIFICATE}/tls.key",
        "max_connections": "200",
        "shared_buffers": "64MB",
        "log_min_messages": "warning",
        "log_line_prefix": "%m [%p] %u@%d ",
        "timezone": "UTC",
    }
    return tuple(word for name, value in options.items() for word in ("-c", values.text(f"{name}={{}}", value)))


def _is_ready() -> tuple[str, ...]:
    # By TCP: the image's entry point first starts a server that listens on the socket alone, to initialise.
    return ("pg_isready", "--quiet", "--host=127.0.0.1", f"--username={bootstrap.ADMIN}")


def _answers() -> tuple[str, ...]:
    # Exit 1 says that the server refuses for now: it recovers after a crash, and a restart would begin that anew.
    return ("sh", "-c", f"{' '.join(_is_ready())} || [ $? -eq 1 ]")
