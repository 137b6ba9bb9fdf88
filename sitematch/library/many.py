"""``sitematch.match_many``: a data frame of patients to a data frame of their sites."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sitematch.domain.finding.policy import MatchPolicy
from sitematch.errors import InvalidInput
from sitematch.library.frames import frame_kind
from sitematch.services.finding.finder import Finder
from sitematch.services.finding.many import REJECT_COLUMNS, ManyMatches
from sitematch.services.finding.patient_columns import PatientColumns


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchedFrame:
    """The answers to a data frame; both parts are of the kind that was given.

    Parameters
    ----------
    matches
        One row for each patient and rank, in the patients' order: `patient`, then `MATCH_COLUMNS`.
    rejects
        One row for each patient without matches: `patient`, then `REJECT_COLUMNS`. Each patient is in exactly one of
        the two.
    patients, distinct
        The number of rows that were given, and of different places to look up in them.
    """

    matches: Any
    rejects: Any
    patients: int
    distinct: int

    def __repr__(self) -> str:
        return f"<MatchedFrame: {self.patients} patients, {len(self.rejects)} of them in rejects>"


def match_frame(
    finder: Finder,
    frame: Any,
    policy: MatchPolicy,
    now: datetime,
    *,
    postcode: str | None,
    country: str | None,
    in_country: str | None,
    patient: str | None,
    languages: Sequence[str],
) -> MatchedFrame:
    """Match every row of a data frame; see `sitematch.match_many`."""
    import numpy as np

    kind = frame_kind(frame)
    names = kind.names(frame)
    if patient is not None and patient not in names:
        raise InvalidInput(f"There is no column {patient!r}. The columns are {', '.join(names)}.", field="patient")
    columns = PatientColumns.of(names, postcode=postcode, country=country)
    patients = len(frame) if hasattr(frame, "__len__") else frame.num_rows
    cells = [[None] * patients if name is None else kind.values(frame, name) for name in columns.in_order]
    many = ManyMatches(finder, policy, now, languages)
    number_of: dict[tuple[Any, ...], int] = {}
    numbers = np.fromiter(
        (number_of.setdefault(given, len(number_of)) for given in zip(*cells, strict=True)), np.int64, patients
    )
    asked = [columns.asked(*given) for given in number_of]
    if in_country is not None:
        asked = [each if each.country else each._replace(country=in_country) for each in asked]
    many.answer_all(asked)
    answers = [many.answer(each) for each in asked]
    starts = np.array([answer.start for answer in answers], np.int64)[numbers]
    counts = np.array([answer.count for answer in answers], np.int64)[numbers]
    rejected = np.flatnonzero(np.array([answer.reject is not None for answer in answers], bool)[numbers])
    rejects = [answers[number].reject for number in numbers[rejected].tolist()]
    owners = np.repeat(np.arange(patients), counts)
    firsts = np.cumsum(counts) - counts
    rows = starts[owners] + np.arange(len(owners)) - firsts[owners]
    reasons = {name: [getattr(reject, name) for reject in rejects] for name in REJECT_COLUMNS}
    return MatchedFrame(
        matches=kind.build(many.columns, rows, kind.ids(frame, patient, owners)),
        rejects=kind.build(reasons, None, kind.ids(frame, patient, rejected)),
        patients=patients,
        distinct=many.distinct,
    )
