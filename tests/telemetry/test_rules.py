"""Rules before the real promtool: it takes them, each alert fires in its example, and is quiet in the one beside it."""

from __future__ import annotations

import json
import subprocess

import pytest

from groundplan import Alert, Condition, Platform
from groundplan.shapes import alerts
from groundplan.telemetry.rules import rulebook
from tests.kubernetes import worlds
from tests.telemetry import debian


def groups() -> tuple[alerts.Group, ...]:
    return rulebook.of(worlds.payments())


def promtool(*words: str, where) -> subprocess.CompletedProcess:
    return subprocess.run(
        [debian.program("promtool"), *words], cwd=where, capture_output=True, text=True, timeout=120, check=False
    )


def rules_file(folder, found: tuple[alerts.Group, ...]) -> None:
    (folder / "rules.yml").write_text(json.dumps(rulebook.tree(found)))  # JSON is YAML


def test_promtool_accepts_the_rules(tmp_path):
    rules_file(tmp_path, groups())
    done = promtool("check", "rules", "--lint=all", "--lint-fatal", "rules.yml", where=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{sum(len(group.rules) for group in groups())} rules found" in done.stdout


def examined(alert: alerts.Alert, series: alerts.Series, fires: bool) -> dict:
    chosen = "".join(f', {name}="{value}"' for name, value in (("severity", alert.severity), *alert.labels))
    firing = f'ALERTS{{alertname="{alert.name}", alertstate="firing"{chosen}}}'
    return {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [
            {
                "expr": f"count({firing}) or vector(0)",
                "eval_time": alert.at,
                "exp_samples": [{"labels": "{}", "value": int(fires)}],
            }
        ],
    }


def complaints(folder, group: alerts.Group) -> str:
    """What promtool says against the examples of all alerts of `group`; empty where they do as they should."""
    rules_file(folder, (group,))
    told = [rule for rule in group.rules if isinstance(rule, alerts.Alert)]
    said = ""
    for step in (1, 10):  # minutes; hours are not looked at minute by minute
        those = [rule for rule in told if (int(rule.at.removesuffix("m")) > 60) == (step > 1)]
        tests = [examined(rule, *each) for rule in those for each in ((rule.fires, True), (rule.quiet, False))]
        if tests:
            written = {"rule_files": ["rules.yml"], "evaluation_interval": f"{step}m", "tests": tests}
            (folder / "tests.yml").write_text(json.dumps(written))
            done = promtool("test", "rules", "tests.yml", where=folder)
            said += done.stdout + done.stderr if done.returncode else ""
    return said


@pytest.mark.parametrize("group", groups(), ids=lambda group: group.name)
def test_every_alert_fires_when_it_should_and_is_quiet_when_it_should_not(group, tmp_path):
    assert any(isinstance(rule, alerts.Alert) for rule in group.rules)
    assert complaints(tmp_path, group) == ""


def test_an_alert_of_the_documents_first_draft_is_caught(tmp_path):
    """A rate of failures is no share of them: five a second of a thousand are half a percent."""
    good, bad = ('http_requests_total{status="200"}', 'http_requests_total{status="500"}')
    drafted = Alert(
        "HighErrorRate",
        (Condition('rate(http_requests_total{status=~"5.."}[5m])', ">", 0.05),),
        "critical",
        "many errors",
        "look",
        fires={good: "0+5400x60", bad: "0+600x60"},
        quiet={good: "0+59700x60", bad: "0+300x60"},
    )
    assert "HighErrorRate" in complaints(tmp_path, alerts.Group("drafted", (drafted,)))


def test_every_alert_says_how_severe_it_is_and_what_to_do_first():
    found = [rule for group in groups() for rule in group.rules if isinstance(rule, alerts.Alert)]
    assert {rule.severity for rule in found if rule.name != alerts.ALWAYS} <= {"critical", "warning", "info"}
    assert all(rule.summary and rule.remedy and rule.fires and rule.quiet for rule in found)
    assert len(found) > 30


def test_a_platform_without_metrics_has_no_alert_about_services():
    names = {group.name for group in rulebook.of(Platform("empty"))}
    assert names == set()
