"""Pod Security, control by control and version by version: what is allowed, and what is not and where.

Source of the right answers: Kubernetes documentation, "Pod Security Standards".
"""

from __future__ import annotations

import copy
from typing import Any

import pytest

from groundplan import proof
from groundplan.proof import options
from groundplan.proof.lint import facts, security, standards

GOOD = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
AROUND = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "p", "namespace": "a"},
    "spec": {"securityContext": AROUND, "containers": [{"name": "c", "image": "c:1", "securityContext": GOOD}]},
}


def pod(path: str, value: Any) -> dict[str, Any]:
    """A pod that meets both standards, but for one field."""
    made = copy.deepcopy(POD)
    place: Any = made if path.startswith("metadata") else made["spec"]
    *steps, last = path.split("/")
    for step in steps:
        place = place[int(step)] if isinstance(place, list) else place.setdefault(step, {})
    place[last] = value
    return made


def said(document: dict[str, Any], version: str = "", *more: dict[str, Any]) -> list[str]:
    whole = proof.Cluster.of([document, *more], options=options.Options(kubernetes=version))
    return [f"{each.code} {each.field}" for each in security.pod_security(facts.Facts(whole))]


C, INIT, LATER = "containers/0/securityContext", "initContainers", "ephemeralContainers"
BASELINE: tuple[tuple[str, Any, Any], ...] = (
    ("hostNetwork", True, False),
    ("hostPID", True, None),
    ("hostIPC", True, False),
    ("securityContext/windowsOptions", {"hostProcess": True}, {"hostProcess": False}),
    (f"{C}/windowsOptions", {"hostProcess": True}, {"runAsUserName": "ContainerUser"}),
    (f"{C}/privileged", True, False),
    (f"{C}/capabilities", {"drop": ["ALL"], "add": ["NET_RAW"]}, {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}),
    ("volumes", [{"name": "v", "hostPath": {"path": "/x"}}], [{"name": "v", "emptyDir": {}, "hostPath": None}]),
    ("containers/0/ports", [{"containerPort": 1, "hostPort": 2}], [{"containerPort": 1, "hostPort": 0}]),
    ("securityContext/appArmorProfile", {"type": "Unconfined"}, {"type": "RuntimeDefault"}),
    (f"{C}/appArmorProfile", {"type": "Unconfined"}, {"type": "Localhost", "localhostProfile": "x"}),
    (f"{C}/seLinuxOptions", {"type": "spc_t"}, {"type": "container_init_t", "level": "s0:c1"}),
    (f"{C}/seLinuxOptions", {"user": "system_u"}, {"user": "", "role": ""}),
    ("securityContext/seLinuxOptions", {"role": "system_r"}, {"level": "s0"}),
    (f"{C}/procMount", "Unmasked", "Default"),
    (f"{C}/seccompProfile", {"type": "Unconfined"}, {"type": "Localhost", "localhostProfile": "x"}),
    ("securityContext/seccompProfile", {"type": "Unconfined"}, {"type": "Localhost", "localhostProfile": "x"}),
    ("securityContext/sysctls", [{"name": "kernel.sem", "value": "1"}], [{"name": "net.ipv4.tcp_rmem", "value": "1"}]),
    ("containers/0/livenessProbe", {"httpGet": {"port": 1, "host": "x"}}, {"httpGet": {"port": 1}}),
    ("containers/0/startupProbe", {"tcpSocket": {"port": 1, "host": "x"}}, {"tcpSocket": {"port": 1, "host": ""}}),
    (
        "containers/0/lifecycle",
        {"preStop": {"httpGet": {"port": 1, "host": "x"}}},
        {"preStop": {"exec": {"command": ["x"]}}},
    ),
)
RESTRICTED: tuple[tuple[str, Any, Any], ...] = (
    ("volumes", [{"name": "v", "nfs": {"server": "x", "path": "/"}}], [{"name": "v", "ephemeral": {}}]),
    ("volumes", [{"name": "v", "image": {"reference": "x"}}], [{"name": "v", "csi": {"driver": "x"}}]),
    (f"{C}/allowPrivilegeEscalation", None, False),
    (f"{C}/runAsNonRoot", False, True),
    ("securityContext/runAsNonRoot", None, True),
    (f"{C}/runAsUser", 0, 1000),
    ("securityContext/runAsUser", 0, 1),
    ("securityContext/seccompProfile", None, {"type": "Localhost", "localhostProfile": "x"}),
    (f"{C}/capabilities", {"drop": ["NET_RAW"]}, {"drop": ["ALL", "NET_RAW"]}),
    (f"{C}/capabilities", {"drop": ["ALL"], "add": ["CHOWN"]}, {"drop": ["ALL"], "add": []}),
)


@pytest.mark.parametrize(("path", "bad", "good"), BASELINE, ids=[each[0] for each in BASELINE])
def test_a_control_of_baseline(path: str, bad: Any, good: Any) -> None:
    (one,) = said(pod(path, bad))
    field = path.replace("containers/0", "containers[0]").replace("/", ".")
    assert one.startswith(f"GP521 spec.{field}")
    assert said(pod(path, good)) == []


@pytest.mark.parametrize(("path", "bad", "good"), RESTRICTED, ids=[each[0] for each in RESTRICTED])
def test_a_control_of_restricted(path: str, bad: Any, good: Any) -> None:
    assert [each[:5] for each in said(pod(path, bad))] == ["GP522"]
    assert said(pod(path, good)) == []


@pytest.mark.parametrize("kind", [INIT, LATER])
def test_every_list_of_containers_is_judged(kind: str) -> None:
    good = {"name": "i", "image": "i:1", "securityContext": GOOD}
    assert said(pod(kind, [good])) == []
    assert said(pod(kind, [{**good, "securityContext": {**GOOD, "privileged": True}}])) == [
        f"GP521 spec.{kind}[0].securityContext.privileged"
    ]
    assert said(pod(kind, [{"name": "i", "image": "i:1"}]))[0].startswith(f"GP522 spec.{kind}[0]")


def test_a_container_mends_what_its_pod_leaves_out_but_not_what_it_says() -> None:
    own = {**GOOD, "runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    made = pod(C, own)
    made["spec"]["securityContext"] = {}
    assert said(made) == []
    made["spec"]["securityContext"] = {"runAsNonRoot": False}
    assert said(made) == ["GP522 spec.securityContext.runAsNonRoot"]


def test_windows_has_no_capabilities_to_drop() -> None:
    made = pod(C, {})
    assert said(made)[0].startswith("GP522")
    made["spec"]["os"] = {"name": "windows"}
    assert said(made) == []


@pytest.mark.parametrize(("value", "bad"), [("unconfined", True), ("runtime/default", False), ("localhost/x", False)])
def test_annotations_of_apparmor_count(value: str, bad: bool) -> None:
    made = copy.deepcopy(POD)
    made["metadata"]["annotations"] = {"container.apparmor.security.beta.kubernetes.io/c": value}
    assert bool(said(made)) == bad


@pytest.mark.parametrize(
    ("path", "value", "since"),
    [
        ("securityContext/sysctls", [{"name": "net.ipv4.ip_local_reserved_ports", "value": "1"}], 27),
        ("securityContext/sysctls", [{"name": "net.ipv4.tcp_keepalive_time", "value": "1"}], 29),
        ("securityContext/sysctls", [{"name": "net.ipv4.tcp_wmem", "value": "1"}], 32),
        (f"{C}/seLinuxOptions", {"type": "container_engine_t"}, 31),
    ],
)
def test_a_version_allows_what_an_older_one_does_not(path: str, value: Any, since: int) -> None:
    assert said(pod(path, value), f"1.{since}") == []
    assert [each[:5] for each in said(pod(path, value), f"1.{since - 1}")] == ["GP521"]


def test_hosts_of_probes_are_a_matter_since_1_34() -> None:
    made = pod("containers/0/readinessProbe", {"tcpSocket": {"port": 1, "host": "x"}})
    assert (said(made, "1.33"), [each[:5] for each in said(made, "1.34")]) == ([], ["GP521"])


def home(**labels: str) -> dict[str, Any]:
    named = {f"pod-security.kubernetes.io/{key}": value for key, value in labels.items()}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a", "labels": named}}


def test_a_namespace_that_enforces_a_level_refuses_what_does_not_meet_it() -> None:
    made = pod(f"{C}/runAsUser", 0)
    assert said(made, "", home(enforce="restricted"))[0].startswith("GP524")
    assert said(made, "", home(enforce="baseline", warn="restricted"))[0].startswith("GP522")
    old = pod("securityContext/sysctls", [{"name": "net.ipv4.tcp_rmem", "value": "1"}])
    assert said(old, "", home(enforce="baseline", **{"enforce-version": "v1.31"}))[0].startswith("GP521")
    assert said(old, "", home(enforce="baseline", **{"enforce-version": "latest"})) == []


def test_no_control_is_forgotten() -> None:
    """Every word of the lists is allowed alone, and one beside them is not."""
    for name in standards.CAPABILITIES:
        assert not [each for each in said(pod(f"{C}/capabilities", {"drop": ["ALL"], "add": [name]})) if "521" in each]
    for _, names in standards.SYSCTLS:
        for name in names:
            assert said(pod("securityContext/sysctls", [{"name": name, "value": "1"}])) == []
