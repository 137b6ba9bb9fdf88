"""Texts about places, sites and reasons, in the language of the request.

The library's own English (`domain.finding.wording`) is for the command line and for programs; here the same values
become whole sentences from gettext, with CLDR's numbers, units, dates and names of countries.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date

from babel import dates, lists, numbers, units
from markupsafe import Markup, escape

from api.pages.languages import ENGLISH, current_language, ngettext
from api.pages.languages import gettext as _
from sitematch.domain.capacity.caps import CapLevel, LimitedBy, Remaining
from sitematch.domain.finding.match import Distance, Reason, ReasonCode
from sitematch.domain.journey.estimate import Journey, Way
from sitematch.domain.journey.words import round_minutes
from sitematch.domain.place import Place, Precision
from sitematch.domain.studies.study import RecruitmentStatus
from sitematch.domain.studies.travel import TravelCertainty, TravelKind, TravelSupport
from sitematch.domain.units import KM_PER_MILE, Unit
from sitematch.gazetteer.grammar import COUNTRIES

NEGLIGIBLE_SHARE = 0.1
"""An uncertainty up to this share of its distance is not shown."""


def accuracy(km: float, unit: Unit) -> str:
    """Format an uncertainty: rounded up, and never 0."""
    per_unit_km = KM_PER_MILE if unit is Unit.MILES else 1.0
    tenths = max(1, math.ceil(10 * km / per_unit_km - 0.05))
    return length(max(km, tenths * per_unit_km / 10) if tenths < 100 else km, unit)


def number(value: float, digits: int = 0) -> str:
    """Format a number."""
    pattern = "#,##0" + (f".{'0' * digits}" if digits else "")
    return str(numbers.format_decimal(round(value, digits), format=pattern, locale=current_language().locale))


def length(km: float, unit: Unit) -> str:
    """Format a distance like the command line: one decimal below ten, whole numbers above."""
    value = km / KM_PER_MILE if unit is Unit.MILES else km
    name = "length-mile" if unit is Unit.MILES else "length-kilometer"
    pattern = "#,##0.0" if value < 9.95 else "#,##0"
    return units.format_unit(value, name, length="short", format=pattern, locale=current_language().locale)


def day(value: date) -> str:
    """Format a date."""
    return dates.format_date(value, format="long", locale=current_language().locale)


def month(value: date) -> str:
    """Format the month and the year of a date."""
    return dates.format_skeleton("yMMMM", value, locale=current_language().locale)


def percent(share: float) -> str:
    """Format a share as a whole percentage."""
    return str(numbers.format_percent(share, locale=current_language().locale))


def country(code: str) -> str:
    """Return a country's name; a country that is not in CLDR keeps its English name."""
    language = current_language()
    if language is ENGLISH and code in COUNTRIES:
        return COUNTRIES[code].name
    known = COUNTRIES[code].name if code in COUNTRIES else code
    return str(language.locale.territories.get(code, known))


def translated(text: str) -> Markup:
    """Return a text of the study in the page's language; without a translation, in English and marked as such."""
    said = _(text) if text else ""
    if said == text and current_language() is not ENGLISH:
        return Markup('<span lang="en" dir="ltr">{}</span>').format(text)
    return escape(said)


def isolated(name: str) -> str:
    """Isolate a name in another script, so that it does not reorder the words around it on a right-to-left page."""
    return f"\u2068{name}\u2069" if current_language().direction == "rtl" else name


def away(distance: Distance | None, unit: Unit) -> str:
    """Return the distance of a site with its uncertainty, in words.

    Notes
    -----
    A distance that is smaller than its own uncertainty has no meaning, so only the limit is shown. An uncertainty of at
    most a tenth of the distance makes no difference to the person, and is only in the API.
    """
    if distance is None:
        return _("Distance not known")
    if distance.km <= distance.uncertainty_km:
        return _("closer than %(distance)s", distance=length(distance.km + distance.uncertainty_km, unit))
    if distance.uncertainty_km <= NEGLIGIBLE_SHARE * distance.km:
        return _("about %(distance)s away", distance=length(distance.km, unit))
    return _(
        "%(distance)s away (give or take %(uncertainty)s)",
        distance=length(distance.km, unit),
        uncertainty=length(distance.uncertainty_km, unit),
    )


def duration(minutes: float) -> str:
    """Write a time as people say it; see `sitematch.domain.journey.words.round_minutes`."""
    hours, rest = divmod(round_minutes(minutes), 60)
    parts = [(hours, "duration-hour")] * bool(hours) + [(rest, "duration-minute")] * bool(rest)
    locale = current_language().locale
    return " ".join(units.format_unit(count, name, length="short", locale=locale) for count, name in parts)


def journey(way: Journey | None) -> str:
    """Say how long the way by car is, with the bounds that hold in 90 of 100 cases; empty where nothing is known."""
    if way is None:
        return ""
    if way.minutes is None:
        return _("Across the sea: by ferry or flight")
    times = {
        "time": duration(way.minutes.best),
        "low": duration(way.minutes.low_90),
        "high": duration(way.minutes.high_90),
    }
    if way.way is Way.ROAD_OR_FLIGHT:
        return _("about %(time)s by car (%(low)s to %(high)s), or a flight", **times)
    return _("about %(time)s by car (%(low)s to %(high)s)", **times)


def by_road(way: Journey | None, unit: Unit) -> str:
    """Say how long the road is; empty where nothing is known or no road leads there."""
    return (
        "" if way is None or way.road_km is None else _("%(distance)s by road", distance=length(way.road_km.best, unit))
    )


def bearing(distance: Distance | None) -> str:
    """Return one of eight directions to a site, in words; empty if it is uncertain."""
    if distance is None or distance.km <= distance.uncertainty_km:
        return ""
    return (
        _("to the north"),
        _("to the north-east"),
        _("to the east"),
        _("to the south-east"),
        _("to the south"),
        _("to the south-west"),
        _("to the west"),
        _("to the north-west"),
    )[round(distance.azimuth_deg / 45.0) % 8]


def spots(remaining: Remaining) -> str:
    """Return the number of spots left, and whether they are shared, in words."""
    count = remaining.count
    if count is None:
        return _("Spots not known: ask the clinic")
    if count == 0:
        return _("Full: ask about the waiting list") if remaining.has_waiting_list else _("Full: no spots are left.")
    if remaining.drawn_from is LimitedBy.SHARED_POOL:
        return ngettext("Shares %(num)s spot with all clinics", "Shares %(num)s spots with all clinics", count)
    return ngettext("%(num)s spot left", "%(num)s spots left", count)


def travel(certainty: TravelCertainty) -> str:
    """Return whether travel is paid, in words."""
    return {
        TravelCertainty.COVERED: _("Travel costs are covered"),
        TravelCertainty.MAY_BE_COVERED: _("Travel costs may be covered: ask the clinic"),
        TravelCertainty.UNKNOWN: _("Travel costs: ask the clinic"),
        TravelCertainty.NOT_COVERED: _("Travel costs are not covered"),
    }[certainty]


def travel_kind(kind: TravelKind) -> str:
    """Return what is paid, in words."""
    return {
        TravelKind.MILEAGE: _("mileage"),
        TravelKind.PARKING: _("parking"),
        TravelKind.TRANSIT: _("public transport"),
        TravelKind.RIDE: _("a ride"),
        TravelKind.AIRFARE: _("flights"),
        TravelKind.LODGING: _("a place to stay"),
        TravelKind.MEALS: _("meals"),
        TravelKind.COMPANION: _("a companion's costs"),
    }[kind]


def travel_support(support: TravelSupport) -> str:
    """Return whether travel is paid and, if known, what is paid, in words."""
    if not support.kinds:
        return travel(support.certainty)
    kinds = lists.format_list([travel_kind(kind) for kind in support.kinds], locale=current_language().locale)
    return _("%(costs)s (%(kinds)s)", costs=travel(support.certainty), kinds=kinds)


def status(value: RecruitmentStatus) -> str:
    """Return what a site's or study's status means for a patient."""
    return {
        RecruitmentStatus.RECRUITING: _("Taking patients"),
        RecruitmentStatus.NOT_YET_RECRUITING: _("Not taking patients yet"),
        RecruitmentStatus.ENROLLING_BY_INVITATION: _("By invitation only"),
        RecruitmentStatus.ACTIVE_NOT_RECRUITING: _("In progress, not taking new patients"),
        RecruitmentStatus.SUSPENDED: _("Paused"),
        RecruitmentStatus.COMPLETED: _("Completed"),
        RecruitmentStatus.TERMINATED: _("Ended early"),
        RecruitmentStatus.WITHDRAWN: _("Withdrawn before it began"),
        RecruitmentStatus.AVAILABLE: _("Available outside a trial"),
        RecruitmentStatus.NO_LONGER_AVAILABLE: _("No longer available"),
        RecruitmentStatus.TEMPORARILY_NOT_AVAILABLE: _("Not available for now"),
        RecruitmentStatus.APPROVED_FOR_MARKETING: _("Approved as a medicine"),
        RecruitmentStatus.WITHHELD: _("Not stated"),
        RecruitmentStatus.UNKNOWN: _("Status not known"),
    }[value]


def precision(value: Precision) -> str:
    """Return what a point represents, in words."""
    return {
        Precision.ADDRESS: _("an address"),
        Precision.UNIT: _("a street-level postcode"),
        Precision.SECTOR: _("a part of a postcode area"),
        Precision.DISTRICT: _("a postcode area"),
        Precision.LOCALITY: _("a whole town"),
        Precision.REGION: _("a whole region"),
        Precision.UNKNOWN: _("an unknown area"),
    }[value]


def reason(value: Reason, unit: Unit) -> str:
    """Return a reason as one plain sentence; see `sitematch.domain.finding.wording.explain`."""
    distance = "" if value.km is None else length(value.km, unit)
    subject, count = value.subject, value.count
    site = isolated(subject)
    match value.code:
        case ReasonCode.NEAREST:
            return _("The nearest clinic that can take a patient now.")
        case ReasonCode.SAME_BAND:
            return _("About as far away as %(site)s: %(distance)s more.", site=site, distance=distance)
        case ReasonCode.FARTHER:
            return _("%(distance)s farther than %(site)s.", distance=distance, site=site)
        case ReasonCode.AHEAD_BY_TRAVEL:
            return _(
                "%(distance)s farther than %(site)s, but travel support is more certain.", distance=distance, site=site
            )
        case ReasonCode.AHEAD_BY_SPOTS:
            return _("%(distance)s farther than %(site)s, but has more spots left.", distance=distance, site=site)
        case ReasonCode.AHEAD_BY_KNOWN_SPOTS:
            return _(
                "%(distance)s farther than %(site)s, but it has spots left. For %(site)s this is not known.",
                distance=distance,
                site=site,
            )
        case ReasonCode.UNDECIDED:
            return _("This clinic or %(site)s may be nearer: the difference is too small to be sure.", site=site)
        case ReasonCode.OWN_COUNTRY:
            return _("In %(country)s, the country you prefer.", country=country(subject))
        case ReasonCode.OTHER_COUNTRY:
            return _("In %(country)s; clinics of the country you prefer come first.", country=country(subject))
        case ReasonCode.OUTSIDE_RADIUS:
            return _(
                "Farther than %(distance)s: no nearer clinic can take a patient, so the nearest one is shown.",
                distance=distance,
            )
        case ReasonCode.UNPLACED:
            return _("We do not know where it is, so it is listed last: ask the clinic.")
        case ReasonCode.NO_LOCATION:
            return _("We do not know where it is, so its distance could not be checked.")
        case ReasonCode.TRAVEL_COVERED:
            return travel(TravelCertainty.COVERED)
        case ReasonCode.TRAVEL_MAY_BE_COVERED:
            return travel(TravelCertainty.MAY_BE_COVERED)
        case ReasonCode.TRAVEL_UNKNOWN:
            return travel(TravelCertainty.UNKNOWN)
        case ReasonCode.TRAVEL_NOT_COVERED:
            return travel(TravelCertainty.NOT_COVERED)
        case ReasonCode.SPOTS_AT_SITE:
            return spots(Remaining(count=count, as_of=None, drawn_from=LimitedBy.SITE_CAP))
        case ReasonCode.SPOTS_SHARED:
            return spots(Remaining(count=count, as_of=None, drawn_from=LimitedBy.SHARED_POOL))
        case ReasonCode.SPOTS_UNKNOWN:
            return spots(Remaining(count=None, as_of=None))
        case ReasonCode.LIKELY_FULL:
            assert value.on is not None
            assert value.probability is not None
            return _(
                "At the current pace, it is likely to be full by the end of %(month)s (probability about %(percent)s).",
                month=month(value.on),
                percent=percent(value.probability),
            )
        case ReasonCode.FULL | ReasonCode.CLOSED | ReasonCode.NO_SPOTS:
            return _shortage(value.code, subject)
        case ReasonCode.STUDY_NOT_RECRUITING:
            return _("The study is not taking patients now.")
        case ReasonCode.WAITING_LIST:
            return _("There is a waiting list: ask the clinic how to join it.")
        case ReasonCode.TOO_FEW_SPOTS:
            return _("Fewer spots than you asked for.")
        case ReasonCode.NOT_RECRUITING:
            return status(RecruitmentStatus(subject))
        case ReasonCode.TOO_FAR:
            return _("Farther than the %(distance)s you chose.", distance=distance)
        case ReasonCode.QUICKER_THAN_AHEAD:
            return _("About %(time)s quicker to reach by car than %(site)s.", time=duration(count or 0), site=site)
        case ReasonCode.QUICKEST:
            return _("The quickest clinic to reach by car that can take a patient now.")
        case ReasonCode.SLOWER:
            return _("About %(time)s longer by car than %(site)s.", time=duration(count or 0), site=site)
        case ReasonCode.NO_MINUTES:
            return _("No road leads there from your place, so it is listed after the others.")
        case ReasonCode.OUTSIDE_MINUTES:
            return _(
                "More than %(time)s by car: no clinic within that time can take a patient, so the nearest one is "
                "shown.",
                time=duration(count or 0),
            )
        case ReasonCode.TOO_LONG:
            return _("More than the %(time)s by car that you chose, or no road leads there.", time=duration(count or 0))
        case ReasonCode.TRAVEL_TOO_UNSURE:
            return travel(TravelCertainty(subject))
        case ReasonCode.COUNTRY_NOT_ASKED:
            return _("In %(country)s, not in the country you chose.", country=country(subject))
        case ReasonCode.BEYOND_LIMIT:
            return _("Number %(rank)s in the list: show more clinics to see it.", rank=number(count or 0))
    raise AssertionError(f"no words for {value.code}")  # pragma: no cover - a test checks every code


def next_step(reasons: Sequence[Reason]) -> str:
    """Return what a person can do about a clinic that was left out; empty if a filter or a reason says it."""
    codes = {reason.code for reason in reasons}
    for reason in reasons:
        if reason.code is ReasonCode.NOT_RECRUITING:
            return {
                RecruitmentStatus.NOT_YET_RECRUITING: _("It may open later: look again another day."),
                RecruitmentStatus.ENROLLING_BY_INVITATION: _(
                    "Only people whom the study team asks can take part here."
                ),
                RecruitmentStatus.SUSPENDED: _("It may start again: look again another day."),
                RecruitmentStatus.TEMPORARILY_NOT_AVAILABLE: _("It may start again: look again another day."),
                RecruitmentStatus.UNKNOWN: _("Ask the study team if it takes patients."),
                RecruitmentStatus.WITHHELD: _("Ask the study team if it takes patients."),
            }.get(RecruitmentStatus(reason.subject), _("Choose another clinic."))
    if ReasonCode.WAITING_LIST in codes:
        return ""  # that reason says how to join it
    if codes & {ReasonCode.FULL, ReasonCode.NO_SPOTS}:
        return _("A spot may become free again: ask the clinic, or choose another one.")
    if codes & {ReasonCode.CLOSED, ReasonCode.STUDY_NOT_RECRUITING}:
        return _("It may take patients again: look again another day.")
    return ""


def _shortage(code: ReasonCode, level: str) -> str:
    """Return why no spot is free, by the level of the cap that prevents it."""
    words = {
        (ReasonCode.FULL, CapLevel.STUDY): _("The study is full: all its spots are taken."),
        (ReasonCode.FULL, CapLevel.COUNTRY): _("All the study's spots in this country are taken."),
        (ReasonCode.FULL, CapLevel.ARM): _("All spots in this part of the study are taken."),
        (ReasonCode.FULL, CapLevel.SITE): _("This clinic is full: all its spots are taken."),
        (ReasonCode.CLOSED, CapLevel.STUDY): _("The study team has stopped taking new patients at all clinics."),
        (ReasonCode.CLOSED, CapLevel.COUNTRY): _("The study team has stopped taking new patients in this country."),
        (ReasonCode.CLOSED, CapLevel.ARM): _(
            "The study team has stopped taking new patients in this part of the study."
        ),
        (ReasonCode.CLOSED, CapLevel.SITE): _("The study team has stopped taking new patients at this clinic."),
        (ReasonCode.NO_SPOTS, CapLevel.STUDY): _("The study has no spots for new patients."),
        (ReasonCode.NO_SPOTS, CapLevel.COUNTRY): _("The study has no spots for new patients in this country."),
        (ReasonCode.NO_SPOTS, CapLevel.ARM): _("This part of the study has no spots for new patients."),
        (ReasonCode.NO_SPOTS, CapLevel.SITE): _("This clinic has no spots for new patients."),
    }
    return words.get((code, CapLevel(level)), "") if level else _("Full: no spots are left.")


def place_accuracy(place: Place, unit: Unit) -> str:
    """Return the uncertainty of the person's place, in words."""
    if place.source == "as given":
        return _(
            "Your device says this is accurate to within %(distance)s.", distance=accuracy(place.uncertainty_km, unit)
        )
    return _(
        "Known to within %(distance)s (%(area)s).",
        distance=accuracy(place.uncertainty_km, unit),
        area=precision(place.precision),
    )
