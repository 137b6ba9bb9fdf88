"""What a newcomer meets when something is not as the program expects: words, never a traceback."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import click
import pytest

from sitematch.cli import main
from tests.cli.conftest import Run

PROGRAM = str(Path(sys.executable).parent / "sitematch")
PLAIN_LOCALE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


def groups(command: click.Command, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], click.Group]]:
    if not isinstance(command, click.Group):
        return []
    below = [found for name, child in command.commands.items() for found in groups(child, (*path, name))]
    return [(path, command), *below]


@pytest.mark.parametrize("path", [path for path, _ in groups(main)], ids=" ".join)
def test_no_summary_of_a_command_is_cut(run: Run, path: tuple[str, ...]) -> None:
    text = run(*path, "--help").stdout

    assert "..." not in text.partition("Commands:")[2].partition("Exit codes:")[0]


@pytest.mark.parametrize(
    ("path", "codes"),
    [
        (("match",), "0123468"),
        (("locate",), "023456"),
        (("user", "list"), "02368"),
        (("import", "ctgov"), "023568"),
        (("gazetteer", "audit"), "0256"),
        (("data", "check"), "025"),
    ],
)
def test_a_command_lists_the_exit_codes_that_it_can_end_with(run: Run, path: tuple[str, ...], codes: str) -> None:
    listed = run(*path, "--help").stdout.partition("Exit codes:")[2]

    assert [line.strip()[0] for line in listed.strip().splitlines() if line.strip()[:1].isdecimal()] == list(codes)


@pytest.mark.parametrize("home", ["/proc/sitematch", "{file}", "{file}/below"])
def test_a_home_that_cannot_be_made_is_named_with_the_reason(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: str
) -> None:
    (tmp_path / "file").write_text("not a folder")
    named = home.format(file=tmp_path / "file")
    monkeypatch.setenv("SITEMATCH_HOME", named)

    done = run("capacity", "show")

    assert done.exit_code == 8
    assert done.stderr.startswith(f"Error: The folder {named} for the database cannot be made: ")
    assert done.stderr.endswith("Name another with SITEMATCH_HOME.\n")


@pytest.mark.parametrize("arguments", [("locate",), ("match", "--country", "DE"), ("studies", "--search")])
def test_an_argument_that_is_not_utf_8_is_told(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = subprocess.run(
        [PROGRAM, *arguments, b"K\xf6ln"],
        env=os.environ | {"SITEMATCH_HOME": str(tmp_path)},
        capture_output=True,
        check=False,
    )

    assert done.returncode == 2
    assert done.stderr.decode() == "Error: 'K\ufffdln' is not UTF-8. Set the terminal to UTF-8 and type it again.\n"


def test_a_file_may_have_a_name_that_is_not_utf_8(tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/\xf6.json"
    Path(os.fsdecode(name)).write_text("{")

    done = subprocess.run(
        [PROGRAM, "import", "nci", name],
        env=os.environ | {"SITEMATCH_HOME": str(tmp_path / "home")},
        capture_output=True,
        check=False,
    )

    assert done.returncode == 5
    assert b"Traceback" not in done.stderr


def test_a_pipe_gets_utf_8_whatever_the_locale(tmp_path: Path) -> None:
    environment = os.environ | PLAIN_LOCALE | {"SITEMATCH_HOME": str(tmp_path)}

    done = subprocess.run(
        [PROGRAM, "locate", "80331", "--country", "DE", "--format", "json"],
        env=environment,
        capture_output=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "München" in done.stdout.decode("utf-8")


def test_a_terminal_that_is_not_utf_8_gets_every_line(tmp_path: Path) -> None:
    environment = os.environ | PLAIN_LOCALE | {"SITEMATCH_HOME": str(tmp_path), "TERM": "dumb", "COLUMNS": "100"}
    ours, theirs = pty.openpty()

    done = subprocess.run(
        [PROGRAM, "match", "80331", "--country", "DE"],
        env=environment,
        stdout=theirs,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(theirs)
    said = b""
    try:
        while part := os.read(ours, 65536):
            said += part
    except OSError:  # so Linux says that the other end is closed
        pass
    os.close(ours)

    assert done.returncode == 0, done.stderr
    assert b"M?nchen" in said
    assert b"Which first digits stand for which town" in said


@pytest.mark.parametrize("command", ["match", "locate"])
def test_a_country_without_its_option_is_answered_with_how_to_say_it(run: Run, command: str) -> None:
    done = run(command, "33180", "US")

    assert done.exit_code == 2
    assert f"Name the country with --country: sitematch {command} 33180 --country US." in " ".join(done.stderr.split())
