"""Results as tables for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import UnsetType
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.markup import escape
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from sitematch.domain.capacity.caps import LimitedBy
from sitematch.domain.finding.match import ReasonCode
from sitematch.domain.plain_text import plain_text
from sitematch.exporters.wire.matches import (
    ContactAnswer,
    MatchAnswer,
    MatchesAnswer,
    PlaceAnswer,
    RemainingAnswer,
    SiteAnswer,
)

LEAST_TABLE_COLUMNS = 64
"""A narrower terminal gets lists instead of tables."""

TRAVEL_WORDS = {
    "COVERED": "covered",
    "MAY_BE_COVERED": "may be covered",
    "UNKNOWN": "unknown",
    "NOT_COVERED": "no",
}


def print_matches(answer: MatchesAnswer, console: Console) -> None:
    """Print ranked sites with their reasons, then the left-out ones."""
    console.print(place_lines(answer.query.place))
    console.print()
    if answer.matches:
        table = new_table("", "Site", "Distance", "Travel", "Spots left")
        for match in answer.matches:
            table.add_row(
                str(match.rank),
                _site_cell(match.site, _why(match), *contact_lines(match.contacts)),
                _distance_cell(match),
                TRAVEL_WORDS[match.site.travel.certainty],
                spots_cell(match.remaining),
            )
        console.print(table)
    else:
        console.print(Text("No site can take a patient now.", style="bold"))
    if answer.excluded:
        console.print()
        more = f" and {answer.excluded_more} more" if answer.excluded_more else ""
        console.print(Text(f"Left out ({len(answer.excluded)}{more}):", style="bold"))
        for exclusion in answer.excluded:
            distance = "" if exclusion.distance is None else f", {exclusion.distance.text}"
            why = " ".join(reason.text for reason in exclusion.reasons)
            site = exclusion.site
            console.print(Text(f"  {site.facility}, {site.city}, {site.country}{distance}: {why}"))
    console.print()
    study = answer.study
    console.print(Text(f"{study.study_id}: {study.title}. As of {study.as_of}, {study.source}."))
    if study.notice:
        console.print(Text(study.notice, style="bold yellow"))
    print_attribution(answer.attribution, console)


def print_place(place: PlaceAnswer, attribution: Sequence[str], console: Console) -> None:
    """Print one place."""
    console.print(place_lines(place))
    where = place.location
    console.print(Text(f"Point: {where.latitude:.5f}, {where.longitude:.5f}. Source: {place.source}."))
    print_attribution(attribution, console)


def print_sites(sites: Sequence[SiteAnswer], notice: str, console: Console) -> None:
    """Print sites in the given order."""
    table = new_table("Site", "Town", "Status", "Known to", "As of")
    for site in sites:
        known = "nowhere" if site.location is None else f"± {site.location.uncertainty_km:.1f} km"
        table.add_row(
            _site_cell(site, site.site_id),
            f"{escape(site.city)}, {site.country}",
            site.status.replace("_", " ").lower(),
            known,
            site.as_of.isoformat(),
        )
    console.print(table)
    if notice:
        console.print(Text(notice, style="bold yellow"))


def print_attribution(lines: Sequence[str], console: Console) -> None:
    """Print the sources."""
    console.print(Text("Sources: " + " ".join(lines), style="dim"))


def place_lines(place: PlaceAnswer) -> RenderableType:
    """Print where the person is, with its notes."""
    return Group(Text(f"From {place.text}.", style="bold"), *(Text(f"Note: {note}") for note in place.notes))


class AnswerTable(Table):
    """A table whose rows become short lists if a terminal is too narrow for columns."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Render it as a table, or row by row with each column's heading before its cell."""
        if options.max_width >= LEAST_TABLE_COLUMNS:
            yield from super().__rich_console__(console, options)
            return
        for row in zip(*(column.cells for column in self.columns), strict=True):
            for at, (column, cell) in enumerate(zip(self.columns, row, strict=True)):
                heading = str(column.header)
                text = Text.from_markup(cell.replace("\n", " ")) if isinstance(cell, str) else cell
                if not isinstance(text, Text):
                    yield text
                elif text:
                    yield Text.assemble((f"{heading}: ", "bold"), text) if heading and at else text
            yield Text("")


def new_table(*headings: str) -> Table:
    """Create an empty table in the common style."""
    table = AnswerTable(box=None, pad_edge=False, header_style="bold", show_lines=False)
    for heading in headings:
        table.add_column(heading, justify="right" if not heading else "left", vertical="top", overflow="fold")
    return table


def contact_lines(contacts: tuple[ContactAnswer, ...] | UnsetType) -> list[str]:
    """Format the contacts, one per line."""
    if isinstance(contacts, UnsetType):
        return []
    return ["Ask: " + ", ".join(part for part in (c.name, c.phone, c.email) if part) for c in contacts]


def _site_cell(site: SiteAnswer, *below: str) -> Group:
    town = ", ".join(part for part in (site.city, site.state, site.country) if part)
    return Group(Text(site.facility, style="bold"), Text(town), *(Text(line, style="dim") for line in below), Text(""))


def _distance_cell(match: MatchAnswer) -> str:
    """Write how far it is, and below it how long that takes."""
    if match.distance is None:
        return "unknown"
    distance = match.distance.text.replace(", ", "\n")
    if match.journey is None:
        return distance
    journey = match.journey.text.partition(", ")[0] if match.journey.minutes else match.journey.text
    return f"{distance}\n" + journey.replace(" (", "\n(").replace(": ", ":\n")


def _why(match: MatchAnswer) -> str:
    """Return the reasons for the rank, and what may change soon; the columns have the rest."""
    return " ".join(
        reason.text for i, reason in enumerate(match.reasons) if i == 0 or reason.code is ReasonCode.LIKELY_FULL
    )


def spots_cell(remaining: RemainingAnswer) -> str:
    """Format the spots left."""
    if remaining.count is None:
        return "unknown"
    return f"{remaining.count}\n(shared)" if remaining.drawn_from is LimitedBy.SHARED_POOL else str(remaining.count)


class PlainConsole(Console):
    """A console that prints no character that could steer the terminal or reorder the text around it."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Render as rich does, without harmful characters in texts; rich's own codes are added afterwards."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(plain_text(segment.text), segment.style)
