"""Sealed Secrets: an environment whose secrets are committed, sealed for the one cluster that can open them.

Kind ``bitnami.com/v1alpha1 SealedSecret`` of https://github.com/bitnami/sealed-secrets. ``groundplan seal``
seals each secret for each of its readers, in the strict scope: in another namespace or under another name
nobody can open it. What it wrote stands beside the certificate; templates are the plan's, and built anew each time.
"""

from __future__ import annotations

import pathlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, final

from groundplan.model import findings, store
from groundplan.model import origin as origins
from groundplan.resources import go_templates
from groundplan.shapes import workloads

KIND = "bitnami.com/v1alpha1 SealedSecret"
_DEEPEST = 32

Sealed = dict[tuple[str, str], dict[str, str]]
"""Sealed text by key, by the namespace and the name of its object."""


@final
class SealedSecrets(store.Store):
    """Secrets sealed by `certificate`, the cluster's (``kubeseal --fetch-cert``): a file beside the plan.

    They stand in a file of the same name with the ending ``.yaml``.
    """

    brought_by = "bitnami.com"

    def __init__(self, certificate: str) -> None:
        self.origin = origins.here()
        self.name = certificate
        self.certificate = pathlib.Path(self.origin.file).resolve().parent / certificate
        self.file = self.certificate.with_suffix(".yaml")
        self.sealed: Sealed = {}
        try:
            self.certificate.read_bytes()
            self.sealed = read(self.file.read_text()) if self.file.exists() else {}
        except (OSError, ValueError) as error:
            why = f"{error.strerror}: {error.filename}" if isinstance(error, OSError) else f"{self.file.name}: {error}"
            remedy = "`kubeseal --fetch-cert` gives the certificate, `groundplan seal` writes what is sealed"
            findings.report("GP321", f"SealedSecrets({certificate!r}) cannot be read", why=why, remedy=remedy)

    def says(self, path: str) -> str:
        return f"{{{{ .{go_templates.field(path)} }}}}"

    def quotes(self, text: str) -> str:
        return go_templates.quoted(text)

    def delivers(self, order: workloads.Order) -> workloads.Synced:
        named = {"name": order.secret, "namespace": order.holder.namespace}
        there = self.sealed.get((order.holder.namespace, order.secret), {})
        names = sorted(go_templates.field(path) for path in order.holder.paths)
        spec = {
            "encryptedData": {name: there[name] for name in names if name in there},
            "template": {
                "metadata": named,
                "type": "Opaque",
                "data": {each.name: each.text for each in order.templates},
            },
        }
        return workloads.Synced(KIND, {"spec": spec})

    def lacks(self, order: workloads.Order) -> Iterator[findings.Finding]:
        yield from go_templates.twins(order.holder, self.origin)
        there = self.sealed.get((order.holder.namespace, order.secret), {})
        missing = [path for path in order.holder.paths if go_templates.field(path) not in there]
        if missing:
            what = f"not sealed for {order.holder.name}: {', '.join(missing)}"
            why = f"{self.file.name} does not have them"
            yield findings.Finding("GP322", what, self.origin, why, "groundplan seal --environment …, and commit it")


def read(text: str) -> Sealed:
    """What is sealed, from the file; raises ValueError, also for what is no SealedSecret."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        _mind_the_depth(yaml.parse(text, loader))
        listed = list(yaml.load_all(text, loader))
    except yaml.YAMLError as error:
        raise ValueError(f"no YAML: {' '.join(str(error).split())}") from error
    found: Sealed = {}
    for tree in listed:
        if not isinstance(tree, dict) or tree.get("kind") != "SealedSecret":
            raise ValueError("it holds something else than SealedSecrets")
        metadata, spec = _mapping(tree, "metadata"), _mapping(tree, "spec")
        data = _mapping(spec, "encryptedData")
        key = str(metadata.get("namespace")), str(metadata.get("name"))
        found[key] = {str(name): str(sealed) for name, sealed in data.items()}
    return found


def _mind_the_depth(events: Iterable[Any]) -> None:
    """Raises ValueError for what is nested as no SealedSecret is: libyaml would descend until the stack is used up."""
    import yaml

    depth = 0
    for event in events:
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise ValueError(f"it is nested deeper than {_DEEPEST} levels")


def _mapping(tree: Mapping[str, Any], key: str) -> dict[str, Any]:
    found = tree.get(key)
    if not isinstance(found, dict):
        raise ValueError(f"a SealedSecret without {key}")
    return found


def trees(sealed: Sealed) -> list[dict[str, Any]]:
    """The objects of the file: as kubeseal writes them, less the templates, which are the plan's."""
    api, _, kind = KIND.partition(" ")
    return [
        {
            "apiVersion": api,
            "kind": kind,
            "metadata": {"name": name, "namespace": namespace},
            "spec": {"encryptedData": {key: data[key] for key in sorted(data)}},
        }
        for (namespace, name), data in sorted(sealed.items())
    ]
