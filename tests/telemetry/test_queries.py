"""Every query names what somebody exports; one that does not is found, with the author's line."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import re

import msgspec
import pytest

from groundplan import Alert, Board, Condition, Panel, Platform, Service, counter, python
from groundplan.resources import OpenTelemetryCollector, Postgres, PrometheusStack, Redis, Vault, images
from groundplan.shapes import alerts, signals
from groundplan.telemetry import catalogue, check, queries, targets
from groundplan.telemetry.boards import boardbook, grafana
from groundplan.telemetry.rules import rulebook
from tests.kubernetes import worlds

BUCKETS = "rate(http_request_duration_seconds_bucket[5m])"
SHOP = Board("shop", "shop", (("", (Panel("Orders", {"": "rate(orders_total[5m])"}),)),))


def plan_with(*things, exports=()) -> Platform:
    plan = Platform("shop")
    space = plan.namespace("shop")
    space.add(Service("web", python("shop.web"), http=8000, exports=exports))
    space.add(Postgres("db"))
    space.add(Redis("cache"))
    nodes = plan.namespace("nodes", privileged="it reads the host")
    plan.namespace("watch").add(PrometheusStack(node_exporter=nodes))
    plan.watch(*things)
    return plan


def alert(query: str) -> Alert:
    return Alert("Odd", (Condition(query, ">", 1),), "info", "odd", "look", fires={"x": "1"}, quiet={"x": "0"})


def test_every_query_of_the_payments_platform_has_an_answer():
    assert list(check.check(worlds.payments())) == []


def test_a_metric_that_nobody_exports_is_found_where_the_author_wrote_it():
    (found,) = check.check(plan_with(SHOP))
    assert found.code == "GP311"
    assert "nobody exports orders_total" in found.why
    assert found.where.file.endswith("test_queries.py")
    assert list(check.check(plan_with(SHOP, exports=[counter("orders_total", "kind")]))) == []


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("rate(http_request_total[5m])", "nobody exports http_request_total"),
        ('http_requests_total{code="500"}', "http_requests_total has no label code"),
        ("http_request_duration_seconds", "nobody exports http_request_duration_seconds"),
        ("pg_stat_activity_counts", "nobody exports pg_stat_activity_counts"),
        ("job:http_faults:ratio_rate7m", "nobody exports job:http_faults:ratio_rate7m"),
        ("rate(http_requests_total[5m]", "not PromQL"),
        ('{status="500"}', "nobody exports a metric without a name"),
        ("sum(rate(redis_up[5m])) by (", "not PromQL"),
        ("sum(rate(redis_up[5m])) + 1", "rate of redis_up, which is a gauge"),
        (f"histogram_quantile(0.9, sum by (job) ({BUCKETS}))", "without their le"),
        (f"histogram_quantile(0.9, sum({BUCKETS}))", "without their le"),
        (f"histogram_quantile(0.9, sum without (le) ({BUCKETS}))", "without their le"),
        ("increase(up[1h])", "increase of up, which is a gauge"),
        ("rate(job:http_faults:ratio_rate1h[1h])", "rate of job:http_faults:ratio_rate1h, which is a gauge"),
        ("deriv(http_requests_total[5m])", "deriv of http_requests_total, which is a counter"),
        ("predict_linear(http_request_duration_seconds_sum[1h], 60)", "which is a counter"),
    ],
)
def test_what_is_wrong_with_a_query_is_said(query, why):
    said = [found.why for found in check.check(plan_with(alert(query)))]
    assert said
    assert why in said[0]


@pytest.mark.parametrize(
    "query",
    [
        "up",
        '{__name__="http_requests_total", job="web"}',
        "time() - process_start_time_seconds",
        "predict_linear(node_filesystem_avail_bytes[6h], 4 * 3600)",
        f"histogram_quantile(0.9, sum by (le, job) ({BUCKETS}))",
        f"histogram_quantile(0.9, sum without (job) ({BUCKETS}))",
        f"histogram_quantile(0.9, {BUCKETS})",
        "max_over_time(rate(http_requests_total[5m])[1h:5m])",
        'rate({__name__="http_requests_total"}[5m])',
    ],
)
def test_a_query_that_can_be_answered_is_not_found(query):
    assert list(check.check(plan_with(alert(query)))) == []


CATALOGUES = sorted(file.stem for file in pathlib.Path(catalogue.__file__).parent.glob("*.json"))


def test_every_catalogue_that_is_named_is_there_and_every_one_that_is_there_is_named():
    named = {name for target in targets.of(worlds.payments()) for name in target.exports.documented}
    assert named == set(CATALOGUES)


@pytest.mark.parametrize("name", CATALOGUES)
def test_every_name_in_a_catalogue_says_where_it_was_read(name):
    found = catalogue.of(name)
    assert found.version
    assert found.read
    assert found.metrics
    assert {entry.source for entry in found.metrics.values()} == set(found.sources)
    for metric, entry in found.metrics.items():
        assert signals.NAME.fullmatch(metric)
        assert all(signals.LABEL.fullmatch(label) for label in entry.labels)
        assert len(set(entry.labels)) == len(entry.labels)
    for source in found.sources.values():
        if isinstance(source, catalogue.Page):
            assert re.fullmatch(r"https://github\.com/[\w.-]+/[\w.-]+/blob/[0-9a-f]{40}/[\w./-]+", source.url)
        else:
            assert source.version == found.version
            assert (worlds.ROOT / source.test).exists()


@pytest.mark.parametrize("spoilt", [{"source": ""}, {"labels": None}, {"kind": "speed"}, {"stability": "SOLID"}])
def test_an_entry_without_its_source_is_no_entry(spoilt):
    entry = {"kind": "gauge", "labels": [], "source": "page"} | spoilt
    kept = {name: value for name, value in entry.items() if value not in ("", None)}
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(kept, catalogue.Entry)


def test_the_exporters_that_are_pinned_are_those_of_the_catalogues():
    assert images.redis_exporter().endswith(f":v{catalogue.of('redis-exporter').version}")
    assert images.postgres_exporter().endswith(f":v{catalogue.of('postgres-exporter').version}")
    assert images.vault(Vault().version).endswith(f":{catalogue.of('vault').version}")
    assert images.CERT_MANAGER.version == f"v{catalogue.of('cert-manager').version}"
    for name in ("node-exporter", "prometheus", "alertmanager"):
        assert images.PROMETHEUS_STACK.version in catalogue.of(name).version
    (collector,) = (each for each in worlds.payments().resources if isinstance(each, OpenTelemetryCollector))
    assert collector.version == catalogue.of("otel-collector").version
    oldest, newest = catalogue.of("ingress-nginx").version.split(" to ")
    assert {oldest, newest} <= set(images.INGRESS_NGINX)


def test_a_dashboard_is_the_same_for_the_same_board_and_asks_what_the_board_asks():
    plan = worlds.payments()
    boards = boardbook.of(plan)
    assert len({grafana.uid(plan.name, board) for board in boards}) == len(boards) > 10
    for board in boards:
        text = grafana.document(plan.name, board)
        assert text == grafana.document(plan.name, board)
        drawn = [target["expr"] for panel in json.loads(text)["panels"] for target in panel.get("targets", ())]
        assert drawn == [query for panel in check.panels(board) for query in panel.queries.values()]


def test_dashboards_fill_their_rows_without_overlap():
    for board in boardbook.of(worlds.payments()):
        taken: set[tuple[int, int]] = set()
        for panel in json.loads(grafana.document("payments", board))["panels"]:
            place = panel["gridPos"]
            cells = {
                (x, y)
                for x in range(place["x"], place["x"] + place["w"])
                for y in range(place["y"], place["y"] + place["h"])
            }
            assert not cells & taken, (board.name, panel["title"])
            assert max(x for x, _ in cells) < 24
            taken |= cells


def test_the_selectors_of_a_query_are_all_found():
    query = 'sum(rate(a_total{x="1"}[5m])) / on (x) group_left b{y=~".+"} or max_over_time(c[1h:5m] offset 1d)'
    assert [each.name for each in queries.selectors(query)] == ["a_total", "b", "c"]


def test_names_of_rules_follow_prometheus_practice():
    for group in rulebook.of(worlds.payments()):
        for rule in group.rules:
            if isinstance(rule, alerts.Record):
                assert rule.name.count(":") == 2


def test_a_metric_with_a_bad_name_is_found():
    plan = plan_with(exports=[counter("orders"), counter("orders_total", "a-b")])
    assert [found.code for found in plan.sheet.findings] == ["GP105", "GP105"]


def test_a_node_exporter_in_a_restricted_namespace_is_found():
    plan = Platform("shop")
    plan.namespace("watch").add(PrometheusStack(node_exporter=plan.namespace("nodes")))
    (found,) = plan.sheet.findings
    assert "the restricted namespace nodes refuses" in found.why


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"severity": "urgent"}, "nobody hears of 'urgent'"),
        ({"severity": "none"}, "nobody hears of 'none'"),
        ({"lasts": "soon"}, "no duration"),
        ({"name": "two words"}, "a name is one word"),
        ({"quiet": {}}, "without a condition, and an example of each kind"),
    ],
)
def test_an_alert_that_nobody_could_hear_of_is_found(change, said):
    spoilt = dataclasses.replace(alert("up"), **change)
    (found,) = check.check(plan_with(spoilt))
    assert said in found.why
    assert found.where.file.endswith("test_queries.py")
