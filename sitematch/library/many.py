"""``sitematch.match_many``: a data frame of patients to a data frame of their sites."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sitematch.domain.finding.policy import MatchPolicy
from sitematch.errors import InvalidInput
from sitematch.gazetteer.batch_csv import CODE_NAMES, COUNTRY_NAMES, STATE_NAMES, TOWN_NAMES
from sitematch.library.frames import frame_kind
from sitematch.services.finding.finder import Finder
from sitematch.services.finding.many import ManyMatches, ParsedSearch

LATITUDE_NAMES = ("latitude", "lat")
LONGITUDE_NAMES = ("longitude", "lon", "lng", "long")
REJECT_COLUMNS = ("code", "why", "suggestions")


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


@dataclass(frozen=True, slots=True)
class PatientColumns:
    """The names of the columns that say where a patient is; None for none.

    Parameters
    ----------
    postcode, country, town, state, latitude, longitude
        See `sitematch.match_many`.
    """

    postcode: str | None
    country: str | None
    town: str | None
    state: str | None
    latitude: str | None
    longitude: str | None

    @classmethod
    def of(cls, names: Sequence[str], *, postcode: str | None = None, country: str | None = None) -> PatientColumns:
        """Find the columns by their usual names; capitals and spaces do not matter.

        Raises
        ------
        InvalidInput
            If a named column is missing, or nothing says where the patients are.
        """
        for given, option in ((postcode, "postcode"), (country, "country")):
            if given is not None and given not in names:
                raise InvalidInput(f"There is no column {given!r}. The columns are {', '.join(names)}.", field=option)
        folded = {name.strip().lower().replace(" ", "_"): name for name in reversed(names)}

        def first(known: Sequence[str]) -> str | None:
            return next((folded[name] for name in known if name in folded), None)

        found = cls(
            postcode or first(CODE_NAMES),
            country or first(COUNTRY_NAMES),
            first(TOWN_NAMES),
            first(STATE_NAMES),
            first(LATITUDE_NAMES),
            first(LONGITUDE_NAMES),
        )
        if found.postcode is None and found.town is None and (found.latitude is None or found.longitude is None):
            raise InvalidInput(
                f"No column says where the patients are. Name one {', '.join(CODE_NAMES[:4])} or town, "
                "or give latitude and longitude.",
                field="postcode",
            )
        return found

    def asked(self, postcode: Any, country: Any, town: Any, state: Any, latitude: Any, longitude: Any) -> ParsedSearch:
        """Return the look-up of one row from its cells."""
        where = cell_text(town)
        if where and (region := cell_text(state)):
            where = f"{where}, {region}"
        return ParsedSearch(
            cell_text(postcode), cell_text(country), where, cell_degrees(latitude), cell_degrees(longitude)
        )

    @property
    def in_order(self) -> tuple[str | None, ...]:
        """Return the names in the order of the arguments of `asked`."""
        return (self.postcode, self.country, self.town, self.state, self.latitude, self.longitude)


def cell_text(value: Any) -> str:
    """Return a cell as text, because spreadsheets turn codes into numbers, and into floats if a cell is empty.

    Examples
    --------
    >>> cell_text(33180.0), cell_text(float("nan")), cell_text(" SW1A 1AA ")
    ('33180', '', 'SW1A 1AA')
    """
    if value is None or value != value:  # NaN is not equal to itself
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def cell_degrees(value: Any) -> float | None:
    """Return a cell as degrees; None if it is empty, and not a number if it is a text that is none.

    Examples
    --------
    >>> cell_degrees("25.9"), cell_degrees(""), cell_degrees("north")
    (25.9, None, nan)
    """
    if value is None or value != value or value == "":
        return None
    try:
        return float(value)
    except ValueError:
        return float("nan")


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
    starts, counts = np.zeros(patients, np.int64), np.zeros(patients, np.int64)
    rejected: list[int] = []
    rejects = []
    seen: dict[tuple[Any, ...], Any] = {}
    for row, given in enumerate(zip(*cells, strict=True)):
        answered = seen.get(given)
        if answered is None:
            asked = columns.asked(*given)
            if in_country is not None and not asked.country:
                asked = asked._replace(country=in_country)
            answered = seen[given] = many.answer(asked)
        starts[row], counts[row] = answered.start, answered.count
        if answered.reject is not None:
            rejected.append(row)
            rejects.append(answered.reject)
    owners = np.repeat(np.arange(patients), counts)
    firsts = np.cumsum(counts) - counts
    rows = starts[owners] + np.arange(len(owners)) - firsts[owners]
    at = np.array(rejected, dtype=np.int64)
    reasons = {name: [getattr(reject, name) for reject in rejects] for name in REJECT_COLUMNS}
    return MatchedFrame(
        matches=kind.build(many.columns, rows, kind.ids(frame, patient, owners)),
        rejects=kind.build(reasons, None, kind.ids(frame, patient, at)),
        patients=patients,
        distinct=many.distinct,
    )
