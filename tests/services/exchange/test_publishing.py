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
from tests.store.builders import Coordinator, make_site, make_study, site_key


@pytest.fixture
def coordinator(store: Store) -> Coordinator:
    coordinator = Coordinator(store)
    coordinator.cap(2, site_key())
    coordinator.cap(3, site_key("site-2"))
    replace_studies(
        store,
        [
            (make_study(study_id=f"OTHER-{n}", pool_spots=n), [make_site(f"other-{n}", study_id=f"OTHER-{n}")])
            for n in range(5)
        ],
    )
    return coordinator


def slots(coordinator: Coordinator, since: datetime | None = None) -> dict[str, Any]:
    lines = b"".join(
        publish(coordinator.store, File.SLOT, read_state(coordinator.store, coordinator.now), since)
    ).splitlines()
    found = [msgspec.json.decode(line) for line in lines]
    return {slot["id"]: slot for slot in found}


def count(slot: Any) -> int:
    (spots,) = [one for one in slot["extension"] if one["url"].endswith("spots-left")]
    (number,) = [part["valueInteger"] for part in spots["extension"] if part["url"] == "count"]
    return int(number)


def test_every_site_is_written_once_however_few_studies_are_read_at_once(
    coordinator: Coordinator, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = slots(coordinator)
    for size in (1, 2, 3):
        monkeypatch.setattr(publishing, "_STUDIES_A_READ", size)

        assert slots(coordinator) == whole

    assert list(whole) == ["site-1", "site-2", *(f"other-{n}" for n in range(5))]


def test_spots_are_those_of_the_ledger_or_as_stated_without_one(coordinator: Coordinator) -> None:
    coordinator.hold("r-1")

    found = slots(coordinator)

    assert (count(found["site-1"]), count(found["site-2"]), count(found["other-4"])) == (1, 3, 4)
    assert (found["other-0"]["status"], found["other-4"]["status"]) == ("busy", "free")


def test_differences_are_the_sites_that_something_happened_at(coordinator: Coordinator) -> None:
    coordinator.later(minutes=1)
    since = coordinator.now
    coordinator.later(minutes=1)

    assert slots(coordinator, since) == {}
    coordinator.hold("r-1", "site-2")
    assert slots(coordinator, since).keys() == {"site-2"}
    coordinator.cap(10)
    assert slots(coordinator, since).keys() == {"site-1", "site-2"}


def test_lapse_of_a_hold_changes_the_version_and_is_a_difference(coordinator: Coordinator) -> None:
    coordinator.hold("r-1", hold_for=timedelta(hours=1))
    before = read_state(coordinator.store, coordinator.now)
    coordinator.later(minutes=30)
    since = coordinator.now
    assert read_state(coordinator.store, coordinator.now).version(File.SLOT) == before.version(File.SLOT)

    coordinator.later(minutes=45)

    after = read_state(coordinator.store, coordinator.now)
    assert after.version(File.SLOT) != before.version(File.SLOT)
    assert after.version(File.LOCATION) == before.version(File.LOCATION)
    assert {site_id: count(slot) for site_id, slot in slots(coordinator, since).items()} == {"site-1": 2}


def test_catalogue_is_trusted_only_as_long_as_it_was_watched(coordinator: Coordinator) -> None:
    watch = CatalogueWatch()
    first = read_state(coordinator.store, coordinator.now)
    assert set(files_since(watch, first, None)) == set(File)

    coordinator.later(minutes=1)
    seen = coordinator.now
    assert File.LOCATION in files_since(watch, read_state(coordinator.store, seen), seen - timedelta(minutes=2))
    assert File.LOCATION not in files_since(watch, read_state(coordinator.store, seen), seen)

    replace_studies(coordinator.store, [(make_study(study_id="NEW"), [make_site("new", study_id="NEW")])])
    coordinator.later(minutes=1)
    assert set(files_since(watch, read_state(coordinator.store, coordinator.now), seen)) == set(File)
