"""The JSON type of a study with all details."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from sitematch.domain.studies.design import TrialDesign
from sitematch.domain.studies.study import Phase, Study
from sitematch.exporters.wire.matches import StudyAnswer, Travel, study_answer


class StudyDetail(StudyAnswer, frozen=True):
    """A study as in its registry, with its spots and travel support."""

    summary: str
    sponsor: str
    other_ids: tuple[str, ...]
    conditions: tuple[str, ...]
    keywords: tuple[str, ...]
    interventions: tuple[str, ...]
    phases: tuple[str, ...]
    pool_spots: Annotated[int | None, Meta(description="Spots shared by all sites, as stated; null is unknown.")]
    travel: Travel
    time_reimbursement: str
    age_min_years: int | None
    age_max_years: int | None
    sex: Annotated[str, Meta(description="ALL, FEMALE or MALE.")]
    timeline: tuple[Phase, ...]
    has_placebo: Annotated[bool | None, Meta(description="A placebo or a sham; null is unknown.")]
    who: Annotated[
        tuple[str, ...], Meta(description="The main criteria in plain words. They do not decide who is eligible.")
    ]
    who_not: tuple[str, ...]
    history: tuple[str, ...]
    design: Annotated[
        TrialDesign, Meta(description="What the record says of arms, chance and masking; empty is unsaid.")
    ]


def study_detail(study: Study) -> StudyDetail:
    """Return the JSON type of a study."""
    return StudyDetail(
        **{name: getattr(study_answer(study), name) for name in StudyAnswer.__struct_fields__},
        summary=study.summary,
        sponsor=study.sponsor,
        other_ids=study.other_ids,
        conditions=study.conditions,
        keywords=study.keywords,
        interventions=study.interventions,
        phases=study.phases,
        pool_spots=study.pool_spots,
        travel=Travel(certainty=study.travel.certainty, kinds=study.travel.kinds),
        time_reimbursement=study.time_reimbursement,
        age_min_years=study.age_min_years,
        age_max_years=study.age_max_years,
        sex=study.sex,
        timeline=study.timeline,
        has_placebo=study.has_placebo,
        who=study.who,
        who_not=study.who_not,
        history=study.history,
        design=study.design,
    )
