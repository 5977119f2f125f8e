"""Reading manifests: paths become documents, and what cannot be read becomes a finding.

Belongs here: files, directories, streams, YAML and JSON, lists, lines. Does not belong here: what a document
means (`groundplan.proof.model`).
"""
