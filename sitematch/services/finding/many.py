"""Many look-ups in one study: each distinct place is located and ranked once, with the order of `Finder.find`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from sitematch.domain.finding.match import MatchResult, SiteMatch
from sitematch.domain.finding.policy import MatchPolicy
from sitematch.domain.place import Coordinates, Place, Precision
from sitematch.errors import InvalidCoordinates, InvalidInput, SitematchError
from sitematch.services.finding.finder import Finder
from sitematch.services.finding.match_request import country_code


class PatientQuery(NamedTuple):
    """What is known of where a person is; equal values are looked up once.

    Parameters
    ----------
    postcode, country, town
        As for `Finder.find`; empty for none.
    latitude, longitude
        Degrees; with a point, a postcode or town is refused. None for none.
    """

    postcode: str = ""
    country: str = ""
    town: str = ""
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True, slots=True)
class Reject:
    """Why somebody has no matches.

    Parameters
    ----------
    code
        The name of the error, or ``"NoMatch"`` if no site can take a patient.
    why
        What is wrong and what to do, in plain words.
    suggestions
        What may have been meant, separated by semicolons.
    """

    code: str
    why: str
    suggestions: str = ""


@dataclass(frozen=True, slots=True)
class Answered:
    """Where the matches of a look-up are in `ManyMatches.columns`.

    Parameters
    ----------
    start, count
        The first row and the number of rows; no rows if it was rejected.
    reject
        Why; None if there are matches.
    """

    start: int
    count: int
    reject: Reject | None = None


MATCH_COLUMNS = (
    *("rank", "band", "site_id", "facility", "city", "state", "country"),
    *("distance_km", "distance_uncertainty_km", "direction", "travel", "remaining", "drawn_from"),
    *("reasons", "outside_radius", "notes"),
)
"""The columns of matches: distances in kilometres, `reasons` as codes separated by spaces, the most telling first,
`notes` on how the place was understood."""

REJECT_COLUMNS = ("code", "why", "suggestions")
"""The columns of rejects; see `Reject`."""

_NO_MATCH = Reject("NoMatch", "No site can take a patient now.")


@dataclass(slots=True)
class ManyMatches:
    """Answers look-ups one after the other, and remembers every distinct one.

    Parameters
    ----------
    finder, policy, now
        The study, what is asked, and the time of the answers (aware, UTC).
    languages
        See `Finder.find`.
    columns
        The matches of all distinct places, by column: `MATCH_COLUMNS`.
    """

    finder: Finder
    policy: MatchPolicy
    now: datetime
    languages: Sequence[str] = ()
    columns: dict[str, list[Any]] = field(default_factory=lambda: {name: [] for name in MATCH_COLUMNS})
    _answers: dict[PatientQuery, Answered] = field(default_factory=dict)
    _ranked: dict[tuple[Coordinates, float, str, tuple[str, ...]], Answered] = field(default_factory=dict)

    def answer(self, asked: PatientQuery) -> Answered:
        """Return where the matches of a look-up are; the same look-up is answered once."""
        known = self._answers.get(asked)
        if known is None:
            try:
                place = self._place(asked)
            except SitematchError as error:
                known = Answered(0, 0, reject_of(error))
            else:
                known = self._rank(place)
            self._answers[asked] = known
        return known

    @property
    def distinct(self) -> int:
        """Return the number of different look-ups so far."""
        return len(self._answers)

    def forget(self) -> None:
        """Forget all answers, so that memory stays bounded; earlier `Answered` values are not valid any more."""
        self._answers.clear()
        self._ranked.clear()
        for values in self.columns.values():
            values.clear()

    def _place(self, asked: PatientQuery) -> Place:
        if asked.latitude is None and asked.longitude is None:
            return self.finder.locate(
                asked.postcode, asked.country or None, town=asked.town or None, languages=self.languages
            )
        if asked.latitude is None or asked.longitude is None:
            raise InvalidInput("Give the latitude and the longitude, or neither.", field="latitude")
        if asked.postcode or asked.town:
            raise InvalidInput("Give coordinates or a postcode or town, not both.", field="latitude")
        if asked.latitude == 0 and asked.longitude == 0:
            raise InvalidCoordinates(
                "0, 0 is a point in the sea off West Africa. Devices send it when they do not know their location. "
                "Give a postcode or a town instead.",
                field="latitude",
            )
        return Place(
            coordinates=Coordinates(latitude=asked.latitude, longitude=asked.longitude),
            precision=Precision.ADDRESS,
            uncertainty_km=0.0,
            source="as given",
            country=country_code(asked.country or None, "country") or "",
        )

    def _rank(self, place: Place) -> Answered:
        # Many postcodes share a point, and nothing else of a place has a say in the order.
        key = (place.coordinates, place.uncertainty_km, place.country, place.notes)
        known = self._ranked.get(key)
        if known is None:
            result = self.finder.match_sites(place, self.policy, self.now)
            start = len(self.columns["rank"])
            for match in result.matches:
                for name, value in zip(MATCH_COLUMNS, _cells(match, result), strict=True):
                    self.columns[name].append(value)
            count = len(result.matches)
            known = self._ranked[key] = Answered(start, count, None if count else _NO_MATCH)
        return known


def reject_of(error: SitematchError) -> Reject:
    """Return an error as a reject."""
    offered = getattr(error, "suggestions", ()) or getattr(error, "candidates", ())
    return Reject(type(error).__name__, error.message, "; ".join(f"{each.text} ({each.country})" for each in offered))


def _cells(match: SiteMatch, result: MatchResult) -> tuple[Any, ...]:
    site, distance, remaining = match.site, match.distance, match.remaining
    return (
        match.rank,
        match.band,
        site.site_id,
        site.facility,
        site.city,
        site.state,
        site.country,
        None if distance is None else distance.km,
        None if distance is None else distance.uncertainty_km,
        None if distance is None else distance.direction,
        site.travel.certainty.value,
        remaining.count,
        remaining.drawn_from.value,
        " ".join(reason.code for reason in match.reasons),
        result.outside_radius,
        " ".join(result.place.notes),
    )
