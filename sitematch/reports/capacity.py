"""The capacity report: spots taken and left in a study, its countries, arms and sites, at one time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sitematch.domain.capacity.caps import CapacityState, CapKey, CapLevel
from sitematch.domain.capacity.occupancy import CapRule, SiteInView
from sitematch.domain.capacity.referral_counts import StudyCounts
from sitematch.domain.capacity.states import Figure, states_with
from sitematch.domain.studies.site import Site
from sitematch.reports.capacity_parts import STUDY, Part, PartCounts, least
from sitematch.reports.document import Cell, CellKind, CellMark, CellTone, Column, Report, Section, Table
from sitematch.reports.plot import BarPlot, Series
from sitematch.reports.scope import Scope

MOST_BARS = 20
"""Number of countries or sites in a plot, those with the most spots in use; the table has all of them."""

_NO_SITE = "No site (waiting list)"
_NO_ARM = "No arm was chosen"

_COUNTED: tuple[tuple[Figure, str, str], ...] = (
    (Figure.OFFERED, "Offered", "Spots offered from the waiting list that are not accepted, declined or lapsed."),
    (Figure.HELD, "Held", "Holds that have not lapsed."),
    (Figure.SCREENING, "In screening", "Referrals in screening."),
    (Figure.ENROLLED, "Participants", "People who enrolled and have not withdrawn."),
    (Figure.RELEASED, "Released", "Referrals that gave back their spot or left the waiting list, and did not return."),
    (Figure.LAPSED, "Lapsed", "Referrals whose hold or offer lapsed, and that did not return."),
    (Figure.SCREEN_FAILED, "Screen failed", "Referrals whose latest event is a failed screening."),
    (Figure.WITHDRAWN, "Withdrawn", "Participants who left the study."),
)
"""Every figure of capacity, as a column."""

_COLUMNS = (
    Column(name="part_id", label="Id", kind=CellKind.TEXT, description="The site, country (ISO 3166-1), arm or study."),
    Column(
        name="name",
        label="Name",
        kind=CellKind.TEXT,
        description="The name; for wider parts, the number of sites.",
        is_detail=True,
    ),
    Column(
        name="country",
        label="Country",
        kind=CellKind.TEXT,
        description="Country of the site: ISO 3166-1 alpha-2.",
        missing="",
        is_detail=True,
    ),
    Column(
        name="state",
        label="State",
        kind=CellKind.TEXT,
        description="What can be offered: capacity, waitlist, no-capacity, or unknown if no cap is known.",
        marks=(
            CellMark(tone=CellTone.ALERT, equals=CapacityState.NO_CAPACITY.value),
            CellMark(tone=CellTone.WARN, equals=CapacityState.WAITLIST.value),
        ),
    ),
    Column(
        name="is_open",
        label="Open",
        kind=CellKind.FLAG,
        description="Whether it takes patients, spots apart: by its registry status today, and unless it was closed.",
        is_detail=True,
    ),
    Column(name="cap", label="Cap", kind=CellKind.INTEGER, description="Its own cap.", missing="none"),
    Column(
        name="taken",
        label="Taken",
        kind=CellKind.INTEGER,
        description="Spots in use under the study's policy: offers, holds, screening, participants, and those that "
        "failed or left where the policy does not give their spots back.",
    ),
    Column(
        name="remaining",
        label="Left",
        kind=CellKind.INTEGER,
        description="How many more it could take: the least that its own and all wider caps leave, and no more than "
        "its open parts together; 0 if it is closed.",
        missing="unknown",
    ),
    Column(
        name="utilisation",
        label="Used",
        kind=CellKind.SHARE,
        digits=0,
        description="Share of its own cap that is taken; above 100 % if the cap was lowered below the spots taken.",
        marks=(CellMark(tone=CellTone.ALERT, at_least=1), CellMark(tone=CellTone.WARN, at_least=0.8)),
    ),
    Column(
        name="waiting",
        label="Waiting",
        kind=CellKind.INTEGER,
        description="Referrals that are waiting for this site; one referral can wait for several sites.",
    ),
    *(
        Column(
            name=figure.value,
            label=label,
            kind=CellKind.INTEGER,
            description=description,
            is_detail=figure not in (Figure.HELD, Figure.SCREENING, Figure.ENROLLED),
        )
        for figure, label, description in _COUNTED
    ),
    Column(
        name="oldest_hold_at",
        label="Oldest hold",
        kind=CellKind.INSTANT,
        description="When the oldest hold began.",
        is_detail=True,
    ),
    Column(
        name="oldest_hold_age_s",
        label="Age of hold",
        kind=CellKind.DURATION,
        description="From then until the time of the report.",
        is_detail=True,
    ),
)
_AT = {column.name: place for place, column in enumerate(_COLUMNS)}
_ADD_UP = tuple(name for name, *_ in _COUNTED)


def capacity_report(study_counts: StudyCounts, sites: Sequence[Site], scope: Scope) -> Report:
    """Create the capacity report.

    Parameters
    ----------
    standing
        The states of all referrals.
    sites
        The catalogue's sites, for their names; the ledger may have others.
    scope
        The study, the filters and the reader's access. Filters apply to sites and countries; the study and its arms are
        always complete, because their caps are shared.

    Returns
    -------
    Report
        Tables ``study``, ``countries``, ``arms`` (if there are any) and ``sites``, all with the same columns.
        Countries, arms and sites are sorted by id; each referral is counted once, in its current state. So the counts
        of a table add up to the study's. `remaining` and `waiting` do not, because caps are shared and one referral may
        wait for several sites.
    """
    return _Capacity(study_counts, sites, scope).report()


class _Capacity:
    def __init__(self, study_counts: StudyCounts, sites: Sequence[Site], scope: Scope) -> None:
        self.study_counts, self.view, self.scope = study_counts, study_counts.view, scope
        self.parts = PartCounts(study_counts)
        self.catalogue = {site.site_id: site for site in sites}
        self.capacity = {site.site_id: site for site in self.view.capacity(study_counts.as_of)}
        self.shown = [site for site in self.view.sites if scope.shows(site.site_id, site.country)]

    # Rows.

    def _row(
        self, key: CapKey, part_id: str, name: str, country: str | None, *, is_open: bool, remaining: int | None
    ) -> tuple[Cell, ...]:
        spots = self.view.caps.get(key, CapRule(None)).spots
        # For parts with sites that the reader may not see, the report shows only the caps.
        is_counted = self.scope.visible is None or key.level is CapLevel.SITE
        taken = self.parts.taken[key] if is_counted or key in self.view.caps else None
        return (
            part_id,
            name,
            country,
            self.view.state_of(is_open, remaining).value,
            is_open,
            spots,
            taken,
            remaining,
            taken / spots if spots and taken is not None else None,
            *(_counts(self.parts.of(key), self.study_counts.as_of) if is_counted else _NOTHING),
        )

    def _study_row(self) -> tuple[Cell, ...]:
        left = self.parts.own_left(STUDY)
        if self.scope.visible is None:
            left = least(left, self.parts.room(self.view.sites))
        is_open = any(self.view.is_open(site) for site in self.view.sites)
        name = _count(len(self.view.sites), "site")
        return self._row(STUDY, self.view.study_id, name, None, is_open=is_open, remaining=left if is_open else 0)

    def _country_row(self, country: str) -> tuple[Cell, ...]:
        key = CapKey(level=CapLevel.COUNTRY, scope=country)
        sites = [site for site in self.view.sites if site.country == country]
        left = least(self.parts.own_left(key), self.parts.own_left(STUDY))
        if self.scope.visible is None:
            left = least(left, self.parts.room(sites))
        is_open = any(self.view.is_open(site) for site in sites)
        name = _count(len(sites), "site")
        return self._row(key, country, name, country, is_open=is_open, remaining=left if is_open else 0)

    def _arm_row(self, arm: str) -> tuple[Cell, ...]:
        key = CapKey(level=CapLevel.ARM, scope=arm)
        left = least(self.parts.own_left(key), self.parts.own_left(STUDY))
        if self.scope.visible is None:
            left = least(left, self.parts.room(self.view.sites))
        is_open = any(self.view.is_open(site, arm) for site in self.view.sites)
        return self._row(key, arm, "", None, is_open=is_open, remaining=left if is_open else 0)

    def _site_row(self, site: SiteInView) -> tuple[Cell, ...]:
        key = CapKey(level=CapLevel.SITE, scope=site.site_id)
        known = self.catalogue.get(site.site_id)
        name = "No longer in the catalogue" if known is None else f"{known.facility}, {known.city}"
        found = self.capacity[site.site_id]
        return self._row(key, site.site_id, name, site.country, is_open=found.is_open, remaining=found.remaining)

    def _rest_row(self, name: str, part: Part, *, taken: int, remaining: Cell) -> tuple[Cell, ...]:
        return ("", name, None, None, None, None, taken, remaining, None, *_counts(part, self.study_counts.as_of))

    # Tables.

    def report(self) -> Report:
        scope = self.scope
        study = self._study_row()
        countries = [self._country_row(code) for code in sorted({site.country for site in self.shown})]
        sites = [self._site_row(site) for site in sorted(self.shown, key=lambda site: site.site_id)]
        rest = (
            [self._rest_row(_NO_SITE, self.parts.no_site, taken=0, remaining=0)]
            if scope.is_whole and self.parts.no_site.is_used
            else []
        )
        sections = [
            Section(
                title="Study",
                table=Table(name="study", columns=_COLUMNS, rows=(study,)),
            ),
            Section(
                title="Countries",
                plot=_bars("countries-plot", "country", countries),
                table=self._table("countries", [*countries, *rest], study),
            ),
        ]
        arms = self._arms(study)
        if arms:
            sections.append(Section(title="Arms", table=self._table("arms", arms, study)))
        sections.append(
            Section(
                title="Sites",
                plot=_bars("sites-plot", "site", sites),
                table=self._table("sites", [*sites, *rest], study),
            )
        )
        return scope.report(
            kind="capacity",
            title="Capacity",
            standing_at=self.study_counts.as_of,
            ledger=(self.study_counts.events, self.study_counts.head_hash),
            sections=tuple(sections),
            notes=(_REPLAYED,) if scope.visible is None else (_REPLAYED, _PARTIAL),
            summary=self._finding(study, sites),
        )

    def _arms(self, study: tuple[Cell, ...]) -> list[tuple[Cell, ...]]:
        keys = {*self.view.caps, *(self.parts.by_key if self.scope.visible is None else ())}
        known = {key.scope for key in keys if key.level is CapLevel.ARM}
        if not known:
            return []
        rows = [self._arm_row(arm) for arm in sorted(known)]
        if self.scope.visible is None and self.parts.no_arm.is_used:
            in_arms = sum(self.parts.taken[CapKey(level=CapLevel.ARM, scope=arm)] for arm in known)
            taken, left = self.parts.taken[STUDY] - in_arms, study[_AT["remaining"]]
            rows.append(self._rest_row(_NO_ARM, self.parts.no_arm, taken=taken, remaining=left))
        return rows

    def _table(self, name: str, rows: list[tuple[Cell, ...]], study: tuple[Cell, ...]) -> Table:
        totals: list[Cell] = [None] * len(_COLUMNS)
        for column in ("taken", *_ADD_UP):
            values = [row[_AT[column]] for row in rows]
            if all(isinstance(value, int) for value in values):
                totals[_AT[column]] = sum(value for value in values if isinstance(value, int))
        return Table(
            name=name,
            columns=_COLUMNS,
            rows=tuple(rows),
            totals=tuple(totals) if len(rows) > 1 else None,
            notes=_overlap(rows, study) if self.scope.is_whole and len(rows) > 1 else (),
        )

    def _finding(self, study: tuple[Cell, ...], sites: list[tuple[Cell, ...]]) -> str:
        cap, left = study[_AT["cap"]], study[_AT["remaining"]]
        taken = f"{_taken(study):,} spots are taken" + ("" if cap is None else f" of {cap:,}")
        could = "the number left is not known" if left is None else f"{left:,} more can be taken now"
        full = sum(row[_AT["is_open"]] is True and row[_AT["remaining"]] == 0 for row in sites)
        closed = sum(row[_AT["is_open"]] is False for row in sites)
        return (
            f"{taken}; {could}. Of {_count(len(sites), 'site')} shown, {len(sites) - full - closed:,} can take "
            f"patients, {full:,} full, {closed:,} closed or not recruiting."
        )


_NOTHING: tuple[Cell, ...] = (None,) * (3 + len(_COUNTED))
_REPLAYED = (
    "The ledger is replayed up to the instant. Which sites there are, their names and registry statuses are today's: "
    "the catalogue keeps no history."
)
_PARTIAL = (
    "You can see some sites only: all others are left out. For the study, countries and arms only the caps, the spots "
    "taken and the spots left are shown."
)


def _counts(part: Part, as_of: datetime) -> tuple[Cell, ...]:
    oldest = part.oldest_hold
    return (
        part.waiting,
        *(sum(part.states[state] for state in states_with(figure)) for figure, _, _ in _COUNTED),
        oldest,
        None if oldest is None else as_of - oldest,
    )


def _overlap(rows: list[tuple[Cell, ...]], study: tuple[Cell, ...]) -> tuple[str, ...]:
    """Return a note if the spots left do not add up."""
    left = [row[_AT["remaining"]] for row in rows if row[_AT["is_open"]] is not None]
    known = [value for value in left if isinstance(value, int)]
    total, whole = sum(known), study[_AT["remaining"]]
    if len(known) < len(left) or total == whole:
        return ()
    share = "not known" if whole is None else f"{whole:,}"
    return (f"What is left does not add up, as caps are shared: {total:,} by the lines, {share} in the study.",)


def _bars(name: str, noun: str, rows: list[tuple[Cell, ...]]) -> BarPlot | None:
    """Return the plot of the parts with spots in use, most first; None if there are none or they are hidden."""
    places = [_AT[column] for column in ("enrolled", "screening", "held", "offered")]
    counted = {str(row[0]): [_int(row[at]) or 0 for at in places] for row in rows if _int(row[places[0]]) is not None}
    for row in rows:
        if str(row[0]) in counted:
            # Under the study's rules, people who withdrew or failed screening may keep their spots.
            counts = counted[str(row[0])]
            counts.append(max(0, _taken(row) - sum(counts)))
    used = [part for part, counts in counted.items() if any(counts)]
    if not used:
        return None
    labels = [*(_COLUMNS[at].label for at in places), "Kept after withdrawal or failure"]
    shown = [number for number in range(len(labels)) if any(counts[number] for counts in counted.values())]
    most = sorted(used, key=lambda part: (-sum(counted[part]), part))[:MOST_BARS]
    return BarPlot(
        name=name,
        title=f"Spots in use by {noun}" + ("" if len(most) == len(used) else f", the {MOST_BARS} with most"),
        category_label=noun.capitalize(),
        value_label="Spots in use",
        categories=tuple(most),
        series=tuple(
            Series(label=labels[number], values=tuple(counted[part][number] for part in most)) for number in shown
        ),
        is_stacked=True,
    )


def _int(value: Cell) -> int | None:
    return value if isinstance(value, int) else None


def _taken(row: tuple[Cell, ...]) -> int:
    return _int(row[_AT["taken"]]) or 0


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
