"""Argo CD's applications among documents: charts whose pods nobody sees here, and what is assumed of those pods.

Source: https://argo-cd.readthedocs.io/en/stable/operator-manual/application.yaml
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from groundplan.proof.manifests import documents

ASSUMES = "groundplan/assumes"
"""The annotation that says it: lines ``namespace: …``, ``labels: a=b,…``, ``ports: 80/TCP,…``."""


def assumptions(everything: Iterable[documents.Document]) -> Iterator[str]:
    """A sentence for each chart that an application installs."""
    for each in everything:
        if (each.group, each.kind) == ("argoproj.io", "Application"):
            yield from (_said(each, source) for source in _charts(each.data.get("spec")))


def _charts(spec: Any) -> Iterator[dict[str, Any]]:
    if isinstance(spec, dict):
        listed = spec.get("sources")
        for source in [spec.get("source"), *(listed if isinstance(listed, list) else [])]:
            if isinstance(source, dict) and source.get("chart"):
                yield source


def _said(application: documents.Document, source: dict[str, Any]) -> str:
    chart = f"chart {source['chart']} {source.get('targetRevision', 'of any version')} ({application.name})"
    annotations = application.metadata.get("annotations")
    said = annotations.get(ASSUMES) if isinstance(annotations, dict) else None
    lines = said.split("\n") if isinstance(said, str) else []
    told = "; ".join(line.strip() for line in lines if line.strip())
    return f"{chart}: taken to run pods with {told}" if told else f"{chart}: its pods were not examined"
