"""The forecast as a report: first the main results, then the numbers behind them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sitematch.domain.capacity.caps import CapKey, CapLevel
from sitematch.domain.capacity.recruitment import Recruitment
from sitematch.reports.document import Report, Section
from sitematch.reports.forecast import tables
from sitematch.reports.forecast.changes import LEVEL, PaceTest, changed_sites, site_words, study_test, study_words
from sitematch.reports.forecast.counts import interval, mean
from sitematch.reports.forecast.outlook import LEVELS, AtDate, Outlook, Scenario
from sitematch.reports.forecast.plan import DAY, STUDY
from sitematch.reports.forecast.rates import DAYS_A_MONTH
from sitematch.reports.forecast.underway import screen_failures, will_enrol
from sitematch.reports.plot import Band, FanPlot, Level, Line
from sitematch.reports.scope import Scope

_SITES_TOLD = 3

FAR_AHEAD = 2.0
"""A date that is more than this many times as far ahead as the ledger goes back gets a warning."""


def sheet(
    outlook: Outlook,
    scope: Scope,
    *,
    facilities: Mapping[str, str],
    opened: Mapping[str, date],
    ledger: tuple[int, str],
) -> Report:
    """Return a forecast as a report.

    Parameters
    ----------
    outlook
        The forecast.
    scope
        The study, the time zone of the days, and the sites to list; the study's own numbers include all sites.
    facilities
        The facility of each site, by site_id; sites that are no longer in the catalogue have none.
    opened
        The given opening days, by site_id.
    ledger
        How many events it was worked out from, and the last one's hash.
    """
    changes = [
        test
        for test in changed_sites(outlook.recruitment, scope.zone)
        if scope.visible is None or test.name in scope.visible
    ]
    if outlook.base is None:
        sections = _too_few(outlook, scope, facilities)
    else:
        sections = _all(outlook, scope, facilities, changes)
    asked = [("By", outlook.by.isoformat())]
    if opened:
        asked.append(("Opened", "; ".join(f"{site_id} on {day}" for site_id, day in sorted(opened.items()))))
    if outlook.what_if is not None:
        asked.append(("What if", _supposed(outlook)))
    report = scope.report(
        kind="forecast",
        title="Enrolment forecast",
        standing_at=outlook.recruitment.as_of,
        ledger=ledger,
        sections=sections,
        notes=tuple(_notes(outlook, opened, scope)),
        summary=_summary(outlook, changes),
    )
    simulated = ("Simulation", f"{outlook.courses} courses from seed {outlook.seed}, for the sites")
    return replace(report, filters=(*asked, *report.filters), sources=(*report.sources, simulated))


def _summary(outlook: Outlook, changes: Sequence[PaceTest]) -> str:
    """Return what matters most: when the study is full or how many enrol, and which sites stand still or slow down."""
    base = outlook.base
    if base is None:
        return f"There is no forecast yet. {outlook.shortfall}"
    at, low_high = base.dates[-1], LEVELS.index(tables.MAIN_LEVEL)
    early, _, late = base.full_on
    low, high = at.enrolled.intervals[low_high]
    if base.plan.spots == 0:
        said = "The study is full"
    elif early is None:
        said = f"At this pace {low} to {high} people have enrolled by {at.on:%-d %B %Y}"
    elif late is None:
        said = f"At this pace the study fills in {early:%B %Y} or later, and perhaps not by {outlook.horizon:%B %Y}"
    elif (early.year, early.month) == (late.year, late.month):
        said = f"At this pace the study fills in {early:%B %Y}"
    else:
        said = f"At this pace the study fills between {early:%B %Y} and {late:%B %Y}"
    slower = [test for test in changes if test.is_slower]
    told = [said, *map(site_words, slower[:_SITES_TOLD])]
    if len(slower) > _SITES_TOLD:
        told.append(f"{len(slower) - _SITES_TOLD} more sites have slowed down")
    return "; ".join(told) + "."


def _too_few(outlook: Outlook, scope: Scope, facilities: Mapping[str, str]) -> tuple[Section, ...]:
    recruitment = outlook.recruitment
    said = f"{outlook.shortfall} There is no forecast for {outlook.by} yet."
    seen = [site for site in recruitment.sites if scope.shows(site.site_id, site.country)]
    return (
        Section(title="Not enough data", text=(said, _so_far(recruitment, scope.zone))),
        Section(title="The sites", table=tables.sites_so_far(seen, facilities)),
        *_under_way(recruitment, scope),
    )


def _all(
    outlook: Outlook, scope: Scope, facilities: Mapping[str, str], changes: Sequence[PaceTest]
) -> tuple[Section, ...]:
    base = outlook.base
    assert base is not None
    listed = [item for item in base.sites if scope.shows(item.site.site_id, item.site.country)]
    used = {site.site_id for site in outlook.recruitment.sites if site.was_used}
    notes = [
        "Sites that share a cap compete for its spots.",
        f"Full by -: later than {outlook.horizon:%B %Y}, or no cap applies, or the site is closed to new patients.",
    ]
    if not scope.is_whole:
        notes.append("Not every site is listed. The study's numbers include all its sites.")
    what_if = () if outlook.changed is None else (_what_if(outlook, base, outlook.changed),)
    return (
        _study(outlook, base, scope.zone),
        *what_if,
        Section(
            title="The sites",
            text=(
                *_changed_words(changes),
                (
                    "A site is full once its own cap, its country's or the study's is. Each day is the end of the "
                    "month by which this has the probability in the heading."
                ),
            ),
            table=tables.sites_ahead(listed, facilities, used, outlook.by, tuple(notes)),
        ),
        *_under_way(outlook.recruitment, scope),
        _how(outlook),
        Section(title="Enrolment rates of the sites", table=tables.site_rates(listed, facilities)),
    )


def _changed_words(changes: Sequence[PaceTest]) -> tuple[str, ...]:
    if not changes:
        return ("No site's pace has clearly changed.",)
    said = "; ".join(map(site_words, changes))
    return (f"{said[0].upper()}{said[1:]}. Over all sites, chance alone raises such an alarm in 5 % of studies.",)


def _study(outlook: Outlook, base: Scenario, zone: ZoneInfo) -> Section:
    at = base.dates[-1]
    pace = study_test(outlook.recruitment, zone)
    text = [_so_far(outlook.recruitment, zone), *([] if pace is None else [study_words(pace)]), _expected(at)]
    cap = outlook.recruitment.caps.get(STUDY)
    if cap is not None and at.spots_left is not None and at.full is not None:
        left = at.spots_left
        low, high = left.intervals[LEVELS.index(tables.MAIN_LEVEL)]
        about = f"About {left.median}" if left.median else "Probably none"
        text.append(
            f"{about} of the study's {cap} spots are left then (80 % interval {low} to {high}); the "
            f"probability that none is left is {_percent(at.full)}. A spot counts as left until a participant "
            "fills it, so some of these may be held."
        )
        if base.plan.spots == 0:
            text.append("The study is full: participants fill every spot.")
        else:
            text.append(_when_full("The study is full", base.full_on, outlook.horizon))
    else:
        text.append("The study has no cap of its own, so the number of spots left is not known.")
    if all(site.site.starts_in_days is None for site in base.sites):
        text.append("No site is taking new patients now. Only referrals in progress can still enrol.")
    plot = _fan(outlook, base, cap, zone, pace)
    return Section(title="The study", text=tuple(text), plot=plot, table=tables.by_date(base.dates))


def _so_far(recruitment: Recruitment, zone: ZoneInfo) -> str:
    if recruitment.since is None:
        return "The study has no events in the ledger yet."
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
        return f"{what} later than {horizon:%B %Y}, with a probability of at least 90 %."
    until = f"{late:%B %Y}" if late is not None else f"later than {horizon:%B %Y}"
    when = f"about {middle:%B %Y}" if middle is not None else f"probably after {horizon:%B %Y}"
    return f"{what} {when} (80 % interval: {early:%B %Y} to {until})."


def _fan(outlook: Outlook, base: Scenario, cap: int | None, zone: ZoneInfo, pace: PaceTest | None) -> FanPlot:
    recruitment = outlook.recruitment
    today = recruitment.as_of.astimezone(zone).date()
    start = today if recruitment.since is None else recruitment.since.astimezone(zone).date()
    past: dict[date, int] = {start: 0}
    total = 0
    for day, count in recruitment.enrolled_on:
        total += count
        past[day] = total
    past[today] = total
    return FanPlot(
        name="fan",
        title=f"Enrolled so far, and expected by {outlook.by}",
        x_label="Day",
        y_label="Enrolled",
        observed=Line(label="Enrolled", points=tuple(sorted(past.items())), is_stepped=True),
        expected=Line(
            label="Expected (median)", points=((today, total), *((at.on, at.enrolled.median) for at in base.dates))
        ),
        bands=tuple(
            Band(
                label=f"{100 * LEVELS[i]:.0f} % interval",
                points=((today, total, total), *((at.on, *at.enrolled.intervals[i]) for at in base.dates)),
            )
            for i in reversed(range(len(LEVELS)))
        ),
        levels=() if cap is None else (Level(label="Cap of the study", value=cap),),
        references=() if pace is None or pace.probability > LEVEL else (_at_even_pace(pace, today),),
    )


def _at_even_pace(pace: PaceTest, today: date) -> Line:
    """Return the enrolments in the recent part as they would be at an even pace."""
    points = ((pace.since, pace.before), (today, pace.before + pace.expected))
    return Line(label=f"At an even pace since {pace.since}", points=points)


def _what_if(outlook: Outlook, base: Scenario, changed: Scenario) -> Section:
    at, then = base.dates[-1], changed.dates[-1]
    more = then.enrolled.mean - at.enrolled.mean
    difference = f"{abs(more):.1f} enrolments {'more' if more > 0 else 'fewer'} on average"
    if abs(more) < 0.05:
        difference = "no difference to the enrolments"
    text = [
        f"What if: {_supposed(outlook)}.",
        f"By {at.on} this means {difference}: {then.enrolled.median} in the middle, {at.enrolled.median} without it.",
    ]
    if then.spots_left is not None:
        text.append(_when_full("The study would be full", changed.full_on, outlook.horizon))
    named = (("current plan", base), ("what if", changed))
    return Section(title="What if", text=tuple(text), table=tables.scenarios(named, outlook.horizon))


def _supposed(outlook: Outlook) -> str:
    change = outlook.what_if
    assert change is not None
    parts = []
    if change.add_sites:
        when = "at once" if change.opening is None else f"on {change.opening}"
        parts.append(f"{change.add_sites} more site{'s' if change.add_sites > 1 else ''}, opening {when}")
    parts += [f"{site_id} closes to new patients" for site_id in change.close]
    for key, cap in change.caps.items():
        parts.append(f"the cap of {_part(key)} is {'removed' if cap is None else cap}")
    return "; ".join(parts)


def _part(key: CapKey) -> str:
    return "the study" if key.level is CapLevel.STUDY else key.scope


def _under_way(recruitment: Recruitment, scope: Scope) -> tuple[Section, ...]:
    if scope.visible is not None:
        # It includes all sites, and a reader of only some may not see the others.
        return ()
    failures, coming = screen_failures(recruitment), will_enrol(recruitment)
    low, high = interval(coming, tables.MAIN_LEVEL)
    text = [f"In progress now: {recruitment.held} held, {recruitment.screening} in screening."]
    if recruitment.under_way:
        text[0] += (
            f" {mean(coming):.1f} of them are expected to enrol (80 % interval {low} to {high}), based on earlier "
            "referrals. They are already included in the forecast of their sites."
        )
    if failures.of:
        text.append(
            f"{failures.count} of {failures.of} completed screenings failed: "
            f"{_percent(failures.count / failures.of)} (95 % interval {_percent(failures.low)} to "
            f"{_percent(failures.high)})."
        )
    else:
        text.append("No screening has been completed yet.")
    table = tables.screening(recruitment, coming, failures)
    return (Section(title="Referrals in progress and screening", text=tuple(text), table=table),)


def _how(outlook: Outlook) -> Section:
    fit = outlook.fit
    assert fit is not None
    differ = "by chance only" if fit.is_even else f"by a coefficient of variation of {fit.best.spread:.2f}"
    return Section(
        title="Method",
        text=(
            (
                "Each site enrols at its own rate. The rates of the sites follow a gamma distribution "
                "(Anisimov and Fedorov 2007). For a site with many data the forecast uses mostly its own rate, for a "
                "site with few data mostly the rates of the others."
            ),
            (
                f"{fit.enrolled} enrolments in {fit.open_days:.0f} open days of {fit.sites} sites: a typical site "
                f"enrols {DAYS_A_MONTH * fit.best.mean:.2f} in {DAYS_A_MONTH} days, and sites differ {differ}. The "
                "intervals include the uncertainty of these two numbers."
            ),
            _paces(fit.pace_changed),
        ),
        table=tables.rates(fit),
    )


def _paces(changed: float) -> str:
    return (
        "The forecast averages over steady paces, rising and falling ones, changes at a time, sites that start slowly "
        f"and months that vary, by what the data say: a changed pace has a probability of {_percent(changed)}. The lag "
        "from hold to enrolment is included. A change that is still to come, such as new advertising, is not."
    )


def _notes(outlook: Outlook, opened: Mapping[str, date], scope: Scope) -> Iterable[str]:
    recruitment = outlook.recruitment
    if scope.visible is not None:
        yield "Referrals in progress and the screening failure rate are shown only to people who can see every site."
    yield "A study or site is full when participants fill its spots. Held spots can make it full for patients earlier."
    if recruitment.since is not None and outlook.base is not None:
        back = recruitment.as_of - recruitment.since
        ahead = timedelta(days=(outlook.by - recruitment.as_of.astimezone(scope.zone).date()).days)
        if ahead > FAR_AHEAD * back:
            yield (
                f"{outlook.by} is {ahead / back:.1f} times as far ahead as the ledger goes back, so the pace may "
                "have changed by then."
            )
    if any(key.level is CapLevel.ARM for key in recruitment.caps):
        yield "Caps of arms are not included. If one is reached, the study enrols fewer people than shown here."
    if recruitment.keeps_failed:
        yield _failed_words(outlook)
    closed = [site for site in recruitment.sites if not site.takes_patients]
    unopened = sum(not site.was_used and site.site_id not in opened for site in closed)
    if unopened:
        yield f"Sites that are not open yet and have no opening day are left out: {unopened}."
    if any(site.was_used for site in closed):
        yield (
            "Sites that are closed to new patients can still enrol referrals in progress. The catalogue has no "
            "history: a site that is closed by its registry status counts as open until its last event."
        )


def _failed_words(outlook: Outlook) -> str:
    recruitment = outlook.recruitment
    failed, enrolled = recruitment.screen_failed, recruitment.enrolled
    said = (
        f"In this study a failed screening keeps its spot. This is not included: {failed} have failed so far, so the "
        "study is full earlier than shown"
    )
    if outlook.base is None or not enrolled:
        return f"{said}."
    more = (outlook.base.dates[-1].enrolled.mean - enrolled) * failed / enrolled
    return f"{said}. At the present rate of failures, about {more:.0f} more fail by {outlook.by}."


def _percent(share: float) -> str:
    if 0 < share < 0.01:
        return "less than 1 %"
    if 0.99 < share < 1:
        return "more than 99 %"
    return f"{100 * share:.0f} %"


def _day(instant: datetime, zone: ZoneInfo) -> str:
    return f"{instant.astimezone(zone):%Y-%m-%d}"
