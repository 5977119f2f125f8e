"""Images: how the platform's own is built, and which digests the tags of all of them stand for.

Belongs here: the Containerfile, whichever program builds it, registries and the file ``images.lock``. Does not
belong here: which images engines run (`groundplan.resources.images`); where digests go in objects
(`groundplan.kubernetes.pins`).
"""
