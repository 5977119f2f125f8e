"""Backups: what runs beside an engine, in a Job of the cluster and on a laptop alike.

``python -m groundplan_runtime.backup VERB``: `keep` puts a folder of dumps into a place, `fetch` takes the newest one
out again, `list` says what there is. `rdb` and `copy` make dumps of engines that bring no program for it (Redis by its
replication protocol, Vault by its API, or its files); `put-rdb`, `put-vault` and `put` put them back.

A place is a folder or a bucket, and looks the same either way::

    postgres/20261121T030000Z/micro_auth.dump
    postgres/20261121T030000Z/manifest.json     written last: a backup is complete with it, and absent without

Belongs here: what must be the same wherever a backup is made or read. Does not belong here: which resources there
are, how often, and in which order (`groundplan.backup`). Needs the standard library alone; a bucket needs
``groundplan-runtime[backup]`` (obstore).
"""
