"""A certificate holds for the manifests it was made from, and for nothing that reaches otherwise."""

from __future__ import annotations

import contextlib
import copy
import ipaddress
import json
import pathlib
import random
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
import yaml
from hypothesis import strategies as st

from groundplan import proof
from groundplan.proof import addresses, certificate, claims, connections, recheck
from groundplan.proof.reach import bits, classes
from tests.proof import mutations, naive, strategies, test_engine_laws

Documents = list[dict[str, Any]]
PLATFORM: Documents = list(
    yaml.safe_load_all((pathlib.Path(__file__).parent / "closed_platform.yaml").read_text(encoding="utf-8"))
)
BAD = (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError, yaml.YAMLError)
"""What the program tells in a line, with exit code 2."""
REFUSED = (SystemExit, *BAD)
ASSUMED = claims.Assumed("monitoring", "prometheus", {"app": "prometheus"}, "a chart starts it")


def made(documents: Documents) -> Any:
    """As it is written and read again."""
    return json.loads(json.dumps(certificate.certificate(proof.Cluster.of(documents))))


def claimed() -> Any:
    """The platform's certificate with claims: all that is reachable is claimed."""
    whole = claims.assuming(proof.Cluster.of(PLATFORM), [ASSUMED])
    reach, closed = whole.reach(), frozenset(each.namespace for each in whole.model.workloads) - {ASSUMED.namespace}
    said = [
        claims.Claim(one, other, connections.text(ports))
        for source, parts in reach.rows()
        for destinations, ports in parts
        for one in words(reach.universe, 1 << source)
        for other in words(reach.universe, destinations)
        if one != other and any(each.partition("/")[0] in closed for each in (one, other))
    ]
    return json.loads(json.dumps(certificate.certificate(whole, said, closed)))


def words(universe: classes.Universe, some: int) -> list[str]:
    pods = [one.title for number in bits.members(some & universe.pods) for one in universe.classes[number].members]
    return pods + [addresses.text(*each) for each in universe.ranges(some)]


def test_the_checker_is_short_and_imports_nothing_of_ours() -> None:
    text = pathlib.Path(recheck.__file__).read_text()
    assert len(text.splitlines()) <= 200
    assert "import groundplan" not in text and "from groundplan" not in text


def agreed(drawing: tuple[Documents, list[naive.Question]]) -> None:
    documents, questions = drawing
    try:
        found = made(documents)
    except certificate.NoCertificate as error:
        assert "selectors ask for" in str(error)
        return
    assert recheck.check(found, documents)
    for question, verdict in zip(questions, naive.verdicts(documents, questions), strict=True):
        if question[0] != question[1]:
            assert stated(found, *question) == verdict, question


few = hypothesis.settings(test_engine_laws.limited, max_examples=15)
many = hypothesis.settings(test_engine_laws.limited, max_examples=400)
DRAWINGS = strategies.clusters_and_questions(count=8, families=("none",))


@few
@hypothesis.given(DRAWINGS)
def test_what_is_certified_is_checked_again_and_is_what_the_rules_say(drawing: Any) -> None:
    agreed(drawing)


@pytest.mark.slow
@many
@hypothesis.given(DRAWINGS)
def test_what_is_certified_holds_in_very_many_clusters(drawing: Any) -> None:
    agreed(drawing)


def stated(found: Any, source: Any, destination: Any, protocol: str, port: int) -> str:
    """What a certificate says of one connection."""
    ends = [title(each, found["cuts"]) for each in (source, destination)]
    surely, perhaps = (
        any(
            ends[0] in each["sources"] and ends[1] in each["destinations"]
            and any(one["protocol"] == protocol and one["port"] <= port <= one["endPort"] for one in each["ports"])
            for each in found[word]
        )
        for word in ("surely", "perhaps")
    )  # fmt: skip
    return "allowed" if surely else "undecidable" if perhaps else "denied"


def title(end: Any, cuts: list[str]) -> str:
    if isinstance(end, tuple):
        namespace, name, kind, _ = end
        return f"{namespace}/{name}[{kind}]"
    address = ipaddress.ip_address(end)
    before = [each for each in map(ipaddress.ip_address, cuts) if each.version == address.version]
    return str(max(each for each in before if int(each) <= int(address)))


def test_a_doubt_is_certified_as_one() -> None:
    twice = [{"name": "web", "containerPort": 80}, {"name": "web", "containerPort": 81}]
    documents = [*pods("web", twice), policy({"podSelector": {}, "ingress": [{"ports": [{"port": "web"}]}]})]
    found = made(documents)
    assert recheck.check(found, documents)
    assert stated(found, "198.51.100.7", ("shop", "web", "Pod", 0), "TCP", 81) == "undecidable"
    for word, other in (("surely", "perhaps"), ("perhaps", "surely")):
        with pytest.raises(SystemExit, match="not as it says"):
            recheck.check({**found, word: found[other]}, documents)


def pods(name: str, ports: Any, **spec: Any) -> Documents:
    shape = {"containers": [{"name": "it", "image": "it", "ports": ports}], **spec}
    return [{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "shop"}, "spec": shape}]


def policy(spec: Any, name: str = "it") -> dict[str, Any]:
    metadata = {"name": name, "namespace": "shop"}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}


def every(word: str, step: int) -> None:
    found = claimed()
    assert "pairs as claimed" in recheck.check(found, PLATFORM)
    some = list(changes(found[word]))
    assert len(some) > 100
    for broken in some[::step]:
        with pytest.raises(REFUSED):
            recheck.check({**found, word: broken}, PLATFORM)


LISTS = pytest.mark.parametrize("word", ["surely", "perhaps", "claims"])


@LISTS
def test_a_change_of_what_a_certificate_says_does_not_hold(word: str) -> None:
    every(word, 23)


@pytest.mark.slow
@LISTS
def test_no_single_change_of_what_a_certificate_says_holds(word: str) -> None:
    every(word, 1)


def changes(rectangles: list[Any]) -> Iterator[list[Any]]:
    """Each rectangle left out; each source, destination and port left out, moved or made another."""
    for number, rectangle in enumerate(rectangles):
        yield [*rectangles[:number], *rectangles[number + 1 :]]
        for other in altered(rectangle):
            yield [*rectangles[:number], other, *rectangles[number + 1 :]]


def altered(rectangle: Any) -> Iterator[Any]:
    for side in ("sources", "destinations"):
        for each in rectangle[side]:
            rest = [one for one in rectangle[side] if one != each]
            yield from ({**rectangle, side: rest}, {**rectangle, side: [*rest, "nowhere/none[Pod]"]})
    for number, port in enumerate(rectangle["ports"]):
        others = [
            {**port, "protocol": "UDP" if port["protocol"] == "TCP" else "TCP"}, {**port, "port": str(port["port"])},
            {**port, "endPort": port["endPort"] + 1}, {**port, "port": port["port"] - 1}, {**port, "endport": 9},
        ]  # fmt: skip
        for changed in ([], *([other] for other in others)):
            ports = [*rectangle["ports"][:number], *changed, *rectangle["ports"][number + 1 :]]
            yield {**rectangle, "ports": ports}


def test_no_part_of_a_certificate_can_be_left_out_or_be_of_another_type() -> None:
    found = claimed()
    for word in found:
        for wrong in (None, "all", 1, [None], [["surely"]], [{}], {"sources": []}):
            if wrong is not None or found[word]:
                with pytest.raises(REFUSED):
                    recheck.check({**found, word: wrong}, PLATFORM)
        for number in range(len(found[word]) if word in ("cuts", "kinds", "taken") else 0):
            with pytest.raises(REFUSED):
                recheck.check({**found, word: found[word][:number] + found[word][number + 1 :]}, PLATFORM)
    with pytest.raises(REFUSED):
        recheck.check({**found, "more": []}, PLATFORM)


def test_no_certificate_may_take_for_granted_what_filters() -> None:
    found = made(PLATFORM)
    hidden = {"apiVersion": "v1", "kind": "List", "metadata": {"name": "a"}, "items": [policy({})]}
    with pytest.raises(SystemExit, match="cannot be about v1 List"):
        recheck.check({**found, "kinds": ["v1 List"]}, [*PLATFORM, hidden])
    for space in ({"name": "back", "labels": {}}, {"name": "back", "namespace": "x", "labels": {"team": "web"}}):
        with pytest.raises(ValueError, match="there twice"):
            taken = [{"apiVersion": "v1", "kind": "Namespace", "metadata": space}]
            recheck.check({**found, "taken": taken}, PLATFORM)
    cilium = {"apiVersion": "cilium.io/v2", "kind": "CiliumNetworkPolicy", "metadata": {"name": "a", "namespace": "b"}}
    with pytest.raises(SystemExit, match="cannot be about cilium"):
        recheck.check({**found, "kinds": ["cilium.io/v2 CiliumNetworkPolicy"]}, [*PLATFORM, cilium])
    with pytest.raises(REFUSED):
        recheck.check({**found, "taken": [policy({"podSelector": {}}, "forged")]}, PLATFORM)


@pytest.mark.parametrize("broken", mutations.MUTATIONS, ids=lambda broken: broken.name)
def test_a_certificate_does_not_hold_for_manifests_that_reach_otherwise(broken: mutations.Named) -> None:
    found = made(PLATFORM)
    for seed in range(3):
        mutated = broken.mutation(PLATFORM, random.Random(seed))
        assert mutated is not None
        with pytest.raises(REFUSED):
            recheck.check(found, mutated)


@pytest.mark.parametrize("kind", ["admin", "Cilium"])
def test_kinds_beside_are_never_certified(kind: str) -> None:
    (broken,) = [each for each in mutations.MUTATIONS if kind in each.name]
    mutated = broken.mutation(PLATFORM, random.Random(0))
    assert mutated is not None
    with pytest.raises(certificate.NoCertificate, match="only NetworkPolicies are certified"):
        made(mutated)


RULE = [
    {"ports": [{"port": 0}]}, {"ports": [{"port": 65536}]}, {"ports": [{"port": 80.0}]}, {"ports": [{"port": True}]},
    {"ports": [{"port": 80, "endPort": 79}]}, {"ports": [{"port": 80, "endPort": 0}]}, {"ports": [{"endPort": 80}]},
    {"ports": [{"port": "web", "endPort": 80}]}, {"ports": [{"port": 80, "endport": 90}]}, {"ports": {"port": 80}},
    {"ports": [{"protocol": "tcp", "port": 80}]}, {"ports": [80]}, {"port": 80}, {"to": []}, {"from": {}}, None, "all",
    {"from": [{}]}, {"from": [None]}, {"from": [{"podselector": {}}]}, {"from": [{"ipBlock": {}}]},
    {"from": [{"ipBlock": {"cidr": "::/0"}, "podSelector": {}}]}, {"from": [{"ipBlock": {"cidr": "10.0.0.0/33"}}]},
    {"from": [{"ipBlock": {"cidr": "::/0", "except": "::1/128"}}]},
    {"from": [{"ipBlock": {"cidr": "::/0", "but": []}}]}, {"from": [{"ipBlock": {"cidr": 10}}]},
    {"from": [{"ipBlock": {"cidr": "0.0.0.0"}}]}, {"from": [{"ipBlock": {"cidr": "0.0.0.0/0.0.0.0"}}]},
    {"ports": [{"port": "80"}]}, {"ports": [{"port": "web", "protocol": "tcp"}]},
]  # fmt: skip
SELECTOR = [
    {"matchlabels": {}}, {"matchLabels": []}, {"matchLabels": ""}, {"matchExpressions": ""},
    [], "all", {"matchLabels": {"a": 1}}, {"matchLabels": {"a": None}}, {"matchLabels": ["a"]},
    {"matchLabels": {"pod-template-hash": "x"}}, {"matchLabels": {1: "a"}}, {"matchExpressions": {}},
    {"matchExpressions": [{"key": "a", "operator": "in", "values": ["b"]}]},
    {"matchExpressions": [{"key": "a", "operator": "In"}]}, {"matchExpressions": [{"operator": "Exists"}]},
    {"matchExpressions": [{"key": "a", "operator": "In", "values": "abc"}]},
    {"matchExpressions": [{"key": "a", "operator": "Exists", "values": ["b"]}]},
]  # fmt: skip
MALFORMED = [
    *({"podSelector": {}, "ingress": [each]} for each in RULE), *({"podSelector": each} for each in SELECTOR),
    *({"ingress": [{"from": [{"namespaceSelector": each}]}]} for each in SELECTOR),
    {"podselector": {}}, {"egress": {}}, {"policyTypes": ["Ingress"], "egress": "all"},
    {"policyTypes": "Ingress"}, {"policyTypes": ["ingress"]}, {"ingress": {}}, {"egress": "all"},
]  # fmt: skip


@pytest.mark.parametrize("spec", MALFORMED, ids=str)
def test_a_policy_that_nobody_would_take_is_refused(spec: Any) -> None:
    documents = pods("web", [])
    with pytest.raises(REFUSED):
        recheck.check(made(documents), [*documents, policy(spec)])


def test_a_pod_that_nobody_would_take_is_refused() -> None:
    found = made(pods("web", []))
    assert recheck.check(found, pods("web", []))
    for ports, spec in (
        ("http", {}),
        ([80], {}),
        ([{"name": "web"}], {}),
        ([], {"containers": "web"}),
        ([], {"hostNetwork": 1}),
    ):
        with pytest.raises(REFUSED):
            recheck.check(found, pods("web", ports, **spec))
    (pod,) = pods("web", [])
    for space in ("", 5, None, ["shop"]):
        place = {"name": "web", "namespace": space}
        for documents in ([{**pod, "metadata": place}], [pod, {**policy({"ingress": [{}]}), "metadata": place}]):
            with pytest.raises(REFUSED):
                recheck.check(found, documents)
    for wrong in (
        {**pod, "apiVersion": "v2"},
        {**pod, "metadata": {"name": "web"}},
        {"kind": "Pod"},
        [pod],
        "pod",
        None,
    ):
        with pytest.raises(REFUSED):
            recheck.check(found, [wrong])
    with pytest.raises(REFUSED):
        recheck.check(found, [pod, pod])


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 70000) | st.sampled_from(["", "a", "10.0.0.0/8", "TCP", "In"]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "from", "key"]), inner, max_size=2)
    ),
    max_leaves=4,
)


@hypothesis.settings(max_examples=60, deadline=None)
@hypothesis.given(st.data())
def test_junk_anywhere_ends_in_words(data: st.DataObject) -> None:
    both = {"certificate": made(PLATFORM), "documents": copy.deepcopy(PLATFORM)}
    where: Any = both
    key: Any = data.draw(st.sampled_from(list(both)))
    while data.draw(st.booleans()) and isinstance(where[key], dict | list) and where[key]:
        where = where[key]
        key = data.draw(st.sampled_from(list(where) if isinstance(where, dict) else list(range(len(where)))))
    where[key] = data.draw(JUNK)
    with contextlib.suppress(*REFUSED):
        recheck.check(both["certificate"], both["documents"])


def run(folder: pathlib.Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, recheck.__file__, *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(name="folder", scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    folder = tmp_path_factory.mktemp("certified")
    (folder / "it.json").write_text(json.dumps(made(PLATFORM)))
    (folder / "cut.json").write_text(json.dumps(made(PLATFORM))[:-9])
    (folder / "it.yaml").write_text(yaml.safe_dump_all(PLATFORM))
    (folder / "list.yaml").write_text(yaml.safe_dump({"apiVersion": "v1", "kind": "List", "items": PLATFORM}))
    (folder / "other.yaml").write_text(yaml.safe_dump_all(PLATFORM[:-1]))
    (folder / "broken.yaml").write_text("kind: [\n")
    (folder / "deep.yaml").write_text("[" * 2000)
    (folder / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    return folder


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("it.json", "it.yaml"), 0, "the certificate holds"),
        (("it.json", "list.yaml"), 0, "the certificate holds"),
        (("it.json", "other.yaml"), 1, "refuted"),
        (("it.json",), 1, "refuted"),
        (("it.json", "missing.yaml"), 2, "cannot be read"),
        (("it.json", "."), 2, "cannot be read"),
        (("it.json", "broken.yaml"), 2, "cannot be read"),
        (("it.json", "deep.yaml"), 2, "cannot be read"),
        (("it.json", "bytes.yaml"), 2, "cannot be read"),
        (("cut.json", "it.yaml"), 2, "cannot be read"),
        ((), 2, "cannot be read"),
    ],
    ids=str,
)
def test_the_checker_is_a_program_of_its_own(
    folder: pathlib.Path, words: tuple[str, ...], code: int, said: str
) -> None:
    done = run(folder, *words)
    assert (done.returncode, said in done.stdout + done.stderr) == (code, True), done
    assert "Traceback" not in done.stderr
