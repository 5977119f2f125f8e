"""Monitors, rules and boards: what Prometheus, Alertmanager and Grafana find in the cluster by themselves.

A ServiceMonitor finds what is ours through its Service. A chart's pods have a PodMonitor: it names them by the labels
that policies name them by, while the chart's own Services are not ours to know.

Sources: https://prometheus-operator.dev/docs/api-reference/api/ (ServiceMonitor, PodMonitor, PrometheusRule),
https://github.com/grafana/helm-charts/tree/main/charts/grafana#sidecar-for-dashboards
"""

from __future__ import annotations

import dataclasses
from typing import cast

from groundplan.kubernetes import charts, clusters, drafts, exporters, names
from groundplan.model import component, resource
from groundplan.shapes import objects, workloads
from groundplan.telemetry import check, routing, targets
from groundplan.telemetry.boards import boardbook, grafana
from groundplan.telemetry.rules import rulebook, watching

_API = "monitoring.coreos.com/v1"
INTERVAL = 30
"""Seconds, where whoever scrapes says nothing else."""


def apply(cluster: clusters.Cluster, draft: drafts.Draft) -> None:
    """A monitor for each target; one PrometheusRule and the boards beside whoever scrapes."""
    scrapers = [name for name, answer in draft.charts.items() if answer.scrapes]
    if not scrapers:
        return
    draft.findings += check.check(cluster.plan)
    scraper = cast(resource.Resource, cluster.components[scrapers[0]])
    for target in targets.of(cluster.plan):
        if target.exports.monitored and (target.job in draft.pods or target.job in draft.charts):
            _monitor(target, scraper, cluster, draft)
    draft.charts[scraper.name] = _once(_telling(draft.charts[scraper.name]), cluster)
    _rules(scraper, cluster, draft)
    _boards(scraper, cluster, draft)


def _monitor(
    target: targets.Target, scraper: component.Component, cluster: clusters.Cluster, draft: drafts.Draft
) -> None:
    endpoint = _endpoint(target, scraper, cluster)
    chart = draft.charts.get(target.job)
    if chart:
        kind = "PodMonitor"
        endpoint["relabelings"] = [{"targetLabel": "job", "replacement": target.job}]
        spec: objects.Tree = {"selector": {"matchLabels": dict(chart.pods)}, "podMetricsEndpoints": [endpoint]}
    else:
        kind = "ServiceMonitor"
        chosen = {"matchLabels": draft.labels(target.job)}
        # Of the Service; without it the job would be called like the Service, of which some have a suffix.
        spec = {"jobLabel": "app.kubernetes.io/name", "selector": chosen, "endpoints": [endpoint]}
    draft.add(f"{_API} {kind}", target.job, {"spec": spec}, target.owner.origin, namespace=target.namespace)


def _endpoint(target: targets.Target, scraper: component.Component, cluster: clusters.Cluster) -> objects.Tree:
    exports = target.exports
    endpoint: objects.Tree = {
        "port": exporters.PORT if exports.exporter else exports.door or exports.port,
        "path": exports.path,
        "interval": f"{getattr(scraper, 'interval', INTERVAL)}s",
    }
    if not exports.exporter and cluster.encrypts(target.owner.name):
        endpoint |= {"scheme": "https", "tlsConfig": _verified(target, cluster)}
    if target.tells_of_others:
        endpoint["honorLabels"] = True  # else they are called exported_namespace and so on
    if exports.parameters:
        endpoint["params"] = {name: [value] for name, value in exports.parameters}
    return endpoint


def _telling(answer: workloads.Chart) -> workloads.Chart:
    """With what Alertmanager is to do, in the chart's values."""
    if answer.tells is None or answer.reads is None:
        return answer
    config = routing.tree(routing.told(answer.tells, answer.reads.folder))
    return dataclasses.replace(answer, values=charts.put(answer.values, ("alertmanager",), {"config": config}))


def _once(answer: workloads.Chart, cluster: clusters.Cluster) -> workloads.Chart:
    """Without those alerts of the chart's own that are among ours: nobody is told twice."""
    disabled = {"disabled": dict.fromkeys(watching.in_mixins(cluster.plan), True)}
    return dataclasses.replace(answer, values=charts.put(answer.values, ("defaultRules",), disabled))


def _verified(target: targets.Target, cluster: clusters.Cluster) -> objects.Tree:
    name = target.owner.name
    secret = {"name": f"{name}{names.TLS}", "key": "ca.crt"}
    return {"ca": {"secret": secret}, "serverName": cluster.host(name, target.exports.port)}


def _rules(scraper: component.Component, cluster: clusters.Cluster, draft: drafts.Draft) -> None:
    name = f"{cluster.plan.name}{names.ALERTS}"
    body = {"spec": rulebook.tree(rulebook.of(cluster.plan))}
    draft.add(f"{_API} PrometheusRule", name, body, scraper.origin, namespace=scraper.namespace, component=scraper.name)


def _boards(scraper: component.Component, cluster: clusters.Cluster, draft: drafts.Draft) -> None:
    """ConfigMaps with the label that Grafana's sidecar looks for."""
    for board in boardbook.of(cluster.plan):
        text = grafana.document(cluster.plan.name, board)
        body: objects.Tree = {
            "metadata": {"labels": {"grafana_dashboard": "1"}},
            "data": {f"{cluster.plan.name}-{board.name}.json": text},
        }
        draft.add(
            "v1 ConfigMap",
            f"{board.name}{names.BOARD}",
            body,
            scraper.origin,
            namespace=scraper.namespace,
            component=scraper.name,
        )
