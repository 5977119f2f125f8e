"""Exporters find the password of their user in the file that they are told of."""

from __future__ import annotations

import json
import re
import urllib.parse

import pytest

from tests.kubernetes import worlds

MARK = re.compile(r"\{\{ with secret .*?\{\{ end \}\}")


@pytest.mark.parametrize("lowered", worlds.payments_lowered(), ids=lambda one: one.environment)
@pytest.mark.parametrize("version", ["1.45.0", "1.69.0"])
def test_redis_exporter_finds_its_password_however_its_version_looks_it_up(lowered, version):
    objects = {(made.key.kind, made.key.name): made.tree for made in lowered.objects}
    (container,) = objects["Deployment", "redis-exporter"]["spec"]["template"]["spec"]["containers"]
    said = {each["name"]: each["value"] for each in container["env"]}
    kept = objects["ConfigMap", "redis-exporter-files"]["data"]["files_passwords.json"]
    assert json.loads(MARK.sub("a-password", kept)).get(looked_up(said, version)) == "a-password"


def looked_up(said: dict[str, str], version: str) -> str:
    """The key of the password file: lookupPasswordInPasswordMap in exporter/redis.go of redis_exporter."""
    address = urllib.parse.urlsplit(said["REDIS_ADDR"])
    if version == "1.45.0":
        return address.geturl()
    return address._replace(netloc=f"{said['REDIS_USER']}@{address.netloc}").geturl()
