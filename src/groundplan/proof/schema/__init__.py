"""Schemas: which kinds and fields a version of Kubernetes knows, and what an object says that it does not.

Belongs here: the table of Kubernetes' own kinds (`kubernetes.json.gz`, written by `tools/schemas.py`), the schemas that
CustomResourceDefinitions bring, names and labels, and judging objects by them. Does not belong here: what is wrong with
objects that a schema is content with (`groundplan.proof.lint`).
"""
