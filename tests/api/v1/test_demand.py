"""Counting look-ups over HTTP: off by default, and no single look-up is stored or logged."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.background import flushing
from sitematch.errors import NotReady
from sitematch.services.finding.finder import Finder
from sitematch.services.reports.demand import DemandCounter
from sitematch.store.engine import Store
from sitematch.store.reports.demand import read_demand
from tests.api.builders import STUDY_ID
from tests.api.served_study import ServedStudy
from tests.builders import make_place

LOOK_UP = {"postcode": "33180", "country": "US", "limit": 1}


@pytest.fixture
def counting(tmp_path: Path, finder: Finder) -> Iterator[ServedStudy]:
    service = ServedStudy(tmp_path, finder, count_demand=True)
    yield service
    service.close()


def dump(home: Path) -> str:
    with sqlite3.connect(home / "sitematch.db") as file:
        text = "\n".join(file.iterdump())
    file.close()
    return text


def flush(service: ServedStudy) -> None:
    """Run the work of the daily thread."""
    backend = service.app.extensions["sitematch"]
    backend.demand.flush(backend.store(), service.now)


def test_nothing_of_a_look_up_reaches_the_database_or_a_log(
    counting: ServedStudy, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    before = dump(tmp_path)

    for _ in range(50):
        assert counting.client.post("/v1/matches", json=LOOK_UP).status_code == 200
    assert counting.client.post("/", data={"place": "33180", "country": "US"}).status_code == 200

    assert dump(tmp_path) == before
    said = caplog.text + "".join(capfd.readouterr())
    assert "33180" not in said
    assert "US-331" not in said


def test_a_batch_is_reported_by_region_and_month_after_the_month(counting: ServedStudy, tmp_path: Path) -> None:
    before = dump(tmp_path)
    for _ in range(24):
        counting.client.post("/v1/matches", json=LOOK_UP)

    flush(counting)

    added = set(dump(tmp_path).splitlines()) - set(before.splitlines())
    # Beside the count, the write's random name is kept for a day, so that it is not repeated.
    counted = {line for line in added if not line.startswith('INSERT INTO "idempotency" VALUES(\'demand:')}
    assert counted == {"INSERT INTO \"demand\" VALUES('NCT00000001','2026-01','US-331',22);"}
    assert regions(counting) == []
    counting.later(days=31)
    assert regions(counting) == [("US-331", 22)]


def test_a_thread_writes_full_batches_and_tries_again_after_an_error(counting: ServedStudy, tmp_path: Path) -> None:
    counter, written = DemandCounter(), threading.Event()
    tries: list[int] = []
    for _ in range(12):
        counter.count(STUDY_ID, make_place(country="DE", postcode="10115"))

    def store() -> Store:
        tries.append(1)
        if len(tries) == 1:
            raise NotReady("not yet")
        written.set()
        return counting.store

    task = flushing(counter, store, lambda: counting.now, every_s=0.01).start()

    assert written.wait(30)
    for _ in range(3000):
        if cells := read_demand(counting.store, STUDY_ID, ["2026-01"]):
            break
        time.sleep(0.01)
    task.stop()
    assert [(cell.region, cell.lookups) for cell in cells] == [("DE-10", 11)]


def regions(service: ServedStudy) -> list[tuple[str, int]]:
    answer = service.ask("GET", "/v1/reports/demand", secret=service.token("viewer").secret).json
    (table,) = (s["table"] for s in answer["sections"] if s["table"] and s["table"]["name"] == "regions")
    return [(row["region"], row["lookups"]) for row in table["rows"]]


def test_the_first_page_is_counted_as_well(counting: ServedStudy) -> None:
    for _ in range(11):
        counting.client.post("/", data={"place": "10115", "country": "DE"})

    flush(counting)

    counting.later(days=31)
    assert regions(counting) == [("DE-10", 11)]


def test_counting_is_off_unless_it_is_wanted(service: ServedStudy) -> None:
    service.client.post("/v1/matches", json=LOOK_UP)

    assert service.app.extensions["sitematch"].demand is None


def test_a_look_up_that_found_nothing_is_not_counted(counting: ServedStudy) -> None:
    for _ in range(22):
        assert counting.client.post("/v1/matches", json={"postcode": "99999", "country": "US"}).status_code == 404

    flush(counting)

    counting.later(days=31)
    assert regions(counting) == []


def test_the_report_says_what_is_left_out(counting: ServedStudy) -> None:
    answer = counting.ask("GET", "/v1/reports/demand?months=3&within_km=50").json

    assert answer["filters"] == {"months": "2025-10 to 2025-12", "within": "50 km", "at least": "11 searches"}
    assert any("left out of the totals" in note for note in answer["notes"])
