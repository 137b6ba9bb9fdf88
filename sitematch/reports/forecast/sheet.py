"""The forecast as a report: what a coordinator reads, and every number in tables."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sitematch import __version__
from sitematch.domain.capacity import CapKey, CapLevel
from sitematch.domain.recruitment import Recruitment
from sitematch.reports.document import Cell, Column, Kind, Mark, Report, Section, Table, Tone
from sitematch.reports.forecast.counts import interval, mean
from sitematch.reports.forecast.outlook import LEVELS, AtDate, Counted, Outlook, Scenario, SiteOutlook
from sitematch.reports.forecast.plan import DAY, STUDY
from sitematch.reports.forecast.rates import DAYS_A_MONTH
from sitematch.reports.forecast.underway import screen_failures, will_enrol
from sitematch.reports.plot import Band, FanPlot, Level, Line

FAR_AHEAD = 2.0
"""A date that lies so many times as far ahead as the ledger reaches back gets a warning."""

_PROBABLE = (Mark(tone=Tone.ALERT, at_least=0.8), Mark(tone=Tone.WARN, at_least=0.5))
_WIDEST_FIRST = tuple(reversed(range(len(LEVELS))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a report says of its study beyond the forecast.

    Parameters
    ----------
    study_id, title, notice
        The study's; the notice must be shown, and is empty if there is none.
    facilities
        The facility of each site, by site_id; a site that left the catalogue has none.
    visible
        The sites that the reader may see; None is all of them.
    opened
        The days of opening that were given.
    """

    study_id: str
    title: str
    notice: str
    facilities: Mapping[str, str]
    visible: Collection[str] | None
    opened: Mapping[str, date]


def sheet(outlook: Outlook, subject: Subject, time_zone: str) -> Report:
    """Write a forecast as a report.

    Parameters
    ----------
    outlook
        The forecast.
    subject
        What else to say.
    time_zone
        The IANA name of the zone whose days the forecast counted.

    Raises
    ------
    ValueError
        If the zone is unknown.
    """
    zone = ZoneInfo(time_zone)
    recruitment = outlook.recruitment
    if outlook.base is None:
        sections = (_too_few(outlook, zone), _seen_sites(outlook, subject), _under_way(recruitment))
    else:
        sections = (
            _study(outlook, outlook.base, zone),
            *(() if outlook.changed is None else (_what_if(outlook, outlook.base, outlook.changed),)),
            _sites(outlook, outlook.base, subject),
            _under_way(recruitment),
            _how(outlook),
        )
    filters = [("By", outlook.by.isoformat())]
    filters += [("Opened", f"{site_id} on {day}") for site_id, day in sorted(subject.opened.items())]
    if outlook.what_if is not None:
        filters.append(("What if", _supposed(outlook)))
    since = recruitment.since
    return Report(
        kind="forecast",
        title="Enrolment forecast",
        study_id=subject.study_id,
        study_title=subject.title,
        as_of=recruitment.as_of,
        time_zone=time_zone,
        version=f"sitematch {__version__}",
        sections=sections,
        filters=tuple(filters),
        sources=(
            ("Ledger", f"{recruitment.events} events" + ("" if since is None else f" since {_day(since, zone)}")),
            ("Simulation", f"{outlook.courses} courses from {outlook.seed}, for the sites"),
        ),
        notes=tuple(_notes(outlook, subject, zone)),
    )


def _too_few(outlook: Outlook, zone: ZoneInfo) -> Section:
    return Section(
        title="Too few data to say",
        text=(
            f"{outlook.shortfall} Whatever was said of {outlook.by} now would be a guess, so nothing is.",
            _so_far(outlook.recruitment, zone),
        ),
    )


def _study(outlook: Outlook, base: Scenario, zone: ZoneInfo) -> Section:
    at = base.dates[-1]
    text = [_so_far(outlook.recruitment, zone), _expected(at)]
    cap = outlook.recruitment.caps.get(STUDY)
    if cap is not None and at.spots_left is not None and at.full is not None:
        left = at.spots_left
        low, high = left.intervals[LEVELS.index(0.8)]
        text.append(
            f"About {left.median} of the study's {cap} spots are left then (80 % interval {low} to {high}); with "
            f"a probability of {_percent(at.full)} none is. A spot counts as left until a participant fills it: some "
            "of them will be held."
        )
        text.append(_when_full("The study is full", base.full_on, outlook.horizon))
    else:
        text.append("The study has no cap of its own, so no number of spots left can be given.")
    if all(site.site.starts_in_days is None for site in base.sites):
        text.append("No site takes new patients now: only those who are under way can still enrol.")
    return Section(title="The study", text=tuple(text), plot=_fan(outlook, base, cap, zone), table=_dates(base))


def _so_far(recruitment: Recruitment, zone: ZoneInfo) -> str:
    if recruitment.since is None:
        return "The study has no ledger yet."
    days = int((recruitment.as_of - recruitment.since) / DAY)
    return (
        f"{recruitment.enrolled} enrolled from {_day(recruitment.since, zone)} to {_day(recruitment.as_of, zone)}: "
        f"{days} days of the ledger."
    )


def _expected(at: AtDate) -> str:
    spans = [
        f"{100 * level:.0f} % interval {low} to {high}"
        for level, (low, high) in zip(LEVELS, at.enrolled.intervals, strict=True)
    ]
    return f"By {at.on} {at.enrolled.median} are expected in all: {', '.join(spans)}."


def _when_full(what: str, on: tuple[date | None, ...], horizon: date) -> str:
    early, middle, late = on
    if early is None:
        return f"{what} no earlier than {horizon:%B %Y}, with a probability of at least 90 %."
    until = f"{late:%B %Y}" if late is not None else f"later than {horizon:%B %Y}"
    when = f"about {middle:%B %Y}" if middle is not None else f"more likely later than {horizon:%B %Y} than before"
    return f"{what} {when} (80 % interval {early:%B %Y} to {until})."


def _fan(outlook: Outlook, base: Scenario, cap: int | None, zone: ZoneInfo) -> FanPlot:
    recruitment = outlook.recruitment
    today = recruitment.as_of.astimezone(zone).date()
    start = today if recruitment.since is None else recruitment.since.astimezone(zone).date()
    past: dict[date, int] = {start: 0}
    total = 0
    for day, count in recruitment.enrolled_on:
        total += count
        past[day] = total
    past[today] = total
    now = (today, total)
    return FanPlot(
        name="fan",
        title=f"Enrolled so far, and expected by {outlook.by}",
        x_label="Day",
        y_label="Enrolled",
        observed=Line(label="Enrolled", points=tuple(sorted(past.items())), is_stepped=True),
        expected=Line(label="Expected (median)", points=(now, *((at.on, at.enrolled.median) for at in base.dates))),
        bands=tuple(
            Band(
                label=f"{100 * LEVELS[i]:.0f} % interval",
                points=((*now, total), *((at.on, *at.enrolled.intervals[i]) for at in base.dates)),
            )
            for i in _WIDEST_FIRST
        ),
        levels=() if cap is None else (Level(label="Cap of the study", value=cap),),
    )


_COUNTED = (
    ("mean", "mean", Kind.NUMBER),
    ("median", "median", Kind.INTEGER),
    *(
        (f"{end}_{100 * level:.0f}", f"{100 * level:.0f} % {end}", Kind.INTEGER)
        for level in LEVELS
        for end in ("low", "high")
    ),
)


def _counted_columns(name: str, label: str, what: str, missing: str = "-") -> tuple[Column, ...]:
    return tuple(
        Column(name=f"{name}_{part}", label=f"{label}, {words}", kind=kind, description=what, missing=missing)
        for part, words, kind in _COUNTED
    )


def _counted_cells(counted: Counted | None) -> tuple[Cell, ...]:
    if counted is None:
        return (None,) * len(_COUNTED)
    return (counted.mean, counted.median, *(end for span in counted.intervals for end in span))


_FULL = Column(
    name="full_probability",
    label="Full",
    kind=Kind.SHARE,
    digits=0,
    description="The probability that no spot of the study is left at the end of that day.",
    missing="no cap",
    marks=_PROBABLE,
)


def _dates(base: Scenario) -> Table:
    return Table(
        name="by-date",
        columns=(
            Column(name="on", label="End of", kind=Kind.DATE),
            *_counted_columns("enrolled", "Enrolled", "Everybody enrolled by then, those so far counted in."),
            *_counted_columns("left", "Spots left", "Spots of the study's cap that no participant fills.", "no cap"),
            _FULL,
        ),
        rows=tuple((at.on, *_counted_cells(at.enrolled), *_counted_cells(at.spots_left), at.full) for at in base.dates),
    )


def _full_columns(horizon: date) -> tuple[Column, ...]:
    missing = f"not by {horizon:%b %Y}"
    words = (("early", "10 %"), ("middle", "50 %"), ("late", "90 %"))
    return tuple(
        Column(
            name=f"full_{name}_on",
            label=f"Full by ({share})",
            kind=Kind.DATE,
            description=f"The first day by whose end it is full with a probability of at least {share}.",
            missing=missing,
        )
        for name, share in words
    )


def _what_if(outlook: Outlook, base: Scenario, changed: Scenario) -> Section:
    at, then = base.dates[-1], changed.dates[-1]
    more = then.enrolled.mean - at.enrolled.mean
    text = [
        f"What if: {_supposed(outlook)}.",
        (
            f"By {at.on} that makes {abs(more):.1f} enrolments {'more' if more >= 0 else 'fewer'} on average: "
            f"{then.enrolled.median} instead of {at.enrolled.median} in the middle."
        ),
    ]
    if then.spots_left is not None:
        text.append(_when_full("The study would be full", changed.full_on, outlook.horizon))
    return Section(
        title="What if",
        text=tuple(text),
        table=Table(
            name="what-if",
            columns=(
                Column(name="scenario", label="Scenario", kind=Kind.TEXT),
                *_counted_columns("enrolled", "Enrolled", f"Everybody enrolled by {at.on}."),
                *_counted_columns("left", "Spots left", f"Spots of the study's cap left at {at.on}.", "no cap"),
                _FULL,
                *_full_columns(outlook.horizon),
            ),
            rows=tuple(
                (name, *_counted_cells(last.enrolled), *_counted_cells(last.spots_left), last.full, *scenario.full_on)
                for name, scenario, last in (("as things are", base, at), ("what if", changed, then))
            ),
        ),
    )


def _supposed(outlook: Outlook) -> str:
    change = outlook.what_if
    assert change is not None
    parts = []
    if change.add_sites:
        when = "at once" if change.opening is None else f"on {change.opening}"
        parts.append(f"{change.add_sites} more site{'s' if change.add_sites > 1 else ''}, opening {when}")
    parts += [f"{site_id} takes nobody new" for site_id in change.close]
    for key, cap in change.caps.items():
        parts.append(f"the cap of {_part(key)} is {'removed' if cap is None else cap}")
    return "; ".join(parts)


def _part(key: CapKey) -> str:
    return "the study" if key.level is CapLevel.STUDY else key.scope


def _visible(sites: Iterable[SiteOutlook], subject: Subject) -> list[SiteOutlook]:
    return [item for item in sites if subject.visible is None or item.site.site_id in subject.visible]


def _sites(outlook: Outlook, base: Scenario, subject: Subject) -> Section:
    by = outlook.by
    spots_left = "Spots of the site's own cap left"
    columns = (
        Column(name="site_id", label="Site", kind=Kind.TEXT),
        Column(name="facility", label="Facility", kind=Kind.TEXT),
        Column(name="country", label="Country", kind=Kind.TEXT),
        Column(name="state", label="State", kind=Kind.TEXT, description="Whether it takes new patients now."),
        Column(name="open_days", label="Open days", kind=Kind.INTEGER, description=_OPEN_DAYS),
        Column(name="enrolled", label="Enrolled", kind=Kind.INTEGER, description="Everybody who ever enrolled."),
        Column(
            name="rate_per_month",
            label="A month",
            kind=Kind.NUMBER,
            digits=2,
            description=f"Enrolments expected in {DAYS_A_MONTH} open days: between its own rate and that of all.",
        ),
        Column(name="rate_low", label="A month, 95 % low", kind=Kind.NUMBER, digits=2),
        Column(name="rate_high", label="A month, 95 % high", kind=Kind.NUMBER, digits=2),
        *_counted_columns("by", f"By {by}", "Everybody enrolled by then, those so far counted in."),
        *_counted_columns("left", f"Left {by}", f"{spots_left} then; wider caps may leave less.", "no own cap"),
        Column(
            name="full_probability",
            label=f"Full by {by}",
            kind=Kind.SHARE,
            digits=0,
            description="The probability that it can take nobody more then, for its own cap or a wider one.",
            missing="-",
            marks=_PROBABLE,
        ),
        *_full_columns(outlook.horizon),
    )
    closed = {site.site_id for site in outlook.recruitment.sites if site.was_used}
    rows = tuple(
        (
            item.site.site_id,
            subject.facilities.get(item.site.site_id, ""),
            item.site.country,
            _state(item, closed),
            item.site.open_days,
            item.site.enrolled,
            *item.month_rate,
            *_counted_cells(item.enrolled),
            *_counted_cells(item.spots_left),
            item.full,
            *item.full_on,
        )
        for item in _visible(base.sites, subject)
    )
    notes = ["Sites that share a cap compete: where it binds, each gets what the others leave."]
    if subject.visible is not None:
        notes.append("Only the sites that you may see are listed; the study's numbers are of all sites.")
    return Section(
        title="The sites",
        text=(
            (
                "A site is full once its own cap, its country's or the study's is reached. The days of that are ends "
                "of months."
            ),
        ),
        table=Table(name="sites", columns=columns, rows=rows, notes=tuple(notes)),
    )


_OPEN_DAYS = (
    "Days in which it could have enrolled somebody, since the start of the ledger or the day of opening that was "
    "given: without those in which it, its country or the study was closed or every spot was filled."
)


def _state(item: SiteOutlook, used: Collection[str]) -> str:
    starts = item.site.starts_in_days
    if starts is None:
        return "takes nobody new" if item.site.site_id in used else "not open yet"
    return "open" if starts <= 0 else f"opens in {starts:.0f} days"


def _seen_sites(outlook: Outlook, subject: Subject) -> Section:
    return Section(
        title="The sites",
        table=Table(
            name="sites",
            columns=(
                Column(name="site_id", label="Site", kind=Kind.TEXT),
                Column(name="facility", label="Facility", kind=Kind.TEXT),
                Column(name="country", label="Country", kind=Kind.TEXT),
                Column(name="open_days", label="Open days", kind=Kind.INTEGER, description=_OPEN_DAYS),
                Column(name="enrolled", label="Enrolled", kind=Kind.INTEGER),
            ),
            rows=tuple(
                (
                    site.site_id,
                    subject.facilities.get(site.site_id, ""),
                    site.country,
                    round(site.open_for / DAY),
                    site.enrolled,
                )
                for site in outlook.recruitment.sites
                if subject.visible is None or site.site_id in subject.visible
            ),
        ),
    )


def _under_way(recruitment: Recruitment) -> Section:
    held = sum(site.held for site in recruitment.sites)
    screening = sum(site.screening for site in recruitment.sites)
    failures = screen_failures(recruitment)
    coming = will_enrol(recruitment)
    low, high = interval(coming, 0.8)
    text = [f"Under way now: {held} held, {screening} in screening."]
    if held + screening:
        text[0] += (
            f" {mean(coming):.1f} of them are expected to enrol (80 % interval {low} to {high}), going by those before "
            "them. They are part of what is expected above, not on top of it: whoever enrolled so far was held and "
            "screened too."
        )
    share = None if failures.of == 0 else failures.count / failures.of
    if share is None:
        text.append("No screening has ended in an enrolment or a failure yet.")
    else:
        text.append(
            f"{failures.count} of {failures.of} screenings that were decided failed: {_percent(share)} (95 % interval "
            f"{_percent(failures.low)} to {_percent(failures.high)})."
        )
    known = share is not None
    return Section(
        title="Under way and screening",
        text=tuple(text),
        table=Table(
            name="screening",
            columns=(
                Column(
                    name="held", label="Held", kind=Kind.INTEGER, description="Offers and holds that have not lapsed."
                ),
                Column(name="screening", label="In screening", kind=Kind.INTEGER),
                Column(name="expected", label="Will enrol, mean", kind=Kind.NUMBER),
                Column(name="expected_low_80", label="Will enrol, 80 % low", kind=Kind.INTEGER),
                Column(name="expected_high_80", label="Will enrol, 80 % high", kind=Kind.INTEGER),
                Column(name="failed", label="Failed", kind=Kind.INTEGER),
                Column(name="decided", label="Decided", kind=Kind.INTEGER, description="Failed or enrolled."),
                Column(name="failure_rate", label="Failure rate", kind=Kind.SHARE, missing="nothing decided"),
                Column(name="failure_low_95", label="95 % low", kind=Kind.SHARE),
                Column(name="failure_high_95", label="95 % high", kind=Kind.SHARE),
            ),
            rows=(
                (
                    held,
                    screening,
                    mean(coming),
                    low,
                    high,
                    failures.count,
                    failures.of,
                    share,
                    failures.low if known else None,
                    failures.high if known else None,
                ),
            ),
        ),
    )


def _how(outlook: Outlook) -> Section:
    fit = outlook.fit
    assert fit is not None
    how_even = (
        "no more than chance explains" if fit.is_even else f"by a coefficient of variation of {fit.best.spread:.2f}"
    )
    return Section(
        title="How it was worked out",
        text=(
            (
                "Each site enrols at a rate of its own, constant in time; the rates of sites differ as a gamma "
                "distribution (Anisimov and Fedorov 2007). A site that has shown much is taken at its word, one that "
                "has shown little is taken to be like the others."
            ),
            (
                f"{fit.enrolled} enrolments in {fit.open_days:.0f} open days of {fit.sites} sites: a typical site "
                f"enrols {DAYS_A_MONTH * fit.best.mean:.2f} in {DAYS_A_MONTH} days, and sites differ {how_even}. The "
                "intervals allow for not knowing these two numbers either."
            ),
            "They do not allow for a change of pace: new advertising, a holiday, a competing trial.",
        ),
        table=Table(
            name="rates",
            columns=(
                Column(name="sites", label="Sites", kind=Kind.INTEGER, description="With open time."),
                Column(name="enrolled", label="Enrolled", kind=Kind.INTEGER),
                Column(name="open_days", label="Open days", kind=Kind.INTEGER, description="Summed over the sites."),
                Column(name="rate_per_month", label="A site a month", kind=Kind.NUMBER, digits=3),
                Column(
                    name="spread",
                    label="Sites differ by",
                    kind=Kind.NUMBER,
                    digits=2,
                    missing="chance only",
                    description="The coefficient of variation of the sites' rates: 0 is all alike.",
                ),
                Column(name="gamma_shape", label="α", kind=Kind.NUMBER, digits=3, missing="infinite"),
                Column(name="gamma_rate_days", label="β in days", kind=Kind.NUMBER, digits=1, missing="infinite"),
            ),
            rows=(
                (
                    fit.sites,
                    fit.enrolled,
                    round(fit.open_days),
                    DAYS_A_MONTH * fit.best.mean,
                    None if fit.is_even else fit.best.spread,
                    None if fit.is_even else fit.best.shape,
                    None if fit.is_even else fit.best.days,
                ),
            ),
            notes=(
                "The values of maximum likelihood; the forecast averages over those that the data leave plausible.",
            ),
        ),
    )


def _notes(outlook: Outlook, subject: Subject, zone: ZoneInfo) -> Iterable[str]:
    recruitment = outlook.recruitment
    if subject.notice:
        yield subject.notice
    yield "A full study or site is one whose spots participants fill; held spots make it full to patients earlier."
    if recruitment.since is not None and outlook.base is not None:
        back = recruitment.as_of - recruitment.since
        ahead = timedelta(days=(outlook.by - recruitment.as_of.astimezone(zone).date()).days)
        if ahead > FAR_AHEAD * back:
            yield (
                f"{outlook.by} lies {ahead / back:.1f} times as far ahead as the ledger reaches back: the pace may "
                "have changed by then."
            )
    if any(key.level is CapLevel.ARM for key in recruitment.caps):
        yield "Caps of arms are not forecast: where one binds, the study enrols less than is said here."
    if recruitment.keeps_failed:
        yield "In this study a failed screening keeps its spot, which is not forecast: it is full earlier than is said."
    listed = [site for site in recruitment.sites if not site.takes_patients]
    unopened = [site.site_id for site in listed if not site.was_used and site.site_id not in subject.opened]
    if unopened:
        yield f"{len(unopened)} sites are not open yet and left out, as their day of opening was not given."
    if any(site.was_used for site in listed):
        yield (
            "Sites that take nobody new can still enrol those under way. The catalogue keeps no history: a site that "
            "its registry status closes is taken to have been open until its last event."
        )


def _percent(share: float) -> str:
    if 0 < share < 0.01:
        return "less than 1 %"
    if 0.99 < share < 1:
        return "more than 99 %"
    return f"{100 * share:.0f} %"


def _day(instant: datetime, zone: ZoneInfo) -> str:
    return f"{instant.astimezone(zone):%Y-%m-%d}"
