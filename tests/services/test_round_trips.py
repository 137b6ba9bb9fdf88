"""What is exported and imported again is the same catalogue, in every form, on both databases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from sitematch.domain.site import Site
from sitematch.domain.study import Study
from sitematch.exporters.catalogue import write_catalogue
from sitematch.exporters.files import Form, write_table
from sitematch.exporters.rows import SITE_HEADER, cells, site_row
from sitematch.gazetteer.locate import Gazetteer
from sitematch.importers.catalogue import read_catalogue
from sitematch.importers.own_table import is_own, read_own
from sitematch.services.exporting import all_sites, all_studies
from sitematch.store import catalogue
from sitematch.store.engine import Store
from tests.builders import make_site
from tests.catalogues import catalogues
from tests.services.importers import Clerk

FORMS = list(Form)
SITES = (make_site("a-1"), make_site("a-2", latitude=None, spots=3, flags=("one", "two | three")))


@pytest.fixture
def clerk(store: Store, gazetteer: Gazetteer) -> Clerk:
    return Clerk(store, gazetteer)


def write_sites(path: Path, form: Form, sites: Any) -> Path:
    with path.open("wb") as file:
        write_table(file, form, SITE_HEADER, cells(map(site_row, sites), SITE_HEADER))
    return path


def write_studies(path: Path, studies: Any) -> Path:
    with path.open("wb") as file:
        write_catalogue(file, studies)
    return path


def all_of(store: Store) -> list[tuple[Study, tuple[Site, ...]]]:
    return list(catalogue.iter_studies(store))


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=catalogues())
def test_sites_come_back_the_same_from_a_table(
    clerk: Clerk, tmp_path: Path, form: Form, drawn: tuple[Study, tuple[Site, ...]]
) -> None:
    study, sites = drawn
    store = clerk.store
    catalogue.replace_study(store, study, sites)
    path = write_sites(tmp_path / "sites", form, all_sites(store, (study.study_id,)))
    catalogue.replace_study(store, study, ())

    if sites:  # an empty table of NDJSON has no header
        assert is_own(path)
        clerk._import(read_own(path))

    try:
        assert catalogue.read_study(store, study.study_id) == study
        assert catalogue.read_sites(store, study.study_id) == sites
    finally:
        catalogue.remove_study(store, study.study_id)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=catalogues())
def test_studies_come_back_the_same_from_a_catalogue(
    clerk: Clerk, tmp_path: Path, drawn: tuple[Study, tuple[Site, ...]]
) -> None:
    study, _ = drawn
    catalogue.replace_study(clerk.store, *drawn)
    path = write_studies(tmp_path / "catalogue", all_studies(clerk.store, None))
    catalogue.remove_study(clerk.store, study.study_id)

    clerk._import(read_catalogue(path))

    try:
        assert all_of(clerk.store) == [drawn]
    finally:
        catalogue.remove_study(clerk.store, study.study_id)
