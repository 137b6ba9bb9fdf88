"""A file of patients is matched as a stream, and a run that was stopped continues."""

from __future__ import annotations

import csv
import stat
from pathlib import Path
from typing import Any

import pytest

from sitematch.domain.finding.policy import MatchPolicy
from sitematch.errors import DataFault, InvalidInput
from sitematch.services.finding import batch
from sitematch.services.finding.batch import BatchOptions, MatchedFile, match_csv
from sitematch.services.finding.finder import Finder
from sitematch.services.finding.many import MATCH_COLUMNS, ManyMatches
from tests.builders import NOW, make_site, make_study

CODES = ["33180", "04102", "4102", "", "10001", "90210", "x"]


@pytest.fixture
def patients(tmp_path: Path) -> Path:
    path = tmp_path / "patients.csv"
    lines = [f"p-{number},{CODES[number % len(CODES)]}" for number in range(100)]
    path.write_text("\n".join(["id,zip", *lines]) + "\n")
    return path


def run(finder: Finder, path: Path, **how: Any) -> MatchedFile:
    options = how.pop("options", BatchOptions(patient="id", in_country="US"))
    many = ManyMatches(finder, MatchPolicy(limit=2), NOW)
    return match_csv(many, path, path.with_name("out.csv"), path.with_name("rejects.csv"), options, **how)


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as lines:
        return list(csv.DictReader(lines))


def test_every_patient_is_in_one_of_the_two_files(finder: Finder, patients: Path) -> None:
    done = run(finder, patients)

    matches, rejects = read(patients.with_name("out.csv")), read(patients.with_name("rejects.csv"))
    matched = list(dict.fromkeys(row["patient"] for row in matches))
    rejected = [row["patient"] for row in rejects]
    assert sorted(matched + rejected) == sorted(f"p-{number}" for number in range(100))
    assert (done.rows, done.rejected) == (100, len(rejected))
    assert tuple(matches[0]) == ("patient", *MATCH_COLUMNS)
    wanted = finder.find("33180", "US", MatchPolicy(limit=2), NOW).matches
    assert [(row["site_id"], float(row["distance_km"])) for row in matches[:2]] == [
        (match.site.site_id, match.distance.km if match.distance else None) for match in wanted
    ]


def test_only_the_owner_can_read_the_files_and_no_other_file_stays(finder: Finder, patients: Path) -> None:
    patients.with_name("out.csv.part").touch(mode=0o644)

    run(finder, patients)

    assert {path.name for path in patients.parent.iterdir()} == {"patients.csv", "out.csv", "rejects.csv"}
    for name in ("out.csv", "rejects.csv"):
        assert stat.S_IMODE(patients.with_name(name).stat().st_mode) == 0o600


class Stopped(Exception):
    pass


def stop_at(rows: int) -> Any:
    def progress(done: int, *_: int) -> None:
        if done >= rows:
            raise Stopped

    return progress


@pytest.mark.parametrize("stopped_at", [10, 50, 100])
def test_a_run_that_was_stopped_continues_to_the_same_bytes(
    finder: Finder, patients: Path, monkeypatch: pytest.MonkeyPatch, stopped_at: int
) -> None:
    monkeypatch.setattr(batch, "ROWS_A_STEP", 10)
    run(finder, patients)
    whole = [patients.with_name(name).read_bytes() for name in ("out.csv", "rejects.csv")]
    with pytest.raises(Stopped):
        run(finder, patients, progress=stop_at(stopped_at))
    # What was written after the last note is not trusted.
    with patients.with_name("out.csv.part").open("ab") as half_a_row:
        half_a_row.write(b"p-99,1,half a r")

    done = run(finder, patients)

    assert done.continued_at == stopped_at
    assert [patients.with_name(name).read_bytes() for name in ("out.csv", "rejects.csv")] == whole


@pytest.mark.parametrize("change", ["input", "options", "restart", "no note", "cut"])
def test_another_question_starts_again(
    finder: Finder, patients: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    monkeypatch.setattr(batch, "ROWS_A_STEP", 10)
    with pytest.raises(Stopped):
        run(finder, patients, progress=stop_at(50))
    how: dict[str, Any] = {}
    if change == "input":
        with patients.open("a") as more:
            more.write("p-100,33180\n")
    elif change == "options":
        how["options"] = BatchOptions(in_country="US")
    elif change == "restart":
        how["restart"] = True
    elif change == "no note":
        patients.with_name("out.csv.progress").write_text("{")
    else:
        patients.with_name("out.csv.part").write_text("")

    assert run(finder, patients, **how).continued_at == 0


def test_what_a_stopped_run_leaves_says_nothing_of_a_place(
    finder: Finder, patients: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "ROWS_A_STEP", 10)
    with pytest.raises(Stopped):
        run(finder, patients, progress=stop_at(50))

    assert "33180" not in patients.with_name("out.csv.part").read_text()
    assert set(patients.with_name("out.csv.progress").read_text()) <= set('{}":,_abcdefghijklmnopqrstuvwxyz0123456789')


def test_memory_is_bounded_and_the_answers_stay_the_same(
    finder: Finder, patients: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(finder, patients)
    whole = patients.with_name("out.csv").read_bytes()
    monkeypatch.setattr(batch, "MOST_REMEMBERED", 2)

    run(finder, patients)

    assert patients.with_name("out.csv").read_bytes() == whole


def test_no_cell_runs_in_a_spreadsheet(finder: Finder, tmp_path: Path) -> None:
    path = tmp_path / "patients.csv"
    path.write_text("id,zip\n=1+1,33180\n")
    risky = Finder(finder.gazetteer, make_study(), [make_site(facility="=HYPERLINK(A1)", country="US")])

    run(risky, path)

    (row,) = read(tmp_path / "out.csv")
    assert (row["patient"], row["facility"]) == ("'=1+1", "'=HYPERLINK(A1)")


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", DataFault),
        (b"id,name\np,x\n", InvalidInput),
        (b"nobody,zip\np,33180\n", InvalidInput),
        (b"id,zip\np,33180,more\n", DataFault),
        (b"id,zip\np,\xff\n", DataFault),
        (b'id,zip\np,"33180\n', DataFault),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(
    finder: Finder, tmp_path: Path, content: bytes, error: type[Exception]
) -> None:
    path = tmp_path / "patients.csv"
    path.write_bytes(content)

    with pytest.raises(error):
        run(finder, path)

    assert not (tmp_path / "out.csv").exists()


def test_three_different_files_are_needed(finder: Finder, patients: Path) -> None:
    with pytest.raises(InvalidInput):
        match_csv(ManyMatches(finder, MatchPolicy(), NOW), patients, patients, patients, BatchOptions())
