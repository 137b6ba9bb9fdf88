"""What may be asked of reports."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from msgspec import Meta

from api.v1.schemas.capacity import StudyId
from sitematch.exporters.wire.matches import Instant, Wire
from sitematch.reports.forecast.plan import MAX_ADDED
from sitematch.reports.render import Format

TimeZone = Annotated[
    str, Meta(description="IANA name of the zone in which instants are shown and months counted, e.g. Europe/Berlin.")
]
FormatChoice = Annotated[Format | None, Meta(description="Which form to send. Left out: what Accept likes best.")]
TableChoice = Annotated[
    str | None,
    Meta(description="CSV only: the name of one table. Left out: the first and all others with its columns."),
]


class ReportQuery(Wire, frozen=True, forbid_unknown_fields=True):
    """Which report, and as what."""

    study_id: StudyId = None
    as_of: Annotated[Instant | None, Meta(description="Look back to an earlier instant. Left out: now.")] = None
    time_zone: TimeZone = "UTC"
    country: Annotated[str | None, Meta(description="Only sites in this country: name or ISO 3166-1 code.")] = None
    site_id: Annotated[str | None, Meta(description="Only this site.")] = None
    format: FormatChoice = None
    table: TableChoice = None


class ForecastQuery(ReportQuery, frozen=True, forbid_unknown_fields=True):
    """Which forecast: by which day, and what if."""

    by: Annotated[
        date | None, Meta(description="The day to say most about. Left out: the end of the month in half a year.")
    ] = None
    opened: Annotated[
        tuple[str, ...],
        Meta(description="SITE=DAY, the day from which a site took patients, or will; may be repeated."),
    ] = ()
    add_sites: Annotated[int, Meta(ge=0, le=MAX_ADDED, description="What if: so many more sites.")] = 0
    opening: Annotated[date | None, Meta(description="What if: the day on which those open. Left out: at once.")] = None
    close: Annotated[
        tuple[str, ...], Meta(description="What if: the site of this id takes nobody new; may be repeated.")
    ] = ()
    cap: Annotated[
        tuple[str, ...],
        Meta(description="What if: STUDY=40, COUNTRY:US=10 or SITE:id=5, or none for no cap; may be repeated."),
    ] = ()
