"""An API server takes everything that is emitted: its schemas, the rules beyond them, and restricted Pod Security."""

from __future__ import annotations

import copy
import itertools
import json

import pytest
from hypothesis import HealthCheck, given, settings

from groundplan import Platform, Service, python
from groundplan.kubernetes import lower
from groundplan.resources import NoBackup, Resource, Vault
from groundplan.secrets import random as random_secret
from groundplan.shapes import ports, processes, signals, workloads
from tests import strategies
from tests.kubernetes import apiserver, pod_security, schemas, worlds


def production() -> lower.Lowered:
    return next(one for one in worlds.payments_lowered() if one.environment == "production")


FEW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def complaints(trees: list[dict]) -> list[str]:
    shaped = [said for tree in trees for said in schemas.complaints(tree)]
    if shaped:  # what does not fit its schema is not read any further, as in an API server
        return shaped
    templates = [template for tree in trees if (template := apiserver.template_of(tree))]
    return [
        *apiserver.complaints(trees),
        *(said for template in templates for said in pod_security.complaints(template)),
    ]


@pytest.mark.parametrize("number", [0, 1, 2], ids=["development", "staging", "production"])
def test_the_payments_platform_is_accepted(number):
    trees = worlds.trees(worlds.payments_lowered()[number])
    assert len(trees) > 100
    assert complaints(trees) == []


@FEW
@given(strategies.drawings())
def test_every_platform_is_accepted(drawing):
    for one in worlds.lowered(worlds.drawn(drawing)):
        assert complaints(worlds.trees(one)) == []


@pytest.mark.parametrize("number", [0, 1, 2], ids=["development", "staging", "production"])
def test_every_namespace_enforces_the_restricted_standard_but_for_the_one_that_says_why_not(number):
    spaces = [tree for tree in worlds.trees(worlds.payments_lowered()[number]) if tree["kind"] == "Namespace"]
    assert len(spaces) == len(worlds.payments().namespaces)
    levels = {
        space["metadata"]["name"]: space["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] for space in spaces
    }
    assert {name for name, level in levels.items() if level != "restricted"} == {"node-exporter"}
    (excepted,) = [space for space in spaces if space["metadata"]["name"] == "node-exporter"]
    assert excepted["metadata"]["annotations"] == {
        "groundplan.dev/privileged-because": "it reads the memory, disks and network of the host"
    }


def test_a_service_may_be_called_as_what_we_add():
    plan = Platform("odd")
    space = plan.namespace("secrets")
    vault = space.add(Vault("tokens"))
    kinds = ("secrets", "tmp", "config", "files", "templates", "data", "store")
    made = [space.add(Service(name, python("x.y"), http=8000, replicas=2)) for name in kinds]
    for one, other in itertools.pairwise(made):
        one.needs(other.http, plan.secret(f"app/{one.name}", random_secret()))
    env = plan.environment("live", registry="registry.example.com", secrets=vault)
    assert complaints(worlds.trees(lower.lower(plan, env))) == []


class Cache(Resource):
    """A resource that a plan defines by itself."""

    def runs_here(self, edges):
        return processes.NotHere("not here")

    def backed_up(self):
        return NoBackup("a cache")

    def signals(self):
        return signals.NoSignals("a test's")

    def objects(self, env, edges):
        tcp = workloads.Check(port="cache")
        return workloads.Stateful("cache:1", ready=tcp, alive=tcp, data="/data", storage="1Gi", user=1000, group=1000)


def test_a_resource_of_the_plans_own_is_as_hardened_as_the_others():
    plan = Platform("own")
    space = plan.namespace("space")
    space.add(Cache("cache", listens={"cache": ports.Tcp(11211)}))
    lowered = lower.lower(plan, plan.environment("live"))
    assert complaints(worlds.trees(lowered)) == []
    assert {"StatefulSet", "Service", "NetworkPolicy", "ServiceAccount"} <= {made.key.kind for made in lowered.objects}
    assert plan.sheet.findings == []


def find(trees: list[dict], kind: str, name: str) -> dict:
    return next(tree for tree in trees if (tree["kind"], tree["metadata"]["name"]) == (kind, name))


def pod(trees: list[dict], name: str = "api-gateway") -> dict:
    return find(trees, "Deployment", name)["spec"]["template"]["spec"]


def container(trees: list[dict]) -> dict:
    return pod(trees)["containers"][0]


def duplicated(trees: list[dict]) -> None:
    trees.append(copy.deepcopy(trees[0]))


SLIPS = {
    "a field that nobody knows": lambda t: container(t).update(livenesProbe={}),
    "a number written as text": lambda t: find(t, "Deployment", "auth-service")["spec"].update(replicas="2"),
    "a scheme in small letters": lambda t: container(t)["livenessProbe"]["httpGet"].update(scheme="http"),
    "a volume's medium that does not exist": lambda t: pod(t)["volumes"][1]["emptyDir"].update(medium="memory"),
    "a port's name of sixteen letters": lambda t: container(t)["ports"][0].update(name="a-very-long-name"),
    "a label's value of 64 letters": lambda t: t[0]["metadata"]["labels"].update(x="a" * 64),
    "an object twice": duplicated,
    "a selector that matches another label": lambda t: find(t, "Deployment", "auth-service")["spec"]["selector"][
        "matchLabels"
    ].update({"app.kubernetes.io/name": "other"}),
    "a probe of a port that is not there": lambda t: container(t)["readinessProbe"]["httpGet"].update(port="admin"),
    "a mount without a volume": lambda t: container(t)["volumeMounts"].append({"name": "no", "mountPath": "/no"}),
    "two mounts at one path": lambda t: container(t)["volumeMounts"].append({"name": "tmp", "mountPath": "/tmp"}),
    "a request above its limit": lambda t: container(t)["resources"]["requests"].update(cpu="3"),
    "a budget that lets nobody go": lambda t: find(t, "PodDisruptionBudget", "auth-service").update(
        spec={"minAvailable": 2, "selector": find(t, "PodDisruptionBudget", "auth-service")["spec"]["selector"]}
    ),
    "an autoscaler beside a number of replicas": lambda t: find(t, "Deployment", "api-gateway")["spec"].update(
        replicas=2
    ),
    "an autoscaler upside down": lambda t: find(t, "HorizontalPodAutoscaler", "api-gateway")["spec"].update(
        maxReplicas=1
    ),
    "a quota that one replica more would break": lambda t: find(t, "ResourceQuota", "gateway-quota")["spec"][
        "hard"
    ].update(pods="10"),
    "an exception outside of its range": lambda t: find(t, "NetworkPolicy", "transaction-service")["spec"]["egress"][
        0
    ].update(to=[{"ipBlock": {"cidr": "192.0.2.0/24", "except": ["10.0.0.0/8"]}}]),
    "a Service that selects nobody": lambda t: find(t, "Service", "api-gateway")["spec"].update(
        selector={"no": "body"}
    ),
    "an account that is not there": lambda t: pod(t).update(serviceAccountName="nobody"),
    "a file that its ConfigMap lacks": lambda t: find(t, "ConfigMap", "vault-files").update(data={}),
    "a container that may be root": lambda t: pod(t)["securityContext"].update(runAsNonRoot=False),
    "a container that may escalate": lambda t: container(t)["securityContext"].pop("allowPrivilegeEscalation"),
    "an init container with a capability": lambda t: pod(t)["initContainers"][0]["securityContext"].update(
        capabilities={"drop": ["ALL"], "add": ["SYS_ADMIN"]}
    ),
    "a volume of the host": lambda t: pod(t)["volumes"].append({"name": "host", "hostPath": {"path": "/"}}),
    "a pod on the host's network": lambda t: pod(t).update(hostNetwork=True),
    "a field that cert-manager does not know": lambda t: find(t, "ClusterIssuer", "letsencrypt")["spec"]["acme"].update(
        mail="somebody@example.com"
    ),
    "a Job that restarts for ever": lambda t: find(t, "Job", "micro-auth-migrate")["spec"]["template"]["spec"].update(
        restartPolicy="Always"
    ),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_would_be_noticed(slip):
    # By way of text: a constant that stands in many places of the trees becomes as many.
    trees = json.loads(json.dumps(worlds.trees(production())))
    SLIPS[slip](trees)
    assert complaints(trees)
