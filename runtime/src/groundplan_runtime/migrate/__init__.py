"""Migrations: numbered SQL files, up and down, in one table under one lock; then the grants.

Here: reading the files (`files`), applying them (`ledger`), rights (`grants`), the command (`__main__`).
Not here: making roles and databases, which is the bootstrap's work.
"""
