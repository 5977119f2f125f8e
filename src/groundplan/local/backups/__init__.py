"""Backups of a platform on this machine, and the way back.

Belongs here: what a backup holds beside the engines' own dumps (the secrets, which a store keeps in a cluster, and
the books of stand-ins), sets of them on disk, and how a running platform is stopped, replaced and checked. Does not
belong here: how an engine is dumped (its resource), and what a manifest is (`groundplan_runtime.backup`): the same
programs run here as in the cluster's Jobs.
"""
