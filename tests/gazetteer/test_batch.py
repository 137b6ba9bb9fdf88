"""Many rows at once: nothing is lost or guessed, in the given order."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import pandas as pd
import pytest

from sitematch.errors import DataFault, UnknownCountry
from sitematch.gazetteer.batch import COLUMNS, locate_many
from sitematch.gazetteer.batch_csv import ANSWERS, REJECTS, BatchSummary, locate_batch
from sitematch.gazetteer.locate import Gazetteer


def test_rows_come_back_in_order_with_their_index(gazetteer: Gazetteer) -> None:
    codes = pd.Series(["33180", "SW1A 1AA", "33180", "ＬＶ－１００２"], index=["d", "a", "c", "b"])

    frame = locate_many(gazetteer, ["US", "United Kingdom", "usa", "LV"], codes)

    assert tuple(frame.columns) == COLUMNS
    assert list(frame.index) == ["d", "a", "c", "b"]
    assert list(frame["postcode"]) == ["33180", "SW1A", "33180", "LV-1002"]
    assert list(frame["status"]) == ["FOUND", "PART", "FOUND", "FOUND"]
    assert frame.loc["c", "latitude"] == 25.9597
    assert list(frame["country"]) == ["US", "GB", "US", "LV"]


def test_every_row_equals_the_single_look_up(gazetteer: Gazetteer) -> None:
    rows = [("US", "33180"), ("GB", "E11 1AA"), ("PT", "9800001"), ("JP", "1040045"), ("CN", "100096"), ("US", "00917")]

    frame = locate_many(gazetteer, [country for country, _ in rows], [code for _, code in rows])

    for (country, code), row in zip(rows, frame.itertuples(), strict=True):
        place = gazetteer.locate(code, country)
        assert (row.country, row.postcode, row.name) == (place.country, place.postcode, place.name)
        assert (row.latitude, row.longitude) == (place.coordinates.latitude, place.coordinates.longitude)
        assert (row.precision, row.uncertainty_km) == (str(place.precision), place.uncertainty_km)


@pytest.mark.parametrize(
    ("country", "code", "status"),
    [
        ("US", 33180, "FOUND"),
        ("US", 33180.0, "FOUND"),
        ("US", 4102, "INVALID"),
        ("US", "", "INVALID"),
        ("US", None, "INVALID"),
        ("US", float("nan"), "INVALID"),
        ("US", "9" * 10_000, "INVALID"),
        ("US", "99999", "NOT_FOUND"),
        ("XX", "33180", "UNKNOWN_COUNTRY"),
        ("", "33180", "UNKNOWN_COUNTRY"),
        (None, "33180", "UNKNOWN_COUNTRY"),
        (7, "33180", "UNKNOWN_COUNTRY"),
    ],
)
def test_each_row_says_how_it_went(gazetteer: Gazetteer, country: object, code: object, status: str) -> None:
    frame = locate_many(gazetteer, [country, "US"], [code, "33180"])

    assert list(frame["status"]) == [status, "FOUND"]
    if status != "FOUND":
        assert math.isnan(frame["latitude"].iloc[0]), "what is unknown is never zero"


def test_one_country_serves_all_rows(gazetteer: Gazetteer) -> None:
    assert list(locate_many(gazetteer, "US", pd.Series(["33180", "04102"]))["status"]) == ["FOUND", "FOUND"]


def test_no_rows_give_an_empty_frame(gazetteer: Gazetteer) -> None:
    frame = locate_many(gazetteer, [], [])

    assert tuple(frame.columns) == COLUMNS
    assert len(frame) == 0
    assert len(locate_many(gazetteer, "US", [])) == 0


def test_lengths_must_agree(gazetteer: Gazetteer) -> None:
    with pytest.raises(ValueError, match="2 countries and 1 postcodes"):
        locate_many(gazetteer, ["US", "DE"], ["33180"])


def test_the_indexes_of_two_series_do_not_mix(gazetteer: Gazetteer) -> None:
    countries = pd.Series(["US", "GB"], index=[5, 6])
    codes = pd.Series(["33180", "E11"], index=[6, 5])

    assert list(locate_many(gazetteer, countries, codes)["postcode"]) == ["33180", "E11"]


def run(gazetteer: Gazetteer, folder: Path, content: bytes, **options: object) -> tuple[BatchSummary, list[dict[str, str]], list[dict[str, str]]]:  # fmt: skip
    (folder / "in.csv").write_bytes(content)
    summary = locate_batch(gazetteer, folder / "in.csv", folder / "out.csv", folder / "rejects.csv", **options)  # type: ignore[arg-type]

    def read(name: str) -> list[dict[str, str]]:
        with (folder / name).open(encoding="utf-8", newline="") as lines:
            return list(csv.DictReader(lines))

    return summary, read("out.csv"), read("rejects.csv")


def test_a_file_is_split_into_answers_and_rejects(gazetteer: Gazetteer, tmp_path: Path) -> None:
    content = b"id,zip,country,city,state\n1,33180,US,,\n2,4102,US,,\n3,20060,US,Marietta,Georgia\n4,,US,,\n"

    summary, answers, rejects = run(gazetteer, tmp_path, content)

    assert summary == BatchSummary(rows=4, located=2, with_notes=1, rejected=2)
    assert [row["id"] for row in answers] == ["1", "3"]
    assert (answers[0]["latitude"], answers[0]["matched_postcode"]) == ("25.9597", "33180")
    assert answers[1]["place"] == "Marietta, Georgia"
    assert "We used the town" in answers[1]["notes"]
    assert [(row["id"], row["line"], row["suggestions"]) for row in rejects] == [
        ("2", "3", "04102 (US)"),
        ("4", "5", ""),
    ]
    assert "leading" not in rejects[1]["reason"]
    assert set(ANSWERS) <= set(answers[0])
    assert set(REJECTS) <= set(rejects[0])


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfPostal Code,Country\r\n33180,US\r\n",
        b"postcode;country\n".replace(b";", b",") + b'"33180","US"\n',
        b'country,note,ZIP\nUS,"two\nlines",33180\n',
        b"zip,country\r33180,US\r",
    ],
)
def test_files_as_spreadsheets_write_them_are_read(gazetteer: Gazetteer, tmp_path: Path, content: bytes) -> None:
    summary, answers, _ = run(gazetteer, tmp_path, content)

    assert summary.located == 1
    assert answers[0]["matched_postcode"] == "33180"


def test_a_default_country_and_hints_serve_rows_without_one(gazetteer: Gazetteer, tmp_path: Path) -> None:
    summary, _, _ = run(gazetteer, tmp_path, b"zip\n33180\n", country="US")
    hinted, answers, _ = run(gazetteer, tmp_path, b"zip\n20060\n", hints=["US"])

    assert summary.located == hinted.located == 1
    assert answers[0]["matched_country"] == "US"


def test_towns_alone_can_be_located(gazetteer: Gazetteer, tmp_path: Path) -> None:
    _, answers, rejects = run(gazetteer, tmp_path, b"city,country\nTaipei,TW\nSpringfield,US\n")

    assert answers[0]["place"] == "Taipei"
    assert rejects[0]["suggestions"] == "Springfield, Missouri (US); Springfield, Illinois (US)"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"name,country\nx,US\n", "no column with a postcode"),
        (b"zip,ZIP\n1,2\n", "twice"),
        (b"zip\n\xff\xfe\n", "not UTF-8"),
        (b'zip,country\n"33180,US\n', "not a CSV file"),
    ],
)
def test_a_broken_file_is_refused_and_nothing_written(
    gazetteer: Gazetteer, tmp_path: Path, content: bytes, reason: str
) -> None:
    with pytest.raises(DataFault, match=reason):
        run(gazetteer, tmp_path, content)

    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]


def test_a_row_with_too_many_fields_is_rejected_by_its_line(gazetteer: Gazetteer, tmp_path: Path) -> None:
    summary, _, rejects = run(gazetteer, tmp_path, b"zip,country\n33180,US\n33180,US,Miami\n")

    assert (summary.located, summary.rejected) == (1, 1)
    assert rejects[0]["line"] == "3"
    assert "more fields than the header" in rejects[0]["reason"]


def test_an_unknown_default_country_is_an_error_and_not_thousands_of_rejects(
    gazetteer: Gazetteer, tmp_path: Path
) -> None:
    with pytest.raises(UnknownCountry):
        run(gazetteer, tmp_path, b"zip\n33180\n", country="Atlantis")


def test_the_input_is_never_overwritten(gazetteer: Gazetteer, tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text("zip,country\n33180,US\n")

    with pytest.raises(ValueError, match="three different files"):
        locate_batch(gazetteer, path, path, tmp_path / "rejects.csv")

    assert path.read_text() == "zip,country\n33180,US\n"


def test_an_earlier_answer_stays_until_the_new_one_is_complete(gazetteer: Gazetteer, tmp_path: Path) -> None:
    (tmp_path / "out.csv").write_text("the old answer")

    with pytest.raises(DataFault):
        # Long enough that answers were already written before the error.
        run(gazetteer, tmp_path, b"zip,country\n" + b"33180,US\n" * 20_000 + b"\xff\n")

    assert (tmp_path / "out.csv").read_text() == "the old answer"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "out.csv"]


def test_progress_runs_from_nothing_to_all(gazetteer: Gazetteer, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    content = b"zip,country\n" + b"33180,US\n" * 2500

    run(gazetteer, tmp_path, content, progress=lambda done, total: seen.append((done, total)))

    assert seen == sorted(seen)
    assert {total for _, total in seen} == {len(content)}
    assert seen[-1] == (len(content), len(content))
    assert len(seen) >= 3
