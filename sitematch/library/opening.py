"""``sitematch.open``, ``sitematch.match`` and ``sitematch.locate``: what ``import sitematch`` gives."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, TypedDict, TypeVar, Unpack

from sitematch.config import Settings
from sitematch.domain.finding.policy import MatchPolicy, Order
from sitematch.domain.studies.study import RecruitmentStatus, tidy_study_id
from sitematch.domain.studies.travel import TravelCertainty
from sitematch.domain.units import Unit
from sitematch.errors import InvalidPolicy
from sitematch.gazetteer.locate import Gazetteer
from sitematch.library.many import MatchedFrame, match_frame
from sitematch.library.results import Located, Matches
from sitematch.services.finding.finder import Finder
from sitematch.services.finding.match_request import match_policy
from sitematch.services.finding.opening import open_finder_as
from sitematch.services.setup import prepared_to_read

KEPT_S = 1.0
"""How long `match` uses the sites and spots that it has read, in seconds: as long as a server at most."""

Choice = TypeVar("Choice", Order, TravelCertainty, RecruitmentStatus, Unit)


class MatchOptions(TypedDict, total=False):
    """The options of a match; those that are left out have the defaults of `MatchPolicy`.

    Texts are as on the command line: ``order="distance"``, ``travel="COVERED"``, ``status=["RECRUITING"]``,
    ``unit="km"``.
    """

    order: str
    limit: int
    within_km: float | None
    within_miles: float | None
    travel: str | None
    min_spots: int | None
    only_country: str | None
    prefer_country: str | None
    status: Collection[str] | None
    unit: str | None


class StudyFinder(Finder):
    """A study with its sites and spots as they were when it was opened; see `sitematch.open`.

    It is a `Finder`, so `find`, `match_sites` and `outwards` are there for programs that set their own time and
    `MatchPolicy`.
    """

    opened_at: datetime
    """The time (aware, UTC) of the sites and spots, and so of every answer."""

    def match(
        self,
        place: str,
        country: str | None = None,
        *,
        town: str | None = None,
        languages: Sequence[str] = (),
        **options: Unpack[MatchOptions],
    ) -> Matches:
        """Rank the study's sites from a postcode or a town; see `sitematch.match`."""
        result = self.find(place, country, read_options(options), self.opened_at, town=town, languages=languages)
        return Matches(result, self.study, self.attribution, self.contacts)

    def match_many(
        self,
        frame: Any,
        k: int = 5,
        *,
        postcode: str | None = None,
        country: str | None = None,
        in_country: str | None = None,
        patient: str | None = None,
        languages: Sequence[str] = (),
        **options: Unpack[MatchOptions],
    ) -> MatchedFrame:
        """Rank the study's sites for every row of a data frame; see `sitematch.match_many`."""
        if "limit" in options:
            raise InvalidPolicy("Give the number of sites as k.", field="limit")
        options["limit"] = k
        return match_frame(
            self,
            frame,
            read_options(options),
            self.opened_at,
            postcode=postcode,
            country=country,
            in_country=in_country,
            patient=patient,
            languages=languages,
        )


def open(  # noqa: A001 - as `sitematch.open`, like `gzip.open`
    study: str | None = None, *, settings: Settings | None = None, now: datetime | None = None
) -> StudyFinder:
    """Read a study with its sites and spots, for many look-ups.

    Parameters
    ----------
    study
        The study's id; None is the default study (``SITEMATCH_STUDY``).
    settings
        Where the database and the gazetteer are; None reads the ``SITEMATCH_…`` variables, as the command does.
    now
        The time (aware) of the spots and of every answer; None is the current time.

    Returns
    -------
    StudyFinder
        It does not follow later changes: open the study again for current spots.

    Raises
    ------
    StudyNotFound
        If the study is not in the catalogue.
    NotReady
        If the gazetteer is missing; the message says how to build it.
    LedgerBusy, StorageFault
        If the database cannot be read or, in a new installation, created.

    Notes
    -----
    In a new installation, the database is created at its first use, as with ``sitematch match``.
    """
    return _open(_chosen(study, settings), datetime.now(UTC) if now is None else now)


def match(
    place: str,
    country: str | None = None,
    *,
    study: str | None = None,
    town: str | None = None,
    languages: Sequence[str] = (),
    **options: Unpack[MatchOptions],
) -> Matches:
    """Rank a study's sites from a postcode or a town, like ``sitematch match``.

    Parameters
    ----------
    place
        A postcode or a town, as a person types it.
    country
        Name or ISO 3166-1 code; None uses the country in which the text exists if there is only one.
    study
        The study's id; None is the default study.
    town
        The town of the postcode; the two are checked against each other.
    languages
        The person's languages, best first (``"de-CH"``): they decide where no country is given.
    **options
        See `MatchOptions`.

    Returns
    -------
    Matches
        The ranked sites with reasons. The spots are at most a second old.

    Raises
    ------
    InvalidPolicy, UnknownCountry
        If an option is out of its range; `.field` names it.
    InvalidPostcode, PostcodeNotFound, TownNotFound, AmbiguousPlace
        See `sitematch.gazetteer.locate.Gazetteer.locate`; the errors have suggestions.
    StudyNotFound, NotReady, LedgerBusy, StorageFault
        See `sitematch.open`.
    """
    return _kept(_chosen(study, None)).match(place, country, town=town, languages=languages, **options)


def match_many(
    frame: Any,
    k: int = 5,
    *,
    study: str | None = None,
    postcode: str | None = None,
    country: str | None = None,
    in_country: str | None = None,
    patient: str | None = None,
    languages: Sequence[str] = (),
    **options: Unpack[MatchOptions],
) -> MatchedFrame:
    """Rank a study's sites for every patient in a data frame.

    Parameters
    ----------
    frame
        A pandas or Polars DataFrame or an Arrow Table, one row for each patient. Columns are found by their usual
        names: ``postcode``, ``zip``, ``plz``, …; ``country``; ``town`` or ``city`` with ``state``; or ``latitude`` and
        ``longitude``.
    k
        The most sites for each patient, 1 to 500.
    study
        The study's id; None is the default study.
    postcode, country
        The names of these columns, if they are others.
    in_country
        The country of rows without one: name or ISO 3166-1 code.
    patient
        The column that identifies a patient; None uses the index of a pandas frame, or the row's number from 0.
    languages
        See `match`.
    **options
        See `MatchOptions`; `limit` is `k`.

    Returns
    -------
    MatchedFrame
        Two frames of the kind that was given: `matches` and `rejects`. Every patient is in exactly one of them. The
        sites, their order and their distances are those of `match` for each row.

    Raises
    ------
    InvalidInput
        If it is not a data frame, or a column is missing.
    InvalidPolicy, UnknownCountry, StudyNotFound, NotReady, LedgerBusy, StorageFault
        See `match`. A row that cannot be located raises nothing: it is in `rejects`.

    Notes
    -----
    Each distinct place is located and ranked once, so a million patients in ten thousand places take little longer
    than ten thousand.
    """
    return _kept(_chosen(study, None)).match_many(
        frame,
        k,
        postcode=postcode,
        country=country,
        in_country=in_country,
        patient=patient,
        languages=languages,
        **options,
    )


def locate(
    place: str, country: str | None = None, *, town: str | None = None, languages: Sequence[str] = ()
) -> Located:
    """Find the place of a postcode or a town, like ``sitematch locate``. It needs no database.

    Parameters and errors are those of `match`.

    Examples
    --------
    >>> found = locate("10115", "DE")
    >>> found.place.name, round(found.place.coordinates.latitude, 2)
    ('Berlin', 52.53)
    """
    gazetteer = _gazetteer(Settings.from_mapping(os.environ).gazetteer_path)
    found = gazetteer.locate(place, country, town=town, languages=languages)
    return Located(found, tuple(source.attribution for source in gazetteer.sources()))


def read_options(options: MatchOptions) -> MatchPolicy:
    """Return the policy for the options of a match.

    Raises
    ------
    InvalidPolicy, UnknownCountry
        If an option is not known or out of its range; `.field` names it.
    """
    unknown = sorted(options.keys() - MatchOptions.__annotations__.keys())
    if unknown:
        known = ", ".join(MatchOptions.__annotations__)
        raise InvalidPolicy(f"There is no option {unknown[0]!r}. The options are {known}.", field=unknown[0])
    given: dict[str, Any] = {**options}
    travel, status = given.pop("travel", None), given.pop("status", None)
    if given.get("unit") is not None:
        given["unit"] = _choice(Unit, given["unit"], "unit")
    if "order" in given:
        given["order"] = _choice(Order, given["order"], "order")
    if isinstance(status, str):
        status = (status,)
    return match_policy(
        **given,
        min_travel=None if travel is None else _choice(TravelCertainty, travel, "travel"),
        status=None if status is None else [_choice(RecruitmentStatus, text, "status") for text in status],
    )


def _choice(kind: type[Choice], text: str, field: str) -> Choice:
    """Return the member of an enumeration that a text names, in capitals or not."""
    for member in kind:
        if str(text).casefold() == member.value.casefold():
            return member
    known = ", ".join(member.value for member in kind)
    raise InvalidPolicy(f"{field} is {text!r}. Give one of {known}.", field=field)


def _chosen(study: str | None, settings: Settings | None) -> Settings:
    chosen = Settings.from_mapping(os.environ) if settings is None else settings
    return chosen if study is None else replace(chosen, study_id=tidy_study_id(study))


_prepared: set[str] = set()
"""The addresses of databases that this process found ready, so that they need not be checked again."""

_finders: dict[tuple[str, Path, str], tuple[float, StudyFinder]] = {}
"""The finders of `match`, each with the monotonic time of its reading."""


def _kept(chosen: Settings) -> StudyFinder:
    """Return the finder of `match`, which is read again after `KEPT_S`."""
    key = (chosen.database_url, chosen.gazetteer_path, chosen.study_id)
    read_at, finder = _finders.get(key, (0.0, None))
    if finder is None or time.monotonic() - read_at > KEPT_S:
        read_at = time.monotonic()
        finder = _open(chosen, datetime.now(UTC))
        _finders[key] = (read_at, finder)
    return finder


def _open(chosen: Settings, now: datetime) -> StudyFinder:
    reading = partial(open_finder_as, StudyFinder, now=now, gazetteer=_gazetteer(chosen.gazetteer_path))
    if chosen.database_url in _prepared:
        finder = reading(chosen)
    else:
        with prepared_to_read(chosen, lambda _: None, now) as ready:
            finder = reading(ready)
        if ready is chosen:
            _prepared.add(chosen.database_url)
    finder.opened_at = now
    return finder


def _gazetteer(path: Path) -> Gazetteer:
    try:
        written_at_ns = path.stat().st_mtime_ns
    except OSError:
        written_at_ns = 0  # opening it tells what is wrong
    return _gazetteer_of(path, written_at_ns)


@lru_cache(maxsize=2)
def _gazetteer_of(path: Path, _written_at_ns: int) -> Gazetteer:
    return Gazetteer.open(path)
