from __future__ import annotations

from datetime import date

import pytest

from sitematch.domain.place import Coordinates, Place, Precision
from sitematch.domain.studies.study import Phase, RecruitmentStatus
from sitematch.domain.studies.travel import TravelCertainty, TravelKind, TravelSupport
from sitematch.errors import InvalidInput, StudyNotFound
from sitematch.store.engine import Store
from sitematch.store.studies.catalogue import (
    catalogue_version,
    iter_sites,
    list_studies,
    read_sites,
    read_study,
    remove_study,
    replace_studies,
    replace_study,
)
from tests.store.builders import STUDY_ID, make_site, make_study

FULL_STUDY = make_study(
    summary="Plain words, with “quotes” and 漢字",
    sponsor="HI-Bio",
    other_ids=("HIB-202-101", "299LE101"),
    conditions=("Lupus Nephritis",),
    interventions=("felzartamab",),
    phases=("PHASE1", "PHASE2"),
    pool_spots=8,
    travel=TravelSupport(certainty=TravelCertainty.MAY_BE_COVERED, kinds=(TravelKind.MILEAGE, TravelKind.LODGING)),
    time_reimbursement="varies",
    age_min_years=18,
    age_max_years=75,
    sex="FEMALE",
    timeline=(Phase(name="screening", weeks_min=2, weeks_max=4),),
    has_placebo=False,
    who=("adults",),
    who_not=("dialysis",),
    notice="The sites are stand-ins.",
    history=("2026-01-02: imported",),
)
FULL_SITE = make_site(
    state="ME",
    postcode="04102",
    source_study="NCT05843643",
    place=Place(
        coordinates=Coordinates(latitude=43.6591, longitude=-70.2568),
        precision=Precision.DISTRICT,
        uncertainty_km=3.25,
        source="US Census 2020",
        country="US",
        name="Portland, Maine",
        postcode="04102",
        notes=("the city's point",),
    ),
    status=RecruitmentStatus.NOT_YET_RECRUITING,
    travel=TravelSupport(certainty=TravelCertainty.COVERED, kinds=(TravelKind.AIRFARE,)),
    time_reimbursement="50 USD a visit",
    spots=0,
    flags=("status taken from the study",),
    as_of_on=date(2025, 12, 31),
)


def test_study_comes_back_as_it_was_written(store: Store) -> None:
    replace_study(store, FULL_STUDY, [])

    found = read_study(store, STUDY_ID)

    assert found == FULL_STUDY


def test_sites_come_back_as_they_were_written_and_in_order(store: Store) -> None:
    sites = (make_site("z"), FULL_SITE, make_site("a", place=None, spots=None))
    replace_study(store, make_study(), sites)

    found = read_sites(store, STUDY_ID)

    assert found == sites


def test_replacing_a_study_leaves_nothing_of_its_former_sites(store: Store) -> None:
    replace_study(store, make_study(), [make_site("old"), make_site("kept")])

    replace_study(store, make_study(title="Renamed"), [make_site("kept", city="Bangor")])

    assert read_study(store, STUDY_ID).title == "Renamed"
    assert [(site.site_id, site.city) for site in read_sites(store, STUDY_ID)] == [("kept", "Bangor")]


def test_unknown_study_is_named_in_the_error(store: Store) -> None:
    with pytest.raises(StudyNotFound, match="NCT99999999"):
        read_study(store, "NCT99999999")
    with pytest.raises(StudyNotFound, match="NCT99999999"):
        read_sites(store, "NCT99999999")
    with pytest.raises(StudyNotFound, match="NCT99999999"):
        remove_study(store, "NCT99999999")


def test_study_without_sites_has_none(store: Store) -> None:
    replace_study(store, make_study(), [])

    assert read_sites(store, STUDY_ID) == ()


def test_catalogue_version_changes_with_every_change_and_with_nothing_else(store: Store) -> None:
    versions = [catalogue_version(store)]

    replace_study(store, make_study(), [make_site()])
    versions.append(catalogue_version(store))
    replace_study(store, make_study(), [])
    versions.append(catalogue_version(store))
    remove_study(store, STUDY_ID)
    versions.append(catalogue_version(store))
    list_studies(store)
    replace_studies(store, [])

    assert len(set(versions)) == 4
    assert catalogue_version(store) == versions[-1]


def test_failed_write_of_many_studies_changes_nothing(store: Store) -> None:
    replace_study(store, make_study(), [make_site()])
    before = catalogue_version(store)
    other = make_study(study_id="NCT00000002")

    with pytest.raises(InvalidInput, match="already has"):
        replace_studies(store, [(other, [make_site("site-1", study_id="NCT00000002")])])
    with pytest.raises(InvalidInput, match="not to"):
        replace_studies(store, [(other, []), (other, [make_site("site-9")])])

    assert [study.study_id for study in list_studies(store)] == [STUDY_ID]
    assert catalogue_version(store) == before


def test_many_studies_are_listed_by_id_and_their_sites_iterated_in_order(store: Store) -> None:
    studies = [
        (make_study(study_id=f"NCT{n:08d}"), [make_site(f"{n}-{k}", study_id=f"NCT{n:08d}") for k in (2, 1)])
        for n in (3, 1, 2)
    ]

    written = replace_studies(store, iter(studies))

    assert written == 3
    assert [study.study_id for study in list_studies(store)] == ["NCT00000001", "NCT00000002", "NCT00000003"]
    assert [site.site_id for site in iter_sites(store)] == ["1-2", "1-1", "2-2", "2-1", "3-2", "3-1"]


def test_removed_study_is_gone_with_its_sites(store: Store) -> None:
    replace_study(store, make_study(), [make_site()])

    remove_study(store, STUDY_ID)

    assert list_studies(store) == ()
    assert list(iter_sites(store)) == []
