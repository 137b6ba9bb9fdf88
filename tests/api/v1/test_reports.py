"""``/v1/reports``: formats, permissions and headers."""

from __future__ import annotations

import io
import zipfile

import pytest

from sitematch.reports.render import Format
from sitematch.reports.render.as_html import content_security_policy
from tests.api.builders import STUDY_ID
from tests.api.served_study import OTHER_SITE, SITE, ServedStudy
from tests.reports.readers import ReportHtml, read_csv, read_pdf, read_sheet

KINDS = ["capacity", "funnel"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", Format)
def test_every_report_is_served_in_every_form_by_parameter_and_by_accept(
    service: ServedStudy, kind: str, form: Format
) -> None:
    service.hold("r-1")
    accept = {"Accept": form.media_type}

    asked = service.ask("GET", f"/v1/reports/{kind}?format={form.value}")
    negotiated = service.ask("GET", f"/v1/reports/{kind}", headers=accept)

    assert asked.status_code == 200
    assert asked.mimetype == negotiated.mimetype == form.media_type
    assert asked.data == negotiated.data
    assert asked.headers["Cache-Control"] == "no-store"
    assert asked.headers["Vary"].split(", ")[0] == "Accept"
    assert ("Content-Disposition" in asked.headers) == (form not in (Format.JSON, Format.HTML))


def test_reports_of_all_forms_hold_the_same_counts(service: ServedStudy) -> None:
    service.hold("r-1")
    service.hold("r-2", OTHER_SITE)

    def ask(form: str) -> bytes:
        return service.ask("GET", f"/v1/reports/capacity?format={form}").data

    (study,) = service.ask("GET", "/v1/reports/capacity").json["sections"][0]["table"]["rows"]
    assert (study["held"], study["taken"], study["cap"]) == (2, 2, 8)
    assert read_csv(ask("csv"))[0]["held"] == "2"
    heading, row = read_sheet(ask("xlsx"), "study")
    assert row[heading.index("Held")] == 2
    labels, cells = ReportHtml(ask("html")).tables["Study"]
    assert cells[labels.index("Held")] == "2"
    assert " ".join(cell for cell in cells if cell) in read_pdf(ask("pdf"))


def test_the_page_brings_the_policy_that_lets_its_own_style_in_and_nothing_else(service: ServedStudy) -> None:
    response = service.ask("GET", "/v1/reports/capacity?format=html")

    (policy,) = response.headers.getlist("Content-Security-Policy")
    assert policy == f"{content_security_policy()}; frame-ancestors 'none'"
    assert "'unsafe" not in policy
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_a_file_is_named_after_what_is_in_it(service: ServedStudy) -> None:
    name = service.ask("GET", "/v1/reports/funnel?format=xlsx").headers["Content-Disposition"]

    assert name == f"attachment; filename=sitematch-funnel-{STUDY_ID}-{service.now:%Y%m%dT%H%M%SZ}.xlsx"


def test_a_coordinator_gets_the_own_site_and_is_told_so(service: ServedStudy) -> None:
    service.hold("r-1")
    service.hold("r-2", OTHER_SITE)

    answer = service.ask("GET", "/v1/reports/capacity", who="coordinator").json

    tables = {section["table"]["name"]: section["table"]["rows"] for section in answer["sections"]}
    assert [(row["part_id"], row["held"]) for row in tables["sites"]] == [(SITE, 1)]
    assert (tables["study"][0]["taken"], tables["study"][0]["held"]) == (2, None)
    assert any(note.startswith("You can see some sites only") for note in answer["notes"])
    assert service.ask("GET", f"/v1/reports/funnel?site_id={OTHER_SITE}", who="coordinator").status_code == 404


def test_csv_names_the_tables_it_leaves_out(service: ServedStudy) -> None:
    service.hold("r-1")

    first = service.ask("GET", "/v1/reports/funnel?format=csv")
    one = service.ask("GET", "/v1/reports/funnel?format=csv&table=screen-failures")
    archive = service.ask("GET", "/v1/reports/funnel?format=zip")

    names = {
        section["table"]["name"]
        for section in service.ask("GET", "/v1/reports/funnel").json["sections"]
        if section["table"]
    }
    assert set(first.headers["Sitematch-Omitted-Tables"].split(", ")) < names
    assert "screen-failures" in first.headers["Sitematch-Omitted-Tables"]
    assert "Sitematch-Omitted-Tables" not in one.headers
    assert archive.content_type == "application/zip"
    assert set(zipfile.ZipFile(io.BytesIO(archive.data)).namelist()) == {f"{name}.csv" for name in names}


def test_as_of_and_the_zone_are_taken_and_bad_ones_named(service: ServedStudy) -> None:
    service.hold("r-1")
    service.later(days=10)

    before = service.ask("GET", "/v1/reports/capacity?as_of=2020-01-01T00:00:00Z&time_zone=Europe/Berlin").json
    zone = service.ask("GET", "/v1/reports/capacity?time_zone=Mars")
    local = service.ask("GET", "/v1/reports/capacity?as_of=2020-01-01T00:00:00&time_zone=Europe/Berlin").json
    no_time = service.ask("GET", "/v1/reports/capacity?as_of=2020-13-01")
    country = service.ask("GET", "/v1/reports/capacity?country=Atlantis")

    assert before["sections"][0]["table"]["rows"][0]["taken"] == 0
    assert before["time_zone"] == "Europe/Berlin"
    assert local["as_of"] == "2019-12-31T23:00:00Z"
    assert [(answer.status_code, answer.json["field"]) for answer in (zone, no_time, country)] == [
        (400, "time_zone"),
        (400, "as_of"),
        (400, "country"),
    ]


def test_what_cannot_be_served_is_refused(service: ServedStudy) -> None:
    picture = service.ask("GET", "/v1/reports/capacity", headers={"Accept": "image/png"})
    table = service.ask("GET", "/v1/reports/capacity?format=csv&table=nothing")
    unknown = service.ask("GET", "/v1/reports/capacity?format=docx")

    assert (picture.status_code, table.status_code, unknown.status_code) == (406, 400, 400)
    assert table.json["field"] == "table"
