"""A catalogue exported as FHIR and imported again is the same, except for data that the format cannot contain."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import msgspec
import pytest

from benchmarks import databases
from sitematch.config import data_file
from sitematch.domain.studies.record import StudyRecord
from sitematch.domain.studies.site import Site
from sitematch.domain.studies.study import RecruitmentStatus, Study
from sitematch.exporters.fhir.bundle import found_entry
from sitematch.exporters.fhir.resources import location_resource, organization_resource, study_resource
from sitematch.exporters.fhir.types import Bundle
from sitematch.gazetteer.locate import Gazetteer
from sitematch.importers.fhir.bundle import read_file
from sitematch.importers.study_file import read_study as read_study_file
from sitematch.importers.tables.sites_csv import read_sites as read_sites_file
from sitematch.services.studies.importing import import_records
from sitematch.store.engine import Store, open_store
from sitematch.store.studies.catalogue import list_studies, read_sites
from tests.builders import make_site, make_study
from tests.fhir_r4 import validate
from tests.services.studies.importers import NOW, Importer, Memory
from tests.shared_data import ctgov_folder

FILES = (
    "NCT02513394.json",
    "NCT05843643.json",
    "NCT06203210.2026-03-10.json",
    "NCT06892548.2026-02-12.json",
    "studies-page.json",
)
TODAY = date(2026, 12, 24)


@pytest.fixture
def importer(tmp_path: Path, gazetteer: Gazetteer) -> Iterator[Importer]:
    with open_store(databases.ready_url("sqlite", tmp_path)) as opened:
        yield Importer(opened, gazetteer)


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Store]:
    (tmp_path / "other").mkdir()
    with open_store(databases.ready_url("sqlite", tmp_path / "other")) as opened:
        yield opened


def written(study: Study, sites: Sequence[Site], path: Path) -> Path:
    """Write a study as a bundle, with each resource validated against R4."""
    resources = [
        study_resource(study, [site.site_id for site in sites]),
        *(location_resource(site, study) for site in sites),
        *(organization_resource(site) for site in sites),
    ]
    entries = tuple(found_entry("http://localhost/fhir", one, is_match=True) for one in resources)
    raw = msgspec.json.encode(Bundle(type="searchset", total=len(entries), entry=entries))
    validate(json.loads(raw))
    path.write_bytes(raw)
    return path


def facts(study: Study) -> Study:
    """Leave out data that the format does not contain: spots change with time, and the source is now the FHIR file."""
    return replace(study, source="", pool_spots=None)


def site_facts(site: Site) -> Site:
    """Leave out data that is derived again: notes about the record, and the location."""
    return replace(site, flags=(), place=None, spots=None)


def points(sites: Sequence[Site]) -> list[tuple[float, float] | None]:
    return [
        None if site.place is None else (site.place.coordinates.latitude, site.place.coordinates.longitude)
        for site in sites
    ]


@pytest.mark.parametrize("name", FILES)
def test_real_record_comes_back_the_same(
    importer: Importer, gazetteer: Gazetteer, other: Store, tmp_path: Path, name: str
) -> None:
    importer.file(ctgov_folder() / name)
    studies = list_studies(importer.store)

    for study in studies:
        path = written(study, read_sites(importer.store, study.study_id), tmp_path / "bundle.json")
        heard = Memory()
        import_records(other, gazetteer, read_file(path, TODAY), origin="fhir", source="x", now=NOW, watcher=heard)
        assert heard.faults == []

    assert list(map(facts, list_studies(other))) == list(map(facts, studies))
    for study in studies:
        before, after = read_sites(importer.store, study.study_id), read_sites(other, study.study_id)
        assert list(map(site_facts, after)) == list(map(site_facts, before))
        assert points(after) == points(before)


def test_default_studys_stand_ins_are_recognised_and_left_out(tmp_path: Path) -> None:
    study, sites = read_study_file(data_file("study.json")), read_sites_file(data_file("sites.csv")).sites

    (record,) = read_file(written(study, sites, tmp_path / "bundle.json"), TODAY)

    assert isinstance(record, StudyRecord)
    assert (record.locations, len(record.faults), record.given) == ((), 46, 46)
    assert facts(record.study) == facts(study)


@pytest.mark.parametrize("status", RecruitmentStatus)
@pytest.mark.parametrize("study_id", ["X-1", "X.1_b"])
def test_every_status_and_id_comes_back(tmp_path: Path, status: RecruitmentStatus, study_id: str) -> None:
    study = make_study(study_id=study_id, status=status, other_ids=("NCT00000007", "Z"))
    site = make_site("s_1 ü", study_id=study_id, source_study=study_id, status=status)

    (record,) = read_file(written(study, [site], tmp_path / "bundle.json"), TODAY)

    assert isinstance(record, StudyRecord)
    assert facts(record.study) == facts(study)
    assert [location.status for location in record.locations] == [status]
