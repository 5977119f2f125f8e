"""The schemas of custom resources, as npm's packages @kubernetes-models carry them: unknown fields are refused.

The packages hold the CustomResourceDefinitions of each project as types of TypeScript; ts-json-schema-generator
makes JSON Schemas of them. What a type cannot say (patterns, ranges) is not checked.
"""

from __future__ import annotations

import functools
import json
import pathlib
from typing import Any

import jsonschema_rs

from tests import npms

_ARGO, _CERT, _GATEWAY = "argo-cd@2.7.2", "cert-manager@5.0.1", "gateway-api@0.5.1"
_PROMETHEUS, _EXTERNAL, _SEALED = "prometheus-operator@5.0.1", "external-secrets@2.0.0", "sealed-secrets@6.0.0"
GENERATOR = "ts-json-schema-generator@2.4.0"

KINDS = {
    ("argoproj.io/v1alpha1", "AppProject"): _ARGO,
    ("argoproj.io/v1alpha1", "Application"): _ARGO,
    ("cert-manager.io/v1", "Certificate"): _CERT,
    ("cert-manager.io/v1", "ClusterIssuer"): _CERT,
    ("cert-manager.io/v1", "Issuer"): _CERT,
    ("gateway.networking.k8s.io/v1", "HTTPRoute"): _GATEWAY,
    ("monitoring.coreos.com/v1", "Alertmanager"): _PROMETHEUS,
    ("monitoring.coreos.com/v1", "PodMonitor"): _PROMETHEUS,
    ("monitoring.coreos.com/v1", "PrometheusRule"): _PROMETHEUS,
    ("monitoring.coreos.com/v1", "ServiceMonitor"): _PROMETHEUS,
    ("monitoring.coreos.com/v1alpha1", "AlertmanagerConfig"): _PROMETHEUS,
    ("external-secrets.io/v1", "ClusterSecretStore"): _EXTERNAL,
    ("external-secrets.io/v1", "ExternalSecret"): _EXTERNAL,
    ("external-secrets.io/v1", "SecretStore"): _EXTERNAL,
    ("bitnami.com/v1alpha1", "SealedSecret"): _SEALED,
}
"""Kinds that a CustomResourceDefinition brings, and the package that knows them."""


@functools.cache
def validator(api: str, kind: str) -> jsonschema_rs.Draft7Validator:
    """Of one kind."""
    whole = _schemas(KINDS[api, kind])
    found = whole["definitions"]["Kinds"]["properties"][f"{api} {kind}"]
    return jsonschema_rs.Draft7Validator({**found, "definitions": whole["definitions"]})


@functools.cache
def _schemas(package: str) -> dict[str, Any]:
    """Every kind of `package` as a property of the type ``Kinds``; made once."""
    packages = [f"@kubernetes-models/{name}" for name in sorted({*KINDS.values()})]
    folder = npms.installed("custom-resources", *packages, GENERATOR)
    types, made = folder / f"{package}.ts", folder / f"{package}.json"
    with npms.alone():
        if not (types.is_file() and types.read_text() == _types(package) and made.is_file()):
            made.unlink(missing_ok=True)
            types.write_text(_types(package))
            made.write_text(_generated(folder, types))
    return _opened(json.loads(made.read_text()))


def _generated(folder: pathlib.Path, types: pathlib.Path) -> str:
    options = {"module": "esnext", "moduleResolution": "bundler", "skipLibCheck": True}
    project = types.with_suffix(".tsconfig.json")
    project.write_text(json.dumps({"compilerOptions": options, "files": [types.name]}))
    program = folder / "node_modules" / "ts-json-schema-generator" / "bin" / "ts-json-schema-generator.js"
    where = ["--path", str(types), "--tsconfig", str(project)]
    return npms.run([npms.node(), str(program), *where, "--type", "Kinds", "--no-type-check", "--jsDoc", "none"])


def _types(package: str) -> str:
    kinds = [kind for kind, its in sorted(KINDS.items()) if its == package]
    where = f"./node_modules/@kubernetes-models/{package.partition('@')[0]}"
    imports = [
        f'import {{ I{kind} as Kind{number} }} from "{where}/{api}/{kind}";' for number, (api, kind) in enumerate(kinds)
    ]
    fields = [f'  "{api} {kind}": Kind{number};' for number, (api, kind) in enumerate(kinds)]
    return "\n".join([*imports, "export interface Kinds {", *fields, "}", ""])


def _opened(tree: Any) -> Any:
    """An object of which the schema says no field may hold anything: a chart's values, a plugin's configuration."""
    if isinstance(tree, list):
        return [_opened(each) for each in tree]
    if not isinstance(tree, dict):
        return tree
    found = {key: _opened(value) for key, value in tree.items()}
    if found.get("additionalProperties") is False and not found.get("properties"):
        del found["additionalProperties"]
    return found
