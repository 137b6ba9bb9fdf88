"""Importing a file in the console: preview, import and undo."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from api.console.imports import MAX_UPLOAD_BYTES
from sitematch.exporters.tables.files import csv_text
from sitematch.exporters.tables.rows import SITE_HEADER, cells, site_row
from sitematch.services.studies.sources import ImportSource
from sitematch.store.studies import catalogue
from tests.api.builders import STUDY_ID
from tests.api.console_user import ConsoleUser, HtmlForm, console_user, forms_of, read_text, stay_signed_in
from tests.api.served_study import OTHER_STUDY, ServedStudy
from tests.conftest import ROOT

TABLE = """facility,city,postcode,country,status
Lakeside Clinic,Miami,33180,US,recruiting
Charité,Berlin,10115,DE,closed
Nowhere Clinic,Town,1,Atlantis,recruiting
"""
IMPORTS = f"/console/imports?study={OTHER_STUDY}"


def look_at(
    person: ConsoleUser, text: str = TABLE, name: str = "sites.csv", path: str = IMPORTS, **data: str
) -> TestResponse:
    form = person.form_in(person.get(path), "/uploads")
    sent = {**form.data(data), "file": (io.BytesIO(text.encode()), name)}
    return person.client.post(
        form.action, data=sent, headers={"Origin": "http://localhost"}, content_type="multipart/form-data"
    )


def import_form(preview: TestResponse) -> HtmlForm:
    return next(form for form in forms_of(preview) if "/imports/uploads/" in form.action)


def facilities(service: ServedStudy, study_id: str = OTHER_STUDY) -> set[str]:
    return {site.facility for site in catalogue.read_sites(service.store, study_id)}


def test_preview_shows_what_would_change_and_changes_nothing(service: ServedStudy) -> None:
    preview = look_at(console_user(service, "administrator"))

    text = read_text(preview.text)
    assert preview.status_code == 200
    assert "Nothing is changed yet" in text
    assert "Added: Lakeside Clinic, Miami, US" in text
    assert "'Atlantis' names no country" in text
    assert "Hospital far" in text  # it is missing from the table
    assert facilities(service) == {"Hospital far"}


def test_a_file_of_a_register_is_recognised_whatever_type_was_chosen(service: ServedStudy) -> None:
    text = (ROOT / "tests" / "data" / "files" / "isrctn.xml").read_text(encoding="utf-8")

    preview = look_at(console_user(service, "administrator"), text, name="trials.xml")

    assert preview.status_code == 200
    assert "ISRCTN61218504" in preview.text
    assert "isrctn.xml" not in preview.text
    assert "is not an ISRCTN" in preview.text


def test_every_source_can_be_chosen(service: ServedStudy) -> None:
    page = console_user(service, "administrator").get(IMPORTS).text

    assert [source for source in ImportSource if f'<option value="{source}"' not in page] == []


def test_differences_are_grouped_by_kind_with_the_rarest_first(service: ServedStudy) -> None:
    preview = look_at(console_user(service, "administrator"))

    groups = [read_text(each) for each in re.findall(r"<summary>(\d+ × .*?)</summary>", preview.text)]

    counts = [int(group.partition(" ")[0]) for group in groups]
    assert counts == sorted(counts)
    assert sum(counts) == preview.text.count('class="diff-sign"')
    assert any("Added" in group for group in groups)


def test_import_does_what_the_preview_showed_names_who_did_it_and_is_taken_back(service: ServedStudy) -> None:
    ann = console_user(service, "administrator")

    done = ann.send(import_form(look_at(ann)))
    after = facilities(service)
    listed = ann.get(IMPORTS).text
    asked = ann.get(f"/console/imports/undo?study={OTHER_STUDY}")
    undone = ann.send(ann.form_in(asked, "/imports/undo"))

    assert "done=1" in done.headers["Location"]
    assert "Lakeside Clinic" in after
    assert "sites.csv, uploaded by administrator@example.org" in listed
    assert "go back to how they were" in asked.text
    assert "undone=1" in undone.headers["Location"]
    assert facilities(service) == {"Hospital far"}


def test_row_of_a_known_site_that_cannot_be_used_holds_the_import_back_unless_agreed(service: ServedStudy) -> None:
    ann = console_user(service, "administrator")
    ann.send(import_form(look_at(ann)))
    damaged = TABLE.replace("Charité,Berlin,10115,DE", "Charité,Berlin,10115,Atlantis")

    refused = look_at(ann, damaged)
    agreed = look_at(ann, damaged, allow_left_out="yes")

    assert "1 site of the catalogue is in rows with errors" in read_text(refused.text)
    assert not [form for form in forms_of(refused) if "/imports/uploads/" in form.action]
    assert "in rows with errors" not in read_text(agreed.text)
    assert "No longer listed: Charité" not in read_text(agreed.text)


def test_upload_is_gone_after_its_import_and_after_it_was_left(service: ServedStudy, tmp_path: Path) -> None:
    ann = console_user(service, "administrator")
    form = import_form(look_at(ann))

    ann.send(form)
    again = ann.send(form)
    left = import_form(look_at(ann, TABLE + "One More,Miami,33180,US,recruiting\n"))
    left.action = left.action.replace("?", "/discard?")
    ann.send(left)

    assert again.status_code == 400
    assert "has expired or was already imported" in again.text
    assert list((tmp_path / "uploads").iterdir()) == []


def test_upload_waits_an_hour_and_for_its_sender_alone(service: ServedStudy) -> None:
    ann, max_ = console_user(service, "administrator"), console_user(service, "manager elsewhere")
    form = import_form(look_at(ann))
    csrf = dict(max_.form_in(max_.get("/console"), "/sign-out").fields)["csrf"]

    stolen = max_.send(form, csrf=csrf, key="k")
    stay_signed_in(ann, service, minutes=60)
    late = ann.send(form)

    assert (stolen.status_code, late.status_code) == (400, 400)
    assert facilities(service) == {"Hospital far"}


def test_old_uploads_are_removed_by_the_next(service: ServedStudy, tmp_path: Path) -> None:
    ann = console_user(service, "administrator")
    look_at(ann)
    stay_signed_in(ann, service, minutes=120)

    look_at(ann)

    assert len(list((tmp_path / "uploads").iterdir())) == 1


@pytest.mark.parametrize(
    ("text", "name", "form", "words"),
    [
        ("", "sites.csv", "table", "Nothing was changed"),
        ("{broken", "studies.json", "ctgov", "Nothing was changed"),
        ("a,b\n1,2\n", "sites.csv", "table", "Nothing was changed"),
    ],
)
def test_file_that_cannot_be_read_is_explained(
    service: ServedStudy, text: str, name: str, form: str, words: str
) -> None:
    response = look_at(console_user(service, "administrator"), text, name, form=form)

    assert 400 <= response.status_code < 500
    assert words in response.text
    assert facilities(service) == {"Hospital far"}


def test_file_that_is_not_given_is_asked_for(service: ServedStudy) -> None:
    ann = console_user(service, "administrator")

    response = look_at(ann, "", "")

    assert response.status_code == 400
    assert "Choose a file" in response.text


def test_too_long_a_file_is_refused_and_other_forms_keep_their_bound(service: ServedStudy) -> None:
    ann = console_user(service, "administrator")

    too_long = ann.client.post(
        IMPORTS.replace("?", "/uploads?"),
        headers={"Origin": "http://localhost"},
        environ_overrides={"CONTENT_LENGTH": str(MAX_UPLOAD_BYTES + 1)},
        content_type="multipart/form-data; boundary=x",
    )
    elsewhere = ann.client.post("/console/people", data={"email": "x" * 70_000}, headers={"Origin": "http://localhost"})

    assert (too_long.status_code, elsewhere.status_code) == (413, 413)


def test_manager_imports_the_own_studies_alone(service: ServedStudy) -> None:
    elsewhere = console_user(service, "manager elsewhere")
    records = json.dumps([_record(STUDY_ID, "Stolen"), _record(OTHER_STUDY, "Own")])

    preview = look_at(elsewhere, records, "studies.json", form="ctgov")
    elsewhere.send(import_form(preview))

    assert "you do not have permission to change this study" in preview.text
    assert "Stolen Clinic" not in facilities(service, STUDY_ID)
    assert "Own Clinic" in facilities(service)
    assert elsewhere.get(f"/console/imports/undo?study={OTHER_STUDY}").status_code == 403


def _record(study_id: str, name: str) -> dict[str, object]:
    return {
        "protocolSection": {
            "identificationModule": {"nctId": study_id, "briefTitle": f"{name} study"},
            "statusModule": {"overallStatus": "RECRUITING", "lastUpdatePostDateStruct": {"date": "2026-01-05"}},
            "contactsLocationsModule": {
                "locations": [
                    {
                        "facility": f"{name} Clinic",
                        "city": "Berlin",
                        "zip": "10115",
                        "country": "Germany",
                        "status": "RECRUITING",
                    }
                ]
            },
        }
    }


def test_table_that_sitematch_exported_is_recognised_and_changes_nothing(service: ServedStudy) -> None:
    before = catalogue.read_sites(service.store, STUDY_ID)
    text = csv_text(SITE_HEADER, cells(map(site_row, before), SITE_HEADER))
    manager = console_user(service, "administrator")

    preview = look_at(manager, text, path=f"/console/imports?study={STUDY_ID}")
    other = look_at(manager, text)

    assert "The file has no changes." in read_text(preview.text)
    assert catalogue.read_sites(service.store, STUDY_ID) == before
    assert f"The table has sites of {STUDY_ID}, not of {OTHER_STUDY}." in read_text(other.text)
