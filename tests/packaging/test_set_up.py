"""`make` before anything is installed: it says what is missing, and leaves nothing half finished."""

from __future__ import annotations

import io
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tools import environment, step
from tools.missing import missing

PLENTY = 10**12


def test_a_linux_machine_with_bash_lacks_nothing() -> None:
    assert missing({"bash": "/bin/bash"}.get, "linux", "x86_64", PLENTY) == []


@pytest.mark.parametrize(
    ("programs", "system", "machine", "command"),
    [
        ({}, "linux", "x86_64", "apt-get install bash"),
        ({"bash": "/bin/bash"}, "linux", "aarch64", "apt-get install chromium"),
        ({"bash": "/bin/bash"}, "darwin", "arm64", "brew install --cask google-chrome"),
    ],
)
def test_what_is_missing_is_one_line_with_the_command(
    programs: dict[str, str], system: str, machine: str, command: str
) -> None:
    (line,) = missing(programs.get, system, machine, PLENTY)

    assert line.endswith(f"Install it: {command}")
    assert "\n" not in line


def test_a_machine_with_a_browser_of_its_own_needs_no_other() -> None:
    programs = {"bash": "/bin/bash", "google-chrome": "/usr/bin/google-chrome"}

    assert missing(programs.get, "linux", "aarch64", PLENTY) == []


def test_make_test_asks_what_is_missing_before_it_installs_anything(tmp_path: Path) -> None:
    (tmp_path / "sh").symlink_to("/bin/sh")
    (tmp_path / "python3").symlink_to(sys.executable)
    environment = {"PATH": str(tmp_path), "HOME": str(tmp_path)}
    make = shutil.which("make") or "make"

    done = subprocess.run([make, "test"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    assert done.returncode != 0
    assert "The tests run the README's commands with bash. Install it: apt-get install bash\n" in done.stderr
    assert done.stdout == ""


def test_an_environment_that_cannot_be_made_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Debian's python3 without python3-venv does the same: folders and links, and then no pip.
    failing = tmp_path / "python"
    failing.write_text('#!/bin/sh\nmkdir -p "$3/bin" && touch "$3/bin/python" && echo "no pip" >&2 && exit 1\n')
    failing.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(failing))

    why = environment.make(str(tmp_path / ".venv"))

    assert "no pip" in why
    assert not (tmp_path / ".venv").exists()


def test_an_environment_without_pip_is_not_whole(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "half"], check=True)

    assert not environment.is_whole(str(tmp_path / "half"))
    assert environment.is_whole(sys.prefix)


def test_a_python_without_venv_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ensurepip", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "ensurepip" else object())

    assert environment.obstacle().endswith("-venv")
    assert "apt-get install python3." in environment.obstacle()


def test_a_python_that_is_too_old_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 2, "final", 0))

    assert environment.obstacle().startswith("sitematch needs Python 3.11 or later; this is 3.9.")


def test_a_port_in_use_is_refused_with_another() -> None:
    # The outer make that runs this test must not affect the inner one.
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        command = ["make", "run", f"PORT={port}", f"PYTHON={sys.executable}"]

        done = subprocess.run(command, cwd=ROOT, env=clean, capture_output=True, text=True, check=False)

    assert f"Port {port} is in use or not allowed. Choose another: make run PORT={port % 65535 + 1}" in done.stderr
    assert done.stdout == ""


def test_a_long_step_is_one_line() -> None:
    out = io.StringIO()

    code = step.run("Building", [sys.executable, "-c", "print('a warning')"], out)

    assert code == 0
    assert out.getvalue().startswith("Building … ")
    assert out.getvalue().count("\n") == 1
    assert "a warning" not in out.getvalue()


def test_a_step_that_fails_shows_what_it_printed() -> None:
    out = io.StringIO()

    code = step.run("Building", [sys.executable, "-c", "print('why'); raise SystemExit(3)"], out)

    assert code == 3
    assert out.getvalue().endswith("failed:\nwhy\n")


def test_the_records_are_demanded_by_our_own_variable_only(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests import shared_data

    monkeypatch.setattr(shared_data, "FOLDERS", (Path("/nowhere"),))
    monkeypatch.setenv("CI", "true")
    monkeypatch.delenv(shared_data.DEMANDED, raising=False)
    with pytest.raises(pytest.skip.Exception):
        shared_data.ctgov_folder()

    monkeypatch.setenv(shared_data.DEMANDED, "1")
    with pytest.raises(pytest.fail.Exception):
        shared_data.ctgov_folder()
