"""Who reaches whom: classes of pods and addresses, each side of a connection, and the two joined.

Belongs here: computing. Does not belong here: reading objects (`groundplan.proof.model`), words and pictures
(`groundplan.proof.show`).
"""
