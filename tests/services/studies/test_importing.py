"""Importing: nothing is lost, ids are kept, differences are reported, all or nothing, and an undo."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from sitematch.config import data_file
from sitematch.domain.studies.change import ChangeKind, has_vanished
from sitematch.domain.studies.record import StudyRecord
from sitematch.domain.studies.status_origin import STATUS_INHERITED
from sitematch.domain.studies.study import RecruitmentStatus
from sitematch.errors import DataFault, Fault, InvalidInput
from sitematch.gazetteer.locate import Gazetteer
from sitematch.importers.ctgov import parse_study, read_file
from sitematch.importers.study_file import read_study as read_study_file
from sitematch.importers.tables.sites_csv import read_sites as read_sites_file
from sitematch.services.studies.importing import import_records
from sitematch.services.studies.placer import NO_NAME
from sitematch.store.capacity.rules import set_cap
from sitematch.store.engine import Store
from sitematch.store.studies.catalogue import catalogue_version, list_studies, read_sites, read_study, replace_study
from sitematch.store.studies.imports import imported_studies, list_imports, undo_import
from tests.importers.records import STUDY_ID, make_location, make_record
from tests.services.studies.importers import NOW, Importer, Memory
from tests.shared_data import ctgov_folder
from tests.store.builders import make_caller


@pytest.fixture
def importer(store: Store, gazetteer: Gazetteer) -> Importer:
    return Importer(store, gazetteer)


def later(day: str = "2026-02-12", status: str = "RECRUITING") -> dict[str, object]:
    return {"overallStatus": status, "lastUpdatePostDateStruct": {"date": day}}


HAMBURG = make_location(facility="Harbour Clinic", city="Hamburg", state=None, zip="20095", geoPoint=None)


class TestReading:
    def test_locations_in_are_sites_and_reported_rows(self, importer: Importer) -> None:
        totals = importer.records(
            make_record(
                make_location(),
                make_location(country="Atlantis"),
                make_location(country=None),
                make_location(city=None, zip=None, geoPoint=None),
                "no location",
                make_location(facility=None),
            )
        )

        assert (totals.locations, totals.sites, totals.left_out) == (6, 2, 4)
        assert [(fault.place, fault.field) for fault in importer.heard.faults] == [
            (f"{STUDY_ID}, location 5", "locations"),
            (f"{STUDY_ID}, location 2", "country"),
            (f"{STUDY_ID}, location 3", "country"),
            (f"{STUDY_ID}, location 4", "city"),
        ]
        assert [site.facility for site in read_sites(importer.store, STUDY_ID)] == ["University Hospital", NO_NAME]

    def test_a_blank_status_is_the_studys_and_says_so(self, importer: Importer) -> None:
        importer.records(make_record(make_location(status=None), statusModule=later(status="NOT_YET_RECRUITING")))

        (site,) = read_sites(importer.store, STUDY_ID)
        assert site.status is RecruitmentStatus.NOT_YET_RECRUITING
        assert STATUS_INHERITED in site.flags

    def test_a_site_that_cannot_be_placed_is_kept_without_a_location(self, importer: Importer) -> None:
        nowhere = make_location(city="Xyzzyville", state=None, zip=None, geoPoint=None)

        totals = importer.records(make_record(nowhere))

        (site,) = read_sites(importer.store, STUDY_ID)
        assert site.place is None
        assert totals.unplaced == 1

    def test_a_record_without_an_id_is_reported_and_costs_no_other(self, importer: Importer) -> None:
        totals = importer.records({}, make_record(make_location()))

        assert (totals.records_left_out, totals.studies) == (1, 1)
        assert importer.heard.faults[0].place == "record 1"

    def test_a_zip_code_of_puerto_rico_is_puerto_ricos_under_any_country(self, importer: Importer) -> None:
        san_juan = {"city": "San Juan", "state": "Puerto Rico", "zip": "00917", "geoPoint": None}
        importer.records(
            make_record(
                make_location(**san_juan, country="United States"), make_location(**san_juan, country="Puerto Rico")
            )
        )

        assert [site.country for site in read_sites(importer.store, STUDY_ID)] == ["PR", "PR"]


class TestAgain:
    def test_the_same_record_twice_changes_nothing(self, importer: Importer) -> None:
        record = make_record(make_location(), HAMBURG)
        importer.records(record)
        version = catalogue_version(importer.store)

        totals = importer.records(record)

        assert importer.heard.changes == []
        assert totals.studies_changed == 0
        assert importer.import_id is None
        assert catalogue_version(importer.store) == version

    def test_a_site_keeps_its_id_when_status_tag_spelling_or_order_change(self, importer: Importer) -> None:
        importer.records(make_record(make_location(), HAMBURG))
        before = {site.city: site.site_id for site in read_sites(importer.store, STUDY_ID)}

        importer.records(
            make_record(
                HAMBURG | {"facility": "HARBOUR CLINIC ( Site 0012)", "status": "COMPLETED"},
                make_location(facility="University Hospital /ID# 999999", zip="D-24105"),
                statusModule=later(),
            )
        )

        after = {site.city: site.site_id for site in read_sites(importer.store, STUDY_ID)}
        assert after == before
        (change,) = importer.heard.changes[0].sites
        assert (change.kind, [(f.field, f.old, f.new) for f in change.fields]) == (
            ChangeKind.CLOSED,
            [("facility", "Harbour Clinic", "HARBOUR CLINIC"), ("status", "RECRUITING", "COMPLETED")],
        )

    def test_a_vanished_site_is_closed_kept_and_may_return(self, importer: Importer) -> None:
        importer.records(make_record(make_location(), HAMBURG))

        importer.records(make_record(make_location(), statusModule=later()))
        gone = read_sites(importer.store, STUDY_ID)[1]
        assert (gone.city, gone.status, has_vanished(gone)) == (
            "Hamburg",
            RecruitmentStatus.ACTIVE_NOT_RECRUITING,
            True,
        )
        assert importer.heard.kinds() == {ChangeKind.VANISHED: 1}

        importer.records(make_record(make_location(), statusModule=later("2026-02-13")))
        assert importer.heard.changes == []

        importer.records(make_record(make_location(), HAMBURG, statusModule=later("2026-02-14")))
        back = read_sites(importer.store, STUDY_ID)[1]
        assert (back.site_id, back.status, has_vanished(back)) == (gone.site_id, RecruitmentStatus.RECRUITING, False)
        assert importer.heard.kinds() == {ChangeKind.RETURNED: 1}

    def test_ids_of_vanished_sites_are_never_given_again(self, importer: Importer) -> None:
        importer.records(make_record(make_location(), HAMBURG))
        importer.records(make_record(make_location(), statusModule=later()))
        berlin = make_location(facility="Charité", city="Berlin", state=None, zip="10117")

        importer.records(make_record(make_location(), berlin, statusModule=later("2026-02-13")))

        ids = [site.site_id for site in read_sites(importer.store, STUDY_ID)]
        assert len(set(ids)) == 3

    def test_what_coordinators_set_survives(self, importer: Importer) -> None:
        from dataclasses import replace

        importer.records(make_record(make_location()))
        study = replace(read_study(importer.store, STUDY_ID), pool_spots=8)
        (site,) = read_sites(importer.store, STUDY_ID)
        replace_study(importer.store, study, [replace(site, spots=3, time_reimbursement="varies")])

        importer.records(make_record(make_location(status="SUSPENDED"), statusModule=later()))

        (after,) = read_sites(importer.store, STUDY_ID)
        assert (after.spots, after.time_reimbursement, after.status) == (3, "varies", RecruitmentStatus.SUSPENDED)
        assert read_study(importer.store, STUDY_ID).pool_spots == 8
        assert "as of 2026-02-05" in read_study(importer.store, STUDY_ID).history[0]

    def test_an_older_record_is_left_out_unless_asked_for(self, importer: Importer) -> None:
        importer.records(make_record(make_location(), HAMBURG, statusModule=later()))

        totals = importer.records(make_record(make_location()))
        assert totals.records_left_out == 1
        assert "older" in importer.heard.faults[0].reason
        assert not any(map(has_vanished, read_sites(importer.store, STUDY_ID)))

        importer.records(make_record(make_location()), allow_older=True)
        assert [has_vanished(site) for site in read_sites(importer.store, STUDY_ID)] == [False, True]

    def test_one_file_with_two_versions_of_a_study_ends_with_the_second(self, importer: Importer) -> None:
        importer.records(make_record(make_location()), make_record(make_location(), HAMBURG, statusModule=later()))

        assert [site.city for site in read_sites(importer.store, STUDY_ID)] == ["Kiel", "Hamburg"]
        undo_import(importer.store, NOW)
        assert list_studies(importer.store) == ()


class TestAllOrNothing:
    def test_a_dry_run_tells_the_changes_and_makes_none(self, importer: Importer) -> None:
        version = catalogue_version(importer.store)

        totals = importer.records(make_record(make_location()), dry_run=True)

        assert totals.added == 1
        assert importer.heard.changes[0].is_new
        assert list_studies(importer.store) == ()
        assert list_imports(importer.store) == ()
        assert catalogue_version(importer.store) == version

    def test_a_dry_run_does_not_wait_for_another_write(self, importer: Importer) -> None:
        with importer.store.writing():
            totals = importer.records(make_record(make_location()), dry_run=True)

        assert totals.added == 1

    def test_a_source_that_fails_halfway_changes_nothing(self, importer: Importer) -> None:
        def broken() -> Iterator[StudyRecord | Fault]:
            yield parse_study(make_record(make_location()), date(2026, 3, 1), where="first")
            raise DataFault("The file ends in the middle.", faults=[])

        with pytest.raises(DataFault):
            import_records(
                importer.store, importer.gazetteer, broken(), origin="ctgov", source="x", now=NOW, watcher=Memory()
            )

        assert list_studies(importer.store) == ()
        assert list_imports(importer.store) == ()


class TestUndo:
    def test_undoing_gives_back_exactly_what_was_before(self, importer: Importer) -> None:
        importer.records(make_record(make_location(), HAMBURG))
        before = (read_study(importer.store, STUDY_ID), read_sites(importer.store, STUDY_ID))
        importer.records(
            make_record(make_location(facility="Other"), statusModule=later()), make_record(nct_id="NCT00000002")
        )
        assert len(list_studies(importer.store)) == 2

        undone = undo_import(importer.store, NOW)

        assert (read_study(importer.store, STUDY_ID), read_sites(importer.store, STUDY_ID)) == before
        assert len(list_studies(importer.store)) == 1
        assert (undone.import_id, undone.undone_at) == (2, NOW)
        assert [(r.import_id, r.undone_at is None) for r in list_imports(importer.store)] == [(2, False), (1, True)]
        assert imported_studies(importer.store, "ctgov") == (STUDY_ID,)

    def test_undoing_again_goes_further_back_and_then_has_nothing_left(self, importer: Importer) -> None:
        importer.records(make_record(make_location()))
        importer.records(make_record(make_location(), HAMBURG, statusModule=later()))

        undo_import(importer.store, NOW)
        undo_import(importer.store, NOW)

        assert list_studies(importer.store) == ()
        with pytest.raises(InvalidInput, match="no import"):
            undo_import(importer.store, NOW)

    def test_undoing_is_refused_where_it_would_lose_a_later_change(self, importer: Importer) -> None:
        from dataclasses import replace

        importer.records(make_record(make_location()))
        study, sites = read_study(importer.store, STUDY_ID), read_sites(importer.store, STUDY_ID)
        replace_study(importer.store, replace(study, pool_spots=3), sites)

        with pytest.raises(InvalidInput, match="changed after"):
            undo_import(importer.store, NOW)

        assert read_study(importer.store, STUDY_ID).pool_spots == 3

    def test_undoing_is_refused_where_a_new_site_has_referrals(self, importer: Importer) -> None:
        importer.records(make_record(make_location()))
        refer(importer, read_sites(importer.store, STUDY_ID)[0].site_id)

        with pytest.raises(InvalidInput, match="referrals"):
            undo_import(importer.store, NOW)

        assert len(read_sites(importer.store, STUDY_ID)) == 1


def refer(importer: Importer, site_id: str, study_id: str = STUDY_ID) -> None:
    from sitematch.store.capacity import ledger
    from tests.store.builders import STUDY

    set_cap(importer.store, make_caller(), study_id=study_id, key=STUDY, spots=8, now=NOW)
    ledger.place_hold(importer.store, make_caller(), study_id=study_id, site_id=site_id, referral_id="r1", now=NOW)


class TestStandIns:
    @pytest.fixture
    def default(self, importer: Importer) -> Importer:
        replace_study(
            importer.store, read_study_file(data_file("study.json")), read_sites_file(data_file("sites.csv")).sites
        )
        return importer

    RECORD = make_record(
        make_location(),
        nct_id="NCT06064929",
        statusModule=later("2025-12-31", "ACTIVE_NOT_RECRUITING"),
    )

    def test_they_give_way_to_the_real_sites_and_so_does_their_notice(self, default: Importer) -> None:
        default.records(self.RECORD)

        (site,) = read_sites(default.store, "NCT06064929")
        study = read_study(default.store, "NCT06064929")
        assert (site.is_stand_in, site.site_id) == (False, "NCT06064929-047")
        assert (study.notice, study.status) == ("", RecruitmentStatus.ACTIVE_NOT_RECRUITING)
        assert default.heard.kinds() == {ChangeKind.ADDED: 1, ChangeKind.REMOVED: 46}
        assert (study.pool_spots, study.title[:12], len(study.timeline)) == (8, "Felzartamab ", 3)

    def test_one_with_referrals_is_closed_instead(self, default: Importer) -> None:
        refer(default, "NCT06064929-003", "NCT06064929")

        default.records(self.RECORD)
        default.records(self.RECORD)

        kept = read_sites(default.store, "NCT06064929")[1]
        assert (kept.site_id, kept.status) == ("NCT06064929-003", RecruitmentStatus.ACTIVE_NOT_RECRUITING)
        assert len(read_sites(default.store, "NCT06064929")) == 2

    def test_undoing_brings_them_back(self, default: Importer) -> None:
        before = read_sites(default.store, "NCT06064929")
        default.records(self.RECORD)

        undo_import(default.store, NOW)

        assert read_sites(default.store, "NCT06064929") == before


class TestRealRecords:
    def test_every_file_imports_with_nothing_lost(self, importer: Importer) -> None:
        for path in sorted(ctgov_folder().glob("*.json")):
            given = sum(r.given for r in read_file(path, date(2026, 3, 1)) if isinstance(r, StudyRecord))

            totals = importer.file(path, allow_older=True)

            assert totals.locations == given == totals.sites + totals.left_out, path.name
            assert len([f for f in importer.heard.faults if "location" in f.place]) == totals.left_out

    def test_a_week_of_nct06892548_adds_seven_sites_and_no_duplicate(self, importer: Importer) -> None:
        folder = ctgov_folder()
        importer.file(folder / "NCT06892548.2026-02-05.json")
        first = {site.site_id for site in read_sites(importer.store, "NCT06892548")}

        importer.file(folder / "NCT06892548.2026-02-12.json")

        after = [site.site_id for site in read_sites(importer.store, "NCT06892548")]
        assert importer.heard.kinds().get(ChangeKind.ADDED) == 7
        assert ChangeKind.VANISHED not in importer.heard.kinds()
        assert (len(first), len(after), len(set(after))) == (38, 45, 45)
        assert first < set(after)

    def test_three_versions_of_nct06203210_change_statuses_only(self, importer: Importer) -> None:
        folder = ctgov_folder()
        importer.file(folder / "NCT06203210.2026-02-05.json")
        ids = [site.site_id for site in read_sites(importer.store, "NCT06203210")]

        for day in ("2026-02-10", "2026-03-10"):
            importer.file(folder / f"NCT06203210.{day}.json")
            changed = [
                c for change in importer.heard.changes for c in change.sites if c.kind is not ChangeKind.RESPELLED
            ]
            assert changed
            assert {f.field for c in changed for f in c.fields if not f.is_respelling} == {"status"}
            assert {c.kind for c in changed} <= {ChangeKind.CHANGED, ChangeKind.CLOSED}
            assert sorted(site.site_id for site in read_sites(importer.store, "NCT06203210")) == sorted(ids)

    def test_the_wrong_zip_code_of_marietta_is_reported_with_what_was_believed(self, importer: Importer) -> None:
        importer.file(ctgov_folder() / "NCT05843643.json")

        (told,) = [flag for site, _, flag in importer.heard.contradictions if site.city == "Marietta"]
        (site,) = [site for site in read_sites(importer.store, "NCT05843643") if site.city == "Marietta"]
        assert "20060 is in Washington" in told
        assert "We used the town" in told
        assert "it agrees" in site.flags[-1]
        assert site.place is not None
        assert site.place.coordinates.latitude == pytest.approx(33.95, abs=0.1)
