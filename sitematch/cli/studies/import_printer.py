"""What an import says as it goes: the differences on stdout, what was noticed on stderr."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sitematch.cli.common import say

if TYPE_CHECKING:
    from sitematch.domain.studies.change import SiteChange, StudyChange
    from sitematch.domain.studies.import_outcome import ImportTotals
    from sitematch.domain.studies.site import Site
    from sitematch.errors import Fault

STUDIES_SHOWN = 30
SITES_SHOWN = 40
NOTICES_SHOWN = 50
_SIGNS = {"added": "+", "returned": "+", "vanished": "-", "removed": "-", "closed": "x"}


class Printer:
    """Prints the differences on stdout, as they come, and what was noticed on stderr.

    Parameters
    ----------
    everything
        Print all of it; otherwise the first of each kind, and how many more there were.
    """

    def __init__(self, *, everything: bool) -> None:
        self._everything = everything
        self._faults = self._contradictions = self._studies = 0

    def fault(self, fault: Fault, /) -> None:
        """Say what could not be used."""
        self._faults += 1
        if self._everything or self._faults <= NOTICES_SHOWN:
            say(f"Left out: {fault}")

    def contradiction(self, site: Site, where: str, flag: str, /) -> None:
        """Say which parts contradict one another."""
        self._contradictions += 1
        if self._everything or self._contradictions <= NOTICES_SHOWN:
            say(f"Contradiction: {where}, {site.facility}, {site.city}, {site.country}: {flag}")

    def change(self, change: StudyChange, /) -> None:
        """Print what changes in a study."""
        self._studies += 1
        if not self._everything and self._studies > STUDIES_SHOWN:
            return
        counts = ", ".join(f"{count} {kind}" for kind, count in change.counts().items()) or "no site changes"
        new = "new study, " if change.is_new else ""
        click.echo(f"{change.study_id}: {new}{counts}, {change.unchanged} unchanged")
        for field in change.fields:
            click.echo(f"  {field.field}: {field.old or 'none'} -> {field.new or 'none'}")
        # Of a study that is all new, its sites are no difference worth a line each.
        shown = change.sites if self._everything else () if change.is_new else change.sites[:SITES_SHOWN]
        for site in shown:
            click.echo(f"  {_site_line(site)}")
        if not change.is_new and len(change.sites) > len(shown):
            click.echo(f"  … {len(change.sites) - len(shown)} more; --all prints them")

    def progress(self, studies: int, sites: int, /) -> None:
        """Say how far it is, once in a thousand studies."""
        if studies % 1_000 == 0:
            say(f"{studies} studies with {sites} sites read and located.")

    def close(self, totals: ImportTotals, import_id: int | None, *, dry_run: bool) -> None:
        """Print what was held back, the totals, and what can be done next."""
        for count, shown, what in (
            (self._faults, NOTICES_SHOWN, "left out"),
            (self._contradictions, NOTICES_SHOWN, "contradictions"),
            (self._studies, STUDIES_SHOWN, "studies that change"),
        ):
            if count > shown and not self._everything:
                say(f"… {count - shown} more {what}; --all prints them.")
        say(
            f"{totals.studies} studies, {totals.locations} locations: {totals.sites} sites, {totals.left_out} left out."
            f" {totals.unplaced} sites could not be located; {totals.contradictions} have contradictory records."
        )
        if totals.records_left_out:
            say(f"{totals.records_left_out} records were left out.")
        if totals.contacts or totals.contacts_erased:
            say(f"Personal contacts: {totals.contacts} stored, {totals.contacts_erased} erased.")
        if dry_run:
            say("Dry run: nothing was changed.")
        elif import_id is None:
            say("Nothing else changed." if totals.contacts or totals.contacts_erased else "Nothing changed.")
        else:
            say(f"Import {import_id} is done. To undo it, run `sitematch import undo`.")


def _site_line(site: SiteChange) -> str:
    sign = _SIGNS.get(site.kind, "~")
    what = "; ".join(f"{f.field} {f.old or 'none'} -> {f.new or 'none'}" for f in site.fields)
    return f"{sign} {site.site_id} {site.label}: {site.kind}{': ' + what if what else ''}"
