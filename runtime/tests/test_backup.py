"""Backups: whole or absent, verified byte by byte, and never the last good one thrown away."""

from __future__ import annotations

import datetime
import io
import json
import os
import pathlib
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundplan_runtime.backup import folders, keeping, manifests, places
from groundplan_runtime.backup.problems import BackupError
from platforms.payments.tests import engines
from runtime.tests import buckets

MEMORY = "/dev/shm" if pathlib.Path("/dev/shm").is_dir() else None
"""Where syncing a file costs nothing: hundreds of them are written here."""
CONTENTS = st.dictionaries(
    st.from_regex(r"[a-z][a-z_]{0,8}\.dump", fullmatch=True),
    st.binary(min_size=1, max_size=300),
    min_size=1,
    max_size=4,
)


def dumped(work: pathlib.Path, content: dict[str, bytes], engine: str = "PostgreSQL 15.8") -> pathlib.Path:
    """A folder as an engine's own program leaves it."""
    keeping.begun(work)
    for name, data in content.items():
        (work / name).write_bytes(data)
    (work / keeping.ENGINE).write_text(engine)
    return work


def dated(work: pathlib.Path, stamp: str) -> pathlib.Path:
    moment = datetime.datetime.strptime(stamp, manifests.STAMP).replace(tzinfo=datetime.UTC).timestamp()
    os.utime(work / keeping.BEGAN, (moment, moment))
    return work


def kept(place: places.Place, root: pathlib.Path, stamp: str, number: int = 99) -> manifests.Manifest:
    work = dated(dumped(root / "work", {"a.dump": stamp.encode()}), stamp)
    return keeping.keep(place, "db", work, number=number, engine="")


@pytest.fixture
def root() -> Iterator[pathlib.Path]:
    with tempfile.TemporaryDirectory(dir=MEMORY) as made:
        yield pathlib.Path(made)


@settings(max_examples=40)
@given(CONTENTS)
def test_what_is_fetched_is_what_was_kept(content: dict[str, bytes]) -> None:
    with tempfile.TemporaryDirectory(dir=MEMORY) as made:
        root = pathlib.Path(made)
        place = places.Folder(root / "place")
        keeping.keep(place, "db", dumped(root / "work", content), number=1, engine="")
        keeping.fetch(place, "db", root / "out")
        names = {path.name for path in (root / "out").iterdir()} - {keeping.BEGAN}
        assert {name: (root / "out" / name).read_bytes() for name in names} == content


@settings(max_examples=60)
@given(CONTENTS, st.data())
def test_one_changed_byte_anywhere_is_refused_with_the_name_of_the_file(
    content: dict[str, bytes], draw: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory(dir=MEMORY) as made:
        root = pathlib.Path(made)
        place = places.Folder(root / "place")
        keeping.keep(place, "db", dumped(root / "work", content), number=1, engine="")
        path = draw.draw(st.sampled_from(sorted(path for path in place.root.rglob("*") if path.is_file())))
        data = bytearray(path.read_bytes())
        where = draw.draw(st.integers(0, len(data) - 1))
        data[where] ^= draw.draw(st.integers(1, 255))
        before = json.loads(path.read_bytes()) if path.name == manifests.NAME else None
        path.write_bytes(data)
        if before is not None and _same_json(bytes(data), before):
            return  # only the white space of the manifest changed
        with pytest.raises(BackupError, match=path.name):
            keeping.fetch(place, "db", root / "out")


def _same_json(data: bytes, before: object) -> bool:
    try:
        return bool(json.loads(data) == before)
    except ValueError:
        return False


@given(st.binary(max_size=200))
def test_junk_for_a_manifest_is_a_finding_and_no_crash(junk: bytes) -> None:
    with pytest.raises(BackupError, match=r"db/x/manifest\.json is damaged"):
        manifests.decoded(junk, "db/x/manifest.json")


@pytest.mark.parametrize("junk", [b"[" * 100_000, b'{"a":' * 100_000, b"9" * 5000])
def test_a_manifest_that_uses_up_its_reader_is_damaged(junk: bytes) -> None:
    with pytest.raises(BackupError, match="is damaged"):
        manifests.decoded(junk, "db/x/manifest.json")


def test_a_file_without_end_in_a_manifest_is_damaged() -> None:
    whole = manifests.Manifest("db", "20260101T000000Z", "", "", (manifests.File("a", 12345, "0" * 64),))
    body = json.loads(manifests.encoded(whole).replace(b"12345", b"1e999"))
    sealed = {**body, "seal": manifests._seal({name: body[name] for name in body if name != "seal"})}
    with pytest.raises(BackupError, match="is damaged"):
        manifests.decoded(json.dumps(sealed).encode(), "db/x/manifest.json")


@pytest.mark.parametrize("name", ["../escape", "/etc/passwd", "a/b", "", ".hidden"])
def test_a_manifest_that_names_a_file_outside_is_refused_although_its_seal_fits(name: str) -> None:
    manifest = manifests.Manifest("db", "20260101T000000Z", "", "", (manifests.File(name, 1, "0" * 64),))
    with pytest.raises(BackupError, match="no name of a file"):
        manifests.decoded(manifests.encoded(manifest), "there")


@pytest.mark.parametrize("gone", ["cut short", "missing"])
def test_a_file_that_lost_its_end_or_is_gone_is_refused(root: pathlib.Path, gone: str) -> None:
    place = places.Folder(root / "place")
    made = kept(place, root, "20260101T000000Z")
    path = place.root / "db" / made.stamp / "a.dump"
    path.unlink() if gone == "missing" else path.write_bytes(path.read_bytes()[:-1])
    assert keeping.complete(place, "db") == ()
    with pytest.raises(BackupError, match=r"a\.dump"):
        keeping.fetch(place, "db", root / "out")


@pytest.mark.parametrize(
    "content", [{}, {"a.dump": b""}, {"a.dump": b"x", "b.dump": b""}], ids=["none", "empty", "one"]
)
def test_an_empty_dump_is_no_backup_and_pushes_nothing_out(root: pathlib.Path, content: dict[str, bytes]) -> None:
    place = places.Folder(root / "place")
    kept(place, root, "20260101T000000Z")
    with pytest.raises(BackupError, match="db"):
        keeping.keep(place, "db", dumped(root / "work", content), number=1, engine="")
    assert [each.stamp for each in keeping.complete(place, "db")] == ["20260101T000000Z"]


class Failing:
    """A place that refuses its nth write."""

    def __init__(self, place: places.Folder, nth: int) -> None:
        self._place, self._left = place, nth

    def __getattr__(self, name: str):  # type: ignore[no-untyped-def]
        return getattr(self._place, name)

    def put(self, name: str, file: pathlib.Path) -> None:
        self._left -= 1
        if self._left < 0:
            raise BackupError("the place refuses")
        self._place.put(name, file)


@pytest.mark.parametrize("nth", [0, 1, 2])
def test_a_backup_that_cannot_be_written_to_its_end_is_absent(root: pathlib.Path, nth: int) -> None:
    place = places.Folder(root / "place")
    kept(place, root, "20260101T000000Z")
    with pytest.raises(BackupError, match="refuses"):
        work = dumped(root / "work", {"a.dump": b"1", "b.dump": b"2"})
        keeping.keep(Failing(place, nth), "db", work, number=1, engine="")
    assert {path.parent.name for path in place.root.rglob("*") if path.is_file()} == {"20260101T000000Z"}
    assert keeping.fetch(place, "db", root / "out") == "20260101T000000Z"


def test_a_write_that_the_system_cuts_off_leaves_nothing(root: pathlib.Path) -> None:
    """As on a full disk: the file may not grow beyond a megabyte."""
    dumped(root / "work", {"a.dump": os.urandom(3 * 1024 * 1024)})
    done = step(root, "keep", limit=1024 * 1024)
    assert done.returncode == 1
    assert "cannot write" in done.stderr
    assert [path for path in (root / "place").rglob("*") if path.is_file()] == []


def test_a_killed_run_leaves_nothing_that_a_restore_takes(root: pathlib.Path) -> None:
    place = places.Folder(root / "place")
    kept(place, root, "20260101T000000Z")
    seen = set()
    for number in range(5):
        dumped(root / "work", {f"{name}.dump": os.urandom(4 * 1024 * 1024) for name in "abc"})
        child = subprocess.Popen(command(root, "keep", "--keep=99"), stdout=subprocess.DEVNULL)
        time.sleep(0.1 + 0.02 * number)
        child.send_signal(signal.SIGKILL)
        child.wait()
        stamp = keeping.fetch(place, "db", root / "out")
        seen.add(stamp)
        assert stamp in {each.stamp for each in keeping.complete(place, "db")}
        time.sleep(1.0 if stamp != "20260101T000000Z" else 0)  # the next is of another second
    assert seen


def command(root: pathlib.Path, verb: str, *words: str) -> list[str]:
    own = [sys.executable, "-m", "groundplan_runtime.backup", verb, "db"]
    return [*own, f"--place=file://{root / 'place'}", f"--work={root / 'work'}", *words]


def step(root: pathlib.Path, verb: str, *words: str, limit: int = 0) -> subprocess.CompletedProcess[str]:
    def limited() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    return subprocess.run(
        command(root, verb, *words),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        preexec_fn=limited if limit else None,
    )


@settings(max_examples=40)
@given(st.lists(st.booleans(), min_size=1, max_size=8), st.integers(-1, 9))
def test_pruning_keeps_the_last_ones_that_are_whole_and_at_least_one(whole: list[bool], number: int) -> None:
    with tempfile.TemporaryDirectory(dir=MEMORY) as made:
        root = pathlib.Path(made)
        place = places.Folder(root / "place")
        stamps = [f"2026010{day}T000000Z" for day in range(1, len(whole) + 1)]
        for stamp, is_whole in zip(stamps, whole, strict=True):
            kept(place, root, stamp)
            if not is_whole:
                (place.root / "db" / stamp / manifests.NAME).unlink()
        good = [stamp for stamp, is_whole in zip(stamps, whole, strict=True) if is_whole]
        keeping.prune(place, "db", number)
        left = [each.stamp for each in keeping.complete(place, "db")]
        assert left == good[::-1][: max(1, number)]


def test_a_moment_chooses_the_newest_that_is_not_after_it(root: pathlib.Path) -> None:
    place = places.Folder(root / "place")
    for day in (1, 2, 3):
        kept(place, root, f"2026010{day}T030000Z")
    said = {"2026-01-02T04:00:00Z": "2", "2026-01-02T03:00:00+00:00": "2", "20260101T030000Z": "1", "2026-05-05": "3"}
    for moment, day in said.items():
        assert keeping.fetch(place, "db", root / "out", at=manifests.moment(moment)) == f"2026010{day}T030000Z"
    with pytest.raises(BackupError, match="no backup of db is as old as"):
        keeping.fetch(place, "db", root / "out", at="20251231T000000Z")
    with pytest.raises(BackupError, match="no moment"):
        manifests.moment("yesterday")


@pytest.mark.parametrize(
    ("written", "reader", "reads"),
    [
        ("PostgreSQL 15.8 (Debian 15.8-1)", "PostgreSQL 15", True),
        ("PostgreSQL 15.8", "PostgreSQL 18.6", True),
        ("PostgreSQL 18.6", "PostgreSQL 15", False),
        ("Redis 7.2.4", "Valkey 9.1.2", True),
        ("Redis 8.0.1", "Valkey 9.1.2", False),
        ("Valkey 9.1.2", "Redis 7", False),
        ("Vault 1.15.4", "Vault 1.15.4", True),
        ("", "PostgreSQL 15", True),
    ],
)
def test_a_newer_engine_reads_an_older_ones_dump_and_never_the_other_way_round(
    root: pathlib.Path, written: str, reader: str, reads: bool
) -> None:
    place = places.Folder(root / "place")
    keeping.keep(place, "db", dumped(root / "work", {"a.dump": b"x"}, written), number=1, engine="")
    if reads:
        keeping.fetch(place, "db", root / "out", reader=reader)
    else:
        with pytest.raises(BackupError, match=f"{reader} cannot read what"):
            keeping.fetch(place, "db", root / "out", reader=reader)


def test_a_bucket_keeps_fetches_and_prunes_like_a_folder(root: pathlib.Path) -> None:
    with buckets.store("kept", root) as endpoint:
        place = places.at("s3://kept/a/prefix", endpoint=endpoint, account=buckets.account(root))
        for day in (1, 2, 3):
            kept(place, root, f"2026010{day}T030000Z", number=2)
        big = dumped(root / "work", {"big.dump": os.urandom(12 * 1024 * 1024)})
        shutil.copytree(big, root / "before")
        keeping.keep(place, "db", big, number=2, engine="")
        assert len(keeping.complete(place, "db")) == 2
        assert keeping.fetch(place, "db", root / "out", at="20260103T040000Z") == "20260103T030000Z"
        keeping.fetch(place, "db", root / "out")
        assert (root / "out" / "big.dump").read_bytes() == (root / "before" / "big.dump").read_bytes()
        place.remove("db/never/was")
        other = places.at("s3://no-such-bucket", endpoint=endpoint, account=buckets.account(root))
        with pytest.raises(BackupError) as told:
            keeping.fetch(other, "db", root / "out")
        assert "not-for-anybodys-eyes" not in str(told.value)


def test_an_account_that_is_none_is_told_without_what_it_holds(root: pathlib.Path) -> None:
    path = root / "account.json"
    path.write_text('{"secret_access_key": "not-for-anybodys-eyes"')
    with pytest.raises(BackupError) as told:
        places.at("s3://kept", account=path)
    assert "not-for-anybodys-eyes" not in str(told.value)


def test_plain_http_is_for_loopback_alone(root: pathlib.Path) -> None:
    place = places.at("s3://kept", endpoint="http://store.example.com", account=buckets.account(root))
    with pytest.raises(BackupError):
        place.read("anything")


def test_a_folder_that_changes_while_it_is_copied_is_refused(
    root: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folders, "PAUSE", 0.01)
    data = root / "data"
    data.mkdir()
    (data / "entry").write_text("0")
    real = folders.fingerprint
    monkeypatch.setattr(folders, "fingerprint", lambda path: (_grown(data / "entry"), real(path))[1])
    with pytest.raises(BackupError, match="changed while it was copied"):
        folders.copy(data, root / "data.tar")
    assert not (root / "data.tar").exists()


def _grown(path: pathlib.Path) -> None:
    path.write_text(path.read_text() + "x")


def test_a_folder_at_rest_comes_back_file_by_file_and_what_was_there_goes(root: pathlib.Path) -> None:
    for name, text in {"data/a": "1", "data/deep/er/b": "2", "there/old": "3", "there/lost+found/x": "4"}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / "data" / "a").chmod(0o600)
    folders.copy(root / "data", root / "data.tar")
    folders.put(root / "data.tar", root / "there")
    assert folders.fingerprint(root / "there").items() >= folders.fingerprint(root / "data").items()
    assert sorted(path.name for path in (root / "there").iterdir()) == ["a", "deep", "lost+found"]
    assert (root / "there" / "a").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("kind", ["above", "absolute", "link", "device"])
def test_an_archive_that_reaches_outside_changes_nothing(root: pathlib.Path, kind: str) -> None:
    entry = tarfile.TarInfo({"above": "../escaped", "absolute": str(root / "escaped")}.get(kind, "entry"))
    if kind == "link":
        entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"
    if kind == "device":
        entry.type = tarfile.CHRTYPE
    with tarfile.open(root / "data.tar", "w") as archive:
        archive.addfile(entry, io.BytesIO(b""))
    (root / "there").mkdir()
    (root / "there" / "old").write_text("3")
    if kind == "absolute":  # the leading slash goes, as with tar(1), and the file stays inside
        folders.put(root / "data.tar", root / "there")
    else:
        with pytest.raises(BackupError, match="cannot be unpacked"):
            folders.put(root / "data.tar", root / "there")
        assert [path.name for path in (root / "there").iterdir()] == ["old"]
    assert not (root / "escaped").exists()


def test_a_database_of_sqlite_that_never_rests_is_copied_whole(root: pathlib.Path) -> None:
    data = root / "data"
    data.mkdir()
    (data / "plain").write_text("x")
    ended = threading.Event()

    def write() -> None:
        with sqlite3.connect(data / "book.db") as book:
            book.execute("PRAGMA journal_mode=WAL")
            book.execute("CREATE TABLE entry (amount INTEGER)")
            while not ended.is_set():
                with book:
                    book.executemany("INSERT INTO entry VALUES (?)", [(7,), (-7,)])

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(10):
            time.sleep(0.02)
            folders.snapshot(data, root / "data.tar")
    finally:
        ended.set()
        writer.join()
    (root / "there").mkdir()
    folders.put(root / "data.tar", root / "there")
    assert sorted(path.name for path in (root / "there").iterdir()) == ["book.db", "plain"]
    with sqlite3.connect(root / "there" / "book.db") as book:
        total, rows = book.execute("SELECT sum(amount), count(*) FROM entry").fetchone()
    assert (total, rows % 2, rows > 0) == (0, 0, True)


@pytest.mark.parametrize("durable", [True, False], ids=["append-only file", "snapshot file"])
def test_a_new_server_starts_with_every_key_of_the_old_one(
    valkey: engines.Valkey, root: pathlib.Path, durable: bool
) -> None:
    prefix = f"kept-{durable}:"
    for number in range(500):
        valkey.command("SET", f"{prefix}{number}", "x" * number)
    valkey.command("RPUSH", f"{prefix}list", "a", "b")
    valkey.command("SET", f"{prefix}soon", "gone", "EX", "1000")
    rule = ("on", ">secret", "resetkeys", "resetchannels", "-@all", "+sync", "+replconf", "+info")
    valkey.command("ACL", "SETUSER", "db-backup", *rule)
    (root / "password").write_text("secret\n")
    work, data = root / "work", root / "data"
    own = [sys.executable, "-m", "groundplan_runtime.backup"]
    reach = ["--host=127.0.0.1", f"--port={valkey.port}", "--user=db-backup", f"--password={root / 'password'}"]
    done = subprocess.run([*own, "rdb", f"--work={work}", *reach], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    data.mkdir()
    put = [*own, "put-rdb", f"--work={work}", f"--data={data}", *(["--append-only"] if durable else [])]
    subprocess.run(put, check=True, capture_output=True)
    with engines.valkey_server(data, append_only=durable) as other:
        assert other.command("DBSIZE") == valkey.command("DBSIZE")
        assert other.command("GET", f"{prefix}499") == b"$499\r\n" + b"x" * 499 + b"\r\n"
        assert b"b" in other.command("LRANGE", f"{prefix}list", "0", "-1")
        assert int(other.command("TTL", f"{prefix}soon").strip(b":\r\n")) > 900


def test_the_backup_user_reads_no_key_and_a_wrong_password_says_so(valkey: engines.Valkey, root: pathlib.Path) -> None:
    valkey.command("ACL", "SETUSER", "db-backup", "on", ">secret", "resetkeys", "-@all", "+sync", "+replconf", "+info")
    for words in (("GET", "x"), ("KEYS", "*"), ("FLUSHALL",), ("CONFIG", "GET", "*")):
        assert b"NOPERM" in valkey.command("ACL", "DRYRUN", "db-backup", *words) or b"no permissions" in valkey.command(
            "ACL", "DRYRUN", "db-backup", *words
        )
    (root / "password").write_text("wrong")
    own = [sys.executable, "-m", "groundplan_runtime.backup", "rdb", f"--work={root / 'work'}", "--host=127.0.0.1"]
    reach = [f"--port={valkey.port}", "--user=db-backup", f"--password={root / 'password'}"]
    done = subprocess.run([*own, *reach], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "refused AUTH" in done.stderr
    assert "Traceback" not in done.stderr


def test_half_an_rdb_file_is_refused_before_anything_is_replaced(root: pathlib.Path) -> None:
    (root / "work").mkdir()
    (root / "work" / "dump.rdb").write_bytes(b"REDIS0011" + b"\xfa" * 100)
    (root / "data").mkdir()
    (root / "data" / "dump.rdb").write_bytes(b"before")
    own = [sys.executable, "-m", "groundplan_runtime.backup", "put-rdb", f"--work={root / 'work'}"]
    done = subprocess.run([*own, f"--data={root / 'data'}"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "not a whole one" in done.stderr
    assert (root / "data" / "dump.rdb").read_bytes() == b"before"
