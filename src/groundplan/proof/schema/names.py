"""Names and labels: what the API server asks of them, which no schema says.

Source: Kubernetes documentation, "Object Names and IDs", "Labels and Selectors", "Annotations"; RFC 1123.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Any

from groundplan.proof import fields
from groundplan.proof.manifests import documents
from groundplan.proof.model import selectors
from groundplan.proof.schema import judge

SYNTAX = "GP567"
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_KEY = re.compile(r"[-._a-zA-Z0-9]+")
_LABELS = ("Namespace", "Service")
"""Kinds whose names are one label: no dots."""
_LONGEST = {"CronJob": 52, **dict.fromkeys(_LABELS, 63)}
"""A CronJob's Jobs add eleven characters to its name."""
ANNOTATIONS = 256 * 1024
"""Bytes that all annotations of an object may have."""


def names(document: documents.Document) -> Iterator[judge.Wrong]:
    """What is wrong with the name, the labels and the annotations of an object, and with the keys of its data."""
    metadata = document.metadata
    yield from _name(document, metadata.get("name"))
    for key, value in fields.inner(metadata, "labels").items():
        why = selectors.bad_key(str(key)) or (selectors.bad_value(value) if isinstance(value, str) else "")
        if why:
            yield judge.Wrong(SYNTAX, ("metadata", "labels", str(key)), f"label {key} is none", why, "correct it")
    yield from _annotations(fields.inner(metadata, "annotations"))
    if document.kind in ("ConfigMap", "Secret") and not document.group:
        yield from _data(document)


def _name(document: documents.Document, name: Any) -> Iterator[judge.Wrong]:
    path = ("metadata", "name")
    if not isinstance(name, str) or not name:
        if not document.metadata.get("generateName"):
            yield judge.Wrong(SYNTAX, ("metadata",), "has no name", "the API server refuses it", "add metadata.name")
        return
    if document.group == "rbac.authorization.k8s.io":
        wrong = name in (".", "..") or "/" in name or "%" in name
        why, remedy = "the names of roles and bindings have no / and no %", "choose another name"
    elif document.kind in ("IPAddress", "ClusterTrustBundle"):
        return
    else:
        one = document.kind in _LABELS and not document.group
        longest = _LONGEST.get(document.kind, 253)
        wrong = len(name) > longest or not (_LABEL if one else _SUBDOMAIN).fullmatch(name)
        dots = "dashes" if one else "dashes and dots"
        why = f"names of {document.kind} are lower-case letters, digits, {dots}, at most {longest}, no dash at an end"
        remedy = "choose another name"
    if wrong:
        yield judge.Wrong(SYNTAX, path, f"name {name} is none", why, remedy)


def _annotations(held: dict[str, Any]) -> Iterator[judge.Wrong]:
    for key in held:
        # An annotation's prefix may be written in capitals, a label's may not.
        if why := selectors.bad_key(str(key).lower()):
            yield judge.Wrong(
                SYNTAX, ("metadata", "annotations", str(key)), f"annotation {key} is none", why, "correct it"
            )
    size = sum(len(str(key)) + len(str(value)) for key, value in held.items())
    if size > ANNOTATIONS:
        why = f"the API server takes {ANNOTATIONS} bytes of annotations an object"
        yield judge.Wrong(SYNTAX, ("metadata", "annotations"), f"has {size} bytes of annotations", why, "shorten them")


def _data(document: documents.Document) -> Iterator[judge.Wrong]:
    for field in ("data", "stringData", "binaryData"):
        coded = field == "binaryData" or (field == "data" and document.kind == "Secret")
        for key, value in fields.inner(document.data, field).items():
            path = (field, str(key))
            if not _KEY.fullmatch(str(key)) or len(str(key)) > 253:
                why = "keys are letters, digits, dashes, dots and underscores"
                yield judge.Wrong(SYNTAX, path, f"key {key} is none", why, "choose another key")
            if coded and isinstance(value, str) and not _base64(value):
                remedy = "encode it, or write it under stringData" if document.kind == "Secret" else "encode it"
                yield judge.Wrong(judge.TYPE, path, f"key {key} is not base64", "the API server refuses it", remedy)


def _base64(value: str) -> bool:
    try:
        base64.b64decode("".join(value.split()), validate=True)
    except (binascii.Error, ValueError):
        return False
    return True
