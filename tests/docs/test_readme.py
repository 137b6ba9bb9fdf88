"""Every command in the README is run, and its output is as shown there."""

from __future__ import annotations

import doctest
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import ROOT

README = ROOT / "README.md"
RUN_ELSEWHERE = {"make run", "make test", "make bench", "pip install ."}
"""Commands that build a machine, run this very test, or take minutes; `test_make_run…` looks at the first."""


@dataclass(frozen=True, slots=True)
class Example:
    """One command of the README with what it is said to print."""

    line: int
    command: str
    output: str


def blocks(language: str) -> list[list[Example]]:
    """Read the README's blocks of one language; the commands of a block build on one another."""
    found: list[list[Example]] = []
    inside = False
    for number, line in enumerate(README.read_text(encoding="utf-8").splitlines(), start=1):
        if line.startswith("```"):
            inside = line == f"```{language}"
            if inside:
                found.append([])
        elif inside and line.startswith("$ "):
            found[-1].append(Example(number, line[2:], ""))
        elif inside and found[-1] and found[-1][-1].command.endswith("\\"):
            last = found[-1].pop()
            found[-1].append(Example(last.line, last.command[:-1].rstrip() + " " + line.strip(), ""))
        elif inside:
            last = found[-1].pop()
            found[-1].append(Example(last.line, last.command, f"{last.output}{line}\n"))
    return found


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A home of its own, and the commands of this very environment first on the path."""
    # Last, a stand-in for a machine that has no curl.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"], str(Path(__file__).parent / "bin")])
    return os.environ | {
        "PATH": path,
        "SITEMATCH_HOME": str(tmp_path_factory.mktemp("home")),
        "PYTHONPATH": str(ROOT),
        "NO_COLOR": "1",
    }


@pytest.fixture(scope="module")
def server(environment: dict[str, str]) -> Iterator[str]:
    """`sitematch serve` on a free loopback port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        ["sitematch", "serve", "--create", "--port", str(port)],
        env=environment,
        cwd=ROOT,
        executable=Path(sys.executable).parent / "sitematch",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        address = f"127.0.0.1:{port}"
        for _ in range(300):
            try:
                urllib.request.urlopen(f"http://{address}/readyz", timeout=5).close()
                break
            except (urllib.error.URLError, ConnectionError):
                assert process.poll() is None, "the server ended before it was ready"
                time.sleep(0.1)
        else:
            pytest.fail("the server was not ready after 300 tries")
        yield address
    finally:
        process.terminate()
        process.wait(timeout=30)


def same(expected: str, printed: str) -> bool:
    """Compare with ``...`` for what changes from run to run, trailing spaces aside."""

    def tidy(text: str) -> str:
        return "\n".join(line.rstrip() for line in text.strip().splitlines()) + "\n"

    return doctest.OutputChecker().check_output(tidy(expected), tidy(printed), doctest.ELLIPSIS)


@pytest.mark.parametrize("block", blocks("console"), ids=lambda block: f"line {block[0].line}")
def test_a_block_of_commands_prints_what_the_readme_says(
    block: list[Example], environment: dict[str, str], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    fresh = environment | {"SITEMATCH_HOME": str(tmp_path)}
    for example in block:
        command = example.command.split("  #")[0].strip()
        if command in RUN_ELSEWHERE:
            continue
        if "127.0.0.1:8000" in command:
            command = command.replace("127.0.0.1:8000", request.getfixturevalue("server"))

        done = subprocess.run(["bash", "-c", command], env=fresh, cwd=ROOT, capture_output=True, text=True, check=False)

        said = [line for line in done.stderr.splitlines(keepends=True) if not line.startswith("Database:")]
        printed = done.stdout + "".join(said)
        assert same(example.output, printed), f"{example.command}\n--- printed:\n{printed}"


@pytest.mark.parametrize("path", [README, ROOT / "docs" / "library.md"], ids=lambda path: path.name)
def test_every_python_example_runs(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SITEMATCH_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```python\n(.*?)^```", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    parser, runner = doctest.DocTestParser(), doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    names: dict[str, object] = {}

    for block in blocks:
        example = parser.get_doctest(block, names, path.name, str(path), 0)
        runner.run(example, clear_globs=False)
        names = example.globs  # a block builds on the blocks before it

    assert runner.tries > 0
    assert runner.failures == 0


def test_a_second_make_run_builds_nothing_again() -> None:
    # The outer make that runs this test must not affect the inner one.
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}

    planned = subprocess.run(["make", "-n", "run"], cwd=ROOT, env=clean, capture_output=True, text=True, check=True)

    assert planned.stdout.splitlines() == [
        "python3 tools/free_port.py 8000",
        ".venv/bin/sitematch match 33180 --country US",
        ".venv/bin/sitematch serve --port 8000",
    ]


@pytest.mark.parametrize(
    "path", sorted(ROOT.glob("*.md")) + sorted((ROOT / "docs").rglob("*.md")), ids=lambda p: p.name
)
def test_every_link_to_a_file_of_ours_leads_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\((?!https?:|mailto:|#|/)([^)#]+)", path.read_text(encoding="utf-8")):
        assert (path.parent / target).exists(), target
