"""Whoever stands in the Vault's pod can speak to it at once: the runbook has people unseal it there."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from tests import authorities
from tests.kubernetes import worlds
from tests.live import openbaos


@pytest.mark.parametrize("environment", ["development", "production"])
def test_a_vault_is_unsealed_with_what_its_container_is_told(environment, tmp_path):
    (lowered,) = (one for one in worlds.payments_lowered() if one.environment == environment)
    emitted = {(made.key.kind, made.key.name): made.tree["spec"] for made in lowered.objects if "spec" in made.tree}
    (container,) = emitted["StatefulSet", "vault"]["template"]["spec"]["containers"]
    certificate = None
    if ("Certificate", "vault-tls") in emitted:
        issued = authorities.Authority(tmp_path / "authority")
        certificate = issued.issue(emitted["Certificate", "vault-tls"], tmp_path / "certificate")
    with openbaos.served(tmp_path, certificate) as address:
        said = {each["name"]: each["value"] for each in container["env"] if "value" in each}
        said["VAULT_ADDR"] = said["VAULT_ADDR"].replace("8200", address.rpartition(":")[2])
        said["VAULT_CACERT"] = said["VAULT_CACERT"].replace("/certificate", str(certificate))

        def operator(*words: str) -> dict:
            command = [openbaos.binary(), "operator", words[0], "-format=json", *words[1:]]
            here = {"PATH": os.environ["PATH"], **said}
            done = subprocess.run(command, env=here, capture_output=True, text=True, timeout=60, check=False)
            assert done.returncode == 0, done.stderr
            return json.loads(done.stdout)

        begun = operator("init", "-key-shares=1", "-key-threshold=1")
        assert operator("unseal", begun["unseal_keys_b64"][0])["sealed"] is False
