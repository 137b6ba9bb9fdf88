"""Many look-ups in one study: each distinct place is located and ranked once, with the order of `Finder.find`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain, repeat
from typing import Any, NamedTuple

from sitematch.domain.finding.match import MatchResult, SiteMatch
from sitematch.domain.finding.policy import MatchPolicy
from sitematch.domain.place import Coordinates, Place, Precision
from sitematch.domain.units import COMPASS
from sitematch.errors import InvalidCoordinates, InvalidInput, SitematchError
from sitematch.services.finding.finder import Finder
from sitematch.services.finding.match_request import country_code
from sitematch.services.finding.together import Ranked, RankedTogether


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


_Point = tuple[Coordinates, float, str, tuple[str, ...]]


@dataclass(slots=True)
class ManyMatches:
    """Answers look-ups, and remembers every distinct one.

    Parameters
    ----------
    finder, policy, now
        The study, what is asked, and the time of the answers (aware, UTC).
    languages
        See `Finder.find`.
    columns
        The matches of all distinct places, by column: `MATCH_COLUMNS`.

    Notes
    -----
    Times by car are estimated only if the policy asks for minutes, so without them no reason compares times.
    """

    finder: Finder
    policy: MatchPolicy
    now: datetime
    languages: Sequence[str] = ()
    columns: dict[str, list[Any]] = field(default_factory=lambda: {name: [] for name in MATCH_COLUMNS})
    _answers: dict[PatientQuery, Answered] = field(default_factory=dict)
    _ranked: dict[_Point, Answered] = field(default_factory=dict)
    _together: RankedTogether | None = None

    def __post_init__(self) -> None:
        if not self.policy.asks_for_minutes:
            self.finder = self.finder.without_times()
        self._together = self.finder.together(self.policy, self.now)

    def answer(self, asked: PatientQuery) -> Answered:
        """Return where the matches of a look-up are; the same look-up is answered once."""
        known = self._answers.get(asked)
        if known is None:
            self.answer_all((asked,))
            known = self._answers[asked]
        return known

    def answer_all(self, asked: Iterable[PatientQuery]) -> None:
        """Answer many look-ups together, which is much faster than one after the other."""
        points: dict[PatientQuery, _Point] = {}
        places: dict[_Point, Place] = {}
        for each in asked:
            if each in self._answers or each in points:
                continue
            try:
                place = self._place(each)
            except SitematchError as error:
                self._answers[each] = Answered(0, 0, reject_of(error))
                continue
            # Many postcodes share a point, and nothing else of a place has a say in the order.
            point = points[each] = (place.coordinates, place.uncertainty_km, place.country, place.notes)
            if point not in self._ranked:
                places.setdefault(point, place)
        if places:
            self._rank(places)
        for each, point in points.items():
            self._answers[each] = self._ranked[point]

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

    def _rank(self, places: Mapping[_Point, Place]) -> None:
        start = len(self.columns["rank"])
        if self._together is None:
            counts = [self._rank_alone(place) for place in places.values()]
        else:
            ranked = self._together.rank(list(places.values()))
            counts = ranked.counts.tolist()
            for name, values in _columns(self._together, ranked, list(places.values())).items():
                self.columns[name].extend(values)
        for point, count in zip(places, counts, strict=True):
            self._ranked[point] = Answered(start, count, None if count else _NO_MATCH)
            start += count

    def _rank_alone(self, place: Place) -> int:
        """Rank one place by itself, and return the number of its matches."""
        result = self.finder.match_sites(place, self.policy, self.now)
        for match in result.matches:
            for name, value in zip(MATCH_COLUMNS, _cells(match, result), strict=True):
                self.columns[name].append(value)
        return len(result.matches)


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


def _columns(together: RankedTogether, ranked: Ranked, places: Sequence[Place]) -> dict[str, list[Any]]:
    """Return the matches of places that were ranked together, by column."""
    sites, remaining = together.sites, together.remaining

    def each(values: Sequence[Any], at: Any) -> list[Any]:
        return list(map(values.__getitem__, at.tolist()))

    texts = {code: together.reason_text(code) for code in set(ranked.reasons.tolist())}
    notes = [" ".join(place.notes) for place in places]
    return {
        "rank": ranked.rank.tolist(),
        "band": ranked.band.tolist(),
        **{
            name: each([getattr(site, name) for site in sites], ranked.site)
            for name in ("site_id", "facility", "city", "state", "country")
        },
        "distance_km": ranked.distance_km.tolist(),
        "distance_uncertainty_km": ranked.uncertainty_km.tolist(),
        "direction": each(COMPASS, ranked.direction),
        "travel": each([site.travel.certainty.value for site in sites], ranked.site),
        "remaining": each([left.count for left in remaining], ranked.site),
        "drawn_from": each([left.drawn_from.value for left in remaining], ranked.site),
        "reasons": list(map(texts.__getitem__, ranked.reasons.tolist())),
        "outside_radius": ranked.outside_radius.tolist(),
        "notes": list(chain.from_iterable(map(repeat, notes, ranked.counts.tolist()))),
    }
