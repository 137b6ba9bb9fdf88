"""The scope of a report and the reader's access: the part that all reports share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sitematch import __version__
from sitematch.domain.time_zones import zone_named
from sitematch.reports.document import Report, Section

VERSION = f"sitematch {__version__}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The scope of a report.

    Parameters
    ----------
    study_id, study_title, study_notice
        The study; every report shows the notice, e.g. that the sites are stand-ins.
    time_zone
        IANA name of the time zone for counting days and months and displaying times.
    country
        ISO 3166-1 alpha-2: only sites in this country; None for every country.
    site_id
        Only this site; None for every site.
    visible
        The sites that the reader may see; None is the whole study.
    """

    study_id: str
    study_title: str = ""
    study_notice: str = ""
    time_zone: str = "UTC"
    country: str | None = None
    site_id: str | None = None
    visible: frozenset[str] | None = None

    @property
    def zone(self) -> ZoneInfo:
        """The time zone."""
        return zone_named(self.time_zone)

    @property
    def is_whole(self) -> bool:
        """Return whether nothing of the study is left out."""
        return self.country is None and self.site_id is None and self.visible is None

    @property
    def filters(self) -> tuple[tuple[str, str], ...]:
        """The options of the report, besides the study and the time."""
        chosen = (("Country", self.country), ("Site", self.site_id))
        return tuple((name, value) for name, value in chosen if value is not None)

    def shows(self, site_id: str, country: str) -> bool:
        """Return whether a site is in the report."""
        return (
            (self.visible is None or site_id in self.visible)
            and self.site_id in (None, site_id)
            and self.country in (None, country)
        )

    def report(
        self,
        *,
        kind: str,
        title: str,
        standing_at: datetime,
        ledger: tuple[int, str],
        sections: tuple[Section, ...],
        notes: tuple[str, ...] = (),
        summary: str = "",
    ) -> Report:
        """Create a report from sections.

        Parameters
        ----------
        kind, title, sections, notes, summary
            As in `Report`; the study's notice is added.
        standing_at
            The time that it describes (aware).
        ledger
            The number of events that it is based on, and the last one's hash.
        """
        events, head_hash = ledger
        counted = f"{events:,} events" + (f", the last with hash {head_hash[:16]}…" if head_hash else "")
        return Report(
            kind=kind,
            title=title,
            study_id=self.study_id,
            study_title=self.study_title,
            as_of=standing_at,
            time_zone=self.time_zone,
            version=VERSION,
            filters=self.filters,
            sources=(("Ledger", counted),),
            sections=sections,
            notes=(*notes, *((self.study_notice,) if self.study_notice else ())),
            summary=summary,
        )
