"""`sitematch doctor` finds what is wrong and says what to do."""

from __future__ import annotations

import json
import os
import re
import socket
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from sitematch.cli import main
from sitematch.config import VARIABLES, Settings
from sitematch.services import inspecting
from sitematch.services.inspecting import check_installation
from tests.cli.conftest import Run
from tests.conftest import ROOT

NOW = datetime.now(UTC)


@pytest.fixture
def home(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh install on a free port, with a backup of today."""
    for name in [name for name in os.environ if name.startswith("SITEMATCH_") and name not in VARIABLES]:
        monkeypatch.delenv(name)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        monkeypatch.setenv("SITEMATCH_PORT", str(probe.getsockname()[1]))
    backups = tmp_path / "backups"
    backups.mkdir()
    monkeypatch.setenv("SITEMATCH_BACKUP_FOLDER", str(backups))
    assert run("db", "upgrade").exit_code == 0
    assert run("db", "backup", str(backups / "today.backup")).exit_code == 0
    return tmp_path / "home"


def found(run: Run) -> dict[str, dict[str, Any]]:
    """The checks by name, those that are not well first."""
    done = run("doctor", "--json")
    answer = json.loads(done.stdout)
    assert done.exit_code == (6 if answer["state"] == "fault" else 0)
    checks = sorted(answer["checks"], key=lambda check: check["state"] == "ok", reverse=True)
    return {check["name"]: check for check in checks}


def test_fresh_install_is_well(run: Run, home: Path) -> None:
    checks = found(run)

    wrong = {name: check for name, check in checks.items() if check["state"] != "ok" and name != "disk"}
    assert wrong == {}
    assert set(checks) == {
        *("settings", "versions", "libraries", "database", "clock", "gazetteer", "disk", "permissions", "backup"),
        *("port", "proxy"),
    }


def test_text_has_a_line_for_each_check_and_what_to_do_below(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SITEMATCH_WORKER", "2")

    done = run("doctor")

    assert done.exit_code == 0
    assert re.search(
        r"^warning  settings     Nothing reads SITEMATCH_WORKER\.\n {22}Correct the name", done.stdout, re.MULTILINE
    )
    assert "ok       database" in done.stdout


def test_missing_database_is_a_fault_and_is_not_made(run: Run, tmp_path: Path) -> None:
    check = found(run)["database"]

    assert check["state"] == "fault"
    assert "db upgrade" in check["what_to_do"]
    assert not (tmp_path / "home").exists()


def test_settings_that_cannot_be_understood_are_all_told(run: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SITEMATCH_WORKERS", "many")
    monkeypatch.setenv("SITEMATCH_ACCESS_LOG", "perhaps")

    check = found(run)["settings"]

    assert check["state"] == "fault"
    assert "SITEMATCH_WORKERS" in check["said"]
    assert "SITEMATCH_ACCESS_LOG" in check["said"]


def test_damaged_pages_of_the_database_are_found(run: Run, home: Path) -> None:
    file = home / "sitematch.db"
    with sqlite3.connect(file) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (root,) = database.execute("SELECT rootpage FROM sqlite_master WHERE name = 'site'").fetchone()
        (size,) = database.execute("PRAGMA page_size").fetchone()
    database.close()
    content = bytearray(file.read_bytes())
    content[(root - 1) * size + 8 : (root - 1) * size + 200] = os.urandom(192)
    file.write_bytes(content)

    check = found(run)["database"]

    assert check["state"] == "fault"
    assert "damaged" in check["said"]
    assert "restore" in check["what_to_do"] or "operations.md" in check["what_to_do"]


def test_database_of_another_schema_is_told(run: Run, home: Path) -> None:
    with sqlite3.connect(home / "sitematch.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '0001'")
    database.close()

    check = found(run)["database"]

    assert check["state"] == "fault"
    assert "schema 0001" in check["said"]


@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "other"])
def test_gazetteer_that_cannot_be_used_is_told(
    run: Run, home: Path, tmp_path: Path, gazetteer_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    file = tmp_path / "gazetteer.sqlite"
    if damage == "empty":
        file.touch()
    elif damage == "cut":
        with gazetteer_path.open("rb") as whole:
            file.write_bytes(whole.read(5_000_000))
    elif damage == "other":
        sqlite3.connect(file).execute("CREATE TABLE x (y)").connection.close()
    monkeypatch.setenv("SITEMATCH_GAZETTEER", str(file))

    check = found(run)["gazetteer"]

    assert check["state"] == "fault"
    assert check["what_to_do"]


def test_event_in_the_future_tells_of_a_wrong_clock(run: Run, home: Path) -> None:
    assert run("referral", "hold", "NCT06064929-039", "--id", "r-1").exit_code == 0

    checks = check_installation(Settings.from_mapping(os.environ), NOW - timedelta(days=365))

    assert {check.name: check.state.value for check in checks}["clock"] == "fault"


def test_old_backup_and_no_backup_are_told(run: Run, home: Path, tmp_path: Path) -> None:
    file = tmp_path / "backups" / "today.backup"
    os.utime(file, ((NOW - timedelta(days=3)).timestamp(),) * 2)
    old = found(run)["backup"]
    file.unlink()
    none = found(run)["backup"]

    assert (old["state"], none["state"]) == ("warning", "fault")
    assert "72 hours" in old["said"]


def test_port_of_another_program_is_a_fault(run: Run, home: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", int(os.environ["SITEMATCH_PORT"])))

        assert found(run)["port"]["state"] == "fault"


def test_service_that_all_can_reach_without_a_proxy_is_told(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SITEMATCH_HOST", "0.0.0.0")

    assert found(run)["proxy"]["state"] == "warning"


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_database_that_every_user_can_read_is_told(run: Run, home: Path) -> None:
    assert found(run)["permissions"]["state"] == "ok"
    home.chmod(0o755)
    (home / "sitematch.db").chmod(0o644)

    assert found(run)["permissions"]["state"] == "warning"


def test_full_disk_is_told(run: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspecting, "LEAST_FREE_BYTES", 10**18)

    assert found(run)["disk"]["state"] == "fault"


def test_server_that_does_not_answer_is_told_without_its_password(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SITEMATCH_DATABASE_URL", "postgresql://ann:s3cret@127.0.0.1:1/sitematch")

    done = run("doctor", "--json")

    assert done.exit_code == 6
    assert "does not answer" in done.stdout
    assert "s3cret" not in done.output


def test_every_variable_that_is_read_is_known_and_described() -> None:
    read = set()
    for folder in ("sitematch", "api"):
        for file in (ROOT / folder).rglob("*.py"):
            read |= set(re.findall(r"\bSITEMATCH_[A-Z_]*[A-Z]\b", file.read_text("utf-8")))

    assert read - {"SITEMATCH_COMPLETE"} == VARIABLES


PRODUCTION = {
    "SITEMATCH_PUBLIC_URL": "https://sites.example.org",
    "SITEMATCH_REQUIRE_SECOND_FACTOR": "1",
}


def found_in_production(run: Run) -> dict[str, list[dict[str, Any]]]:
    checks = json.loads(run("doctor", "--production", "--json").stdout)["checks"]
    return {name: [check for check in checks if check["name"] == name] for name in {check["name"] for check in checks}}


@pytest.fixture
def fit(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A set-up that is fit for production."""
    backups = tmp_path / "kept"
    backups.mkdir()
    (backups / "today.backup").touch(mode=0o600)
    for name, value in {**PRODUCTION, "SITEMATCH_BACKUP_FOLDER": str(backups)}.items():
        monkeypatch.setenv(name, value)
    return backups


def test_set_up_that_is_fit_for_production_has_no_fault(run: Run, fit: Path) -> None:
    states = {check["name"]: check["state"] for checks in found_in_production(run).values() for check in checks}

    assert {name: state for name, state in states.items() if state == "fault"} == {}
    assert {states[name] for name in ("tls", "limits", "sign-in", "files", "backup")} == {"ok"}


@pytest.mark.parametrize(
    ("name", "value", "check"),
    [
        ("SITEMATCH_PUBLIC_URL", "", "tls"),
        ("SITEMATCH_PUBLIC_URL", "http://sites.example.org", "tls"),
        ("SITEMATCH_RATE_LIMITS", "0", "limits"),
        ("SITEMATCH_LIMIT_SIGN_INS", "0", "limits"),
        ("SITEMATCH_REQUIRE_SECOND_FACTOR", "0", "sign-in"),
        ("SITEMATCH_BACKUP_FOLDER", "", "backup"),
    ],
)
def test_setting_that_production_does_not_allow_is_a_fault(
    run: Run, fit: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, check: str
) -> None:
    monkeypatch.setenv(name, value)

    assert "fault" in {each["state"] for each in found_in_production(run)[check]}


def test_administrator_without_a_second_factor_is_a_fault_without_the_address(run: Run, fit: Path) -> None:
    words = ["user", "add", "ann@example.org", "--role", "administrator", "--password"]
    assert CliRunner().invoke(main, words, input="correct horse battery\n").exit_code == 0

    (check,) = found_in_production(run)["sign-in"]

    assert check["state"] == "fault"
    assert "1 administrator without" in check["said"]
    assert "ann@" not in check["said"]


def test_backup_that_every_user_can_read_and_an_old_one_are_faults(run: Run, fit: Path) -> None:
    (fit / "today.backup").chmod(0o644)
    yesterday = datetime.now(UTC).timestamp() - 30 * 3600
    os.utime(fit / "today.backup", (yesterday, yesterday))

    checks = found_in_production(run)

    assert checks["files"][0]["state"] == "fault"
    assert checks["backup"][0]["state"] == "fault"
