"""Traces that programs of a platform sent while it ran here: read from disk, put together, told.

Belongs here: what `groundplan trace` needs, with or without a running platform. Does not belong here: taking spans in
(`groundplan.standins.traces`), making them (`groundplan_runtime.traces`).
"""
