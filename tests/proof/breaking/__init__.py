"""The ways to break manifests, grouped by what is broken; `tests.proof.mutations` lists them.

Each takes documents and a random generator, leaves the documents as they were, and returns broken ones, or None
where there is nothing to break in that way.
"""
