"""The shell's completion is installed by one command, and a second time changes nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import Run


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "my home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "ZDOTDIR"):
        monkeypatch.delenv(name, raising=False)
    return home


@pytest.mark.parametrize(
    ("shell", "start", "script"),
    [
        ("bash", ".bashrc", ".local/share/sitematch/completion.bash"),
        ("zsh", ".zshrc", ".local/share/sitematch/completion.zsh"),
        ("fish", None, ".config/fish/completions/sitematch.fish"),
    ],
)
def test_it_is_installed_once(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch, shell: str, start: str | None, script: str
) -> None:
    monkeypatch.setenv("SHELL", f"/usr/bin/{shell}")
    if start:
        (home / start).write_text("alias x=y")
    assert run("completion", "--install").exit_code == 0
    first = {path: path.read_text() for path in home.rglob("*") if path.is_file()}

    assert run("completion", "--install").exit_code == 0

    assert {path: path.read_text() for path in home.rglob("*") if path.is_file()} == first
    assert (
        first[home / script] == run("completion", shell).stdout.removesuffix("\n")
        or first[home / script] in run("completion", shell).stdout
    )
    if start:
        lines = first[home / start].splitlines()
        assert lines[0] == "alias x=y"
        assert len(lines) == 2


def test_bash_completes_commands_after_it(run: Run, home: Path) -> None:
    bash = shutil.which("bash")
    assert bash is not None
    assert run("completion", "bash", "--install").exit_code == 0

    done = subprocess.run(
        [bash, "--noprofile", "--norc", "-c", '. "$HOME/.bashrc"; complete -p sitematch'],
        env={"HOME": str(home), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    )

    assert "sitematch" in done.stdout


@pytest.mark.parametrize("shell", ["/bin/tcsh", ""])
def test_another_shell_is_refused(run: Run, home: Path, monkeypatch: pytest.MonkeyPatch, shell: str) -> None:
    monkeypatch.setenv("SHELL", shell)

    refused = run("completion", "--install")

    assert refused.exit_code == 2
    assert "bash, zsh, fish" in refused.stderr
