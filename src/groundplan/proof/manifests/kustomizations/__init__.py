"""Kustomizations, built by ourselves as kustomize 4.5 and 5.x both do, so that every field keeps its file and line.

Belongs here: the part of kustomize that is understood exactly, a module a question: which files (`files`), what an
object goes through (`built`), the transformations. Does not belong here: guessing. What lies beyond that part raises
`trouble.Beyond`, and whoever asked gives it to the real program; what no program could or should build raises
`trouble.Wrong`.
Source: https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/
"""
