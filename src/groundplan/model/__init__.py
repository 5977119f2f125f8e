"""The platform as its author drew it: namespaces, services, resources, edges with rights, environments.

Belongs here: what plan files are written in, and the checks over it. Does not belong here: plain shapes
(`groundplan.shapes`), particular resources (`groundplan.resources`), anything a backend does.
"""
