"""The tutorial works word for word: its files are written, its commands are run, its output is what it shows."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import sys

TUTORIAL = pathlib.Path(__file__).parent.parent / "docs" / "tutorial.md"
BLOCK = re.compile(r"^```(\w+)(?: title=(\S+))?\n(.*?)^```$", re.M | re.S)


def steps(console: str) -> list[tuple[str, list[str]]]:
    """Commands with the lines that are shown under each."""
    found: list[tuple[str, list[str]]] = []
    for line in console.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        else:
            found[-1][1].append(line)
    return found


def pattern(shown: list[str]) -> re.Pattern[str]:
    """``…`` stands for anything; a line of it alone for any number of lines."""
    lines = [r"(?:.*\n)*?" if line == "…" else re.escape(line).replace("…", ".*") + r"\s*\n" for line in shown]
    return re.compile("".join(lines) + r"(?:.*\n?)*", re.M)


class Reader:
    """Somebody who follows the page."""

    def __init__(self, home: pathlib.Path) -> None:
        self.here = home
        path = f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}"
        self.environment = {**os.environ, "PATH": path, "COLUMNS": "200"}
        self.entry = "8000"
        self.commands = 0

    def run(self, command: str, shown: list[str]) -> None:
        self.commands += 1
        if command.startswith("cd "):
            self.here = self.here / command[3:]
            return
        command = command.replace("localhost:8000", f"localhost:{self.entry}")
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", command],
            cwd=self.here,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        output = done.stdout + (f"{done.stderr}(exit {done.returncode})\n" if done.returncode else "")
        output += "" if output.endswith("\n") else "\n"
        # Where 8000 is taken on this machine, the platform says which port it uses instead.
        if said := re.search(r"/ +http://127.0.0.1:(\d+)", output):
            self.entry = said[1]
        output = output.replace(f"127.0.0.1:{self.entry}", "127.0.0.1:8000")
        assert pattern(shown).fullmatch(output), f"$ {command}\n{output}\n--- instead of ---\n" + "\n".join(shown)

    def write(self, title: str, text: str) -> None:
        file = self.here / title
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def test_the_tutorial_word_for_word(tmp_path):
    reader = Reader(tmp_path)
    files = 0
    try:
        for language, title, text in BLOCK.findall(TUTORIAL.read_text()):
            if title:
                reader.write(title, text)
                files += 1
            elif language == "console":
                for command, shown in steps(text):
                    reader.run(command, shown)
    finally:
        if reader.here != tmp_path:
            reader.run("groundplan down --wipe", ["…"])
    assert files == 11
    assert reader.commands >= 15
