"""What else is wrong with manifests that decode and are accepted: one module a subject, each a tuple of questions.

Belongs here: questions about objects, alone and together. Where a question mentions the network, its answer comes
from the engine and not from the text of labels. Does not belong here: telling (`groundplan.proof.show`).
"""
