"""``sitematch batch``."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Run, run

__all__ = ["run"]


def test_a_file_is_matched_and_the_totals_are_said(run: Run, tmp_path: Path) -> None:
    patients, out = tmp_path / "patients.csv", tmp_path / "matches.csv"
    patients.write_text("id,zip\na,33180\nb,4102\n")

    done = run("batch", str(patients), "-o", str(out), "-c", "US", "--patient-column", "id", "--limit", "1")

    assert done.exit_code == 0
    assert f"{out}: 1 of 2 patients matched." in done.stderr
    assert f"{tmp_path / 'matches.rejects.csv'}: 1 patient without matches, with reasons." in done.stderr
    assert out.read_text().splitlines()[1].startswith("a,1,1,NCT06064929-039,")


def test_a_missing_file_or_folder_is_told(run: Run, tmp_path: Path) -> None:
    (tmp_path / "patients.csv").write_text("zip\n33180\n")

    missing = run("batch", str(tmp_path / "nobody.csv"), "-o", str(tmp_path / "out.csv"))
    nowhere = run("batch", str(tmp_path / "patients.csv"), "-o", str(tmp_path / "nowhere" / "out.csv"))

    assert (missing.exit_code, nowhere.exit_code) == (2, 2)
    assert "There is no file" in missing.stderr
    assert "create it first" in nowhere.stderr
