"""Where backups are kept: a folder, or a bucket of an object store that speaks S3's API."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import pathlib
import shutil
import urllib.parse
from collections.abc import Iterator
from typing import Any, Protocol

from groundplan_runtime.backup.problems import BackupError


class Place(Protocol):
    """Files by name; a name's parts are joined by slashes. Raises BackupError where the place refuses."""

    def put(self, name: str, file: pathlib.Path) -> None:
        """Keeps a copy of `file`: whole and durable when this returns, absent when it raises."""

    def get(self, name: str, file: pathlib.Path) -> None:
        """Writes what is kept as `name` to `file`."""

    def read(self, name: str) -> bytes:
        """What is kept as `name`, where it is short."""

    def sizes(self, prefix: str) -> dict[str, int]:
        """Bytes of everything whose name starts with `prefix` (a folder: it ends with a slash)."""

    def remove(self, name: str) -> None:
        """Removes `name`; no trouble where it is gone already."""


class Folder:
    """A directory: a volume in a cluster, any path on a laptop."""

    def __init__(self, root: pathlib.Path) -> None:
        self.root = root

    def put(self, name: str, file: pathlib.Path) -> None:
        path = self.root / name
        part = path.with_name(f".{path.name}.part")
        with _told(f"write {path}"):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                _copied(file, part)
                part.replace(path)
            except BaseException:
                part.unlink(missing_ok=True)
                raise
            _synced(path.parent)

    def get(self, name: str, file: pathlib.Path) -> None:
        with _told(f"read {self.root / name}"):
            shutil.copyfile(self.root / name, file)

    def read(self, name: str) -> bytes:
        with _told(f"read {self.root / name}"):
            return (self.root / name).read_bytes()

    def sizes(self, prefix: str) -> dict[str, int]:
        with _told(f"read {self.root / prefix}"):
            found = [path for path in (self.root / prefix).rglob("*") if path.is_file()]
            return {path.relative_to(self.root).as_posix(): path.stat().st_size for path in found}

    def remove(self, name: str) -> None:
        path = self.root / name
        with _told(f"remove {path}"):
            path.unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                path.parent.rmdir()  # only where nothing is left in it


def _copied(file: pathlib.Path, part: pathlib.Path) -> None:
    with file.open("rb") as source, part.open("wb") as target:
        part.chmod(0o600)
        shutil.copyfileobj(source, target, 1024 * 1024)
        target.flush()
        os.fsync(target.fileno())


def _synced(folder: pathlib.Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Bucket:
    """A bucket, or what lies below a prefix of it; large files go up in parts, and appear whole or not at all."""

    def __init__(self, store: Any, shown: str) -> None:
        self._store, self._shown = store, shown

    def put(self, name: str, file: pathlib.Path) -> None:
        import obstore

        with _asked(f"write {self._shown}/{name}"):
            obstore.put(self._store, name, file)

    def get(self, name: str, file: pathlib.Path) -> None:
        import obstore

        with _asked(f"read {self._shown}/{name}"), file.open("wb") as target:
            for chunk in obstore.get(self._store, name).stream():
                target.write(chunk)

    def read(self, name: str) -> bytes:
        import obstore

        with _asked(f"read {self._shown}/{name}"):
            return bytes(obstore.get(self._store, name).bytes())

    def sizes(self, prefix: str) -> dict[str, int]:
        import obstore

        with _asked(f"list {self._shown}/{prefix}"):
            batches = obstore.list(self._store, prefix.rstrip("/") or None)
            return {str(each["path"]): int(each["size"]) for batch in batches for each in batch}

    def remove(self, name: str) -> None:
        import obstore

        with _asked(f"remove {self._shown}/{name}"), contextlib.suppress(FileNotFoundError):
            obstore.delete(self._store, name)


def at(url: str, *, endpoint: str = "", region: str = "", account: pathlib.Path | None = None) -> Place:
    """The place at `url`: ``file:///backups``, or ``s3://bucket/prefix`` with the account in a JSON file
    (``{"access_key_id": "…", "secret_access_key": "…"}``). Raises BackupError."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme == "file" and parts.path:
        return Folder(pathlib.Path(urllib.parse.unquote(parts.path)))
    if parts.scheme == "s3" and parts.netloc:
        return _bucket(parts.netloc, parts.path.strip("/"), endpoint, region, account)
    raise BackupError(f"{url!r} is no place for backups", fix="write file:///a/folder or s3://bucket/prefix")


def _bucket(name: str, prefix: str, endpoint: str, region: str, account: pathlib.Path | None) -> Bucket:
    try:
        from obstore import store
    except ImportError:
        raise BackupError(
            "this image has no client of object stores",
            "the extra `backup` of groundplan-runtime is not installed in it",
            "add groundplan-runtime[backup] to the platform's dependencies",
        ) from None
    config: store.S3Config = {"region": region or "us-east-1", "virtual_hosted_style_request": False}
    if endpoint:
        config["endpoint"] = endpoint
    if account is not None:
        config["access_key_id"], config["secret_access_key"] = _keys(account)
    # Plain HTTP is for tests on loopback; anywhere else it would show the account to the network.
    client: store.ClientConfig = {"allow_http": urllib.parse.urlsplit(endpoint).hostname in ("127.0.0.1", "localhost")}
    made = store.S3Store(name, prefix=prefix or None, config=config, client_options=client)
    return Bucket(made, f"s3://{name}/{prefix}".rstrip("/"))


def _keys(account: pathlib.Path) -> tuple[str, str]:
    try:
        found = json.loads(account.read_text())
        return str(found["access_key_id"]), str(found["secret_access_key"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        shown = type(error).__name__  # its text may hold what the file holds
        raise BackupError(
            f"{account} is no account of an object store ({shown})",
            fix='keep {"access_key_id": "…", "secret_access_key": "…"} there',
        ) from None


@contextlib.contextmanager
def _told(doing: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise BackupError(
                f"cannot {doing}: the disk is full", "nothing was kept", "free some space, or keep fewer backups"
            ) from error
        raise BackupError(f"cannot {doing}", error.strerror or str(error)) from error


@contextlib.contextmanager
def _asked(doing: str) -> Iterator[None]:
    from obstore import exceptions

    try:
        yield
    except (exceptions.BaseError, OSError) as error:
        said = str(error).splitlines()
        raise BackupError(
            f"cannot {doing}", said[0] if said else "", "check the bucket, its region and the account's rights"
        ) from error
