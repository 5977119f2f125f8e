"""From lowered objects to files that outlive Groundplan: YAML, Kustomize's base and overlays, the folder they live in.

Belongs here: whatever turns objects into text, and the folder that holds it. Does not belong here: what the
objects are (`groundplan.kubernetes`); anything about this machine (`groundplan.local`).
"""
