"""``sitematch export``, as a person runs it, and what it wrote read back."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from openpyxl import load_workbook

from tests.cli.conftest import Run
from tests.importers.records import STUDY_ID, make_location, make_record

STUDY = "NCT06064929"
FORMULA = make_location(facility='=HYPERLINK("http://example.org")', city="Kiel")


def sites(run: Run, *options: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in run("export", "sites", "--format", "ndjson", *options).stdout.splitlines()]


def import_study(run: Run, folder: Path) -> None:
    path = folder / "studies.ndjson"
    path.write_text(json.dumps(make_record(FORMULA)), encoding="utf-8")
    assert run("import", "ctgov", str(path)).exit_code == 0


def test_the_sites_of_the_default_study_go_to_stdout_as_csv(run: Run) -> None:
    rows = list(csv.DictReader(io.StringIO(run("export", "sites").stdout)))

    assert len(rows) == 46
    assert {row["study_id"] for row in rows} == {STUDY}
    assert {row["stand_in"] for row in rows} == {"true"}


def test_sites_are_of_some_studies_or_of_all_and_narrowed_by_country(run: Run, tmp_path: Path) -> None:
    import_study(run, tmp_path)

    assert {row["study_id"] for row in sites(run, "--study", STUDY_ID)} == {STUDY_ID}
    assert len(sites(run, "--study", STUDY_ID, "--study", STUDY)) == len(sites(run, "--all")) == 47
    assert {row["country"] for row in sites(run, "--all", "-c", "Germany")} == {"DE"}


@pytest.mark.parametrize(("name", "begins"), [("s.csv", b"site_id,"), ("s.xlsx", b"PK"), ("s.ndjson", b'{"site_id"')])
def test_the_files_ending_says_the_form(run: Run, tmp_path: Path, name: str, begins: bytes) -> None:
    path = tmp_path / name

    assert run("export", "sites", "--out", str(path)).exit_code == 0
    assert path.read_bytes().startswith(begins)


def test_geojson_of_all_sites_has_longitude_first_and_names_its_sources(run: Run) -> None:
    answer = json.loads(run("export", "sites", "--format", "geojson").stdout)

    assert len(answer["features"]) == 46
    assert answer["attribution"]
    aventura = next(f for f in answer["features"] if f["properties"]["city"] == "Aventura")
    assert aventura["geometry"]["coordinates"] == pytest.approx([-80.14, 25.96], abs=0.02)


def test_matches_go_into_a_workbook_without_the_persons_place(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "near.xlsx"

    result = run("export", "matches", "96813", "--country", "US", "--limit", "3", "--out", str(path))

    assert result.exit_code == 0
    rows = list(load_workbook(path).active.iter_rows(values_only=True))
    assert [row[rows[0].index("rank")] for row in rows[1:4]] == [1, 2, 3]
    assert not any("96813" in str(cell) or "Honolulu" in str(cell) for row in rows for cell in row)


def test_matches_end_as_match_does_when_no_site_fits(run: Run) -> None:
    result = run("export", "matches", "33180", "--country", "US", "--only-country", "AQ", "--format", "geojson")

    assert result.exit_code == 1
    assert json.loads(result.stdout)["query"]["place"]["postcode"] == "33180"


def test_capacity_names_and_places_the_sites(run: Run, tmp_path: Path) -> None:
    run("referral", "hold", f"{STUDY}-001", "--id", "r-1")
    path = tmp_path / "capacity.csv"

    assert run("export", "capacity", "--out", str(path)).exit_code == 0
    feature = json.loads(run("export", "capacity", "--format", "geojson").stdout)["features"][0]

    with path.open(encoding="utf-8", newline="") as file:
        first = next(csv.DictReader(file))
    assert (first["city"], first["held"], first["remaining"], first["bound_by"]) == ("Flagstaff", "1", "7", "STUDY")
    assert first["as_of"].endswith("Z")
    assert feature["geometry"]["coordinates"] == [float(first["longitude"]), float(first["latitude"])]
    assert (feature["id"], feature["properties"]["held"]) == (f"{STUDY}-001", 1)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("sites", "--study", "NCT99999999"), 3, "no study 'NCT99999999'"),
        (("sites", "--study", STUDY, "--all"), 2, "not both"),
        (("sites", "--format", "ndjson", "--bom"), 2, "--bom works only with CSV"),
        (("sites", "--out", "/no/such/folder/sites.csv"), 2, "sites.csv: No such file"),
        (("sites", "--country", "Atlantis"), 2, "names no country"),
        (("catalogue", "--study", "NCT99999999"), 3, "no study"),
    ],
)
def test_what_cannot_be_done_is_said(run: Run, arguments: tuple[str, ...], code: int, words: str) -> None:
    result = run("export", *arguments)

    assert result.exit_code == code, result.output
    assert words in result.stderr


def test_an_export_that_fails_leaves_the_older_file_as_it_was(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "sites.xlsx"
    path.write_bytes(b"older")

    result = run("export", "sites", "--out", str(path), "--bom")

    assert result.exit_code == 2
    assert path.read_bytes() == b"older"
    assert list(tmp_path.glob("*.part")) == []


@pytest.mark.parametrize("name", ["mine.csv", "mine.xlsx", "mine.ndjson"])
def test_an_exported_table_is_imported_as_it_is_and_undone(run: Run, tmp_path: Path, name: str) -> None:
    import_study(run, tmp_path)
    path = str(tmp_path / name)
    run("export", "sites", "--all", "--out", path)
    before = sites(run, "--all")

    same = run("import", "csv", path)
    newer = {
        **make_record(FORMULA | {"city": "Hamburg", "status": "COMPLETED"}),
    }
    newer["protocolSection"]["statusModule"]["lastUpdatePostDateStruct"] = {"date": "2026-02-12"}
    (tmp_path / "newer.ndjson").write_text(json.dumps(newer), encoding="utf-8")
    run("import", "ctgov", str(tmp_path / "newer.ndjson"))
    changed = sites(run, "--all")
    dry = run("import", "csv", path, "--dry-run")
    back = run("import", "csv", path)

    assert "Nothing changed." in same.stderr
    assert "was exported by sitematch: its sites keep their ids and locations" in back.stderr
    assert changed != before
    assert "city Hamburg -> Kiel" in dry.stdout
    assert "status COMPLETED -> RECRUITING" in back.stdout
    assert sites(run, "--all") == before
    assert run("import", "undo").exit_code == 0
    assert sites(run, "--all") == changed


def test_a_site_that_an_exported_table_lacks_stays_unless_the_table_is_complete(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "some.csv"
    run("export", "sites", "--country", "US", "--out", str(path))

    part = run("import", "csv", str(path))
    whole = run("import", "csv", str(path), "--complete", "--dry-run")

    assert "Nothing changed." in part.stderr
    assert "35 removed" in whole.stdout  # stand-ins


def test_a_catalogue_goes_to_another_install_and_back(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_study(run, tmp_path)
    path = str(tmp_path / "catalogue.ndjson")
    exported = run("export", "catalogue", "--out", path)
    before = Path(path).read_bytes()
    monkeypatch.setenv("SITEMATCH_HOME", str(tmp_path / "other"))

    dry = run("import", "catalogue", path, "--dry-run")
    done = run("import", "catalogue", path)
    again = run("import", "catalogue", path)

    assert "2 studies with 47 sites exported" in exported.stderr
    assert "Dry run: nothing was changed." in dry.stderr
    assert f"{STUDY_ID}: new study, 1 added" in done.stdout
    assert "Nothing changed." in again.stderr
    assert run("export", "catalogue").stdout_bytes == before
    assert run("import", "undo").exit_code == 0
    assert len(sites(run, "--all")) == 46


def test_an_exported_table_of_an_unknown_study_is_refused(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_study(run, tmp_path)
    path = str(tmp_path / "sites.csv")
    run("export", "sites", "--study", STUDY_ID, "--out", path)
    monkeypatch.setenv("SITEMATCH_HOME", str(tmp_path / "other"))

    missing, other = run("import", "csv", path), run("import", "csv", path, "--study", STUDY)

    assert (missing.exit_code, other.exit_code) == (3, 2)
    assert f"no study '{STUDY_ID}'" in missing.stderr
    assert f"has sites of {STUDY_ID}, not of {STUDY}" in other.stderr
