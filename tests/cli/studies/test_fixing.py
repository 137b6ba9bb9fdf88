"""Sites that could not be placed are listed with the reason and the best guess, and their places can be set."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run

TABLE = """Site,Street,City,State,Country
Hospital Virgen del Rocio de Sevilla,Av. Manuel Siurot,Nirgendwo,,ES
City Clinic,,Springfield,,US
Universitätsklinikum Heidelberg,,Nirgendwo,,DE
Klinik am Hafen,"Am Hafen 2, Hamburg",Nirgendwo,,DE
Nowhere Clinic,,Xyzzyx,,DE
Charité,,Berlin,,DE
"""


@pytest.fixture
def imported(run: Run, tmp_path: Path) -> Run:
    path = tmp_path / "sites.csv"
    path.write_text(TABLE)
    done = run("import", "csv", str(path), "--study", "X1", "--title", "A study")
    assert done.exit_code == 0, done.output
    assert done.stderr.count("Not placed: ") == 5
    assert "Klinik am Hafen, Am Hafen 2, Hamburg, Nirgendwo, DE: " in done.stderr
    assert "sitematch sites fix" in done.stderr
    return run


def test_each_site_is_listed_with_a_reason_and_a_guess(imported: Run) -> None:
    lines = imported("sites", "fix", "--study", "X1").stdout.splitlines()

    assert [line.split()[0] for line in lines] == [f"X1-00{n}" for n in range(1, 6)]
    for line, guess in zip(lines, ["Sevilla", "Springfield", "Heidelberg", "Hamburg", "No guess."], strict=True):
        assert guess in line.partition("Best guess: ")[2] or guess in line


def test_without_apply_nothing_changes(imported: Run) -> None:
    before = imported("sites", "--study", "X1", "--format", "csv").stdout
    imported("sites", "fix", "--study", "X1")

    assert imported("sites", "--study", "X1", "--format", "csv").stdout == before


def test_guesses_are_set_kept_by_the_next_import_and_taken_back(imported: Run, tmp_path: Path) -> None:
    assert "4 places set" in imported("sites", "fix", "--study", "X1", "--apply").stderr
    assert "1 site without a place, 0 with a guess" in imported("sites", "fix", "--study", "X1").stderr
    after = imported("sites", "--study", "X1", "--format", "csv").stdout
    assert after.count("set by hand") == 4

    imported("import", "csv", str(tmp_path / "sites.csv"), "--study", "X1")
    assert imported("sites", "--study", "X1", "--format", "csv").stdout.count("set by hand") == 4

    assert imported("import", "undo").exit_code == 0
    assert "5 sites without a place" in imported("sites", "fix", "--study", "X1").stderr


def test_one_place_is_set(imported: Run) -> None:
    done = imported("sites", "fix", "X1-005", "--place", "10117")

    assert done.exit_code == 0, done.output
    assert "4 sites without a place" in imported("sites", "fix", "--study", "X1").stderr


def test_a_new_town_in_the_record_is_believed(imported: Run, tmp_path: Path) -> None:
    imported("sites", "fix", "X1-005", "--place", "10117")
    (tmp_path / "sites.csv").write_text(TABLE.replace("Xyzzyx", "Bonn"))
    imported("import", "csv", str(tmp_path / "sites.csv"), "--study", "X1")

    assert "set by hand" not in imported("sites", "--study", "X1", "--format", "csv").stdout


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("X1-001",), 2),
        (("--place", "Bonn"), 2),
        (("X1-999", "--place", "Bonn"), 3),
        (("X1-005", "--place", "Qqqqq"), 3),
    ],
)
def test_what_cannot_be_set_is_refused(imported: Run, arguments: tuple[str, ...], code: int) -> None:
    assert imported("sites", "fix", *arguments).exit_code == code
