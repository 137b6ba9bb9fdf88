"""A catalogue that is exported and imported again is the same, in every format, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from sitematch.domain.studies.change import ChangeKind
from sitematch.domain.studies.site import Site
from sitematch.domain.studies.study import Study
from sitematch.errors import DataFault, StudyNotFound
from sitematch.exporters.catalogue import write_catalogue
from sitematch.exporters.tables.files import TableFormat, write_table
from sitematch.exporters.tables.rows import SITE_HEADER, cells, site_row
from sitematch.gazetteer.locate import Gazetteer
from sitematch.importers.catalogue import read_catalogue
from sitematch.importers.tables.own_table import is_own, read_own
from sitematch.services.exchange.exporting import all_sites, all_studies
from sitematch.store.engine import Store
from sitematch.store.studies import catalogue
from sitematch.store.studies.imports import undo_import
from tests.builders import make_place, make_site, make_study
from tests.catalogues import catalogues
from tests.services.studies.importers import NOW, Importer
from tests.shared_data import ctgov_folder

FORMS = list(TableFormat)
SITES = (make_site("a-1"), make_site("a-2", latitude=None, spots=3, flags=("one", "two | three")))


@pytest.fixture
def importer(store: Store, gazetteer: Gazetteer) -> Importer:
    return Importer(store, gazetteer)


def write_sites(path: Path, form: TableFormat, sites: Any) -> Path:
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
    importer: Importer, tmp_path: Path, form: TableFormat, drawn: tuple[Study, tuple[Site, ...]]
) -> None:
    study, sites = drawn
    store = importer.store
    catalogue.replace_study(store, study, sites)
    path = write_sites(tmp_path / "sites", form, all_sites(store, (study.study_id,)))
    catalogue.replace_study(store, study, ())

    if sites:  # an empty table of NDJSON has no header
        assert is_own(path)
        importer.bring(read_own(path))

    try:
        assert catalogue.read_study(store, study.study_id) == study
        assert catalogue.read_sites(store, study.study_id) == sites
    finally:
        catalogue.remove_study(store, study.study_id)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=catalogues())
def test_studies_come_back_the_same_from_a_catalogue(
    importer: Importer, tmp_path: Path, drawn: tuple[Study, tuple[Site, ...]]
) -> None:
    study, _ = drawn
    catalogue.replace_study(importer.store, *drawn)
    path = write_studies(tmp_path / "catalogue", all_studies(importer.store, None))
    catalogue.remove_study(importer.store, study.study_id)

    importer.bring(read_catalogue(path))

    try:
        assert all_of(importer.store) == [drawn]
    finally:
        catalogue.remove_study(importer.store, study.study_id)


def test_every_real_record_comes_back_the_same_from_every_form(importer: Importer, tmp_path: Path) -> None:
    store = importer.store
    for path in sorted(ctgov_folder().glob("*.json")):
        importer.file(path, allow_older=True)
    before = all_of(store)
    assert sum(len(sites) for _, sites in before) > 2_500
    whole = write_studies(tmp_path / "catalogue", all_studies(store, None))

    for form in FORMS:
        table = write_sites(tmp_path / "sites", form, all_sites(store, None))
        catalogue.replace_studies(store, [(study, sites[: len(sites) // 2]) for study, sites in before])
        importer.bring(read_own(table, is_whole=True))
        assert all_of(store) == before, form
    for study, _ in before:
        catalogue.remove_study(store, study.study_id)
    importer.bring(read_catalogue(whole))
    assert all_of(store) == before


def test_changed_site_is_reported_with_all_its_changes_and_can_be_undone(importer: Importer, tmp_path: Path) -> None:
    catalogue.replace_study(importer.store, make_study(), SITES)
    moved = replace(SITES[0], place=make_place(1.5, 2.5, uncertainty_km=3.0), spots=4, as_of_on=date(2026, 2, 1))
    path = write_sites(tmp_path / "sites.csv", TableFormat.CSV, [moved])

    importer.bring(read_own(path))

    (change,) = importer.heard.changes
    (told,) = change.sites
    assert (told.kind, told.site_id, change.unchanged) == (ChangeKind.CHANGED, "a-1", 1)
    assert {field.field: field.new for field in told.fields} == {
        "place": "1.5, 2.5 ± 3.0 km (test)",
        "spots": "4",
        "as_of_on": "2026-02-01",
    }
    assert catalogue.read_sites(importer.store, make_study().study_id) == (moved, SITES[1])
    undo_import(importer.store, NOW)
    assert catalogue.read_sites(importer.store, make_study().study_id) == SITES


def test_a_site_that_a_whole_table_lacks_is_closed_and_kept(importer: Importer, tmp_path: Path) -> None:
    catalogue.replace_study(importer.store, make_study(), SITES)
    path = write_sites(tmp_path / "sites.csv", TableFormat.CSV, SITES[1:])

    importer.bring(read_own(path, is_whole=True))

    kept, gone = catalogue.read_sites(importer.store, make_study().study_id)
    assert kept == SITES[1]
    assert (gone.site_id, gone.status) == ("a-1", "ACTIVE_NOT_RECRUITING")
    assert importer.heard.kinds() == {ChangeKind.VANISHED: 1}


def test_a_table_with_one_fault_changes_nothing_and_tells_all_faults(importer: Importer, tmp_path: Path) -> None:
    catalogue.replace_study(importer.store, make_study(), SITES)
    path = write_sites(tmp_path / "sites.csv", TableFormat.CSV, [replace(SITES[0], city="Elsewhere"), SITES[1]])
    text = path.read_text(encoding="utf-8").replace("a-2,NCT00000001", "a-1,NCT00000001").replace(",3,2026", ",-3,2026")
    path.write_text(text, encoding="utf-8", newline="")

    with pytest.raises(DataFault) as caught:
        importer.bring(read_own(path))

    assert [(fault.line, fault.field) for fault in caught.value.faults] == [(3, "spots"), (3, "site_id")]
    assert catalogue.read_sites(importer.store, make_study().study_id) == SITES


def test_rows_of_a_study_that_are_not_together_are_refused(importer: Importer, tmp_path: Path) -> None:
    other = make_site("b-1", study_id="NCT00000002")
    path = write_sites(tmp_path / "sites.csv", TableFormat.CSV, [SITES[0], other, SITES[1]])

    with pytest.raises(DataFault, match="sort the table by study_id"):
        list(read_own(path))


def test_a_null_character_is_refused_in_every_form(tmp_path: Path) -> None:
    for form in FORMS:
        path = write_sites(tmp_path / f"sites.{form}", form, [replace(SITES[0], city="Ki\x00el")])
        if form is TableFormat.CSV:  # where it is left out
            path.write_bytes(path.read_bytes().replace(b"Kiel", b"Ki\x00el"))
        with pytest.raises(DataFault, match="null character"):
            list(read_own(path))
    path = write_studies(tmp_path / "catalogue", [(make_study(title="\x00"), SITES)])
    with pytest.raises(DataFault, match="null character"):
        list(read_catalogue(path))


def test_sites_of_a_study_that_is_not_there_are_refused(importer: Importer, tmp_path: Path) -> None:
    path = write_sites(tmp_path / "sites.csv", TableFormat.CSV, SITES)

    with pytest.raises(StudyNotFound):
        importer.bring(read_own(path))


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda lines: lines[:-1], "cut off after 1 studies with 2 sites"),
        (lambda lines: [lines[0], lines[-1]], "cut off after 0 studies"),
        (lambda lines: [*lines[:-2], lines[-2][:-40]], "line 2"),
        (lambda lines: lines[1:], "is not a catalogue in the format"),
        (lambda lines: [], "is not a catalogue in the format"),
        (lambda lines: [*lines, lines[1]], "there is more text after the end"),
        (lambda lines: [lines[0], lines[1].replace(b'"spots":3', b'"spots":-3'), lines[2]], "below 0"),
        (lambda lines: [lines[0], lines[1].replace(b'"latitude":0.0', b'"latitude":90.5'), lines[2]], "latitude"),
    ],
)
def test_a_damaged_catalogue_changes_nothing(importer: Importer, tmp_path: Path, damage: Any, words: str) -> None:
    path = write_studies(tmp_path / "catalogue", [(make_study(), SITES)])
    path.write_bytes(b"".join(damage(path.read_bytes().splitlines(keepends=True))))

    with pytest.raises(DataFault, match=words):
        importer.bring(read_catalogue(path))

    assert all_of(importer.store) == []


def test_an_older_catalogue_is_left_out_unless_it_is_allowed(importer: Importer, tmp_path: Path) -> None:
    path = write_studies(tmp_path / "catalogue", [(make_study(as_of_on=date(2025, 1, 1)), SITES)])
    catalogue.replace_study(importer.store, make_study(), ())

    left_out = importer.bring(read_catalogue(path))
    taken = importer.bring(read_catalogue(path), allow_older=True)

    assert (left_out.records_left_out, left_out.studies_changed) == (1, 0)
    assert (taken.records_left_out, taken.added) == (0, 2)
