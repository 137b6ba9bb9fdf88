"""Error messages for new users when something is missing: plain words, never a traceback."""

from __future__ import annotations

import contextlib
import ctypes
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click
import pytest

from sitematch.cli import main
from sitematch.config import Settings
from sitematch.services.setup import prepared_to_read
from sitematch.store.engine import open_store
from sitematch.store.studies.catalogue import list_studies
from tests.cli.conftest import Run

PROGRAM = str(Path(sys.executable).parent / "sitematch")
PLAIN_LOCALE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


def on_a_terminal(command: list[str], environment: dict[str, str]) -> str:
    """Run a command that has to succeed, and return what it wrote on its terminal."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(command, env=environment, stdout=theirs, stderr=subprocess.DEVNULL)
    os.close(theirs)
    said = b""
    with contextlib.suppress(OSError):  # so Linux says that the other end is closed
        while part := os.read(ours, 65536):
            said += part
    os.close(ours)
    assert process.wait() == 0
    return said.decode("utf-8")


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
    assert done.stderr.startswith(f"Error: Cannot create the folder {named} for the database: ")
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
    said = on_a_terminal([PROGRAM, "match", "80331", "--country", "DE"], environment)

    assert "M?nchen" in said
    assert "Which first digits stand for which town" in said


@pytest.mark.parametrize("command", ["match", "locate"])
def test_a_country_without_its_option_is_answered_with_how_to_say_it(run: Run, command: str) -> None:
    done = run(command, "33180", "US")

    assert done.exit_code == 2
    assert f"Name the country with --country: sitematch {command} 33180 --country US." in " ".join(done.stderr.split())


@pytest.mark.parametrize(
    "arguments", [("match", "33180", "--country", "US"), ("sites",), ("capacity", "show"), ("user", "list")]
)
def test_a_terminal_of_forty_columns_shows_every_word_whole(
    run: Run, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    run("user", "add", "ann.archer@example.org", "--role", "administrator")
    wide = run(*arguments).stdout
    monkeypatch.setattr("sitematch.cli.common.PIPED_COLUMNS", 40)

    narrow = run(*arguments).stdout

    assert max(map(len, narrow.splitlines())) <= 40
    assert "…" not in narrow
    # Headings stand beside each cell instead of once, and long lists fold elsewhere: the words are the same.
    missing = set(wide.replace("\n", " ").split()) - set(narrow.replace("\n", " ").split()) - {"Site", "E-mail"}
    assert {word for word in missing if f"{word}:" not in narrow and len(word) < 20} == set()


def test_no_color_is_heeded(tmp_path: Path) -> None:
    environment = os.environ | {"SITEMATCH_HOME": str(tmp_path), "TERM": "xterm-256color", "NO_COLOR": "1"}
    coloured = r"\x1b\[[0-9;]*3[0-7]"

    assert not re.search(coloured, on_a_terminal([PROGRAM, "sites"], environment))
    del environment["NO_COLOR"]
    assert re.search(coloured, on_a_terminal([PROGRAM, "sites"], environment))


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("sitematch match 33180 --country ger", "DE"),
        ("sitematch match 33180 --study nct0", "NCT06064929"),
        ("sitematch capacity show --site NCT06064929-00", "NCT06064929-001"),
        ("sitematch referral list --site NCT06064929-04", "NCT06064929-046"),
        ("sitematch report capacity --country DE", "DE"),
    ],
)
def test_the_shell_is_offered_countries_studies_and_sites(run: Run, tmp_path: Path, typed: str, offered: str) -> None:
    run("studies")
    words = typed.split()
    environment = os.environ | {
        "SITEMATCH_HOME": str(tmp_path / "home"),
        "_SITEMATCH_COMPLETE": "bash_complete",
        "COMP_WORDS": typed,
        "COMP_CWORD": str(len(words) - 1),
    }

    done = subprocess.run([PROGRAM], env=environment, capture_output=True, text=True, check=False)

    assert done.stderr == ""
    items = [line.partition(",")[2] for line in done.stdout.splitlines()]
    assert offered in items


def test_asking_for_completion_makes_no_database(tmp_path: Path) -> None:
    environment = os.environ | {
        "SITEMATCH_HOME": str(tmp_path / "home"),
        "_SITEMATCH_COMPLETE": "bash_complete",
        "COMP_WORDS": "sitematch match --study N",
        "COMP_CWORD": "3",
    }

    done = subprocess.run([PROGRAM], env=environment, capture_output=True, text=True, check=False)

    assert (done.stdout.strip(), done.stderr) == ("", "")
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    "command", [("match", "33180", "-c", "US"), ("sites",), ("match", "33180", "-c", "US", "--condition", "lupus")]
)
def test_a_look_up_needs_no_home_that_can_be_written(
    run: Run, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    usual = run(*command).stdout
    monkeypatch.setenv("SITEMATCH_HOME", "/proc/sitematch")

    done = run(*command)

    assert done.exit_code == 0
    assert done.stdout == usual
    assert done.stderr == "/proc/sitematch cannot be written, so the answer uses the data of a new installation.\n"


_DAC_OVERRIDE = 1 << 1
"""The capability of Linux that lets root write files that nobody may write."""


@contextmanager
def bound_by_file_modes() -> Iterator[None]:
    """Enforce file permissions for this thread, even if it runs as root."""
    if os.geteuid() != 0:
        yield
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # the third version of the call, on this thread
    kept = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable; twice 32 of each

    def call(name: str, data: ctypes.Array[ctypes.c_uint32]) -> None:
        if getattr(libc, name)(header, data):
            raise OSError(ctypes.get_errno(), name)

    call("capget", kept)
    fewer = (ctypes.c_uint32 * 6)(*kept)
    fewer[0] &= ~_DAC_OVERRIDE
    call("capset", fewer)
    try:
        yield
    finally:
        call("capset", kept)


@pytest.mark.skipif(os.geteuid() == 0 and sys.platform != "linux", reason="root may write everywhere outside Linux")
def test_a_look_up_reads_a_database_that_it_may_not_write(run: Run, tmp_path: Path) -> None:
    home = tmp_path / "home"
    usual = run("match", "33180", "-c", "US").stdout
    for path in (*home.iterdir(), home):
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        with bound_by_file_modes():
            assert not os.access(home, os.W_OK, effective_ids=True)
            done = run("match", "33180", "-c", "US")
    finally:
        home.chmod(0o755)

    assert done.exit_code == 0, done.stderr
    assert done.stdout == usual


def test_a_look_up_reads_a_copy_of_a_database_that_it_cannot_open(run: Run, tmp_path: Path) -> None:
    run("user", "list")
    database = tmp_path / "home" / "sitematch.db"
    settings = Settings.from_mapping({"SITEMATCH_HOME": str(tmp_path / "home")})
    usual = database.read_bytes()
    # SQLite opens no database in a folder where its log is a folder: as if it could not be written.
    database.with_name("sitematch.db-wal").mkdir()

    with prepared_to_read(settings, lambda _: None, datetime.now(UTC)) as chosen:
        assert chosen.home != settings.home
        with open_store(chosen.database_url) as store:
            assert len(list_studies(store)) == 1

    assert database.read_bytes() == usual
    assert not chosen.home.exists()
