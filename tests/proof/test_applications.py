"""What an application of Argo CD says of its chart is printed, and what it does not say is said too."""

from __future__ import annotations

import pytest

from groundplan.proof import applications
from groundplan.proof.manifests import documents

SAID = "namespace: edge\nlabels: app=door\nports: 80/TCP\n"


def said(spec: object, annotations: object = None) -> list[str]:
    metadata = {"name": "door", "annotations": annotations}
    data = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": metadata, "spec": spec}
    return list(applications.assumptions([documents.Document(data)]))


def test_what_is_assumed_of_a_chart_is_printed():
    source = {"chart": "door", "targetRevision": "1.2.3"}
    told = "chart door 1.2.3 (door): taken to run pods with namespace: edge; labels: app=door; ports: 80/TCP"
    assert said({"source": source}, {applications.ASSUMES: SAID}) == [told]
    assert said({"sources": [{"path": "x"}, source]}, {applications.ASSUMES: SAID}) == [told]


def test_a_chart_of_which_nothing_is_said_was_not_examined():
    assert said({"source": {"chart": "door"}}) == ["chart door of any version (door): its pods were not examined"]


@pytest.mark.parametrize(
    "spec", [None, [], "x", {}, {"source": []}, {"source": {"path": "x"}}, {"sources": "x"}, {"sources": [None]}]
)
def test_an_application_without_a_chart_assumes_nothing(spec):
    assert said(spec) == []


@pytest.mark.parametrize("annotations", [[], "x", {applications.ASSUMES: 5}, {applications.ASSUMES: " \n"}])
def test_an_annotation_of_another_kind_says_nothing(annotations):
    assert said({"source": {"chart": "door"}}, annotations)[0].endswith("its pods were not examined")
