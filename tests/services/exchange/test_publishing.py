"""The bulk publication over both databases: whole files, differences, and versions that miss no change."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from sitematch.services.exchange import publishing
from sitematch.services.exchange.publishing import CatalogueWatch, File, files_since, publish, read_state
from sitematch.store.engine import Store
from sitematch.store.studies.catalogue import replace_studies
from tests.store.builders import Desk, make_site, make_study, site_key


@pytest.fixture
def desk(store: Store) -> Desk:
    desk = Desk(store)
    desk.cap(2, site_key())
    desk.cap(3, site_key("site-2"))
    replace_studies(
        store,
        [
            (make_study(study_id=f"OTHER-{n}", pool_spots=n), [make_site(f"other-{n}", study_id=f"OTHER-{n}")])
            for n in range(5)
        ],
    )
    return desk


def slots(desk: Desk, since: datetime | None = None) -> dict[str, Any]:
    lines = b"".join(publish(desk.store, File.SLOT, read_state(desk.store, desk.now), since)).splitlines()
    found = [msgspec.json.decode(line) for line in lines]
    return {slot["id"]: slot for slot in found}


def count(slot: Any) -> int:
    (spots,) = [one for one in slot["extension"] if one["url"].endswith("spots-left")]
    (number,) = [part["valueInteger"] for part in spots["extension"] if part["url"] == "count"]
    return int(number)


def test_every_site_is_written_once_however_few_studies_are_read_at_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = slots(desk)
    for size in (1, 2, 3):
        monkeypatch.setattr(publishing, "_STUDIES_A_READ", size)

        assert slots(desk) == whole

    assert list(whole) == ["site-1", "site-2", *(f"other-{n}" for n in range(5))]


def test_spots_are_those_of_the_ledger_or_as_stated_without_one(desk: Desk) -> None:
    desk.hold("r-1")

    found = slots(desk)

    assert (count(found["site-1"]), count(found["site-2"]), count(found["other-4"])) == (1, 3, 4)
    assert (found["other-0"]["status"], found["other-4"]["status"]) == ("busy", "free")


def test_differences_are_the_sites_that_something_happened_at(desk: Desk) -> None:
    desk.later(minutes=1)
    since = desk.now
    desk.later(minutes=1)

    assert slots(desk, since) == {}
    desk.hold("r-1", "site-2")
    assert slots(desk, since).keys() == {"site-2"}
    desk.cap(10)
    assert slots(desk, since).keys() == {"site-1", "site-2"}


def test_lapse_of_a_hold_changes_the_version_and_is_a_difference(desk: Desk) -> None:
    desk.hold("r-1", hold_for=timedelta(hours=1))
    before = read_state(desk.store, desk.now)
    desk.later(minutes=30)
    since = desk.now
    assert read_state(desk.store, desk.now).version(File.SLOT) == before.version(File.SLOT)

    desk.later(minutes=45)

    after = read_state(desk.store, desk.now)
    assert after.version(File.SLOT) != before.version(File.SLOT)
    assert after.version(File.LOCATION) == before.version(File.LOCATION)
    assert {site_id: count(slot) for site_id, slot in slots(desk, since).items()} == {"site-1": 2}


def test_catalogue_is_trusted_only_as_long_as_it_was_watched(desk: Desk) -> None:
    watch = CatalogueWatch()
    first = read_state(desk.store, desk.now)
    assert set(files_since(watch, first, None)) == set(File)

    desk.later(minutes=1)
    seen = desk.now
    assert File.LOCATION in files_since(watch, read_state(desk.store, seen), seen - timedelta(minutes=2))
    assert File.LOCATION not in files_since(watch, read_state(desk.store, seen), seen)

    replace_studies(desk.store, [(make_study(study_id="NEW"), [make_site("new", study_id="NEW")])])
    desk.later(minutes=1)
    assert set(files_since(watch, read_state(desk.store, desk.now), seen)) == set(File)
