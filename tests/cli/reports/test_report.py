"""``sitematch report``: what it prints and writes, and what it says where it cannot."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.reports.readers import ReportHtml, read_csv, read_json, read_pdf, read_sheet

SITE = "NCT06064929-039"


def test_capacity_report_counts_what_was_held(run: Run) -> None:
    run("referral", "hold", SITE, "--id", "r-2026-017")

    printed = run("report", "capacity", "--country", "US").stdout

    assert "1 spots are taken of 8; 7 more can be taken now." in printed
    assert "Filters: Country: US" in printed
    assert "Note: The sites are stand-ins" in printed


@pytest.mark.parametrize("kind", ["capacity", "funnel", "forecast"])
def test_csv_says_which_tables_it_leaves_out_and_a_zip_archive_holds_them_all(
    run: Run, tmp_path: Path, kind: str
) -> None:
    run("referral", "hold", SITE, "--id", "r-1")
    names = [section["table"]["name"] for section in read_tables(run("report", kind, "--format", "json").stdout)]

    done = run("report", kind, "--format", "csv")
    held = {row["table"] for row in read_csv(done.stdout_bytes)}
    out = tmp_path / "report.zip"
    assert run("report", kind, "--format", "zip", "--out", str(out)).exit_code == 0

    lacking = [name for name in names if name not in held]
    said = f"Not in this file: {', '.join(lacking)}. Use --table NAME, or --format zip for all tables."
    assert (said in done.stderr) == bool(lacking)
    with zipfile.ZipFile(out) as archive:
        assert archive.namelist() == [f"{name}.csv" for name in names]
        for name in names:
            alone = run("report", kind, "--format", "csv", "--table", name)
            assert [row["table"] for row in read_csv(archive.read(f"{name}.csv"))] == [
                row["table"] for row in read_csv(alone.stdout_bytes)
            ]
            assert "Not in this file" not in alone.stderr


def read_tables(printed: str) -> list[dict[str, Any]]:
    return [section for section in json.loads(printed)["sections"] if section["table"] is not None]


@pytest.mark.parametrize("kind", ["capacity", "funnel"])
def test_every_format_holds_the_same_numbers(run: Run, tmp_path: Path, kind: str) -> None:
    for number in range(3):
        run("referral", "hold", SITE, "--id", f"r-{number}")
    run("referral", "screen", "r-0")
    files = {}
    for form in ("json", "csv", "xlsx", "html", "pdf"):
        out = tmp_path / f"report.{form}"
        done = run("report", kind, "--as-of", "2030-01-01", "--format", form, "--out", str(out))
        assert done.exit_code == 2 and "as_of is in the future" in done.stderr
        assert not out.exists()
        assert run("report", kind, "--site", SITE, "--format", form, "--out", str(out)).exit_code == 0
        files[form] = out.read_bytes()

    answer = read_json(files["json"])
    sections = [section for section in answer["sections"] if section["table"] is not None]
    main = sections[0]["table"]["columns"]
    alike = [section["table"] for section in sections if section["table"]["columns"] == main]
    integers = [column["name"] for column in main if column["kind"] == "INTEGER"]
    assert sum(row["held"] for table in alike for row in table["rows"]) > 0
    rows = read_csv(files["csv"])
    for table in alike:
        wanted = [[row[name] for name in integers] for row in table["rows"]]
        of_csv = [[int(row[n]) if row[n] else None for n in integers] for row in rows if row["table"] == table["name"]]
        assert of_csv == wanted
        heading, *cells = read_sheet(files["xlsx"], table["name"])
        labels = [column["label"] for column in main]
        assert list(heading[:10]) == labels[:10]
        places = [at for at, column in enumerate(main) if column["kind"] == "INTEGER"]
        of_sheet = [[row[at] if isinstance(row[at], int) else None for at in places] for row in cells[: len(wanted)]]
        assert of_sheet == wanted
    page, lines = ReportHtml(files["html"]), read_pdf(files["pdf"])
    for section in sections:
        seen = set()
        for name, body in _by_column(page, section["title"], section["table"]["columns"]):
            seen.add(name)
            for row, cell in zip(section["table"]["rows"], body, strict=False):
                if name in integers and row[name] is not None:
                    assert cell == f"{row[name]:,}", (section["title"], name)
        assert seen == {column["name"] for column in section["table"]["columns"]}
    study = page.tables[sections[0]["title"]][1]
    # Where letters are small, a reader takes narrow blanks for none.
    assert "".join(study).replace(" ", "") in {line.replace(" ", "") for line in lines}


def _by_column(page: ReportHtml, title: str, columns: list[dict[str, str]]) -> Iterator[tuple[str, list[str]]]:
    """Yield each column of a table with its cells; a wide one stands in two parts on the page."""
    for part in (title, f"{title}: details"):
        heading, *body = page.tables.get(part, [[]])
        left = list(columns)
        for at, label in enumerate(heading):
            column = next(column for column in left if column["label"] == label)
            left.remove(column)
            yield column["name"], [row[at] for row in body if len(row) == len(heading)]


def test_csv_goes_to_standard_output_and_one_table_can_be_chosen(run: Run) -> None:
    run("referral", "hold", SITE, "--id", "r-1")

    rows = read_csv(run("report", "capacity", "--site", SITE, "--format", "csv", "--table", "sites").stdout_bytes)

    assert [(row["table"], row["part_id"], row["held"]) for row in rows] == [("sites", SITE, "1")]


def test_instants_are_read_in_the_zone_that_was_named(run: Run) -> None:
    printed = run(
        "report", "funnel", "--as-of", "2026-01-31T12:00", "--time-zone", "Asia/Tokyo", "--format", "json"
    ).stdout

    assert json.loads(printed)["as_of"] == "2026-01-31T03:00:00Z"


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (("--format", "pdf"), 2, "pdf output needs --out FILE."),
        (("--format", "json", "--table", "sites"), 2, "--table works only with --format csv."),
        (("--format", "csv", "--table", "site"), 2, "no table 'site'; its tables: study, countries, sites"),
        (("--time-zone", "Berlin"), 2, "'Berlin' is not a time zone. Give an IANA name"),
        (("--country", "Atlantis"), 2, "Atlantis"),
        (("--site", "nowhere"), 3, "has no site 'nowhere'"),
        (("--study", "NCT99999999"), 3, "no study 'NCT99999999'"),
        (("--format", "json", "--out", "/nowhere/report.json"), 2, "Cannot write /nowhere/report.json"),
    ],
)
def test_what_cannot_be_done_is_said(run: Run, options: tuple[str, ...], code: int, says: str) -> None:
    done = run("report", "capacity", *options)

    assert (done.exit_code, done.stdout) == (code, "")
    assert says in done.stderr
