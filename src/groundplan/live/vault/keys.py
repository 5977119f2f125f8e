"""The file with the keys of a Vault: as ``vault operator init -format=json`` writes it, readable by its owner alone."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import tempfile
from typing import Any

from groundplan.live import errors
from groundplan.live.vault import steps

NONE_YET = steps.Keys((), 0, 0)
"""A file that was made for keys, and got none."""


@dataclasses.dataclass(frozen=True)
class File:
    """Keys at `path`."""

    path: pathlib.Path

    def read(self) -> steps.Keys | None:
        """The keys; None without a file. Raises errors.LiveError for a file that holds something else."""
        try:
            text = self.path.read_text()
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise _trouble("read", self.path, error) from error
        return _of_text(text, self.path) if text else NONE_YET

    def reserve(self) -> None:
        """Makes the file, empty, where there is none; raises errors.LiveError where it could not be written later."""
        try:
            with tempfile.TemporaryFile(dir=self.path.parent):  # `keep` writes beside it
                descriptor = os.open(self.path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600)
            try:
                # Nothing is written: a run beside this one may have got its keys a moment ago.
                is_used = os.fstat(descriptor).st_size > 0
            finally:
                os.close(descriptor)
        except OSError as error:
            raise _trouble("write", self.path, error) from error
        if is_used:
            why = "they belong to another Vault, or to one that this one was before it lost its data"
            fix = "move the file away, or name another"
            raise errors.Waiting(f"{self.path} already holds keys, and Vault has none yet", why=why, fix=fix)

    def keep(self, keys: steps.Keys) -> None:
        """Writes `keys`, on the disk when it returns; the file before stays until then."""
        try:
            self._replace(text(keys))
        except OSError as error:
            raise _trouble("write", self.path, error) from error

    def _replace(self, content: str) -> None:
        descriptor, temporary = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}-")  # of mode 0600
        try:
            with os.fdopen(descriptor, "w") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            pathlib.Path(temporary).replace(self.path)
            folder = os.open(self.path.parent, os.O_RDONLY)
            os.fsync(folder)
            os.close(folder)
        except OSError:
            pathlib.Path(temporary).unlink(missing_ok=True)
            raise


def text(keys: steps.Keys) -> str:
    """As JSON, with the names of Vault's own command line."""
    said: dict[str, Any] = {
        "unseal_keys_b64": list(keys.shares),
        "unseal_shares": keys.number,
        "unseal_threshold": keys.threshold,
    }
    said |= {"root_token": keys.root_token} if keys.root_token else {}
    said |= {"finished": True} if keys.finished else {}
    return json.dumps(said, indent=2) + "\n"


def _of_text(content: str, path: pathlib.Path) -> steps.Keys:
    try:
        said = json.loads(content)
        return steps.Keys(
            shares=tuple(str(each) for each in said["unseal_keys_b64"]),
            threshold=int(said["unseal_threshold"]),
            number=int(said["unseal_shares"]),
            root_token=str(said.get("root_token", "")),
            finished=bool(said.get("finished", False)),
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        why = "it is not as `vault operator init -format=json` writes it"
        raise errors.Waiting(f"{path} holds something else than keys", why=why, fix="name another file") from error


def _trouble(doing: str, path: pathlib.Path, error: Exception) -> errors.LiveError:
    why = error.strerror if isinstance(error, OSError) else ""
    return errors.Waiting(
        f"cannot {doing} {path}", why=why or str(error), fix="name a file that can be: --keys-to FILE"
    )
