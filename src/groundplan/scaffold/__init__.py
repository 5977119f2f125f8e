"""The first platform of somebody who begins: files with a name filled in.

Belongs here: what ``groundplan new`` writes (`first/`, one file each, its folders spelled with ``__``).
"""

from __future__ import annotations

import importlib.resources
import pathlib
import re
import tempfile

from groundplan.model import names

FILES = {
    "plan.py": "plan.py.txt",
    "README.md": "README.md.txt",
    "requirements.txt": "requirements.txt.txt",
    "requirements-dev.txt": "requirements-dev.txt.txt",
    ".gitignore": "gitignore.txt",
    "src/{package}/__init__.py": "package.py.txt",
    "src/{package}/web/__init__.py": "web.py.txt",
    "src/{package}/web/__main__.py": "main.py.txt",
    "src/{package}/web/app.py": "app.py.txt",
    "src/{package}/web/migrations/__init__.py": "migrations.py.txt",
    "src/{package}/web/migrations/0001_visit.up.sql": "visit.up.sql.txt",
    "src/{package}/web/migrations/0001_visit.down.sql": "visit.down.sql.txt",
    "tests/test_web.py": "test_web.py.txt",
}
"""What is written, and the template it comes from."""


class Refused(Exception):
    """Nothing was written, because."""


def write(folder: pathlib.Path) -> list[pathlib.Path]:
    """Writes a first platform into `folder`, whole or not at all, and returns its files; its name is the folder's.

    Raises Refused, having written nothing, for a name that Kubernetes refuses or a folder that holds something.
    """
    name = folder.resolve().name
    if why := names.trouble(name):
        raise Refused(f"{name!r} cannot be a platform's name: {why}; try {names.mended(name)}")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Refused(f"{folder} is there already and not empty; choose another name")
    package = re.sub(r"\W", "_", name)
    paths = {path: path.format(package=package) for path in FILES}
    folder.mkdir(parents=True, exist_ok=True)
    # Beside where it goes: half a platform (a full disk, Ctrl-C) would be in the way of the next try.
    with tempfile.TemporaryDirectory(dir=folder) as made:
        draft = pathlib.Path(made)
        for path, template in FILES.items():
            file = draft / paths[path]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(_filled(template, name, package))
        for each in draft.iterdir():
            each.rename(folder / each.name)
    return [folder / path for path in paths.values()]


def _filled(template: str, name: str, package: str) -> str:
    text = importlib.resources.files(__name__).joinpath("first", template).read_text()
    return text.replace("NAME", name).replace("PACKAGE", package)
