"""The README's example does what the README says."""

import contextlib
import pathlib
import re
import shlex
import subprocess
import sys

from runtime.tests import processes

README = (pathlib.Path(__file__).parents[1] / "README.md").read_text()


def block(kind: str, holding: str) -> str:
    found: list[str] = re.findall(rf"```{kind}\n(.*?)```", README, re.S)
    return next(text for text in found if holding in text)


def test_the_example_answers_as_shown(tmp_path: pathlib.Path) -> None:
    (tmp_path / "app.py").write_text(block("python", "service.run"))
    traffic, ops = str(processes.free_port()), str(processes.free_port())

    def moved(text: str) -> str:
        return text.replace("8001", traffic).replace("9464", ops)

    words = shlex.split(moved(block("sh", "python app.py")))
    environment = dict(word.split("=", 1) for word in words if "=" in word)
    app = subprocess.Popen([sys.executable, "app.py"], cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL)
    try:
        processes.until(lambda: answers(int(ops)), "the example does not answer")
        shown = re.findall(r"\$ (.*)\n(.*)\n", moved(block("console", "curl")))
        for command, output in shown:
            said = subprocess.run(shlex.split(command), capture_output=True, text=True, timeout=processes.LIMIT)
            assert said.stdout == output
        assert len(shown) == 3
    finally:
        app.terminate()
        assert app.wait(processes.LIMIT) == 0


def answers(port: int) -> bool:
    with contextlib.suppress(OSError):
        return processes.ask(port, "GET", "/readyz").status == 200
    return False
