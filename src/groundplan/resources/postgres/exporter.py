"""Who looks at a server: postgres_exporter, as a role that may read statistics and no table.

Sources: https://github.com/prometheus-community/postgres_exporter,
https://www.postgresql.org/docs/15/predefined-roles.html (pg_monitor)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from groundplan.resources import images
from groundplan.resources.postgres import databases
from groundplan.shapes import processes, signals, values

if TYPE_CHECKING:
    from groundplan.resources.postgres import server as servers

ROLE = "_exporter"
"""No component can be called so, and its role neither."""
CONNECTIONS = 3
"""At a time: one scrape needs one."""


def of(server: servers.Postgres) -> signals.Exporter:
    """The exporter of `server`."""
    name = signals.exporter_name(server.name)
    verified = values.text(databases.VERIFIED, values.Authority())
    security = values.encrypted(server.name, verified, "sslmode=disable")
    return signals.Exporter(
        image=images.postgres_exporter(),
        binaries=processes.Binaries(
            product="postgres_exporter",
            programs=("prometheus-postgres-exporter",),
            system_package="prometheus-postgres-exporter",
        ),
        port=9187,
        listen="--web.listen-address=",
        environment=(
            ("DATA_SOURCE_PASS_FILE", values.text("{}/password", values.Files(name))),
            ("DATA_SOURCE_URI", values.text("{}/postgres?{}", values.Address(server.name, "postgres"), security)),
            ("DATA_SOURCE_USER", ROLE),
        ),
        files=(processes.File("password", server.exporter_password.value),),
    )
