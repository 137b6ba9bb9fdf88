"""Uploads of hostile and damaged files: refused with a message, read in a separate process, nothing left behind."""

from __future__ import annotations

import io
import json
import os
import resource
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from sitematch.domain.accounts.access import Actor
from sitematch.errors import DataFault, LedgerBusy
from sitematch.importers import ctgov
from sitematch.importers.limits import FileLimits, ProcessLimits
from sitematch.importers.sandbox.reading import AT_ONCE, read_records_apart, read_table_apart
from sitematch.importers.tables.foreign import read_table
from sitematch.services.studies.sources import RECORD_READERS, ImportSource
from sitematch.services.studies.uploads import import_upload
from sitematch.store.studies import catalogue
from tests.api.console_user import console_user, read_text
from tests.api.served_study import OTHER_STUDY, ServedStudy
from tests.importers.records import make_location, make_record
from tests.security import hostile_files as hostile

IMPORTS = f"/console/imports?study={OTHER_STUDY}"
TEST_MEMORY_BYTES = 3 << 30
TEST_WALL_S = 150
TODAY = date(2026, 1, 10)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limits on a process's resources")


@pytest.fixture(autouse=True)
def bounded_test() -> Iterator[None]:
    """Limit the resources of a test, so that a reader without limits fails without harm."""

    def give_up(_number: int, _frame: object) -> None:
        raise TimeoutError(f"the test took over {TEST_WALL_S} s")

    before = resource.getrlimit(resource.RLIMIT_AS)
    used_bytes = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used_bytes + TEST_MEMORY_BYTES, before[1]))
    handler = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(TEST_WALL_S)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, handler)
    resource.setrlimit(resource.RLIMIT_AS, before)


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files, of this test alone."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return folder


def upload(service: ServedStudy, content: bytes, name: str, form: str) -> TestResponse:
    person = console_user(service, "administrator")
    sent = person.form_in(person.get(IMPORTS), "/uploads")
    data = {**sent.data({"form": form}), "file": (io.BytesIO(content), name)}
    response = person.client.post(
        sent.action, data=data, headers={"Origin": "http://localhost"}, content_type="multipart/form-data"
    )
    response.request.environ["wsgi.input"].close()  # the client keeps a long body in a file
    return response


def facilities(service: ServedStudy) -> set[str]:
    return {site.facility for site in catalogue.read_sites(service.store, OTHER_STUDY)}


@pytest.mark.parametrize(
    ("make", "name", "form", "words"),
    [
        (hostile.far_cell, "sites.xlsx", "table", "more than 500 columns"),
        (hostile.many_rows, "sites.xlsx", "table", "more than 50,000 rows"),
        (hostile.far_row, "sites.xlsx", "table", "more than 50,000 rows"),
        (hostile.many_texts, "sites.xlsx", "table", "more than 2,000,000 texts"),
        (hostile.many_texts_under_another_name, "sites.xlsx", "table", "more than 2,000,000 texts"),
        (hostile.long_sheet, "sites.xlsx", "table", "more than 512 MB when it is unpacked"),
        (hostile.wide_csv, "sites.csv", "table", "more than 500 columns"),
        (hostile.comma_file, "sites.csv", "table", "more than 2,000,000 cells"),
        (hostile.long_csv, "sites.csv", "table", "more than 50,000 rows"),
        (hostile.long_town, "sites.csv", "table", "more than 32,767 characters"),
        (hostile.many_objects, "studies.json.gz", "ctgov", "more than 100,000 records"),
        (hostile.many_objects, "studies.json.gz", "nci", "more than 100,000 records"),
        (hostile.many_objects, "bundle.json.gz", "fhir", "more than 100,000 records"),
        (hostile.nested_objects, "studies.json.gz", "ctgov", "memory|too long to be read"),
        (hostile.spaces, "studies.json.gz", "ctgov", "more than 512 MB when it is unpacked"),
        (hostile.archive_of_spaces, "studies.zip", "ctgov", "more than 512 MB when it is unpacked"),
        (hostile.broken_sheet, "sites.xlsx", "table", "not a readable Excel workbook"),
        (hostile.wrong_number, "sites.xlsx", "table", "not a readable Excel workbook"),
        (hostile.wrong_reference, "sites.xlsx", "table", "not a readable Excel workbook"),
        (hostile.damaged_workbook, "sites.xlsx", "table", "not a readable Excel workbook"),
        (hostile.damaged_gzip, "studies.json.gz", "ctgov", "cannot be read|not the JSON that was expected"),
        (hostile.deep_json, "studies.json", "ctgov", "nested too deeply"),
    ],
)  # fmt: skip
def test_hostile_or_broken_file_is_refused_in_words_and_leaves_nothing(
    service: ServedStudy,
    temporary: Path,
    tmp_path: Path,
    make: Callable[[], bytes],
    name: str,
    form: str,
    words: str,
) -> None:
    response = upload(service, make(), name, form)

    text = read_text(response.text)
    assert response.status_code == 422
    assert any(each in text for each in words.split("|")), text
    assert "Nothing was changed" in text
    assert facilities(service) == {"Hospital far"}
    assert list((tmp_path / "uploads").iterdir()) == []
    assert list(temporary.iterdir()) == []


def children() -> list[int]:
    """Return the reading processes that this one started and that still run."""
    started = [child for task in Path("/proc/self/task").iterdir() for child in (task / "children").read_text().split()]
    return [int(child) for child in started if b"sitematch.importers.sandbox.child" in command_line(child)]


def command_line(process_id: str) -> bytes:
    try:
        return Path(f"/proc/{process_id}/cmdline").read_bytes()
    except FileNotFoundError:
        return b""  # ended meanwhile


def test_the_process_that_serves_answers_while_another_reads(service: ServedStudy, tmp_path: Path) -> None:
    pipe = tmp_path / "studies.json"
    os.mkfifo(pipe)
    refusals: list[Exception] = []

    def import_it() -> None:
        try:
            import_upload(
                service.store,
                service.app.extensions["sitematch"].finder().gazetteer,
                Actor(actor_id="user:ann"),
                pipe,
                ImportSource.CTGOV,
                name="studies.json",
                uploader="ann",
                study_id=OTHER_STUDY,
                now=service.now,
                dry_run=True,
            )
        except DataFault as refusal:
            refusals.append(refusal)

    reader = threading.Thread(target=import_it)
    reader.start()
    with pipe.open("wb") as sent:  # opens when somebody has opened it to read
        readers = [child for child in children() if str(pipe) in open_files(child)]
        answer = service.ask("POST", "/v1/matches", {"postcode": "33180", "country": "US"})
        still_reading = reader.is_alive()
        sent.write(b"{broken")
    reader.join()

    assert len(readers) == 1
    assert answer.status_code == 200
    assert still_reading
    assert len(refusals) == 1
    assert children() == []


def open_files(process_id: int) -> list[str]:
    found = []
    for link in Path(f"/proc/{process_id}/fd").iterdir():
        try:
            found.append(str(link.readlink()))
        except FileNotFoundError:
            continue  # closed meanwhile
    return found


def ctgov_file(path: Path, process: ProcessLimits | None = None) -> list[object]:
    return list(read_records_apart(ctgov.read_file, path, TODAY, process=process or ProcessLimits()))


def test_a_third_file_at_a_time_is_asked_to_come_back(tmp_path: Path) -> None:
    one_more = tmp_path / "more.json"
    one_more.write_text("{}")
    pipes = [tmp_path / f"{number}.json" for number in range(AT_ONCE)]
    ended: list[str] = []

    def read(path: Path) -> None:
        try:
            ctgov_file(path)
        except DataFault as refusal:
            ended.append(refusal.message)

    readers = [threading.Thread(target=read, args=[pipe]) for pipe in pipes]
    for pipe, reader in zip(pipes, readers, strict=True):
        os.mkfifo(pipe)
        reader.start()
    opened = [pipe.open("wb") for pipe in pipes]

    with pytest.raises(LedgerBusy, match="other files are being read"):
        ctgov_file(one_more)
    for sent in opened:
        sent.close()
    for reader in readers:
        reader.join()

    assert len(ended) == AT_ONCE
    assert len(ctgov_file(one_more)) == 1


def test_a_reader_that_waits_for_ever_is_ended(tmp_path: Path) -> None:
    pipe = tmp_path / "studies.json"
    os.mkfifo(pipe)  # nobody writes into it

    with pytest.raises(DataFault, match="takes too long"):
        ctgov_file(pipe, ProcessLimits(wall_s=2.0))

    assert children() == []


def test_a_reader_that_computes_for_ever_is_ended(tmp_path: Path) -> None:
    path = tmp_path / "studies.json.gz"
    path.write_bytes(hostile.many_objects())

    with pytest.raises(DataFault, match="takes too long"):
        list(read_records_apart(ctgov.read_file, path, TODAY, limits=FileLimits(), process=ProcessLimits(cpu_s=1)))

    assert children() == []


def test_a_reader_that_takes_too_much_memory_is_ended(tmp_path: Path) -> None:
    path = tmp_path / "studies.json.gz"
    path.write_bytes(hostile.nested_objects())

    with pytest.raises(DataFault, match="more than 400 MB of memory"):
        ctgov_file(path, ProcessLimits(memory_bytes=400 << 20))

    assert children() == []


def test_too_much_that_is_found_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "studies.json"
    path.write_text(json.dumps([make_record(make_location(), nct_id=f"NCT{n:08}") for n in range(50)]))

    with pytest.raises(DataFault, match="more than 10,000 bytes of studies and sites"):
        ctgov_file(path, ProcessLimits(answer_bytes=10_000))


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (FileLimits(locations=49), "more than 49 locations"),
        (FileLimits(location_characters=5), "more than 5 characters in the facility"),
        (FileLimits(records=49), "more than 49 records"),
        (FileLimits(expanded_bytes=2_000), "more than 2,000 bytes when it is unpacked"),
    ],
)
def test_each_limit_of_a_file_of_studies_holds(tmp_path: Path, limits: FileLimits, words: str) -> None:
    path = tmp_path / "studies.json"
    path.write_text(json.dumps([make_record(make_location(), nct_id=f"NCT{n:08}") for n in range(50)]))

    with pytest.raises(DataFault, match=words):
        list(read_records_apart(ctgov.read_file, path, TODAY, limits=limits))


def test_what_is_read_apart_is_what_is_read_here(tmp_path: Path) -> None:
    studies = tmp_path / "studies.json"
    records = [
        make_record(make_location(), make_location(zip="1", geoPoint=None), nct_id=f"NCT{n:08}") for n in range(9)
    ]
    studies.write_text(json.dumps([*records, {"no": "study"}]))
    csv, xlsx = tmp_path / "sites.csv", tmp_path / "sites.xlsx"
    csv.write_bytes("A list of 2026;;\nKlinik;Stadt;Land\nCharité;Köln;DE\n;;\nB;Bonn\n".encode("cp1252"))
    xlsx.write_bytes(
        hostile.workbook([hostile.SITES, *[hostile.text_cells("B", "Bonn")] * 250], dimension="A1:XFD1048576")
    )

    assert ctgov_file(studies) == list(ctgov.read_file(studies, TODAY))
    for table in (csv, xlsx):
        assert read_table_apart(table) == read_table(table)
    assert read_table_apart(csv, "", {"city": "Bonn"}) == read_table(csv, "", {"city": "Bonn"})


@pytest.mark.parametrize("source", RECORD_READERS)
def test_every_kind_of_file_is_read_apart(tmp_path: Path, source: ImportSource) -> None:
    path = tmp_path / "file.json"
    path.write_text("[1]")

    try:
        here: object = list(RECORD_READERS[source](path, TODAY))
    except DataFault as refusal:
        here = refusal.message
    try:
        apart: object = list(read_records_apart(RECORD_READERS[source], path, TODAY))
    except DataFault as refusal:
        apart = refusal.message

    assert apart == here


def test_secrets_of_the_server_are_not_handed_to_the_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SITEMATCH_DATABASE_URL", "postgresql://user:secret@example.org/db")
    pipe = tmp_path / "studies.json"
    os.mkfifo(pipe)
    refusals: list[str] = []

    def read() -> None:
        try:
            ctgov_file(pipe)
        except DataFault as refusal:
            refusals.append(refusal.message)

    reader = threading.Thread(target=read)
    reader.start()
    with pipe.open("wb"):
        seen = [Path(f"/proc/{child}/environ").read_bytes() for child in children() if str(pipe) in open_files(child)]
    reader.join()

    assert len(seen) == 1
    assert b"secret" not in seen[0]


def test_upload_that_a_server_left_half_written_is_removed_by_the_next(service: ServedStudy, tmp_path: Path) -> None:
    half, cut_off = tmp_path / "uploads" / ("a" * 32), tmp_path / "uploads" / ("b" * 32)
    for folder in (half, cut_off):
        folder.mkdir(parents=True)
        (folder / "file.csv").write_text("facility,city")
    (cut_off / "about.json").write_text('{"actor_id": "us')
    for folder in (half, cut_off):
        os.utime(folder, (0, 0))

    upload(service, b"", "sites.csv", "table")

    assert list((tmp_path / "uploads").iterdir()) == []
