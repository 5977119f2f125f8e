"""How far a workload is and why no further, from statuses as the documentation shows them."""

from __future__ import annotations

import pytest

from groundplan.live import rollout
from tests.live import runs


def live(kind: str = "Deployment", generation: int = 2, **status) -> dict:
    tree = runs.deployment("web").tree
    spec = {**tree["spec"], "replicas": 2}
    return {
        **tree,
        "kind": kind,
        "metadata": {**tree["metadata"], "generation": generation},
        "spec": spec,
        "status": status,
    }


READY = {"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2, "availableReplicas": 2}


@pytest.mark.parametrize(
    ("status", "ready", "words"),
    [
        (READY, True, "2 of 2 ready"),
        ({**READY, "observedGeneration": 1}, False, "2 of 2 ready: its controller has not seen the change yet"),
        ({**READY, "replicas": 3}, False, "2 of 2 ready: 1 of the old ones still run"),
        ({**READY, "updatedReplicas": 1}, False, "1 of 2 ready"),
        ({**READY, "availableReplicas": 1}, False, "2 of 2 ready"),
        ({"observedGeneration": 2, "conditions": [{"type": "ReplicaFailure", "status": "True", "message": "quota"}]},
         False, "0 of 2 ready: quota"),
    ],
)  # fmt: skip
def test_a_deployment_is_ready_when_all_new_pods_are_and_no_old_one_runs(status, ready, words):
    found = rollout.state(live(**status))
    assert (found.ready, str(found)) == (ready, words)


def test_a_stateful_set_has_no_available_pods_but_ready_ones():
    status = {key: value for key, value in READY.items() if key != "availableReplicas"}
    assert rollout.state(live("StatefulSet", **status)).ready


@pytest.mark.parametrize(
    ("status", "ready", "words"),
    [
        (READY, True, "2 of 2 ready"),
        ({**READY, "updatedReplicas": 0}, True,
         "2 of 2 ready: as it was before the change, until somebody deletes its pod"),
        ({**READY, "updatedReplicas": 0, "observedGeneration": 1}, False,
         "2 of 2 ready: its controller has not seen the change yet"),
        ({**READY, "updatedReplicas": 0, "readyReplicas": 0}, False, "0 of 2 ready"),
    ],
)  # fmt: skip
def test_pods_that_are_replaced_by_hand_are_not_waited_for(status, ready, words):
    tree = live("StatefulSet", **status)
    tree["spec"]["updateStrategy"] = {"type": "OnDelete"}
    found = rollout.state(tree)
    assert (found.ready, str(found)) == (ready, words)


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ({}, rollout.State(False, "not started")),
        ({"active": 1, "failed": 3}, rollout.State(False, "running, failed 3 times")),
        ({"conditions": [{"type": "Complete", "status": "True"}]}, rollout.State(True, "done")),
        ({"conditions": [{"type": "Failed", "status": "True", "message": "deadline"}]},
         rollout.State(False, "failed", True, "deadline")),
    ],
)  # fmt: skip
def test_a_job_is_over_well_or_not(status, state):
    assert rollout.state(live("Job", **status)) == state


def pod(**status) -> dict:
    return {"metadata": {"name": "web-x"}, "spec": {"containers": []}, "status": {"phase": "Pending", **status}}


def container(name: str = "web", **state) -> dict:
    return {"name": name, "ready": False, "state": state}


WAITING = {"reason": "PodInitializing"}


@pytest.mark.parametrize(
    ("status", "events", "words"),
    [
        ({"conditions": [{"type": "PodScheduled", "status": "False", "message": "Insufficient cpu"}]}, [],
         "no node takes it: Insufficient cpu"),
        ({"containerStatuses": [container(waiting={"reason": "CreateContainerConfigError", "message": "none"})]}, [],
         "container web: CreateContainerConfigError: none"),
        ({"initContainerStatuses": [container("agent", terminated={"exitCode": 1, "message": "sealed"})],
          "containerStatuses": [container(waiting=WAITING)]}, [],
         "init container agent: exit code 1 (Error): sealed"),
        ({"initContainerStatuses": [{**container("agent", terminated={"exitCode": 0}), "ready": True}],
          "containerStatuses": [container(waiting={"reason": "CrashLoopBackOff", "message": "back-off"}) |
                                {"lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}}]}, [],
         "container web: CrashLoopBackOff: exit code 137 (OOMKilled): back-off"),
        ({"containerStatuses": [container(waiting={"reason": "ContainerCreating"})]},
         [("Normal", "Scheduled", "to a node", "1"), ("Warning", "FailedMount", "no volume", "3"),
          ("Warning", "FailedMount", "earlier", "2")],
         "FailedMount: no volume"),
        ({"phase": "Running", "containerStatuses": [container(running={})]},
         [("Warning", "Unhealthy", "Readiness probe failed: 503", "1")], "Unhealthy: Readiness probe failed: 503"),
    ],
)  # fmt: skip
def test_a_pod_says_what_keeps_it(status, events, words):
    listed = [
        {"type": kind, "reason": reason, "message": message, "lastTimestamp": moment}
        for kind, reason, message, moment in events
    ]
    assert rollout.reason(live(), [pod(**status)], lambda name: listed) == f"web-x: {words}"


def test_where_no_pod_could_be_made_the_workload_says_why():
    refused = [{"type": "Warning", "reason": "FailedCreate", "message": "violates PodSecurity", "lastTimestamp": "1"}]
    found = rollout.reason(live("StatefulSet"), [], lambda name: refused if name == "web" else [])
    assert found == "FailedCreate: violates PodSecurity"
    assert rollout.reason(live(), [], lambda name: []) == ""


def test_a_vault_without_events_is_not_called_ready():
    one = pod(phase="Running", containerStatuses=[container(running={})])
    one["spec"]["containers"] = [{"readinessProbe": {"httpGet": {"path": "/v1/sys/health?standbyok=true"}}}]
    found = rollout.reason(live("StatefulSet"), [one], lambda name: [])
    assert found == "web-x: Vault is sealed or not initialised: run `groundplan vault bootstrap`"
