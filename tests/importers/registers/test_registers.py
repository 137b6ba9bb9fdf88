"""Files of trial registers: sites with their streets, statuses that never become RECRUITING by silence, no persons."""

from __future__ import annotations

import gzip
from datetime import date
from pathlib import Path

import pytest

from sitematch.domain.studies.record import StudyRecord
from sitematch.domain.studies.study import RecruitmentStatus
from sitematch.errors import DataFault, Fault
from sitematch.importers.sandbox.reading import read_records_apart
from sitematch.services.studies.sources import RECORD_READERS, ImportSource
from tests.importers.test_file_kinds import FILES, SOURCES

TODAY = date(2026, 3, 1)
S = RecruitmentStatus
REGISTERS = [name for name, source in SOURCES.items() if source not in (ImportSource.TABLE, ImportSource.FHIR)]


def read(name: str, today: date = TODAY) -> list[StudyRecord | Fault]:
    return list(RECORD_READERS[SOURCES[name]](FILES / name, today))


def records(name: str, today: date = TODAY) -> list[StudyRecord]:
    return [record for record in read(name, today) if isinstance(record, StudyRecord)]


@pytest.mark.parametrize("name", REGISTERS)
def test_persons_and_their_contacts_are_not_read(name: str) -> None:
    told = repr(read(name))

    assert "Erika" not in told
    assert "erika@example.org" not in told


@pytest.mark.parametrize("name", REGISTERS)
def test_no_site_is_recruiting_unless_its_own_record_says_so(name: str) -> None:
    stated = [one for record in records(name) for one in record.locations if one.status is S.RECRUITING]

    # Only the classic forms state a status for each location.
    assert {one.facility for one in stated} == ({"Mayo Clinic"} if "classic" in name else set())


@pytest.mark.parametrize("name", REGISTERS)
def test_a_packed_file_is_read_like_the_file(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(
        gzip.compress((FILES / name).read_bytes()) if not name.endswith(".csv") else (FILES / name).read_bytes()
    )

    assert list(RECORD_READERS[SOURCES[name]](path, TODAY)) == read(name)


class TestCtis:
    def test_sites_have_their_streets_and_the_state_of_a_closed_country(self) -> None:
        (record,) = records("ctis.json")

        assert [
            (one.facility, one.address, one.city, one.postcode, one.country, one.status) for one in record.locations
        ] == [
            ("Charité Universitätsmedizin Berlin KöR", "Charitéplatz 1", "Berlin", "10117", "Germany", None),
            ("Prüfzentrum", "Am Hafen 2, Hamburg", "Hamburg", "20095", "Germany", None),
            (
                "Hospital Universitario Virgen del Rocio",
                "Avenida Manuel Siurot S/N",
                "Sevilla",
                "41013",
                "Spain",
                S.SUSPENDED,
            ),
        ]

    def test_a_site_that_cannot_be_read_is_counted_and_may_be_any(self) -> None:
        (record,) = records("ctis.json")

        assert record.given == 4
        assert [(fault.place, fault.value) for fault in record.faults] == [("2022-501234-11-00, site 3", "not a site")]
        assert len(record.left_out) == 1

    def test_the_study_has_its_details(self) -> None:
        study = records("ctis.json")[0].study

        assert (study.study_id, study.status, study.as_of_on) == ("2022-501234-11-00", S.RECRUITING, date(2026, 2, 11))
        assert (study.sponsor, study.other_ids) == ("Example Pharma AG", ("EXAMPLE-1", "NCT05999999"))


class TestIsrctn:
    def test_centres_have_their_addresses(self) -> None:
        record = records("isrctn.xml")[0]

        assert [(one.facility, one.address, one.city, one.postcode) for one in record.locations] == [
            ("St Thomas' Hospital", "Westminster Bridge Road", "London", "SE1 7EH"),
            ("Royal Infirmary", "51 Little France Crescent", "Edinburgh", "EH16 4SA"),
        ]

    @pytest.mark.parametrize(
        ("today", "status", "is_stated"),
        [
            (date(2024, 6, 1), S.NOT_YET_RECRUITING, True),
            (date(2026, 3, 1), S.UNKNOWN, False),
            (date(2030, 6, 1), S.ACTIVE_NOT_RECRUITING, True),
            (date(2031, 6, 1), S.COMPLETED, True),
        ],
    )
    def test_dates_show_only_that_recruitment_is_over_or_has_not_begun(
        self, today: date, status: RecruitmentStatus, is_stated: bool
    ) -> None:
        record = records("isrctn.xml", today)[0]

        assert (record.study.status, record.states_status) == (status, is_stated)

    def test_a_trial_without_a_number_is_reported(self) -> None:
        (fault,) = [each for each in read("isrctn.xml") if isinstance(each, Fault)]

        assert (fault.field, fault.place) == ("isrctn", "isrctn.xml, trial 3")


class TestCountriesOnly:
    @pytest.mark.parametrize(
        ("name", "countries"),
        [("ictrp.xml", "India, Nepal"), ("repec.xml", "Peru, México"), ("euctr.txt", "Germany, Sweden")],
    )
    def test_a_record_without_places_says_so_and_lists_no_sites(self, name: str, countries: str) -> None:
        record = records(name)[0]

        assert not record.lists_sites
        assert record.locations == ()
        assert any(f"only countries, no places: {countries}." in text for text in record.notices)

    def test_latin_letters_of_an_older_encoding_are_read(self) -> None:
        study = records("repec.xml")[0].study

        assert (study.title, study.sponsor) == ("Vacuna en niñas y niños", "Instituto Nacional de Salud del Niño")
        assert (study.age_min_years, study.age_max_years, study.sex) == (0, 17, "ALL")

    def test_a_trial_of_the_eu_register_is_closed_only_if_every_country_is(self) -> None:
        closed, ongoing = records("euctr.txt")

        assert (closed.study.status, closed.states_status) == (S.COMPLETED, True)
        assert (ongoing.study.status, ongoing.states_status) == (S.UNKNOWN, False)


class TestCtgov:
    def test_the_classic_json_says_the_same_as_the_classic_xml(self) -> None:
        assert records("ctgov-classic.json") == records("ctgov-classic.xml")

    def test_the_classic_xml_has_today_s_terms(self) -> None:
        (record,) = records("ctgov-classic.xml")

        assert (record.study.status, record.study.as_of_on) == (S.ACTIVE_NOT_RECRUITING, date(2020, 2, 5))
        assert record.study.phases == ("PHASE2", "PHASE3")
        assert (record.study.design.masking, record.study.design.model) == ("DOUBLE", "PARALLEL")
        assert [(one.facility, one.city, one.country, one.status) for one in record.locations] == [
            ("Mayo Clinic", "Rochester", "United States", S.RECRUITING),
            ("", "Seoul", "Korea, Republic of", None),
        ]

    def test_the_locations_of_the_website_s_csv_are_told_apart(self) -> None:
        (record,) = records("ctgov-website.csv")

        assert [(one.facility, one.city, one.state, one.postcode, one.country) for one in record.locations] == [
            ("Banner - University Medical Center, Dept. of Medicine", "Phoenix", "Arizona", "85006", "United States"),
            ("Seoul National University Hospital", "Seoul", "", "", "Korea, Republic of"),
            ("Charité", "Berlin", "", "10117", "Germany"),
            ("Singapore General Hospital", "Singapore", "", "169608", "Singapore"),
            ("Research Site", "Paris", "", "", "France"),
        ]
        assert (record.given, [fault.value for fault in record.faults]) == (6, ["Somewhere, Atlantis"])

    def test_thousands_of_locations_in_one_cell_are_read_also_from_an_upload(self, tmp_path: Path) -> None:
        path = tmp_path / "studies.csv"
        cell = "|".join(
            f"University Hospital {n}, Department of Medicine, Berlin, 10117, Germany" for n in range(3_000)
        )
        path.write_text(f'NCT Number,Study Title,Study Status,Locations\nNCT01234567,A study,RECRUITING,"{cell}"\n')

        (record,) = read_records_apart(RECORD_READERS[ImportSource.CTGOV], path, TODAY)

        assert isinstance(record, StudyRecord)
        assert (record.given, len(record.locations), len(record.faults)) == (3_000, 3_000, 0)

    def test_a_csv_without_locations_closes_no_site(self, tmp_path: Path) -> None:
        path = tmp_path / "studies.csv"
        path.write_text("NCT Number,Study Title,Study Status\nNCT01234567,A study,RECRUITING\n")

        (record,) = RECORD_READERS[ImportSource.CTGOV](path, TODAY)
        assert isinstance(record, StudyRecord)
        assert not record.lists_sites


LAUGHS = b"""<?xml version="1.0"?><!DOCTYPE t [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><trials><trial>&b;</trial></trials>"""
OUTSIDE = b"""<?xml version="1.0"?><!DOCTYPE t [<!ENTITY a SYSTEM "file:///etc/passwd">]><trials><trial>&a;</trial></trials>"""


@pytest.mark.parametrize("source", [ImportSource.WHO, ImportSource.ISRCTN])
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (LAUGHS, "entities"),
        (OUTSIDE, "entities"),
        (b"<trials><trial><main>", "not the XML that was expected"),
        (b"<trials/>", "contains no"),
        (b"<a>" * 200, "inside one another"),
        (b"<?xml version='1.0' encoding='no-such'?><trials/>", "cannot be read as XML"),
        (b"", "not the XML"),
        (b"\x1f\x8bno gzip", "cannot be read as XML"),
    ],
)
def test_hostile_and_damaged_xml_is_refused(tmp_path: Path, source: ImportSource, content: bytes, words: str) -> None:
    path = tmp_path / "trials.xml"
    path.write_bytes(content)

    with pytest.raises(DataFault, match=words):
        list(RECORD_READERS[source](path, TODAY))


def test_memory_holds_one_record_of_a_long_file(tmp_path: Path) -> None:
    import tracemalloc

    record = (FILES / "repec.xml").read_text(encoding="latin-1").partition("<trial>")[2].rpartition("</trial>")[0]
    path = tmp_path / "long.xml"
    path.write_text("<trials>" + f"<trial>{record}</trial>" * 5_000 + "</trials>")
    tracemalloc.start()
    try:
        count = sum(1 for _ in RECORD_READERS[ImportSource.WHO](path, TODAY))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert count == 5_000
    assert path.stat().st_size > 4_000_000
    assert peak < 1_000_000
