"""Boards for engines: what they do, what they hold, what is left."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from groundplan.model import platform
from groundplan.shapes import boards
from groundplan.telemetry import queries, targets
from groundplan.telemetry.boards import watching
from groundplan.telemetry.rules import engines as rules

_WINDOW = queries.INTERVAL
Rows = watching.Rows


def boards_of(plan: platform.Platform) -> Iterator[boards.Board]:
    """One for each target that has one."""
    for target in targets.of(plan):
        for name in target.exports.documented:
            if name in ROWS:
                called = _called(target, name)
                rows = ROWS[name](f'job="{target.job}"' if target.exports.monitored else "")
                yield boards.Board(called, f"{plan.name} / {called}", rows)


def _called(target: targets.Target, catalogue: str) -> str:
    """As the author calls it; of what a chart brings beside, as it is called in the cluster."""
    owner = target.owner.name
    if len(target.exports.documented) == 1 or catalogue == "prometheus":
        return owner
    return f"{owner}-{catalogue}" if catalogue == "alertmanager" else catalogue


def _postgres(own: str) -> Rows:
    def rate(name: str) -> dict[str, str]:
        return {"{{datname}}": f"rate(pg_stat_database_{name}{{{own}}}[{_WINDOW}])"}

    hits, reads = (f"rate(pg_stat_database_blks_{each}{{{own}}}[{_WINDOW}])" for each in ("hit", "read"))
    return (
        (
            "Work",
            (
                boards.Panel("Commits", rate("xact_commit"), unit="ops"),
                boards.Panel("Rollbacks", rate("xact_rollback"), unit="ops"),
                boards.Panel("Rows inserted", rate("tup_inserted"), unit="ops"),
                boards.Panel("Rows updated", rate("tup_updated"), unit="ops"),
            ),
        ),
        (
            "Pressure",
            (
                boards.Panel(
                    "Connections",
                    {
                        "{{state}}": f"sum by (state) (pg_stat_activity_count{{{own}}})",
                        "the most": f"max(pg_settings_max_connections{{{own}}})",
                    },
                ),
                boards.Panel(
                    "Longest transaction",
                    {"{{datname}}": f"max by (datname) (pg_stat_activity_max_tx_duration{{{own}}})"},
                    unit="s",
                ),
                boards.Panel("Locks", {"{{mode}}": f"sum by (mode) (pg_locks_count{{{own}}})"}),
                boards.Panel("Deadlocks", rate("deadlocks"), unit="ops"),
            ),
        ),
        (
            "Storage",
            (
                boards.Panel("Size", {"{{datname}}": f"pg_database_size_bytes{{{own}}}"}, unit="bytes"),
                boards.Panel(
                    "Found in memory", {"share": f"sum({hits}) / (sum({hits}) + sum({reads}))"}, unit="percentunit"
                ),
                boards.Panel("Temporary files", rate("temp_bytes"), unit="Bps"),
            ),
        ),
    )


def _redis(own: str) -> Rows:
    def rate(name: str) -> str:
        return f"rate(redis_{name}{{{own}}}[{_WINDOW}])"

    hits, misses = rate("keyspace_hits_total"), rate("keyspace_misses_total")
    return (
        (
            "Work",
            (
                boards.Panel("Commands", {"{{cmd}}": f"sum by (cmd) ({rate('commands_total')})"}, unit="ops"),
                boards.Panel(
                    "Duration",
                    {
                        "{{cmd}}": f"sum by (cmd) ({rate('commands_duration_seconds_total')})"
                        f" / sum by (cmd) ({rate('commands_total')})"
                    },
                    unit="s",
                ),
                boards.Panel("Found", {"share": f"{hits} / ({hits} + {misses})"}, unit="percentunit"),
            ),
        ),
        (
            "Memory",
            (
                boards.Panel("Used", {"bytes": f"redis_memory_used_bytes{{{own}}}"}, unit="bytes"),
                boards.Panel("Keys", {"{{db}}": f"redis_db_keys{{{own}}}"}),
                boards.Panel("Evicted", {"keys": rate("evicted_keys_total")}, unit="ops"),
            ),
        ),
        (
            "Clients",
            (
                boards.Panel("Connected", {"clients": f"redis_connected_clients{{{own}}}"}),
                boards.Panel("Refused", {"connections": rate("rejected_connections_total")}, unit="ops"),
                boards.Panel(
                    "Append-only file", {"written well": f"redis_aof_last_write_status{{{own}}}"}, unit="bool"
                ),
            ),
        ),
    )


def _vault(own: str) -> Rows:
    handled = f"sum(rate(vault_core_handle_request_count{{{own}}}[{_WINDOW}]))"
    took = f"sum(rate(vault_core_handle_request_sum{{{own}}}[{_WINDOW}]))"
    return (
        (
            "Vault",
            (
                boards.Panel("Unsealed", {"{{instance}}": rules.unsealed(own)}, unit="bool"),
                boards.Panel("Somebody leads", {"{{job}}": rules.leads(own)}, unit="bool"),
                boards.Panel("Requests", {"all": handled}, unit="reqps"),
                boards.Panel(
                    "Duration",
                    # Vault counts in milliseconds.
                    {"on average": f"{took} / {handled} / 1000"},
                    unit="s",
                ),
                boards.Panel("Memory", {"{{instance}}": f"vault_runtime_alloc_bytes{{{own}}}"}, unit="bytes"),
            ),
        ),
    )


def _ingress(own: str) -> Rows:
    requests = f"rate(nginx_ingress_controller_requests{{{own}}}[{_WINDOW}])"
    faults = f'rate(nginx_ingress_controller_requests{{{own}, status=~"5.."}}[{_WINDOW}])'
    buckets = f"rate(nginx_ingress_controller_request_duration_seconds_bucket{{{own}}}[{_WINDOW}])"
    return (
        (
            "Entry",
            (
                boards.Panel("Rate", {"{{ingress}}": f"sum by (ingress) ({requests})"}, unit="reqps"),
                boards.Panel(
                    "Errors",
                    {"share": f"(sum({faults}) or 0 * sum({requests})) / sum({requests})"},
                    unit="percentunit",
                ),
                boards.Panel(
                    "Of twenty, nineteen within",
                    {"{{ingress}}": f"histogram_quantile(0.95, sum by (ingress, le) ({buckets}))"},
                    unit="s",
                ),
                boards.Panel(
                    "Connections",
                    {"{{state}}": f"sum by (state) (nginx_ingress_controller_nginx_process_connections{{{own}}})"},
                ),
                boards.Panel(
                    "Configuration loaded",
                    {"{{controller_pod}}": f"nginx_ingress_controller_config_last_reload_successful{{{own}}}"},
                    unit="bool",
                ),
            ),
        ),
    )


def _node(own: str) -> Rows:
    real = 'fstype!~"tmpfs|ramfs|overlay|squashfs"'
    outer = 'device!~"lo|(cali|cilium|cni|docker|flannel|lxc|veth).*"'  # the pods' ends are as many as there are pods
    return (
        (
            "Nodes",
            (
                boards.Panel(
                    "CPU",
                    {"{{instance}}": f'1 - avg by (instance) (rate(node_cpu_seconds_total{{mode="idle"}}[{_WINDOW}]))'},
                    unit="percentunit",
                ),
                boards.Panel(
                    "Memory",
                    {"{{instance}}": "1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes"},
                    unit="percentunit",
                ),
                boards.Panel("Load", {"{{instance}}": "node_load5"}),
                boards.Panel(
                    "Disk",
                    {
                        "{{instance}} {{mountpoint}}": f"1 - node_filesystem_avail_bytes{{{real}}}"
                        f" / node_filesystem_size_bytes{{{real}}}"
                    },
                    unit="percentunit",
                ),
                boards.Panel(
                    "Disk written",
                    {"{{instance}} {{device}}": f"rate(node_disk_written_bytes_total[{_WINDOW}])"},
                    unit="Bps",
                ),
                boards.Panel(
                    "Network received",
                    {"{{instance}} {{device}}": f"rate(node_network_receive_bytes_total{{{outer}}}[{_WINDOW}])"},
                    unit="Bps",
                ),
            ),
        ),
    )


ROWS: dict[str, Callable[[str], Rows]] = {
    "postgres-exporter": _postgres,
    "redis-exporter": _redis,
    "vault": _vault,
    "ingress-nginx": _ingress,
    "node-exporter": _node,
    **watching.ROWS,
}
"""By the catalogue of who tells."""
