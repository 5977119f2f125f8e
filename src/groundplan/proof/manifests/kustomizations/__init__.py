"""Kustomizations, built by ourselves as kustomize 4.5 and 5.x both do, so that every field keeps its file and line.

Belongs here: the part of kustomize that is understood exactly, a module a question: which files (`files`), what an
object goes through (`built`), what is generated (`generators`, `contents`, `hashes`), what it is called and who calls
it that (`names`, `references`), labels and annotations (`labelling`), patches (`patches`, `merge`, `json_patch`),
`replacements`, the rest of the `transformations`. That part is: resources, bases, components, patches of all three
kinds, namespace, prefix, suffix, labels, annotations, images, replicas, replacements, generators of config maps and
secrets. Not in it: vars, charts, plugins, fields of one's own (`configurations`, `crds`, `openapi`).

Does not belong here: guessing. What lies beyond that part raises `trouble.Beyond`, and whoever asked gives it to the
real program; what no program could or should build raises `trouble.Wrong`, and so does what versions build differently.
Source: https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/
"""
