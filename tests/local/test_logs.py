"""Logs: on disk at once, bounded, in one order, filtered, followed, and never a burden to the supervisor."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys

import pytest

from groundplan.local import lines, tails, times
from tests.local import running

GROUNDPLAN = (sys.executable, "-c", "from groundplan import cli; cli.main()")


def _json(second: int, message: str, **more: object) -> str:
    record = {"time": f"2026-11-21T10:00:{second:02}.000Z", "level": "INFO", "message": message, **more}
    return json.dumps(record) + "\n"


def _logs(ground: running.Ground, *arguments: str) -> list[str]:
    done = subprocess.run(
        [*GROUNDPLAN, "logs", "--data", str(ground.place.root), *arguments],
        capture_output=True, text=True, timeout=running.PATIENCE, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.fixture
def written(ground: running.Ground) -> running.Ground:
    ground.place.logs.mkdir(parents=True)
    ground.place.log("auth-0").write_text(_json(1, "first", trace_id="abc1") + _json(4, "fourth", level="ERROR"))
    ground.place.log("auth-1").write_text(_json(2, "second", trace_id="abc1") + "Traceback\n  plain\n")
    ground.place.log("postgres").write_text(
        "2026-11-21 10:00:03.000 UTC [7] LOG:  third\n2026-11-21 10:00:05.000 UTC [7] FATAL:  fifth\n"
    )
    return ground


def _messages(found: list[str]) -> list[str]:
    return [line.split()[-1] for line in found]


def test_lines_come_by_time_whoever_wrote_them_and_undated_ones_stay_with_their_predecessor(
    written: running.Ground,
) -> None:
    assert _messages(_logs(written)) == ["trace_id=abc1", "trace_id=abc1", "Traceback", "plain", "third", "fourth", "fifth"]  # fmt: skip  # noqa: E501


def test_a_service_is_all_its_replicas(written: running.Ground) -> None:
    assert {line.split()[1] for line in _logs(written, "auth")} == {"auth-0", "auth-1"}


def test_level_means_this_and_worse_in_json_and_in_plain_lines(written: running.Ground) -> None:
    assert _messages(_logs(written, "--level", "error")) == ["fourth", "fifth"]


def test_one_trace_can_be_followed_through_services(written: running.Ground) -> None:
    found = [json.loads(line) for line in _logs(written, "--trace", "abc1", "--json")]
    assert [(line["instance"], line["message"]) for line in found] == [("auth-0", "first"), ("auth-1", "second")]


def test_since_leaves_out_what_is_older(written: running.Ground) -> None:
    assert _messages(_logs(written, "--since", "2026-11-21T10:00:04Z")) == ["fourth", "fifth"]


def test_a_misspelt_service_is_told_with_the_likely_one(written: running.Ground) -> None:
    done = subprocess.run(
        [*GROUNDPLAN, "logs", "--data", str(written.place.root), "postgers"],
        capture_output=True, text=True, timeout=running.PATIENCE, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "did you mean postgres?" in done.stderr


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ('{"time": "2026-11-21T10:00:00.500Z", "level": "warning", "message": "m"}', 30),
        ("2026-11-21 10:00:00.500 UTC [1] ERROR:  no", 40),
        ("2026-11-21T10:00:00.500Z hello", 20),
        ("2026-11-21T11:00:00.500+01:00 hello", 20),
    ],
)
def test_a_line_tells_its_time_and_level(text: str, level: int) -> None:
    line = lines.parse(text, "api", before=0.0)
    assert (line.at, line.level) == (1795255200.5, level)


@pytest.mark.parametrize("text", ["{not json", "{}", '{"time": 7}', "", "9999-99-99 99:99:99", '["a"]'])
def test_a_line_that_tells_nothing_has_the_time_of_the_one_before(text: str) -> None:
    assert lines.parse(text, "api", before=42.0).at == 42.0


def test_a_follower_gets_what_is_added_and_survives_a_cut(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "api.log"
    path.write_text("old\n")
    follower = lines.Follower(lambda _: True, tmp_path, lines.ends([path]))
    assert follower.turn(1.0) == []
    with path.open("a") as stream:
        stream.write("one\nhalf")
        stream.flush()
        assert [line.text for line in follower.turn(2.0)] == ["one"]
        stream.write(" done\n")
    assert [line.text for line in follower.turn(3.0)] == ["half done"]
    path.write_text("new\n")
    (tmp_path / "late.log").write_text("hello\n")
    assert [line.text for line in follower.turn(4.0)] == ["new", "hello"]


def test_a_follower_leaves_out_the_bulk_of_a_flood_and_says_so(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "api.log"
    path.write_bytes(b"x" * 99 + b"\n")
    follower = lines.Follower(lambda _: True, tmp_path, {})
    path.write_bytes((b"x" * 99 + b"\n") * 50_000)
    told, *rest = follower.turn(1.0)
    assert "bytes left out here" in told.text
    assert sum(len(line.text) for line in rest) <= lines.Follower.CHUNK


def test_a_log_is_cut_at_its_limit_and_its_end_is_kept(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "api.log"
    path.write_text("".join(f"{number}\n" for number in range(100_000)))
    assert tails.cut(path, limit=1000)
    assert path.read_text() == ""
    kept = (tmp_path / "api.log.1").read_text()
    assert kept.endswith("99998\n99999\n")
    assert 900 <= len(kept) <= 1000
    assert not tails.cut(path, limit=1000)


def test_a_child_goes_on_writing_after_its_log_was_cut(ground: running.Ground) -> None:
    code = "import sys, time\nfor n in range(10**9):\n    print(n)\n    time.sleep(0.001)"
    ground.up(running.plan(running.daemon("api", code)))
    running.until(lambda: len(ground.log("api")) > 200)
    assert tails.cut(ground.place.log("api"), limit=100)
    running.until(lambda: len(ground.log("api")) > 20)
    # No hole of zeros where the former part was: children append.
    assert "\0" not in ground.log("api")


def test_a_flood_of_lines_fills_no_disk_and_slows_no_supervisor(ground: running.Ground) -> None:
    code = "import os\nline = b'x' * 99 + b'\\n'\nwhile True:\n    os.write(1, line * 1000)"
    flood = running.daemon("flood", code)
    ground.up(running.plan(flood, running.daemon("calm")))
    former = ground.place.log("flood").with_name("flood.log.1")
    running.until(former.exists, "a cut of the flooded log")
    # The supervisor answers and acts meanwhile.
    assert ground.restart("calm").ok
    assert ground.state("flood") == "ready"
    assert ground.again(running.plan(running.daemon("calm"))).did == ("stopped flood",)
    assert former.stat().st_size <= 3 * tails.LIMIT


def test_the_last_lines_of_a_crash_are_those_of_its_last_life(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "api.log"
    path.write_text("former life\n")
    since = tails.size(path)
    with path.open("a") as stream:
        stream.write("a\n\nb\n")
    assert tails.last_lines(path, since) == ("a", "b")
    path.write_text("cut\n")
    assert tails.last_lines(path, since=10_000) == ("cut",)
    assert tails.last_lines(tmp_path / "none") == ()


def test_the_supervisors_own_words_are_among_the_logs(ground: running.Ground) -> None:
    ground.up(running.plan(running.daemon("other")))
    ground.again(running.plan(running.daemon("other"), running.task("bad", "raise SystemExit(4)")))
    running.until(lambda: "bad failed" in ground.log("groundplan"))
    assert "exited with status 4" in _logs(ground, "groundplan")[0]


def test_lines_without_any_time_are_put_where_they_were_written(tmp_path: pathlib.Path) -> None:
    plain, dated = tmp_path / "plain.log", tmp_path / "dated.log"
    recorder = times.Recorder()
    for second, text in ((2, "two\n"), (4, "four\nfour too\n")):
        with plain.open("a") as stream:
            stream.write(text)
        recorder.note(plain, 1795255200.0 + second)
    dated.write_text(_json(1, "one") + _json(3, "three") + _json(5, "five"))
    found = list(lines.history([dated, plain], since=0.0))
    said = [line.text if line.fields is None else line.fields["message"] for line in found]
    assert said == ["one", "two", "three", "four", "four too", "five"]
    assert [line.text for line in lines.history([plain], since=1795255203.0)] == ["four", "four too"]


def test_the_notes_of_times_stay_small(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(times, "LONGEST", 1000)
    log = tmp_path / "api.log"
    recorder = times.Recorder()
    for second in range(500):
        with log.open("a") as stream:
            stream.write("x\n")
        recorder.note(log, float(second))
    assert (tmp_path / "api.times").stat().st_size <= 1000
    assert times.Times(log).at(2 * 499) == 499.0
    assert times.Times(log).at(2 * 500) == 0.0


def test_a_running_platform_notes_the_times_of_plain_lines(ground: running.Ground) -> None:
    ground.up(running.plan(running.task("once", "print('hello')")))
    ground.down()
    (hello,) = [json.loads(line) for line in _logs(ground, "once", "--json")]
    assert abs(hello["at"] - ground.place.log("once").stat().st_mtime) < 60
