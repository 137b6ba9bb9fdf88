"""Real-world tables, in every supported format, as a person imports them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.cli.studies.tables import FORMS, Rows, WriteTable

STUDY = "NCT06064929"
BERLIN = ["Site", "City", "ZIP", "Country", "Lat", "Lon"]


@pytest.fixture(params=sorted(FORMS))
def write(request: pytest.FixtureRequest) -> WriteTable:
    return FORMS[request.param]


@pytest.fixture
def bring(run: Run, write: WriteTable, tmp_path: Path) -> Any:
    """Import rows into the default study, which replaces its stand-ins."""

    def bring_(rows: Rows, *options: str, code: int = 0) -> str:
        result = run("import", "csv", str(write(tmp_path, rows)), "--study", STUDY, *options)
        assert result.exit_code == code, result.output
        return result.output

    return bring_


def sites(run: Run, study: str = STUDY) -> list[dict[str, Any]]:
    return list(json.loads(run("sites", "--study", study, "--format", "json").stdout))


def statuses(run: Run) -> dict[str, str]:
    return {site["facility"]: site["status"] for site in sites(run)}


class TestStatus:
    ROWS = (["Site", "City", "Zip", "Country"], ["Mayo Clinic", "Rochester", "55905", "United States"])

    def test_a_row_without_a_status_is_unknown_although_its_study_recruits(self, run: Run, bring: Any) -> None:
        said = bring(self.ROWS)

        assert statuses(run) == {"Mayo Clinic": "UNKNOWN"}
        assert "0 stated, 0 inherited from the study, 0 given with --status, 0 kept from before, 1 unknown" in said
        assert run("match", "55905", "-c", "US").exit_code == 1

    def test_the_option_states_it_for_silent_rows_alone_and_is_counted(self, run: Run, bring: Any) -> None:
        rows = ([*self.ROWS[0], "Status"], [*self.ROWS[1], ""], ["Other", "Boston", "02118", "US", "on hold"])

        said = bring(rows, "--status", "recruiting")

        assert statuses(run) == {"Mayo Clinic": "RECRUITING", "Other": "SUSPENDED"}
        assert "1 stated, 0 inherited from the study, 1 given with --status" in said
        assert run("match", "55905", "-c", "US").exit_code == 0

    @pytest.mark.parametrize(
        ("word", "status"),
        [
            ("Activated", "RECRUITING"),
            ("Open to accrual", "RECRUITING"),
            ("Recruiting now", "RECRUITING"),
            ("rekrutierend", "RECRUITING"),
            ("募集中", "RECRUITING"),
            ("En cours", "UNKNOWN"),
            ("wobbly", "UNKNOWN"),
            ("not recruiting", "ACTIVE_NOT_RECRUITING"),
        ],
    )
    def test_a_word_of_an_update_is_read_or_told_and_its_site_stays(
        self, run: Run, bring: Any, word: str, status: str
    ) -> None:
        header = [*self.ROWS[0], "Status"]
        bring((header, [*self.ROWS[1], "Recruiting"]))
        said = bring((header, [*self.ROWS[1], word]))

        assert statuses(run) == {"Mayo Clinic": status}
        assert ("is unknown, so" in said) is (status == "UNKNOWN")
        assert "0 sites vanished" in said
        assert "closed" not in said or status == "ACTIVE_NOT_RECRUITING"

    def test_silence_in_an_update_closes_nothing(self, run: Run, bring: Any) -> None:
        bring(([*self.ROWS[0], "Status"], [*self.ROWS[1], "Recruiting"]))
        said = bring(self.ROWS)

        assert statuses(run) == {"Mayo Clinic": "RECRUITING"}
        assert "1 kept from before" in said


class TestRowsThatCannotBeRead:
    FIRST = (
        BERLIN,
        ["Charite", "Berlin", "10117", "DE", "52.52", "13.38"],
        ["UKK", "Koeln", "50937", "DE", "50.92", "6.91"],
    )

    def test_decimal_commas_are_read(self, run: Run, bring: Any) -> None:
        bring(self.FIRST)
        before = sites(run)
        said = bring([[cell.replace(".", ",") for cell in row] for row in self.FIRST])

        assert [(s["site_id"], s["status"]) for s in sites(run)] == [(s["site_id"], s["status"]) for s in before]
        assert "0 left out" in said

    def test_a_country_one_letter_off_is_read_and_told(self, run: Run, bring: Any) -> None:
        said = bring((BERLIN, ["Charite", "Berlin", "10117", "Germny", "", ""]))

        assert [site["country"] for site in sites(run)] == ["DE"]
        assert "'Germny' was read as Germany" in said

    def test_nothing_is_applied_while_the_row_of_a_known_site_cannot_be_used(self, run: Run, bring: Any) -> None:
        bring(self.FIRST, "--status", "RECRUITING")
        before = sites(run)
        rows = (BERLIN, ["Charite", "Berlin", "10117", "Atlantis", "", ""], ["New", "Bonn", "53113", "DE", "", ""])

        assert "1 site of the catalogue is in rows with errors" in bring(rows, "--dry-run", code=5)
        refused = bring(rows, code=5)
        assert "nothing was imported" in refused
        assert "--allow-left-out" in refused
        assert "country 'Atlantis'" in refused
        assert sites(run) == before

    def test_with_leave_the_rest_is_applied_and_only_a_site_that_no_row_names_vanishes(
        self, run: Run, bring: Any
    ) -> None:
        bring(self.FIRST, "--status", "RECRUITING")
        rows = (BERLIN, ["Charite", "Berlin", "10117", "Atlantis", "", ""], ["New", "Bonn", "53113", "DE", "", ""])

        said = bring(rows, "--status", "RECRUITING", "--allow-left-out")

        assert statuses(run) == {"New": "RECRUITING", "Charite": "RECRUITING", "UKK": "ACTIVE_NOT_RECRUITING"}
        assert "1 sites vanished" in said

    def test_stand_ins_stay_where_no_row_can_be_used(self, run: Run, bring: Any) -> None:
        bring((BERLIN, ["Charite", "Berlin", "10117", "Atlantis", "", ""]))

        assert len(sites(run)) == 46

    def test_the_row_of_a_site_that_is_not_known_yet_holds_nothing_back(self, run: Run, bring: Any) -> None:
        bring((BERLIN, ["Charite", "Berlin", "10117", "DE", "", ""]))
        rows = (BERLIN, ["Charite", "Berlin", "10117", "DE", "", ""], ["Nowhere", "Poseidonis", "", "Atlantis", "", ""])

        assert "1 left out" in bring(rows)


class TestColumns:
    def test_a_territory_given_as_a_state_with_a_zip_code_that_lost_its_zeros(self, run: Run, bring: Any) -> None:
        said = bring((["Site", "City", "State", "ZIP", "Country"], ["X", "San Juan", "PR", "917", "US"]))

        (site,) = sites(run)
        assert (site["country"], site["postcode"]) == ("PR", "00917")
        assert 18 < site["location"]["latitude"] < 19
        assert "Contradiction:" in said
        assert "Puerto Rico was used" in said

    def test_one_country_for_all_rows_is_said_with_an_option_that_the_message_shows(self, run: Run, bring: Any) -> None:
        rows = (["Site", "City", "Zip"], ["Mayo Clinic", "Rochester", "55905"])

        assert "--country US" in bring(rows, code=2)
        bring(rows, "--country", "US")
        assert [site["country"] for site in sites(run)] == ["US"]

    def test_many_studies_of_one_table_are_one_study_each(self, run: Run, write: WriteTable, tmp_path: Path) -> None:
        rows = (
            ["NCTId", "Site", "City", "Zip", "Country", "Status"],
            ["NCT00000011", "A", "Rochester", "55905", "US", "Recruiting"],
            ["NCT00000012", "B", "Boston", "02118", "US", "Recruiting"],
            ["nct00000011", "C", "Boston", "02118", "US", "Closed"],
        )
        path = str(write(tmp_path, rows))

        assert run("import", "csv", path).exit_code == 0
        assert [site["facility"] for site in sites(run, "NCT00000011")] == ["A", "C"]
        assert [site["facility"] for site in sites(run, "NCT00000012")] == ["B"]
        assert run("import", "csv", path, "--study", "NCT00000011").exit_code == 2

    def test_a_row_of_no_study_keeps_its_site_from_vanishing(self, run: Run, write: WriteTable, tmp_path: Path) -> None:
        header = ["nct_id", "Site", "City", "Zip", "Country", "Status"]
        good = ["NCT00000011", "A", "Rochester", "55905", "US", "Recruiting"]
        other = ["NCT00000011", "B", "Boston", "02118", "US", "Recruiting"]
        assert run("import", "csv", str(write(tmp_path, (header, good, other)))).exit_code == 0

        damaged = str(write(tmp_path, (header, good, ["", *other[1:]])))

        assert run("import", "csv", damaged).exit_code == 5
        assert run("import", "csv", damaged, "--allow-left-out").exit_code == 0
        assert [site["status"] for site in sites(run, "NCT00000011")] == ["RECRUITING", "RECRUITING"]

    def test_a_row_repeated_exactly_is_one_site(self, run: Run, bring: Any) -> None:
        row = ["Mayo Clinic", "Rochester", "55905", "US"]
        said = bring((["Site", "City", "Zip", "Country"], row, row))

        assert len(sites(run)) == 1
        assert "exactly, so both are one site" in said

    def test_streets_are_kept_shown_exported_and_imported_again_and_tell_two_clinics_apart(
        self, run: Run, bring: Any, tmp_path: Path
    ) -> None:
        header = ["Site", "Address", "City", "Zip", "Country", "Status"]
        first = ["Clinic", "1 Main St", "Rochester", "55905", "US", "Recruiting"]
        second = ["Clinic", "9 Oak Ave", "Rochester", "55905", "US", "Recruiting"]
        bring((header, first, second))
        ids = {site["address"]: site["site_id"] for site in sites(run)}
        assert len(ids) == 2

        exported = tmp_path / "mine.csv"
        assert run("export", "sites", "--study", STUDY, "--out", str(exported)).exit_code == 0
        assert "9 Oak Ave" in exported.read_text(encoding="utf-8")
        assert "Nothing changed" in run("import", "csv", str(exported)).output

        bring((header, second, [*first[:5], "Closed"]))
        assert {site["address"]: site["site_id"] for site in sites(run)} == ids
        closed = next(site for site in sites(run) if site["status"] != "RECRUITING")
        assert closed["address"] == "1 Main St"

    def test_html_entities_are_decoded_once(self, run: Run, bring: Any) -> None:
        bring((["Site", "City", "Zip", "Country"], ["Children&#39;s A &amp;amp; B", "Rochester", "55905", "US"]))

        assert [site["facility"] for site in sites(run)] == ["Children's A &amp; B"]

    # NDJSON has names in each line and no header.
    @pytest.mark.parametrize("write", sorted(FORMS.keys() - {"ndjson"}), indirect=True)
    def test_titles_above_the_header_are_passed_over_and_told(self, run: Run, bring: Any) -> None:
        said = bring((["Our sites"], ["as of May"], *TestStatus.ROWS))

        assert [site["facility"] for site in sites(run)] == ["Mayo Clinic"]
        assert "header is row 3" in said

    def test_the_preview_shows_columns_samples_and_what_is_not_used(self, bring: Any) -> None:
        rows = (["Site", "City", "Country", "Status", "Fax"], ["Mayo", "Rochester", "US", "Activated", "none"])
        said = bring(rows, "--preview")

        assert "facility   <- Site: 'Mayo'" in said
        assert "not used: Fax: 'none'" in said
        assert "status 'Activated' (1 rows) is read as RECRUITING" in said


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("Site;City;Country\r\nUniversitäts-Klinikum;Köln;DE\r\n".encode("cp1252"), "Windows-1252"),
        ("Site;City;Country\r\nUniversitäts-Klinikum;Köln;DE\r\n".encode("utf-16"), "UTF-16"),
        ("sep=;\r\nSite;City;Country\r\nUniversitäts-Klinikum;Köln;DE\r\n".encode(), "first line"),
        ("sep=|\nSite|City|Country\nUniversitäts-Klinikum|Köln|DE\n".encode("utf-8-sig"), "first line"),
    ],
)
def test_an_unusual_encoding_or_separator_is_read_and_told(run: Run, tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "sites.csv"
    path.write_bytes(content)

    result = run("import", "csv", str(path), "--study", STUDY)

    assert result.exit_code == 0, result.output
    assert [site["facility"] for site in sites(run)] == ["Universitäts-Klinikum"]
    assert told in result.stderr


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("Site;City;Country\nKöln;Köln;DE\n".encode("utf-16-le"), "UTF-8, UTF-16 with a byte-order mark, Windows-1252"),
        (b"%PDF-1.7", "a PDF"),
        (b"<html><table></table></html>", "a web page"),
        (b'<?xml version="1.0"?><Trials_downloaded_from_ICTRP></Trials_downloaded_from_ICTRP>', "import who"),
        (b'<?xml version="1.0"?>\n<!-- x --><clinical_study rank="1"></clinical_study>', "import ctgov"),
        (b'{"protocolSection": {"a": 1}}', "import ctgov"),
        (b'{"resourceType": "Bundle"}', "import fhir"),
        (b'{"ctNumber": "x", "authorizedApplication": {}}', "EU CTIS"),
        (b"\x1f\x8b\x08", "gzip"),
    ],
)
def test_what_is_no_table_is_named(run: Run, tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "sites.csv"
    path.write_bytes(content)

    result = run("import", "csv", str(path), "--study", STUDY)

    assert result.exit_code == 5
    assert told in result.stderr
