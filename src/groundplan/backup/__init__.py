"""Backups of a whole platform: which resources have one, the commands around their own, and the runbook.

Belongs here: what `groundplan.kubernetes` and `groundplan.local` must do alike, all of it pure. Does not belong
here: how one engine is dumped (its resource says so), and what runs in the Job (`groundplan_runtime.backup`).
"""
