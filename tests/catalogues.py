"""Unusual catalogues that must survive: formulas, quotes, line breaks, other scripts, leading zeros."""

from __future__ import annotations

from hypothesis import strategies as st

from sitematch.domain.place import Coordinates, Place, Precision
from sitematch.domain.plain_text import plain_text
from sitematch.domain.studies.design import Arm, ArmKind, TrialDesign
from sitematch.domain.studies.site import Site
from sitematch.domain.studies.study import Phase, RecruitmentStatus, Study
from sitematch.domain.studies.travel import TravelCertainty, TravelKind, TravelSupport

NASTY = (
    *("=1+1", "+1", "-0.28", "@SUM(A1)", "\t=x", "\r", "'=1", "''", "＝1＋1", " -1", '=HYPERLINK("http://x","y")'),
    *('a "quoted" name', "two\nlines", "two\r\nlines", "a,b;c\td", " | ", "a | b", '["a"]', "[", "_x0041_", "_x005F_"),
    *("04102", "1e5", "TRUE", "2026-01-02", "NULL", "  spaced  ", "\u200f‏מרכז רפואי‏", "مستشفى", "臺大醫院", "🏥👩🏽‍⚕️"),
    *("e\u0301", "\ufeff", "\u2028", "\x07", "\ufffe", "NaN", "0", "None"),
)
# A null character is in no text of a database, and tables leave out what steers a terminal or reorders a line.
texts = (st.sampled_from(NASTY) | st.text(st.characters(codec="utf-8"), max_size=30)).map(plain_text)
filled = texts.filter(bool)
lists = st.lists(texts, max_size=3).map(tuple)
kinds = st.lists(st.sampled_from(list(TravelKind)), unique=True).map(tuple)
travels = st.builds(TravelSupport, certainty=st.sampled_from(list(TravelCertainty)), kinds=kinds)
counts = st.none() | st.integers(0, 10**6)
statuses = st.sampled_from(list(RecruitmentStatus))
countries = st.sampled_from(["US", "DE", "TW", "IL"])
places = st.builds(
    Place,
    coordinates=st.builds(Coordinates, latitude=st.floats(-90, 90), longitude=st.floats(-180, 180)),
    precision=st.sampled_from(list(Precision)),
    uncertainty_km=st.floats(0, 20_000),
    source=texts,
    country=st.just("") | countries,
    name=texts,
    postcode=st.none() | filled,
    notes=lists,
)


@st.composite
def sites_of(draw: st.DrawFn, study_id: str) -> tuple[Site, ...]:
    """Draw the sites of a study, each with its own id."""
    ids = draw(st.lists(filled, unique=True, max_size=4))
    one = st.builds(
        Site,
        site_id=st.just(""),
        study_id=st.just(study_id),
        source_study=st.just(study_id) | filled,
        facility=filled,
        city=filled,
        country=countries,
        status=statuses,
        as_of_on=st.dates(),
        state=texts,
        postcode=texts,
        place=st.none() | places,
        travel=travels,
        time_reimbursement=texts,
        spots=counts,
        flags=lists,
        address=texts,
    )
    from dataclasses import replace

    return tuple(replace(draw(one), site_id=site_id) for site_id in ids)


designs = st.builds(
    TrialDesign,
    masking=texts,
    who_masked=lists,
    arms=st.lists(st.builds(Arm, name=texts, kind=st.sampled_from(ArmKind), interventions=lists), max_size=2).map(
        tuple
    ),
    interventions=lists,
    states_who=st.booleans(),
)


@st.composite
def catalogues(draw: st.DrawFn) -> tuple[Study, tuple[Site, ...]]:
    """Draw a study with its sites."""
    study_id = draw(filled)
    study = draw(
        st.builds(
            Study,
            study_id=st.just(study_id),
            title=texts,
            status=statuses,
            as_of_on=st.dates(),
            source=texts,
            summary=texts,
            sponsor=texts,
            other_ids=lists,
            conditions=lists,
            interventions=lists,
            phases=lists,
            pool_spots=counts,
            travel=travels,
            time_reimbursement=texts,
            age_min_years=counts,
            age_max_years=counts,
            sex=st.sampled_from(["ALL", "FEMALE", "MALE"]),
            timeline=st.lists(
                st.builds(Phase, name=texts, weeks_min=st.integers(0, 9), weeks_max=st.integers(0, 9)), max_size=2
            ).map(tuple),
            has_placebo=st.none() | st.booleans(),
            who=lists,
            who_not=lists,
            notice=texts,
            history=lists,
            design=designs,
        )
    )
    return study, draw(sites_of(study_id))
