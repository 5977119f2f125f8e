"""Schema: every object is one that the chosen version of Kubernetes knows, field by field."""

from __future__ import annotations

from collections.abc import Iterator

from groundplan.proof import fields, findings
from groundplan.proof.lint import facts
from groundplan.proof.manifests import documents
from groundplan.proof.schema import judge, names, served, shapes, tables

DEFINITION = ("apiextensions.k8s.io", "CustomResourceDefinition")


def schema(known: facts.Facts) -> Iterator[findings.Finding]:
    """Kinds are served, fields known, values of their type, names and labels well made."""
    version = tables.version(known.cluster.options.kubernetes)
    custom = _custom(known)
    for each in known.model.everything:
        wrong = [*names.names(each), *_judged(version, custom, each)]
        for one in wrong:
            what = f"{facts.title(each, known.default)}: {_said(one)}"
            yield facts.finding(one.code, each, one.path, what, one.why, one.remedy, known.default)


def _said(one: judge.Wrong) -> str:
    field = fields.dotted(one.path if one.code != judge.UNKNOWN else one.path[:-1])
    whole = one.code in (served.GONE, served.AGING, names.SYNTAX) or not field
    return one.what if whole else f"{field} {one.what}"


def _judged(
    version: tables.Version, custom: dict[tuple[str, str], shapes.Shape], each: documents.Document
) -> Iterator[judge.Wrong]:
    api = str(each.data.get("apiVersion", ""))
    if served.built_in(each.group):
        found = served.wrong(version, api, each.kind)
        if found is not None:
            yield found
        shape = version.shape(api, each.kind)
    else:
        shape = custom.get((api, each.kind))
    if shape is not None:
        yield from judge.judge(each.data, shape)


def _custom(known: facts.Facts) -> dict[tuple[str, str], shapes.Shape]:
    found = {}
    for each in known.of("CustomResourceDefinition"):
        spec = fields.inner(each.data, "spec")
        kind = str(fields.inner(spec, "names").get("kind"))
        for one in fields.items(spec.get("versions")):
            written = fields.inner(one, "schema", "openAPIV3Schema")
            if written and (each.group, each.kind) == DEFINITION:
                found[f"{spec.get('group')}/{one.get('name')}", kind] = shapes.custom(written)
    return found


def unjudged(known: facts.Facts) -> tuple[str, ...]:
    """Kinds that no schema is known for."""
    custom = _custom(known)
    return tuple(sorted({
        f"{each.kind}.{each.group}" for each in known.model.everything
        if not served.built_in(each.group) and (str(each.data.get("apiVersion", "")), each.kind) not in custom
    }))  # fmt: skip


LINTS = (schema,)
