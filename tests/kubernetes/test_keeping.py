"""Three ways to keep secrets: the same files for every workload, and no secret in any emitted byte."""

from __future__ import annotations

import collections
import json
import math
import re

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from groundplan import Platform, Service, Worker, python
from groundplan.delivery import kustomize
from groundplan.kubernetes import lower
from groundplan.model import findings, secrets
from groundplan.resources import AwsSecretsManager, ExternalSecrets, GcpSecretManager, SealedSecrets, VaultKv
from groundplan.secrets import random as random_secret
from tests import strategies
from tests.kubernetes import keeping, worlds
from tests.kubernetes.test_accepted import complaints

# Without shrinking: an example is small enough to be read, and large enough to take minutes to shrink.
FEW = settings(
    max_examples=5,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)


def text(path: str) -> str:
    return f"<{path}> {{{{ .x }}}} $(HOME)"


def in_all_ways(plan) -> list[list[lower.Lowered]]:
    """For each way, each cluster of `plan`."""
    clusters = [env for env in plan.environments if not env.local]
    return [[keeping.lowered(way, plan, env, text) for env in clusters] for way in keeping.WAYS]


@FEW
@given(strategies.drawings())
def test_whatever_the_way_each_workload_finds_the_same_files(drawing):
    ways = in_all_ways(worlds.drawn(drawing))
    for vault, external, sealed in zip(*ways, strict=True):
        # A Vault that is to be restored cannot hand out the account that its backup lies behind.
        holders = [each for each in external.holders if each.name != "the-own-vault-restore"]
        assert list(vault.holders) == holders and external.holders == sealed.holders
        for holder in vault.holders:
            files = keeping.arrived(vault, holder.name, text)
            assert files == keeping.arrived(external, holder.name, text) == keeping.arrived(sealed, holder.name, text)
            assert files and all(any(text(path) in each for each in files.values()) for path in holder.paths)


@pytest.mark.parametrize("way", keeping.WAYS[1:])
def test_whatever_the_way_an_api_server_takes_it(way):
    plan = worlds.payments()
    env = next(each for each in plan.environments if each.name == "production")
    assert complaints(worlds.trees(keeping.lowered(way, plan, env, text))) == []


# Long words with all of small letters, capitals and digits: keys, tokens, hashes in base64.
WORD = re.compile(r"[A-Za-z0-9+/_=-]{20,}")
HEX = re.compile(r"\b[0-9a-f]{32,}\b")


def suspicious(one: lower.Lowered) -> list[str]:
    """Literals of high entropy in what is emitted, but for the digests that roll pods and what is sealed."""
    trees = json.loads(json.dumps(worlds.trees(one)))
    for tree in trees:
        _forget(tree, ("checksum/files", "encryptedData"))
    said = json.dumps(trees)
    return [word for word in WORD.findall(said) if _is_random(word)] + HEX.findall(said)


def _forget(tree: object, names: tuple[str, ...]) -> None:
    if isinstance(tree, dict):
        for name in names:
            tree.pop(name, None)
    for each in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
        _forget(each, names)


def _is_random(word: str) -> bool:
    mixed = all(any(kind(letter) for letter in word) for kind in (str.islower, str.isupper, str.isdigit))
    shares = [number / len(word) for number in collections.Counter(word).values()]
    return mixed and -sum(share * math.log2(share) for share in shares) > 3.8


def generated_by(monkeypatch) -> list[str]:
    """Everything that any generator makes from now on."""
    made: list[str] = []
    for kind in (secrets.Random, secrets.Keys, secrets.Ed25519, secrets.Supplied):
        monkeypatch.setattr(kind, "generate", _recorded(kind.generate, made))
    return made


def _recorded(generate, made: list[str]):
    def recorded(self) -> str:
        made.append(generate(self))
        return made[-1]

    return recorded


def assert_no_secret(plan, made: list[str]) -> None:
    generators = {path: each.generator for path, each in plan.kept.items()}
    known: dict[str, str] = {}

    def generated(path: str) -> str:
        maker = generators.get(path, secrets.Random())
        return known.setdefault(path, maker.generate())

    for way in keeping.WAYS:
        for env in (env for env in plan.environments if not env.local):
            one = keeping.lowered(way, plan, env, generated)
            bytes_of_all = "".join(kustomize.files([one]).values())
            for value in (*known.values(), *made):
                for piece in (value, json.dumps(value)[1:-1]):
                    assert piece not in bytes_of_all
            assert suspicious(one) == []
    if plan.kept:
        assert {path for holder in one.holders for path in holder.paths} <= set(known)


def test_no_secret_stands_in_anything_that_payments_emits(monkeypatch):
    made = generated_by(monkeypatch)
    assert_no_secret(worlds.payments(), made)
    assert len(made) > 15


@FEW
@given(strategies.drawings())
def test_no_secret_stands_in_anything_that_any_platform_emits(drawing):
    assert_no_secret(worlds.drawn(drawing), [])


@pytest.mark.parametrize("maker", [secrets.Random(), secrets.Keys(2), secrets.Ed25519()])
def test_a_secret_that_did_stand_there_would_be_found(maker):
    plan = Platform("leaky")
    leak = next(text for text in iter(maker.generate, "") if any(map(str.isdigit, text)))  # all but one in 1,000
    plan.namespace("apps").add(Worker("web", python("x.y"), env={"PASSWORD": leak}))
    env = plan.environment("live", registry="registry.example.com")
    assert suspicious(lower.lower(plan, env)) != []


def demanding(*paths: str) -> Platform:
    """A plan with a service that reads secrets at `paths`."""
    plan = Platform("demanding")
    web = plan.namespace("apps").add(Service("web", python("x.y"), http=8000))
    web.needs(*(plan.secret(path, random_secret()).as_right().renamed(f"S{at}") for at, path in enumerate(paths)))
    return plan


def found(plan: Platform, store) -> list[str]:
    env = plan.environment("live", registry="registry.example.com", secrets=store)
    try:
        lower.lower(plan, env)
    except findings.PlanError as error:
        return [str(each) for each in error.findings]
    return []


@pytest.mark.parametrize(
    ("provider", "paths", "word"),
    [
        (VaultKv(), ("app/a-b", "app/a_b"), "one name in a Secret"),
        (VaultKv("team/"), ("app/a-b", "app/a.c"), ""),
        (AwsSecretsManager(), ("app/a b",), "letters"),
        (AwsSecretsManager("x" * 511), ("app",), "512"),
        (AwsSecretsManager("payments/"), ("app/a-b",), ""),
        (GcpSecretManager(), ("app/a--b",), "two secrets"),
        (GcpSecretManager(), ("app/a.b",), "letters"),
        (GcpSecretManager("payments-"), ("app/a-b",), ""),
    ],
)
def test_a_provider_is_asked_for_names_that_it_can_have(provider, paths, word):
    said = found(demanding(*paths), ExternalSecrets("platform", provider))
    assert bool(said) == bool(word) and word in "".join(said)
    assert not word or ("GP321" in said[0] and "test_keeping.py" in said[0])


def test_an_external_secret_names_what_it_wants_of_its_provider():
    plan = demanding("app/a-b")
    store = ExternalSecrets("team", AwsSecretsManager("live/"), kind="SecretStore", refresh="15m")
    env = plan.environment("live", registry="registry.example.com", secrets=store)
    made = {made.key.kind: made.tree for made in lower.lower(plan, env).objects}
    assert made["ExternalSecret"]["apiVersion"] == "external-secrets.io/v1"
    assert made["ExternalSecret"]["spec"] == {
        "refreshInterval": "15m",
        "secretStoreRef": {"kind": "SecretStore", "name": "team"},
        "target": {
            "name": "web-secrets",
            "creationPolicy": "Owner",
            "deletionPolicy": "Retain",
            "template": {
                "engineVersion": "v2",
                "mergePolicy": "Replace",
                "data": {
                    "config_callers.json": made["ExternalSecret"]["spec"]["target"]["template"]["data"][
                        "config_callers.json"
                    ],
                    "secrets_s0": "{{ .app_a_b }}",
                },
            },
        },
        "data": [
            {
                "secretKey": name,
                "remoteRef": {
                    "key": f"live/{path}",
                    "conversionStrategy": "Default",
                    "decodingStrategy": "None",
                    "metadataPolicy": "None",
                },
            }
            for name, path in (
                ("app_a_b", "app/a-b"),
                ("platform_token_issuer", "platform/token-issuer"),
                ("platform_token_keys", "platform/token-keys"),
            )
        ],
    }
    assert "Secret" not in made and "SecretStore" not in made


def test_what_is_not_sealed_is_a_finding_with_the_command_that_seals_it():
    said = found(demanding("app/a"), SealedSecrets(str(keeping.certificate())))
    assert len(said) == 1 and "GP322 not sealed for web: app/a" in said[0] and "groundplan seal" in said[0]


def test_tokens_lie_beside_the_secrets_of_a_caller():
    plan = worlds.payments()
    env = next(each for each in plan.environments if each.name == "production")
    for way in ("external", "sealed"):
        one = keeping.lowered(way, plan, env, text)
        tree = next(m.tree for m in one.objects if (m.key.kind, m.key.name) == ("Deployment", "api-gateway"))
        spec = tree["spec"]["template"]["spec"]
        (volume,) = [each for each in spec["volumes"] if each["name"] == "secrets"]
        tokens = {each["serviceAccountToken"]["path"] for each in volume["projected"]["sources"][1:]}
        assert tokens == {"tokens/auth-service", "tokens/merchant-service", "tokens/payment-api-service"}
        paths = [mount["mountPath"] for mount in spec["containers"][0]["volumeMounts"]]
        assert not any(one != other and other.startswith(f"{one}/") for one in paths for other in paths)
        assert "initContainers" not in spec
