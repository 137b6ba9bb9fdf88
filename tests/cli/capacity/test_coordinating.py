"""The ledger from the command line: caps, referrals, the waiting list, the audit trail, backup."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest

from sitematch.cli.main import main
from tests.cli.conftest import Run

SITE = "NCT06064929-001"
OTHER = "NCT06064929-002"


def answer(run: Run, *arguments: str) -> Any:
    result = run(*arguments, "--format", "json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def left(run: Run, site: str = SITE) -> int | None:
    (found,) = answer(run, "capacity", "show", "--site", site)
    remaining: int | None = found["remaining"]
    return remaining


def test_fresh_install_has_the_eight_spots_that_the_study_states_as_its_cap(run: Run) -> None:
    caps = answer(run, "capacity", "caps")

    assert [(cap["level"], cap["spots"], cap["taken"]) for cap in caps] == [("STUDY", 8, 0)]
    assert left(run) == 8


def test_cap_that_a_coordinator_removed_does_not_come_back(run: Run) -> None:
    run("capacity", "set-cap", "none")

    assert left(run) is None


def test_hold_takes_a_spot_and_matches_show_it(run: Run) -> None:
    held = answer(run, "referral", "hold", SITE, "--id", "r-1")

    match = answer(run, "match", "33180", "--country", "US")["matches"][0]
    assert (held["state"], held["allowed"]) == ("HELD", ["extend_hold", "release", "start_screening", "transfer"])
    assert match["remaining"]["count"] == 7
    assert match["remaining"]["drawn_from"] == "SHARED_POOL"


def test_whole_life_of_a_spot(run: Run) -> None:
    states = [
        answer(run, "referral", *words)["state"]
        for words in (
            ("hold", SITE, "--id", "r-1", "--hours", "1"),
            ("screen", "r-1"),
            ("enroll", "r-1"),
            ("withdraw", "r-1", "--reason", "ADVERSE_EVENT"),
            ("hold", SITE, "--id", "r-2"),
            ("screen", "r-2"),
            ("screen-failure", "r-2", "--reason", "LABORATORY"),
            ("hold", SITE, "--id", "r-3"),
            ("extend", "r-3", "--hours", "24"),
            ("transfer", "r-3", "--site", OTHER),
            ("release", "r-3"),
            ("correct", "r-1", "--reason", "WRONG_REFERRAL"),
            ("withdraw", "r-1", "--reason", "ADVERSE_EVENT"),
        )
    ]

    assert states == [
        "HELD",
        "SCREENING",
        "ENROLLED",
        "WITHDRAWN",
        "HELD",
        "SCREENING",
        "SCREEN_FAILED",
        "HELD",
        "HELD",
        "HELD",
        "RELEASED",
        "ENROLLED",
        "WITHDRAWN",
    ]
    assert left(run) == 7  # a withdrawn participant counts unless the rules say otherwise


def test_rules_say_whether_a_withdrawn_participant_frees_the_spot(run: Run) -> None:
    for words in (
        ("hold", SITE, "--id", "r-1"),
        ("screen", "r-1"),
        ("enroll", "r-1"),
        ("withdraw", "r-1", "--reason", "DEATH"),
    ):
        answer(run, "referral", *words)

    rules = run("capacity", "policy", "--gives-back", "WITHDRAWN", "--gives-back", "SCREEN_FAILED")

    assert json.loads(rules.stdout)["gives_back"] == ["SCREEN_FAILED", "WITHDRAWN"]
    assert json.loads(rules.stdout)["hold_hours"] == 48
    assert left(run) == 8


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("referral", "hold", SITE, "--id", "r-2"), 7, "No spots left"),
        (("referral", "enroll", "r-1"), 7, "allowed: extend_hold, release, start_screening, transfer"),
        (("referral", "screen", "nobody"), 3, "nobody"),
        (("referral", "show", "nobody"), 3, "nobody"),
        (("referral", "hold", "nowhere"), 3, "nowhere"),
        (("referral", "hold", SITE, "--id", "Ann Smith"), 2, "must not identify the patient"),
        (("referral", "hold", SITE, "--hours", "0"), 2, "--hours"),
        (("referral", "hold", SITE, "--study", "NCT99999999"), 3, "NCT99999999"),
        (("capacity", "set-cap", "-1"), 2, ""),
        (("capacity", "set-cap", "many"), 2, "whole number"),
        (("capacity", "set-cap", "5", "--site", "nowhere"), 3, "nowhere"),
        (("capacity", "opening", SITE, "soon"), 2, "is not a day"),
        (("capacity", "opening", "nowhere", "2026-01-01"), 3, "nowhere"),
        (("capacity", "set-cap", "5", "--site", SITE, "--country", "US"), 2, "Choose only one of"),
        (("capacity", "show", "--site", "nowhere"), 3, "nowhere"),
        (("capacity", "policy", "--hold-hours", "0"), 2, "--hold-hours"),
        (("waiting-list", "add"), 2, "Choose 1 to 500 sites"),
        (("waiting-list", "add", "--near", "33180"), 2, "--within-km"),
        (("ledger", "verify", "--anchor", "x"), 2, "STUDY:SEQ:HASH"),
    ],
)
def test_refusal_ends_with_its_exit_code_and_says_why(
    run: Run, arguments: tuple[str, ...], code: int, words: str
) -> None:
    run("capacity", "set-cap", "1")
    run("referral", "hold", SITE, "--id", "r-1")

    result = run(*arguments)

    assert result.exit_code == code
    assert words in result.stderr
    assert left(run) == 0


def test_closed_site_takes_nobody_until_it_is_reopened(run: Run) -> None:
    run("capacity", "close", "--site", SITE)
    refused = run("referral", "hold", SITE)
    elsewhere = run("referral", "hold", OTHER)
    run("capacity", "reopen", "--site", SITE)

    assert (refused.exit_code, elsewhere.exit_code) == (7, 0)
    assert run("referral", "hold", SITE).exit_code == 0


def test_cap_below_what_is_taken_shows_as_over_enrolled(run: Run) -> None:
    run("referral", "hold", SITE, "--id", "r-1")
    run("referral", "hold", SITE, "--id", "r-2")

    cap = answer(run, "capacity", "set-cap", "1", "--site", SITE)

    assert (cap["taken"], cap["remaining"], cap["over_enrolled"]) == (2, 0, 1)


def test_same_key_does_nothing_twice_and_another_request_with_it_is_refused(run: Run) -> None:
    first = answer(run, "referral", "hold", SITE, "--key", "k-1")
    again = answer(run, "referral", "hold", SITE, "--key", "k-1")
    other = run("referral", "hold", OTHER, "--key", "k-1")

    assert again == first
    assert other.exit_code == 7
    assert left(run) == 7


def test_freed_spot_is_offered_to_who_waits_near_and_the_place_is_not_kept(run: Run, tmp_path: Path) -> None:
    run("capacity", "set-cap", "1")
    run("referral", "hold", SITE, "--id", "r-1")
    waits = answer(
        run, "waiting-list", "add", "--id", "r-2", "--near", "Hialeah", "--country", "US", "--within-km", "400"
    )
    listed = answer(run, "waiting-list", "list")

    run("referral", "release", "r-1")

    assert waits["state"] == "WAITING"
    assert [entry["referral_id"] for entry in listed] == ["r-2"]
    offered = answer(run, "referral", "show", "r-2")
    assert offered["state"] == "OFFERED"
    assert offered["site_id"] == listed[0]["site_ids"][0]
    assert answer(run, "referral", "accept", "r-2")["state"] == "HELD"
    assert b"Hialeah" not in b"".join(path.read_bytes() for path in (tmp_path / "home").glob("sitematch.db*"))


def test_sweep_offers_what_came_free_by_lapse(run: Run) -> None:
    run("capacity", "set-cap", "1")
    run("referral", "hold", SITE, "--id", "r-1", "--hours", "0.0006")  # about two seconds
    waits = answer(run, "waiting-list", "add", "--id", "r-2", "--site", SITE)

    give_up_s = time.monotonic() + 30
    while "0 offers made" in run("waiting-list", "sweep").stderr and time.monotonic() < give_up_s:
        time.sleep(0.1)

    assert waits["state"] == "WAITING"
    assert answer(run, "referral", "show", "r-2")["state"] == "OFFERED"


def test_audit_trail_says_who_did_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SITEMATCH_ACTOR", "ann")
    run("referral", "hold", SITE, "--id", "r-1")
    monkeypatch.setenv("SITEMATCH_ACTOR", "bob (night)")
    run("referral", "screen", "r-1")

    history = answer(run, "referral", "show", "r-1", "--history")["history"]

    assert [(event["kind"], event["actor_id"]) for event in history] == [
        ("HELD", "cli:ann"),
        ("SCREENING", "cli:bob__night_"),
    ]
    assert len({event["request_id"] for event in history}) == 2


def test_lists_have_rows_for_spreadsheets(run: Run) -> None:
    run("referral", "hold", SITE, "--id", "r-1")
    run("waiting-list", "add", "--id", "r-2", "--site", SITE, "--site", OTHER)

    tables = {
        words: list(csv.DictReader(io.StringIO(run(*words, "--format", "csv").stdout)))
        for words in (("capacity", "show"), ("capacity", "caps"), ("referral", "list"), ("waiting-list", "list"))
    }

    assert len(tables["capacity", "show"]) == 46
    assert tables["capacity", "show"][0]["bound_by"] == "STUDY"
    assert tables["capacity", "caps"][0]["spots"] == "8"
    assert {row["referral_id"]: row["state"] for row in tables["referral", "list"]} == {"r-1": "HELD", "r-2": "OFFERED"}
    assert tables["waiting-list", "list"] == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("capacity", "show"), "46"),
        (("capacity", "caps"), "STUDY"),
        (("referral", "list"), "start_screening"),
        (("waiting-list", "list"), "r-2"),
        (("referral", "show", "r-1", "--history"), "cli:"),
    ],
)
def test_tables_show_what_matters(run: Run, arguments: tuple[str, ...], words: str) -> None:
    run("capacity", "set-cap", "1")
    run("referral", "hold", SITE, "--id", "r-1")
    run("waiting-list", "add", "--id", "r-2", "--site", SITE)

    result = run(*arguments)

    assert result.exit_code == 0
    assert words in result.stdout


def test_past_can_be_looked_at(run: Run) -> None:
    run("referral", "hold", SITE, "--id", "r-1")

    (before,) = answer(run, "capacity", "show", "--site", SITE, "--as-of", "2020-01-01")
    ahead = run("capacity", "show", "--as-of", "2999-01-01")

    assert before["held"] == 0
    assert ahead.exit_code == 2


def test_verify_prints_anchors_and_finds_an_edit(run: Run, tmp_path: Path) -> None:
    run("referral", "hold", SITE, "--id", "r-1")
    anchor = run("ledger", "verify").stdout.split()[0]
    intact = run("ledger", "verify", "--anchor", anchor)

    with sqlite3.connect(tmp_path / "home" / "sitematch.db") as file:
        for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            file.execute(f"DROP TRIGGER {name}")
        file.execute("UPDATE event SET actor_id = 'nobody' WHERE referral_id = 'r-1'")
    file.close()

    broken = run("ledger", "verify")
    assert intact.exit_code == 0
    assert broken.exit_code == 5
    assert "edited" in broken.stdout


def test_export_goes_into_another_database(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("referral", "hold", SITE, "--id", "r-1")
    exported = run("ledger", "export", str(tmp_path / "ledger.ndjson"))
    monkeypatch.setenv("SITEMATCH_HOME", str(tmp_path / "elsewhere"))

    imported = run("ledger", "import", str(tmp_path / "ledger.ndjson"))

    assert "2 events exported" in exported.stderr
    assert "2 events imported" in imported.stderr
    assert answer(run, "referral", "show", "r-1")["state"] == "HELD"
    assert run("ledger", "import", str(tmp_path / "ledger.ndjson")).exit_code == 5


def test_backup_is_restored_into_a_new_database_only(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("referral", "hold", SITE, "--id", "r-1")
    saved = run("db", "backup", str(tmp_path / "saved"))
    twice = run("db", "backup", str(tmp_path / "saved"))
    over = run("db", "restore", str(tmp_path / "saved"))
    monkeypatch.setenv("SITEMATCH_HOME", str(tmp_path / "elsewhere"))

    restored = run("db", "restore", str(tmp_path / "saved"))

    assert (saved.exit_code, twice.exit_code, over.exit_code, restored.exit_code) == (0, 5, 5, 0)
    assert answer(run, "referral", "show", "r-1")["state"] == "HELD"
    assert left(run) == 7


def test_every_command_shows_examples_and_exit_codes_in_its_help(run: Run) -> None:
    groups = ("capacity", "referral", "waiting-list", "ledger", "user", "token", "webhook", "db")
    paths = [(group, name) for group in groups for name in main.commands[group].commands]  # type: ignore[attr-defined]

    for path in paths:
        text = run(*path, "--help").stdout
        assert "Example" in text, path
        assert "Exit codes:" in text, path
    assert len(paths) > 20


def test_opening_day_is_recorded_and_removed(run: Run) -> None:
    recorded = run("capacity", "opening", SITE, "2026-01-05")
    removed = run("capacity", "opening", SITE, "none")

    assert json.loads(recorded.stdout) == {"site_id": SITE, "opened_on": "2026-01-05"}
    assert json.loads(removed.stdout)["opened_on"] is None
