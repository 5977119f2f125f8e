"""What only a cluster answers is asked of series with the labels that its exporters document."""

from __future__ import annotations

import json
import pathlib
import subprocess

import pytest

from tests.kubernetes import worlds
from tests.telemetry import asking, debian, documented


def unanswered(folder: pathlib.Path, texts: list[str]) -> list[str]:
    """Those of the queries that the real promtool finds no number for."""
    asked = {text: f"count(({text}) > -Inf) > bool 0" for text in texts}  # of NaN nothing is true
    tests = [
        {
            "interval": "1m",
            "input_series": [
                {"series": name, "values": values}
                for name, values in documented.series(worlds.payments(), text).items()
            ],
            "promql_expr_test": [
                {"expr": expression, "eval_time": "50m", "exp_samples": [{"labels": "{}", "value": 1}]}
            ],
        }
        for text, expression in asked.items()
    ]
    (folder / "tests.yml").write_text(json.dumps({"evaluation_interval": "1m", "tests": tests}))
    command = [debian.program("promtool"), "test", "rules", "tests.yml"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    said = done.stdout + done.stderr
    found = [text for text, expression in asked.items() if json.dumps(expression) in said]
    assert bool(found) is bool(done.returncode), said
    return found


def test_every_query_about_a_cluster_is_answered_by_what_its_exporters_document(tmp_path):
    _, there = asking.split(worlds.payments())
    assert len(there) > 50
    assert unanswered(tmp_path, [query.text for query in there]) == []


@pytest.mark.parametrize(
    "query",
    [
        # The one side has a uid and a node, the other an id and an image.
        'container_memory_working_set_bytes{container="x"} / kube_pod_container_resource_limits{container="x"}',
        "sum by (pod) (container_memory_working_set_bytes) / sum by (uid) (kube_pod_container_resource_limits)",
        # Joined by who scrapes.
        "kube_statefulset_replicas - on (instance) kubelet_volume_stats_capacity_bytes",
        "histogram_quantile(0.5, sum by (path) (rate(nginx_ingress_controller_request_duration_seconds_bucket[5m])))",
        'kube_job_failed{condition="true"} > 1000 and kube_job_failed{condition="false"}',
    ],
)
def test_a_query_whose_sides_never_meet_is_seen(tmp_path, query):
    assert unanswered(tmp_path, [query]) == [query]
