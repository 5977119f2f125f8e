"""A platform in a cluster: pure functions from a platform and an environment to objects, no effects.

Belongs here: the passes, each adding one thing to all components alike, and what an environment must have
to work. Does not belong here: what is particular to a resource (`groundplan.resources`), text and files
(`groundplan.delivery`), anything that talks to a cluster.
"""
