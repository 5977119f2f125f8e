"""SQL files, applied as the database's owner by `python -m groundplan_runtime.migrate`."""
