"""The funnel report: how far referrals got, how long each step took, and why screening failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from sitematch.domain.capacity.attempt import Attempt, AttemptStep, attempts_in
from sitematch.domain.studies.site import Site
from sitematch.reports.document import Cell, CellKind, Column, Report, Section, Table
from sitematch.reports.funnel_tally import COUNTS, STEPS, FunnelTally, wilson_interval
from sitematch.reports.plot import BarPlot, Series
from sitematch.reports.scope import Scope

_NO_SITE = "No site (waiting list)"
_ATTEMPTS = (
    "An attempt begins with a hold or on the waiting list. A referral that was released, lapsed or failed screening "
    "can try again, which is another attempt. An attempt counts in the month in which it began."
)
_OPEN = (
    "Attempts that are still open have not come to the later steps yet: the shares of the last months will change, and "
    "their medians are of the quickest."
)
_NAMES = "The names of sites are the current ones."
_NOTES = (_ATTEMPTS, _OPEN, _NAMES)
_PARTIAL = "You can see some sites only: attempts at all others, and those that only waited, are left out."

_COLUMNS = (
    Column(name="part_id", label="Id", kind=CellKind.TEXT, description="The study, month or site."),
    Column(name="name", label="Name", kind=CellKind.TEXT, description="The site's name.", is_detail=True),
    Column(
        name="referrals", label="Referrals", kind=CellKind.INTEGER, description="Each referral counts once per line."
    ),
    *(
        Column(
            name=count.name,
            label=count.label,
            kind=CellKind.INTEGER,
            description=count.description,
            is_detail=count.is_detail,
        )
        for count in COUNTS
    ),
    Column(
        name="screened_share",
        label="Held to screened",
        kind=CellKind.SHARE,
        digits=0,
        description="Share of held attempts that were screened; those still on hold count as not screened.",
    ),
    Column(
        name="enrolled_share",
        label="Screened to enrolled",
        kind=CellKind.SHARE,
        digits=0,
        description="Share of screened attempts that were enrolled; those still in screening count as not enrolled.",
    ),
    Column(
        name="screen_failure_share",
        label="Screen failure",
        kind=CellKind.SHARE,
        digits=0,
        description="Share of completed screenings that failed.",
    ),
    *(
        column
        for step in STEPS
        for column in (
            Column(
                name=f"{step.name}_median_s",
                label=step.label,
                kind=CellKind.DURATION,
                description=f"Median time {step.description}, for attempts that got that far.",
                is_detail=True,
            ),
            Column(
                name=f"{step.name}_n",
                label="n",
                kind=CellKind.INTEGER,
                description=f"How many attempts got {step.description}.",
                is_detail=True,
            ),
        )
    ),
)


def funnel_report(
    journeys: Iterable[Sequence[AttemptStep]],
    sites: Sequence[Site],
    scope: Scope,
    as_of: datetime,
    ledger: tuple[int, str],
) -> Report:
    """Create the funnel report.

    Parameters
    ----------
    journeys
        Each referral's events up to `as_of`, oldest first; the referrals in any order. Read once, and not kept.
    sites
        The catalogue's sites, for their names; the ledger may have others.
    scope
        The study, the filters and the reader's access. An attempt belongs to its site, so with a filter, attempts that
        only waited are left out.
    as_of
        The instant (aware).
    ledger
        The number of events, and the last one's hash.

    Returns
    -------
    Report
        Tables ``study``, ``months`` (every one from the first attempt to `as_of`) and ``sites`` (by id), with the same
        columns, then ``screen-failures`` and ``withdrawals`` by code, most frequent first. In each line attempts =
        enrolled + released + lapsed + screen failed + open; withdrawn participants are included in the enrolled. All
        counts of months and sites add up to the study's, except that of referrals, which can have attempts in several.
    """
    zone = scope.zone
    study, months, by_site = FunnelTally(), dict[str, FunnelTally](), dict[str | None, FunnelTally]()
    failures, withdrawals = Counter[str](), Counter[str]()
    for steps in journeys:
        seen: set[int] = set()
        for attempt in attempts_in(steps, as_of):
            if not _is_shown(attempt, scope):
                continue
            month = f"{attempt.started_at.astimezone(zone):%Y-%m}"
            for tally in (
                study,
                months.setdefault(month, FunnelTally()),
                by_site.setdefault(attempt.site_id, FunnelTally()),
            ):
                tally.add(attempt, is_new_referral=id(tally) not in seen)
                seen.add(id(tally))
            if attempt.reason is not None:
                (withdrawals if attempt.enrolled_at else failures)[attempt.reason] += 1
    whole = _row(scope.study_id, "", study)
    month_rows = [
        _row(month, "", months.get(month, FunnelTally())) for month in _all_months(months, as_of.astimezone(zone))
    ]
    names = {site.site_id: f"{site.facility}, {site.city}" for site in sites}
    site_rows = [
        _row(site_id, names.get(site_id, "No longer in the catalogue"), by_site[site_id])
        for site_id in sorted(key for key in by_site if key is not None)
    ]
    if None in by_site:
        site_rows.append(_row("", _NO_SITE, by_site[None]))
    sections = (
        Section(
            title="Study",
            text=_findings(study),
            plot=_stages(study),
            table=Table(name="study", columns=_COLUMNS, rows=(whole,)),
        ),
        Section(title="Months", plot=_ends_by_month(month_rows), table=_table("months", month_rows)),
        Section(title="Sites", table=_table("sites", site_rows)),
        Section(title="Why screening failed", table=_reasons("screen-failures", failures)),
        Section(title="Why participants left", table=_reasons("withdrawals", withdrawals)),
    )
    return scope.report(
        kind="funnel",
        title="Funnel",
        standing_at=as_of,
        ledger=ledger,
        sections=sections,
        notes=_NOTES if scope.visible is None else (*_NOTES, _PARTIAL),
        summary=_summary(study),
    )


def _is_shown(attempt: Attempt, scope: Scope) -> bool:
    if attempt.site_id is None:
        return scope.is_whole
    return scope.shows(attempt.site_id, attempt.country or "")


def _row(part_id: str, name: str, tally: FunnelTally) -> tuple[Cell, ...]:
    counts = tally.counts
    steps: list[Cell] = []
    for step in STEPS:
        steps += [tally.median(step.name), len(tally.times_us[step.name])]
    return (
        part_id,
        name,
        tally.referrals,
        *(counts[count.name] for count in COUNTS),
        _share(counts["screened"], counts["held"]),
        _share(counts["enrolled"], counts["screened"]),
        _share(counts["screen_failed"], counts["screen_failed"] + counts["enrolled"]),
        *steps,
    )


def _table(name: str, rows: Sequence[tuple[Cell, ...]]) -> Table:
    totals: list[Cell] = [None] * len(_COLUMNS)
    places = {column.name: place for place, column in enumerate(_COLUMNS)}
    for column in (*(count.name for count in COUNTS), *(f"{step.name}_n" for step in STEPS)):
        totals[places[column]] = sum(value for row in rows if isinstance(value := row[places[column]], int))
    return Table(name=name, columns=_COLUMNS, rows=tuple(rows), totals=tuple(totals) if len(rows) > 1 else None)


def _reasons(name: str, found: Counter[str]) -> Table:
    rows = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    columns = (
        Column(name="reason", label="Reason", kind=CellKind.TEXT, description="A code; the ledger has no free text."),
        Column(
            name="attempts",
            label="Attempts",
            kind=CellKind.INTEGER,
            description="The number that ended with this reason.",
        ),
        Column(
            name="share",
            label="Share",
            kind=CellKind.SHARE,
            digits=0,
            description="The share that ended with this reason.",
        ),
    )
    total = found.total()
    return Table(
        name=name,
        columns=columns,
        rows=tuple((reason, count, count / total) for reason, count in rows),
        totals=(None, total, None) if len(rows) > 1 else None,
    )


def _all_months(found: Iterable[str], until: datetime) -> list[str]:
    """Return every month from the first one with attempts to that of a given time."""
    first = min(found, default=None)
    if first is None:
        return []
    year, month = (int(part) for part in first.split("-"))
    months = []
    while (year, month) <= (until.year, until.month):
        months.append(f"{year:04}-{month:02}")
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
    return months


def _summary(study: FunnelTally) -> str:
    counts = study.counts
    if not study.referrals:
        return ""
    ended = counts["screen_failed"] + counts["enrolled"]
    failed = f"; {100 * counts['screen_failed'] / ended:.0f} % of completed screenings failed" if ended else ""
    return f"Of {counts['attempts']:,} attempts {counts['enrolled']:,} enrolled, {counts['open']:,} are open{failed}."


def _findings(study: FunnelTally) -> tuple[str, ...]:
    counts = study.counts
    if not study.referrals:
        return ("There are no attempts to report.",)
    came = (
        f"{study.referrals:,} referrals made {counts['attempts']:,} attempts, {counts['again']:,} of them after an "
        f"earlier one had ended. {counts['held']:,} held a spot, {counts['screened']:,} were screened, "
        f"{counts['enrolled']:,} enrolled; {counts['open']:,} are still open."
    )
    ended = counts["screen_failed"] + counts["enrolled"]
    if not ended:
        return (came,)
    low, high = wilson_interval(counts["screen_failed"], ended)
    failed = (
        f"Of {ended:,} screenings that ended in failure or enrolment, {counts['screen_failed']:,} failed: "
        f"{100 * counts['screen_failed'] / ended:.0f} % (95 % interval {100 * low:.0f} to {100 * high:.0f} %, Wilson)."
    )
    return (came, failed)


def _stages(study: FunnelTally) -> BarPlot | None:
    stages = ("attempts", "held", "screened", "enrolled")
    labels = {count.name: count.label for count in COUNTS}
    if not study.referrals:
        return None
    return BarPlot(
        name="stages-plot",
        title="How far attempts got",
        category_label="Step",
        value_label="Attempts",
        categories=tuple(labels[stage] for stage in stages),
        series=(Series(label="Attempts", values=tuple(study.counts[stage] for stage in stages)),),
    )


def _ends_by_month(rows: Sequence[tuple[Cell, ...]]) -> BarPlot | None:
    if not rows:
        return None
    places = {column.name: place for place, column in enumerate(_COLUMNS)}
    ends = ("enrolled", "screen_failed", "released", "lapsed", "open")
    labels = {count.name: count.label for count in COUNTS}
    latest = rows[-24:]
    return BarPlot(
        name="months-plot",
        title="How attempts ended, by the month in which they began"
        + ("" if len(latest) == len(rows) else ", the last 24 months"),
        category_label="Month",
        value_label="Attempts",
        categories=tuple(str(row[0]) for row in latest),
        series=tuple(
            Series(
                label=labels[end],
                values=tuple(value if isinstance(value := row[places[end]], int) else None for row in latest),
            )
            for end in ends
        ),
        is_stacked=True,
    )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
