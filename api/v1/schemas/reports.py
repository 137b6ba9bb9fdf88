"""Requests for reports."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from msgspec import Meta

from api.v1.schemas.capacity import StudyId
from sitematch.exporters.wire.matches import Wire
from sitematch.reports.forecast.plan import MAX_ADDED
from sitematch.reports.render import Format

TimeZone = Annotated[str, Meta(description="Time zone of times and months (IANA name), e.g. Europe/Berlin.")]
FormatChoice = Annotated[Format | None, Meta(description="The format. The default is taken from the Accept header.")]
TableChoice = Annotated[
    str | None,
    Meta(description="CSV only: the name of one table. The default is the first and all others with its columns."),
]


class ReportQuery(Wire, frozen=True, forbid_unknown_fields=True):
    """The scope and the format of a report."""

    study_id: StudyId = None
    as_of: Annotated[
        Annotated[str, Meta(max_length=40)] | None,
        Meta(
            description="Show the state at an earlier time. The default is now. A date stands for its end; a time "
            "without an offset is a time in `time_zone`.",
        ),
    ] = None
    time_zone: TimeZone = "UTC"
    country: Annotated[str | None, Meta(description="Only sites in this country: name or ISO 3166-1 code.")] = None
    site_id: Annotated[str | None, Meta(description="Only this site.")] = None
    format: FormatChoice = None
    table: TableChoice = None


class ForecastQuery(ReportQuery, frozen=True, forbid_unknown_fields=True):
    """The day of a forecast, and what-if changes."""

    by: Annotated[
        date | None, Meta(description="The main forecast day. The default is the end of the month in half a year.")
    ] = None
    opened: Annotated[
        tuple[str, ...],
        Meta(description="SITE=DAY: the day a site opened or will open; may be repeated."),
    ] = ()
    add_sites: Annotated[int, Meta(ge=0, le=MAX_ADDED, description="What if: add this many sites.")] = 0
    opening: Annotated[
        date | None, Meta(description="What if: the day the added sites open. The default is today.")
    ] = None
    close: Annotated[
        tuple[str, ...], Meta(description="What if: close the site with this id to new patients; may be repeated.")
    ] = ()
    cap: Annotated[
        tuple[str, ...],
        Meta(description="What if: STUDY=40, COUNTRY:US=10 or SITE:id=5, or none for no cap; may be repeated."),
    ] = ()
