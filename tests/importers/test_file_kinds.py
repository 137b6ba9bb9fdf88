"""Kinds of files are recognised by their first bytes, whatever their names are."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sitematch.importers.file_kinds import ImportSource, file_kind, source_of
from tests.conftest import ROOT

FILES = ROOT / "tests" / "data" / "files"
SOURCES = {
    "aact-facilities.txt": ImportSource.TABLE,
    "ctgov-classic.json": ImportSource.CTGOV,
    "ctgov-classic.xml": ImportSource.CTGOV,
    "ctgov-website.csv": ImportSource.CTGOV,
    "ctis.json": ImportSource.CTIS,
    "euctr.txt": ImportSource.EUCTR,
    "hsds/addresses.csv": ImportSource.TABLE,
    "hsds/locations.csv": ImportSource.TABLE,
    "hsds/organizations.csv": ImportSource.TABLE,
    "hsds-services.json": ImportSource.TABLE,
    "ictrp.xml": ImportSource.WHO,
    "isrctn.xml": ImportSource.ISRCTN,
    "locations.ndjson": ImportSource.FHIR,
    "organizations.json": ImportSource.FHIR,
    "repec.xml": ImportSource.WHO,
}


def test_every_file_of_the_tests_has_a_source() -> None:
    assert {path.relative_to(FILES).as_posix() for path in FILES.rglob("*.*")} == SOURCES.keys()


@pytest.mark.parametrize(("name", "source"), SOURCES.items())
def test_a_file_is_recognised_also_under_another_name(tmp_path: Path, name: str, source: ImportSource) -> None:
    path = tmp_path / "download"
    path.write_bytes((FILES / name).read_bytes())

    assert source_of(path) is source


@pytest.mark.parametrize("name", [name for name, source in SOURCES.items() if source is not ImportSource.TABLE])
def test_a_packed_file_is_recognised(tmp_path: Path, name: str) -> None:
    path = tmp_path / "download.gz"
    path.write_bytes(gzip.compress((FILES / name).read_bytes()))

    assert source_of(path) is SOURCES[name]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"%PDF-1.7", "a PDF"),
        (b"PAR1....", "a Parquet file; save it as CSV"),
        (b"SQLite format 3\0", "a SQLite database"),
        (b"<!DOCTYPE html><html>", "a web page"),
        (b"<?xml version='1.0'?><kml/>", "XML, of a kind that is not known"),
        (b"<Bundle xmlns='http://hl7.org/fhir'/>", "FHIR in XML"),
        (b"<ANZCTR_Trial/>", "ANZCTR"),
        (b"nct_id|brief_title|overall_status\nNCT1|x|y\n", "use `import file facilities.txt`"),
        (b"TrialID,Public_title,Countries\n", "use `import who`"),
        (b'{"ctNumber": "2022-500000-11-00", "authorizedApplication": {}}', "use `import ctis`"),
        (gzip.compress(b"Site,City\n", mtime=0), "unpack it first"),
        (b"\x1f\x8bnot gzip at all", "a gzip archive"),
        (b"[[1, 2]]", "a JSON array"),
    ],
)
def test_a_kind_that_is_no_table_is_named(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)

    assert words in str(file_kind(path))


@pytest.mark.parametrize(
    ("member", "source"),
    [
        ("NCT0123xxxx/NCT01234567.xml", ImportSource.CTGOV),
        ("NCT01234567.json", ImportSource.CTGOV),
        ("locations.csv", ImportSource.TABLE),
    ],
)
def test_an_archive_is_recognised_by_its_members(tmp_path: Path, member: str, source: ImportSource) -> None:
    path = tmp_path / "archive.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(member, "x")

    kind = file_kind(path)
    assert kind is not None
    assert kind.source is source


@given(st.binary(max_size=200))
def test_any_bytes_have_a_kind_or_none(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("any") / "file"
    path.write_bytes(content)

    kind = file_kind(path)
    assert kind is None or str(kind)
