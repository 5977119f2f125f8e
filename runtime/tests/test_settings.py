"""Settings come typed from the environment; what is wrong is told at once, and no secret with it."""

import dataclasses
import pathlib
from typing import Literal

import msgspec
import pytest

from groundplan_runtime import settings


class Settings(msgspec.Struct, frozen=True):
    database_dsn: settings.Secret
    attempts: int
    ratio: float = 0.5
    verbose: bool = False
    mode: Literal["fast", "safe"] = "safe"
    hosts: tuple[str, ...] = ()
    key: bytes = b""
    certificate: pathlib.Path | None = None
    note: str | None = None


def test_each_type_is_read_from_its_variable(tmp_path: pathlib.Path) -> None:
    (tmp_path / "dsn").write_text("postgresql://app:hunter22@db/app\n\n")
    (tmp_path / "key").write_bytes(b"\x00\xff\n")
    loaded = settings.load(
        Settings,
        {
            "DATABASE_DSN": f"file://{tmp_path}/dsn",
            "ATTEMPTS": "3",
            "RATIO": "0.25",
            "VERBOSE": "true",
            "MODE": "fast",
            "HOSTS": "a, b",
            "KEY": f"file://{tmp_path}/key",
            "CERTIFICATE": f"file://{tmp_path}/absent-until-later",
        },
    )
    assert loaded.database_dsn.reveal() == "postgresql://app:hunter22@db/app\n"  # one newline is the editor's
    assert (loaded.attempts, loaded.ratio, loaded.verbose, loaded.mode) == (3, 0.25, True, "fast")
    assert (loaded.hosts, loaded.key) == (("a", "b"), b"\x00\xff")
    assert (loaded.certificate, loaded.note) == (tmp_path / "absent-until-later", None)


def test_a_dataclass_does_as_well() -> None:
    @dataclasses.dataclass(frozen=True)
    class Small:
        port: int
        host: str = "localhost"

    assert settings.load(Small, {"PORT": "80"}) == Small(80, "localhost")


def test_everything_wrong_is_told_at_once_with_variable_file_and_remedy(tmp_path: pathlib.Path) -> None:
    (tmp_path / "attempts").write_text("s3cr3t-by-mistake")
    environment = {
        "DATABASE_DSN": f"file://{tmp_path}/absent",
        "ATTEMPTS": f"file://{tmp_path}/attempts",
        "RATIO": "much",
        "VERBOSE": "perhaps",
        "MODE": "slow",
        "KEY": "file://relative",
    }
    with pytest.raises(settings.SettingsError) as raised:
        settings.load(Settings, environment)
    assert raised.value.findings == (
        f"  DATABASE_DSN refers to {tmp_path}/absent, which does not exist\n    fix: mount or write that file",
        f"  ATTEMPTS must be a whole number (in {tmp_path}/attempts)\n    fix: write a whole number",
        "  RATIO must be a number, not 'much'\n    fix: write a number",
        "  VERBOSE must be true or false, not 'perhaps'\n    fix: write true or false",
        "  MODE must be fast or safe, not 'slow'\n    fix: choose one of them",
        "  KEY refers to relative, which is not an absolute path\n    fix: write file:///an/absolute/path",
    )
    assert "s3cr3t" not in str(raised.value)


def test_a_missing_variable_says_what_to_set_it_to() -> None:
    with pytest.raises(settings.SettingsError, match="ATTEMPTS is not set\n    fix: set ATTEMPTS to a whole number"):
        settings.load(Settings, {"DATABASE_DSN": "x"})


def test_a_secret_is_not_shown_by_repr_str_or_format() -> None:
    secret = settings.Secret("hunter22")
    shown = f"{secret} {secret!r} {Settings(secret, 1)}" + "%s" % secret  # noqa: UP031  (the way logging does it)
    assert "hunter22" not in shown
    assert secret == settings.Secret("hunter22")
    assert hash(secret) == hash(settings.Secret("hunter22"))


def test_a_secret_file_follows_a_rotation(tmp_path: pathlib.Path) -> None:
    class Rotating(msgspec.Struct, frozen=True):
        token: settings.SecretFile

    # As the kubelet does it: a link to a directory, swapped in one step.
    for version in ("1", "2"):
        (tmp_path / version).mkdir()
        (tmp_path / version / "token").write_text(f"token-{version}\n")
    (tmp_path / "now").symlink_to("1")
    file = settings.load(Rotating, {"TOKEN": f"file://{tmp_path}/now/token"}).token
    assert file.read() == "token-1"
    (tmp_path / "next").symlink_to("2")
    (tmp_path / "next").replace(tmp_path / "now")
    assert file.read() == "token-2"
    assert "token-2" not in repr(file)
