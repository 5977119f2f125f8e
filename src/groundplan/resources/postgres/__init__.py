"""PostgreSQL: databases with an owner that migrates, and a role for each service.

Belongs here: the server, its databases and the rights to them, and how they run. Does not belong here:
SQL of any service, which lives in its migrations.
"""

from groundplan.resources.postgres.databases import Database, DatabaseRole
from groundplan.resources.postgres.server import Postgres

__all__ = ["Database", "DatabaseRole", "Postgres"]
