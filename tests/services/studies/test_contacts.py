"""Contacts: central ones without names, persons only on request; only while patients are taken, then erased."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from sitematch.domain.studies.contact import Contact
from sitematch.gazetteer.locate import Gazetteer
from sitematch.importers.ctgov import parse_study, without_contacts
from sitematch.services.finding.live_finders import LiveFinders
from sitematch.store import backup, migrate
from sitematch.store.engine import Store, open_store
from sitematch.store.studies.catalogue import catalogue_version, read_sites, read_study, replace_study
from sitematch.store.studies.contacts import read_contacts
from sitematch.store.studies.imports import undo_import
from tests.importers.records import STUDY_ID, make_location, make_record
from tests.services.studies.importers import NOW, Importer

ANN = {"name": "Ann Example", "role": "CONTACT", "phone": "+49 431 1", "phoneExt": "22", "email": "ann@example.org"}
BOB = {"name": "Bob Example", "role": "PRINCIPAL_INVESTIGATOR"}
DESK = {"name": "Study Desk", "role": "CONTACT", "email": "desk@example.org"}
KIEL = make_location(contacts=[ANN, BOB])
BONN = make_location(facility="Clinic of Bonn", city="Bonn", zip="53111", state=None, geoPoint=None)


@pytest.fixture
def importer(store: Store, gazetteer: Gazetteer) -> Importer:
    return Importer(store, gazetteer)


def record(*locations: Any, day: str = "2026-02-05", status: str = "RECRUITING", central: Any = (DESK,)) -> Any:
    made = make_record(
        statusModule={"overallStatus": status, "lastUpdatePostDateStruct": {"date": day}},
        contactsLocationsModule={"locations": list(locations), "centralContacts": list(central)},
    )
    made["protocolSection"]["contactsLocationsModule"]["overallOfficials"] = [{"name": "Olga Official"}]
    return made


def whole_database(store: Store) -> str:
    """Every value of every table, as a thief would read it."""
    with store.reading() as connection:
        names = sa.inspect(connection).get_table_names()
        return "\n".join(str(connection.execute(sa.text(f'SELECT * FROM "{name}"')).all()) for name in names)


def stored(importer: Importer) -> list[str]:
    return sorted(word for word in ("Ann", "Bob", "Study Desk", "Olga") if word in whole_database(importer.store))


class TestStoring:
    def test_central_contact_is_stored_without_a_name_and_shown_at_every_site_that_takes_patients(
        self, importer: Importer
    ) -> None:
        totals = importer.records(record(KIEL, BONN))

        contacts = read_contacts(importer.store, STUDY_ID)
        desk = Contact(role="contact", email="desk@example.org")
        assert [contacts.of(site) for site in read_sites(importer.store, STUDY_ID)] == [(desk,), (desk,)]
        assert stored(importer) == []
        assert totals.contacts == 1

    def test_central_contact_with_a_name_alone_is_not_stored(self, importer: Importer) -> None:
        totals = importer.records(record(KIEL, central=(BOB, {"name": "Study Desk"}, 5, None)))

        assert [contact.name for contact in read_contacts(importer.store, STUDY_ID).central] == []
        assert totals.contacts == 0

    def test_central_contact_of_a_study_that_takes_no_patients_is_not_stored(self, importer: Importer) -> None:
        importer.records(record(KIEL, status="COMPLETED"))

        assert read_contacts(importer.store, STUDY_ID).central == ()

    def test_contacts_of_a_study_and_its_sites_are_stored_when_asked_for(self, importer: Importer) -> None:
        totals = importer.records(record(KIEL, BONN), contacts=True)

        contacts = read_contacts(importer.store, STUDY_ID)
        kiel, bonn = read_sites(importer.store, STUDY_ID)
        ann = Contact(name="Ann Example", role="contact", phone="+49 431 1 ext. 22", email="ann@example.org")
        bob = Contact(name="Bob Example", role="principal investigator")
        coordinator = Contact(name="Study Desk", role="contact", email="desk@example.org")
        assert (contacts.of(kiel), contacts.of(bonn)) == ((ann, bob), (coordinator,))
        assert totals.contacts == 3
        assert stored(importer) == ["Ann", "Bob", "Study Desk"]

    @pytest.mark.parametrize("status", ["NOT_YET_RECRUITING", "COMPLETED", "SUSPENDED", "WITHDRAWN"])
    def test_contacts_of_a_site_that_takes_no_patients_are_not_stored(self, importer: Importer, status: str) -> None:
        importer.records(record({**KIEL, "status": status}, {**BONN, "contacts": [BOB]}), contacts=True)

        assert stored(importer) == ["Bob", "Study Desk"]
        kiel = read_sites(importer.store, STUDY_ID)[0]
        assert read_contacts(importer.store, STUDY_ID).of(kiel) == ()

    def test_study_that_takes_no_patients_keeps_no_central_contact(self, importer: Importer) -> None:
        importer.records(record(KIEL, status="ACTIVE_NOT_RECRUITING"), contacts=True)

        assert stored(importer) == ["Ann", "Bob"]

    def test_dry_run_stores_no_contacts(self, importer: Importer) -> None:
        importer.records(record(KIEL), contacts=True, dry_run=True)

        assert stored(importer) == []

    @pytest.mark.parametrize("odd", [None, "Ann", [1, "Ann", {"name": 5}, {}, {"role": "CONTACT"}]])
    def test_odd_contacts_cost_nothing_else(self, importer: Importer, odd: object) -> None:
        totals = importer.records(record({**KIEL, "contacts": odd}, central=()), contacts=True)

        assert (totals.sites, totals.left_out, totals.contacts) == (1, 0, 0)


class TestErasing:
    @pytest.fixture(autouse=True)
    def known(self, importer: Importer) -> None:
        importer.records(record(KIEL, {**BONN, "contacts": [BOB]}), contacts=True)
        assert stored(importer) == ["Ann", "Bob", "Study Desk"]

    @pytest.mark.parametrize("status", ["COMPLETED", "SUSPENDED", "ACTIVE_NOT_RECRUITING"])
    def test_site_that_closes_loses_its_contacts(self, importer: Importer, status: str) -> None:
        bonn = {**BONN, "contacts": [BOB], "status": status}

        totals = importer.records(record({**KIEL, "contacts": [ANN]}, bonn, day="2026-03-01"), contacts=True)

        assert stored(importer) == ["Ann", "Study Desk"]
        assert (totals.contacts, totals.contacts_erased) == (2, 2)

    def test_site_that_vanishes_loses_its_contacts(self, importer: Importer) -> None:
        importer.records(record({**BONN, "contacts": [DESK]}, day="2026-03-01"), contacts=True)

        assert len(read_sites(importer.store, STUDY_ID)) == 2
        assert stored(importer) == ["Study Desk"]

    def test_study_that_closes_loses_its_central_contacts(self, importer: Importer) -> None:
        importer.records(record({**KIEL, "contacts": []}, day="2026-03-01", status="COMPLETED"), contacts=True)

        assert stored(importer) == []

    def test_import_without_the_option_erases_persons_though_nothing_else_changed(self, importer: Importer) -> None:
        totals = importer.records(record(KIEL, BONN))

        assert stored(importer) == []
        assert (totals.studies_changed, totals.contacts, totals.contacts_erased) == (0, 1, 3)
        assert importer.import_id is None

    def test_record_that_is_left_out_as_older_changes_no_contacts(self, importer: Importer) -> None:
        importer.records(record(KIEL, day="2026-01-01"))

        assert stored(importer) == ["Ann", "Bob", "Study Desk"]

    def test_every_write_of_the_sites_erases_the_contacts(self, importer: Importer) -> None:
        replace_study(importer.store, read_study(importer.store, STUDY_ID), read_sites(importer.store, STUDY_ID))

        assert stored(importer) == []

    def test_undoing_the_import_that_brought_them_erases_them(self, importer: Importer) -> None:
        undo_import(importer.store, NOW)

        assert stored(importer) == []

    def test_undoing_a_later_import_restores_no_contacts(self, importer: Importer) -> None:
        closed = [{**each, "status": "COMPLETED"} for each in (KIEL, BONN)]
        importer.records(record(*closed, day="2026-03-01", status="COMPLETED"), contacts=True)

        undo_import(importer.store, NOW)

        assert [site.status for site in read_sites(importer.store, STUDY_ID)] == ["RECRUITING"] * 2
        assert stored(importer) == []

    def test_undoing_an_import_of_other_details_restores_no_contacts_either(self, importer: Importer) -> None:
        importer.records(record(KIEL, day="2026-03-01"))

        undo_import(importer.store, NOW)

        assert stored(importer) == []

    def test_failed_import_leaves_them_as_they_are(self, importer: Importer) -> None:
        with pytest.raises(Exception, match="nothing was imported"):
            importer.records(record(KIEL, "no location", day="2026-03-01"), strict=True)

        assert stored(importer) == ["Ann", "Bob", "Study Desk"]

    def test_same_contacts_again_change_nothing(self, importer: Importer) -> None:
        version = catalogue_version(importer.store)

        totals = importer.records(record(KIEL, {**BONN, "contacts": [BOB]}), contacts=True)

        assert (totals.contacts, totals.contacts_erased) == (4, 0)
        assert catalogue_version(importer.store) == version

    def test_older_schema_holds_no_contacts(self, importer: Importer) -> None:
        migrate.downgrade(importer.store, "0007")

        assert stored(importer) == []
        migrate.upgrade(importer.store)

    def test_backup_holds_and_restores_them(self, importer: Importer, tmp_path: Path, empty_url: str) -> None:
        backup.back_up(importer.store, tmp_path / "backup.db")
        with open_store(empty_url, require_ready=False) as other:
            migrate.upgrade(other)
            backup.restore(other, tmp_path / "backup.db")

            assert read_contacts(other, STUDY_ID) == read_contacts(importer.store, STUDY_ID)


@pytest.fixture
def live(importer: Importer, gazetteer: Gazetteer) -> Iterator[LiveFinders]:
    importer.records(record(KIEL, BONN))
    opened = LiveFinders(gazetteer, importer.store, STUDY_ID, lambda: NOW)
    yield opened
    opened.close()


def test_server_shows_and_forgets_them_at_its_next_look(live: LiveFinders, importer: Importer) -> None:
    def shown() -> list[int]:
        live.feed.look()
        finder = live.finder()
        return [len(finder.contacts.of(site)) for site in finder.sites]

    before = shown()
    importer.records(record(KIEL, BONN), contacts=True)
    asked_for = shown()
    importer.records(record(KIEL, BONN))

    assert (before, asked_for, shown()) == ([1, 1], [2, 1], [1, 1])


class TestReading:
    def test_record_without_contacts_has_the_same_facts(self) -> None:
        whole = json.loads(json.dumps(record(KIEL, BONN)))

        bare = without_contacts(whole)

        assert not any(word in json.dumps(bare) for word in ("Ann", "Bob", "Study Desk", "Olga"))
        day = date(2026, 3, 1)
        assert parse_study(bare, day, where="x", contacts=True) == parse_study(whole, day, where="x")
        assert "Ann" in json.dumps(whole)

    @pytest.mark.parametrize(
        "value",
        [None, 5, [], {}, {"protocolSection": 1}, {"protocolSection": {"contactsLocationsModule": {"locations": [1]}}}],
    )
    def test_value_that_is_not_a_record_stays_unchanged(self, value: object) -> None:
        assert without_contacts(value) == value
