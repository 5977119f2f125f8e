"""The three ways to keep secrets, and what reaches a pod by each: its files, as a cluster would make them.

Unsealing is written here from https://github.com/bitnami/sealed-secrets/blob/main/docs/developer/crypto.md, and
what its controller does with templates from sealedsecret_expansion.go there; what the operator of External Secrets
does with them from https://external-secrets.io/latest/guides/templating/.
"""

from __future__ import annotations

import base64
import functools
import pathlib
import posixpath
import re
import tempfile
from collections.abc import Callable

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from groundplan.delivery import sealing
from groundplan.kubernetes import lower
from groundplan.model import environment, platform
from groundplan.resources import ExternalSecrets, SealedSecrets, VaultKv
from tests.kubernetes import apiserver, go_templates
from tests.live import certificates

Text = Callable[[str], str]
WAYS = ("vault", "external", "sealed")


@functools.cache
def _private_key():
    return serialization.load_pem_private_key(certificates.self_signed()[1], password=None)


@functools.cache
def certificate() -> pathlib.Path:
    file = pathlib.Path(tempfile.mkdtemp()) / "cluster.pem"
    file.write_bytes(certificates.self_signed()[0])
    return file


def lowered(way: str, plan: platform.Platform, env: environment.Environment, text: Text) -> lower.Lowered:
    """`env` of `plan` with its secrets kept in this way; what is sealed holds `text`."""
    before = env.defaults["secrets"]
    try:
        if way == "external":
            env.defaults["secrets"] = ExternalSecrets("platform", VaultKv())
        elif way == "sealed":
            env.defaults["secrets"] = store = SealedSecrets(str(certificate()))
            holders = lower.holders(plan, env)
            brought = {path: text(path) for holder in holders for path in holder.paths}
            store.sealed = sealing.sealed(sealing.Wish(holders, {}, brought), {}, _private_key().public_key()).sealed
        return lower.lower(plan, env)
    finally:
        env.defaults["secrets"] = before


def arrived(one: lower.Lowered, name: str, text: Text) -> dict[str, str]:
    """The files by path that the main container of the workload called `name` finds, less its tokens."""
    by_key = {(made.key.kind, made.key.name): made.tree for made in one.objects}
    spec = template(one, name)["spec"]
    where = {mount["name"]: mount["mountPath"] for mount in spec["containers"][0]["volumeMounts"]}
    found: dict[str, str] = {}
    for volume in spec["volumes"]:
        for source in volume.get("projected", {}).get("sources", ()):
            if "secret" in source:
                data = _secret(by_key, source["secret"]["name"], text)
                items = source["secret"]["items"]
                found |= {posixpath.join(where[volume["name"]], item["path"]): data[item["key"]] for item in items}
    config = by_key.get(("ConfigMap", f"{name}-files"), {}).get("data", {})
    for source, destination in re.findall(
        r'source = "/templates/(.*)"\n  destination = "(.*)"', config.get("agent.hcl", "")
    ):
        found[destination] = go_templates.filled(config[source], text)
    return found


def template(one: lower.Lowered, name: str) -> dict:
    """The pod template of the workload called `name`; of Alertmanager as the operator makes it of the chart's values.

    Source: https://prometheus-operator.dev/docs/api-reference/api/#monitoring.coreos.com/v1.AlertmanagerSpec
    """
    for made in one.objects:
        if made.key.name == name and (found := apiserver.template_of(made.tree)):
            return found
    (release,) = (each for each in one.releases if each.component == name.removesuffix("-alertmanager"))
    said = release.values["alertmanager"]
    assert said["serviceAccount"]["name"] == name
    spec = said["alertmanagerSpec"]
    context = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
    container = {"name": "alertmanager", "securityContext": context, "volumeMounts": spec["volumeMounts"]}
    kept = ("automountServiceAccountToken", "initContainers", "volumes", "securityContext")
    pod = {each: spec[each] for each in kept if each in spec}
    return {"metadata": spec["podMetadata"], "spec": {**pod, "serviceAccountName": name, "containers": [container]}}


def _secret(by_key: dict, name: str, text: Text) -> dict[str, str]:
    """The Secret that a controller makes of its object."""
    if ("ExternalSecret", name) in by_key:
        spec = by_key["ExternalSecret", name]["spec"]
        assert spec["target"]["name"] == name and spec["secretStoreRef"]["kind"] == "ClusterSecretStore"
        fields = {each["secretKey"]: text(each["remoteRef"]["key"]) for each in spec["data"]}
        templates = spec["target"]["template"]["data"]
    else:
        tree = by_key["SealedSecret", name]
        label = f"{tree['metadata']['namespace']}/{name}"
        fields = {key: unsealed(sealed, label) for key, sealed in tree["spec"]["encryptedData"].items()}
        templates = tree["spec"]["template"]["data"]
    return {key: go_templates.filled(template, text, fields) for key, template in templates.items()}


def unsealed(sealed: str, label: str) -> str:
    """What the controller makes of one value; raises ValueError where the label is another."""
    data = base64.b64decode(sealed, validate=True)
    length = int.from_bytes(data[:2], "big")
    key, content = data[2 : 2 + length], data[2 + length :]
    algorithm = hashes.SHA256()
    session = _private_key().decrypt(key, padding.OAEP(padding.MGF1(algorithm), algorithm, label.encode()))
    assert len(session) == 32
    return AESGCM(session).decrypt(bytes(12), content, None).decode()
