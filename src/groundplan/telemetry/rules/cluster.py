"""The cluster under a platform: pods that cannot start, volumes and nodes that fill, failed Jobs, old backups."""

from __future__ import annotations

from collections.abc import Iterator

from groundplan.model import platform
from groundplan.shapes import alerts
from groundplan.telemetry import targets
from groundplan.telemetry.rules import gone

_HOUR = 3600
_POD = 'namespace="shop", pod="web-1", container="web"'


def groups(plan: platform.Platform) -> Iterator[alerts.Group]:
    """Where somebody tells of the cluster."""
    documented = {name for target in targets.of(plan) for name in target.exports.documented}
    spaces = "|".join(sorted(space.name for space in plan.namespaces))
    example = min((space.name for space in plan.namespaces), default="")
    pod = _POD.replace('"shop"', f'"{example}"')
    if {"kube-state-metrics", "kubelet"} <= documented:
        ours = f'namespace=~"{spaces}"'
        yield alerts.Group("pods", (*_pods(ours, pod), *_volumes(ours, pod), *gone.rules(plan, ours, example)))
        yield alerts.Group("jobs", tuple(_jobs(ours, example)))
    if "node-exporter" in documented:
        yield alerts.Group("nodes", _nodes())


def _pods(ours: str, pod: str) -> Iterator[alerts.Alert]:
    waiting = f'kube_pod_container_status_waiting_reason{{{pod}, reason="CrashLoopBackOff"}}'
    yield alerts.Alert(
        "CrashLoops",
        (
            alerts.Condition(
                "max by (namespace, pod, container) (max_over_time("
                f'kube_pod_container_status_waiting_reason{{{ours}, reason="CrashLoopBackOff"}}[5m]))',
                ">",
                0,
            ),
        ),
        "critical",
        "{{ $labels.container }} in {{ $labels.pod }} ends again and again",
        "kubectl logs --previous: its last words; exit code 137 means that its memory did not suffice",
        fires={waiting: "0x20 1 _ 1 _ 1x30"},
        quiet={waiting: "0x20 1 0x30"},
        lasts="10m",
        at="55m",
    )
    used, limit = (
        f"container_memory_working_set_bytes{{{pod}}}",
        f'kube_pod_container_resource_limits{{{pod}, resource="memory"}}',
    )
    yield alerts.Alert(
        "MemoryRunsOut",
        (
            alerts.Condition(
                f'sum by (namespace, pod, container) (container_memory_working_set_bytes{{{ours}, container!=""}})'
                " / on (namespace, pod, container) sum by (namespace, pod, container)"
                f' (kube_pod_container_resource_limits{{{ours}, resource="memory"}})',
                ">",
                0.8,
            ),
        ),
        "warning",
        "{{ $labels.container }} in {{ $labels.pod }} uses {{ $value | humanizePercentage }} of its memory",
        "does it grow for days (a leak) or with the load (raise the limit in the plan)? At 100 % it is killed",
        fires={used: "90x60", limit: "100x60"},
        quiet={used: "70x60", limit: "100x60"},
        lasts="10m",
    )


def _volumes(ours: str, pod: str) -> Iterator[alerts.Alert]:
    free, whole = (
        f'kubelet_volume_stats_{each}_bytes{{{pod.partition(",")[0]}, persistentvolumeclaim="data-0"}}'
        for each in ("available", "capacity")
    )
    yield alerts.Alert(
        "VolumeFills",
        (
            alerts.Condition(
                f"kubelet_volume_stats_available_bytes{{{ours}}} / kubelet_volume_stats_capacity_bytes{{{ours}}}",
                "<",
                0.15,
            ),
        ),
        "warning",
        "{{ $labels.persistentvolumeclaim }} has {{ $value | humanizePercentage }} left",
        "raise its storage in the plan where its class can grow, or delete what nobody needs",
        fires={free: "10x60", whole: "100x60"},
        quiet={free: "20x60", whole: "100x60"},
        lasts="10m",
    )


def _jobs(ours: str, example: str) -> Iterator[alerts.Alert]:
    failed = f'kube_job_failed{{namespace="{example}", job_name="report-1", condition="true"}}'
    yield alerts.Alert(
        "JobFailed",
        (alerts.Condition(f'max by (namespace, job_name) (kube_job_failed{{{ours}, condition="true"}})', ">", 0),),
        "warning",
        "the Job {{ $labels.job_name }} has failed",
        "its pod's logs say why; a CronJob tries again by itself, a migration does not",
        fires={failed: "0x20 1x30"},
        quiet={failed: "0x60"},
        lasts="1m",
    )
    made, done = (
        f'kube_cronjob_{each}{{namespace="{example}", cronjob="db-backup"}}'
        for each in ("created", "status_last_successful_time")
    )
    chosen = f'{{{ours}, cronjob=~".+-backup"}}'
    yield alerts.Alert(
        "BackupIsOld",
        (
            alerts.Condition(
                # One that has never succeeded has no such time.
                "time() - max by (namespace, cronjob) "
                f"(kube_cronjob_status_last_successful_time{chosen} or kube_cronjob_created{chosen})",
                ">",
                36 * _HOUR,
            ),
        ),
        "critical",
        "{{ $labels.cronjob }} has not succeeded for {{ $value | humanizeDuration }}",
        "the last Jobs' logs say why; until it runs again, a loss costs that much",
        fires={made: f"-{37 * _HOUR}x60"},
        quiet={made: f"-{37 * _HOUR}x60", done: f"-{35 * _HOUR}x60"},
    )


def _nodes() -> tuple[alerts.Alert, ...]:
    free, whole = (
        f'node_filesystem_{each}_bytes{{instance="a", device="/dev/sda1", mountpoint="/", fstype="ext4"}}'
        for each in ("avail", "size")
    )
    memory, all_memory = (f'node_memory_Mem{each}_bytes{{instance="a"}}' for each in ("Available", "Total"))
    real = 'fstype!~"tmpfs|ramfs|overlay|squashfs"'
    return (
        alerts.Alert(
            "NodeDiskFills",
            (
                alerts.Condition(
                    f"node_filesystem_avail_bytes{{{real}}} / node_filesystem_size_bytes{{{real}}}", "<", 0.15
                ),
            ),
            "warning",
            "{{ $labels.mountpoint }} of {{ $labels.instance }} has {{ $value | humanizePercentage }} left",
            # https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/#hard-eviction-thresholds
            "images and logs first: unless told otherwise, the kubelet evicts pods at 10 %, or 15 % where images are",
            fires={free: "14x60", whole: "100x60"},
            quiet={free: "16x60", whole: "100x60"},
            lasts="10m",
        ),
        alerts.Alert(
            "NodeMemoryRunsOut",
            (alerts.Condition("node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes", "<", 0.1),),
            "warning",
            "{{ $labels.instance }} has {{ $value | humanizePercentage }} of its memory left",
            "who uses it? The boards of the services show their memory; then move pods, or add a node",
            fires={memory: "9x60", all_memory: "100x60"},
            quiet={memory: "11x60", all_memory: "100x60"},
            lasts="10m",
        ),
    )
