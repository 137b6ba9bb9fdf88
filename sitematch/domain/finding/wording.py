"""Texts of reasons in plain English; translations use the same `Reason` values."""

from __future__ import annotations

from sitematch.domain.capacity.caps import CapLevel
from sitematch.domain.finding.match import Reason, ReasonCode
from sitematch.domain.journey.words import format_minutes
from sitematch.domain.place import Place, Precision
from sitematch.domain.units import Unit, format_distance

_FIXED = {
    ReasonCode.NEAREST: "The nearest site that can take a patient now.",
    ReasonCode.UNPLACED: "Its location is not known, so it is listed last: ask the site where it is.",
    ReasonCode.NO_LOCATION: "Its location is not known, so its distance could not be checked.",
    ReasonCode.TRAVEL_COVERED: "Travel costs are covered.",
    ReasonCode.TRAVEL_MAY_BE_COVERED: "Travel costs may be covered: ask the site.",
    ReasonCode.TRAVEL_UNKNOWN: "Whether travel costs are covered is not known: ask the site.",
    ReasonCode.TRAVEL_NOT_COVERED: "Travel costs are not covered.",
    ReasonCode.SPOTS_UNKNOWN: "How many spots are left is not known.",
    ReasonCode.STUDY_NOT_RECRUITING: "The study is not taking patients now.",
    ReasonCode.QUICKEST: "The quickest to reach by car of the sites that can take a patient now.",
    ReasonCode.NO_MINUTES: "No road leads there from your place, so it is listed after the others.",
    ReasonCode.WAITING_LIST: "There is a waiting list: ask the site how to join it.",
}

_SHORTAGE_WORDS = {
    (ReasonCode.FULL, ""): "Full: no spots are left.",
    (ReasonCode.FULL, CapLevel.STUDY): "The study is full: all its spots are taken.",
    (ReasonCode.FULL, CapLevel.COUNTRY): "All the study's spots in this country are taken.",
    (ReasonCode.FULL, CapLevel.ARM): "All spots in this part of the study are taken.",
    (ReasonCode.FULL, CapLevel.SITE): "This site is full: all its spots are taken.",
    (ReasonCode.CLOSED, CapLevel.STUDY): "The study team has stopped taking new patients at all sites.",
    (ReasonCode.CLOSED, CapLevel.COUNTRY): "The study team has stopped taking new patients in this country.",
    (ReasonCode.CLOSED, CapLevel.ARM): "The study team has stopped taking new patients in this part of the study.",
    (ReasonCode.CLOSED, CapLevel.SITE): "The study team has stopped taking new patients at this site.",
    (ReasonCode.NO_SPOTS, CapLevel.STUDY): "The study has no spots for new patients.",
    (ReasonCode.NO_SPOTS, CapLevel.COUNTRY): "The study has no spots for new patients in this country.",
    (ReasonCode.NO_SPOTS, CapLevel.ARM): "This part of the study has no spots for new patients.",
    (ReasonCode.NO_SPOTS, CapLevel.SITE): "This site has no spots for new patients.",
}
"""Texts for why no spot is free, by the level of the cap that prevents it."""

_TRAVEL_WORDS = {
    "COVERED": "travel costs are covered",
    "MAY_BE_COVERED": "travel costs may be covered",
    "UNKNOWN": "whether travel costs are covered is not known",
    "NOT_COVERED": "travel costs are not covered",
}

_PRECISION_WORDS = {
    Precision.ADDRESS: "an address",
    Precision.UNIT: "a street-level postcode",
    Precision.SECTOR: "a part of a postcode district",
    Precision.DISTRICT: "a postcode area",
    Precision.LOCALITY: "a whole town",
    Precision.REGION: "a whole region",
    Precision.UNKNOWN: "an unknown area",
}


_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def count_spots(count: int) -> str:
    """Format a number of spots: ``"1 spot"``, ``"3 spots"``."""
    return f"{count} spot" if count == 1 else f"{count} spots"


def explain(reason: Reason, unit: Unit) -> str:
    """Return a reason as one plain English sentence.

    Parameters
    ----------
    reason
        The reason.
    unit
        The unit for its distances.

    Examples
    --------
    >>> explain(Reason(ReasonCode.SPOTS_SHARED, count=8), Unit.KM)
    '8 spots left, shared by all sites of the study.'
    >>> explain(Reason(ReasonCode.AHEAD_BY_TRAVEL, km=3.0, subject="Clinic A"), Unit.KM)
    '3.0 km farther than Clinic A, but travel support is more certain.'
    """
    fixed = _FIXED.get(reason.code)
    if fixed is not None:
        return fixed
    distance = "" if reason.km is None else format_distance(reason.km, unit)
    subject, count = reason.subject, reason.count
    match reason.code:
        case ReasonCode.SAME_BAND:
            return f"About as far away as {subject}: {distance} more."
        case ReasonCode.FARTHER:
            return f"{distance} farther than {subject}."
        case ReasonCode.AHEAD_BY_TRAVEL:
            return f"{distance} farther than {subject}, but travel support is more certain."
        case ReasonCode.AHEAD_BY_SPOTS:
            return f"{distance} farther than {subject}, but has more spots left."
        case ReasonCode.UNDECIDED:
            return (
                f"This site or {subject} may be nearer: the distances differ by {distance}, "
                "which is less than the uncertainty."
            )
        case ReasonCode.OWN_COUNTRY:
            return f"In the preferred country ({subject})."
        case ReasonCode.OTHER_COUNTRY:
            return f"In another country ({subject}); sites of the preferred country come first."
        case ReasonCode.OUTSIDE_RADIUS:
            return (
                f"Outside the radius of {distance}: no site within it can take a patient, so the nearest one is shown."
            )
        case ReasonCode.SPOTS_AT_SITE:
            return f"{count_spots(count or 0)} left at this site."
        case ReasonCode.SPOTS_SHARED:
            return f"{count_spots(count or 0)} left, shared by all sites of the study."
        case ReasonCode.LIKELY_FULL:
            assert reason.on is not None
            assert reason.probability is not None
            return (
                f"At the current pace, it is likely to be full by the end of {_MONTHS[reason.on.month - 1]} "
                f"{reason.on.year} (probability about {100 * reason.probability:.0f} %)."
            )
        case ReasonCode.AHEAD_BY_KNOWN_SPOTS:
            return f"{distance} farther than {subject}, but it has spots left. For {subject} this is not known."
        case ReasonCode.FULL | ReasonCode.CLOSED | ReasonCode.NO_SPOTS:
            return _SHORTAGE_WORDS[reason.code, subject]
        case ReasonCode.TOO_FEW_SPOTS:
            known = "how many spots are left is not known" if count is None else f"only {count_spots(count)} left"
            return f"Fewer spots than you asked for: {known}."
        case ReasonCode.NOT_RECRUITING:
            return f"Not recruiting now: its status is {subject.replace('_', ' ').lower()}."
        case ReasonCode.TOO_FAR:
            return f"Farther than the {distance} you asked for."
        case ReasonCode.QUICKER_THAN_AHEAD:
            return f"About {format_minutes(count or 0)} quicker to reach by car than {subject}."
        case ReasonCode.SLOWER:
            return f"About {format_minutes(count or 0)} longer by car than {subject}."
        case ReasonCode.OUTSIDE_MINUTES:
            return (
                f"More than {format_minutes(count or 0)} by car: no site within that time can take a patient, so the "
                "nearest one is shown."
            )
        case ReasonCode.TOO_LONG:
            return f"More than the {format_minutes(count or 0)} by car that you asked for, or no road."
        case ReasonCode.TRAVEL_TOO_UNSURE:
            return f"Less travel support than you asked for: {_TRAVEL_WORDS[subject]}."
        case ReasonCode.COUNTRY_NOT_ASKED:
            return f"In another country ({subject}) than you asked for."
        case ReasonCode.BEYOND_LIMIT:
            return f"Ranked {count}, beyond the number of sites you asked for."
        case _:  # pragma: no cover - every code has a text, and a test checks them all
            raise AssertionError(f"no words for {reason.code}")


def describe_place(place: Place, unit: Unit) -> str:
    """Describe a place and its uncertainty in one line.

    Examples
    --------
    >>> from sitematch.domain.place import Coordinates
    >>> here = Coordinates(latitude=25.95, longitude=-80.14)
    >>> describe_place(Place(coordinates=here, precision=Precision.DISTRICT, uncertainty_km=3.2, source="GeoNames",
    ...                      country="US", name="Miami, Florida", postcode="33180"), Unit.KM)
    '33180, Miami, Florida, US: known to within 3.2 km (a postcode area)'
    """
    parts = [part for part in (place.postcode, place.name, place.country) if part]
    where = ", ".join(parts) or f"{place.coordinates.latitude:.4f}, {place.coordinates.longitude:.4f}"
    return (
        f"{where}: known to within {format_distance(place.uncertainty_km, unit)} ({_PRECISION_WORDS[place.precision]})"
    )
