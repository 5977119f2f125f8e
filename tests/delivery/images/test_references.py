"""Names of images are read as Docker reads them, and whatever is no name is refused as that."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundplan.delivery.images import references

DIGEST = "sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("text", "registry", "repository", "tag", "digest"),
    [
        ("redis", "docker.io", "library/redis", "latest", ""),
        ("redis:7-alpine", "docker.io", "library/redis", "7-alpine", ""),
        ("hashicorp/vault:1.15.4", "docker.io", "hashicorp/vault", "1.15.4", ""),
        ("docker.io/redis:7", "docker.io", "library/redis", "7", ""),
        ("index.docker.io/library/redis", "docker.io", "library/redis", "latest", ""),
        ("localhost/shop:1", "localhost", "shop", "1", ""),
        ("localhost:5000/shop", "localhost:5000", "shop", "latest", ""),
        ("127.0.0.1:5000/a/b/c:v", "127.0.0.1:5000", "a/b/c", "v", ""),
        ("[::1]:5000/shop:1", "[::1]:5000", "shop", "1", ""),
        (
            "registry.k8s.io/ingress-nginx/controller:v1.11.1",
            "registry.k8s.io",
            "ingress-nginx/controller",
            "v1.11.1",
            "",
        ),
        (f"ghcr.io/a/b__c.d-e@{DIGEST}", "ghcr.io", "a/b__c.d-e", "", DIGEST),
        (f"ghcr.io/a/b:1@{DIGEST}", "ghcr.io", "a/b", "1", DIGEST),
    ],
)
def test_a_name_is_read_with_what_docker_leaves_out(text, registry, repository, tag, digest):
    assert references.parse(text) == references.Reference(registry, repository, tag, digest)


@pytest.mark.parametrize(
    "text",
    ["", "/", "Redis", "a//b", "a:b:c", "a@sha256:1", "a/../b", "-a", "a:", "a@", "host.example/:1", "a b", "ä",
     "a:" + "x" * 129, "a/" * 300 + "a", "evil.example#@good.example/a", "a?b", "good.example:99999999/a", "a\n"],
)  # fmt: skip
def test_what_is_no_name_is_refused(text):
    with pytest.raises(references.Unusable):
        references.parse(text)


@given(st.text(alphabet="aA0.:/@-_[]sha256 \n?#%", max_size=80))
def test_any_text_is_read_or_refused_and_nothing_that_is_read_could_end_a_path(text):
    with contextlib.suppress(references.Unusable):
        read = references.parse(text)
        assert not set("?#% \n") & set(read.repository + read.tag + read.registry)
        assert ".." not in read.repository.split("/")
