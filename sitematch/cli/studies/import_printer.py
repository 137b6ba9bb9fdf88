"""Output of an import: the differences on stdout, the notices on stderr."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from sitematch.cli.common import EXIT_DATA_FAULT, say, settings, tell
from sitematch.domain.plurals import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sitematch.domain.studies.change import SiteChange, StudyChange
    from sitematch.domain.studies.import_outcome import ImportTotals
    from sitematch.domain.studies.site import Site
    from sitematch.errors import Fault
    from sitematch.gazetteer.locate import Gazetteer
    from sitematch.services.studies.site_tables import Preview

STUDIES_SHOWN = 30
SITES_SHOWN = 40
NOTICES_SHOWN = 50
_SIGNS = {"added": "+", "returned": "+", "vanished": "-", "removed": "-", "closed": "x"}


class Printer:
    """Prints the differences on stdout as they occur, and the notices on stderr.

    Parameters
    ----------
    everything
        Print everything; otherwise the first of each kind and the number of others.
    """

    def __init__(self, *, everything: bool) -> None:
        self._everything = everything
        self._faults = self._notices = self._contradictions = self._studies = self._unplaced = 0
        self._gazetteer: Gazetteer | None = None

    def fault(self, fault: Fault, /) -> None:
        """Print what could not be used."""
        self._faults += 1
        if self._everything or self._faults <= NOTICES_SHOWN:
            say(f"Left out: {fault}")

    def notice(self, where: str, text: str, /) -> None:
        """Print a notice about a single field."""
        self._notices += 1
        if self._everything or self._notices <= NOTICES_SHOWN:
            say(f"Notice: {where}: {text}")

    def contradiction(self, site: Site, where: str, flag: str, /) -> None:
        """Print a contradiction."""
        self._contradictions += 1
        if self._everything or self._contradictions <= NOTICES_SHOWN:
            say(f"Contradiction: {where}, {site.facility}, {site.city}, {site.country}: {flag}")

    def unplaced(self, site: Site, where: str, /) -> None:
        """Print a site that could not be placed, with the reason and the best guess."""
        self._unplaced += 1
        if self._everything or self._unplaced <= NOTICES_SHOWN:
            from sitematch.gazetteer.locate import Gazetteer
            from sitematch.services.studies.unplaced import explain_unplaced

            self._gazetteer = self._gazetteer or Gazetteer.open(settings().gazetteer_path)
            say(f"Not placed: {where}, {explain_unplaced(self._gazetteer, site)}")

    def change(self, change: StudyChange, /) -> None:
        """Print the changes in a study."""
        self._studies += 1
        if not self._everything and self._studies > STUDIES_SHOWN:
            return
        counts = ", ".join(f"{count} {kind}" for kind, count in change.counts().items()) or "no site changes"
        new = "new study, " if change.is_new else ""
        tell(f"{change.study_id}: {new}{counts}, {change.unchanged} unchanged")
        for field in change.fields:
            tell(f"  {field.field}: {field.old or 'none'} -> {field.new or 'none'}")
        # If the whole study is new, its sites are not listed one by one.
        shown = change.sites if self._everything else () if change.is_new else change.sites[:SITES_SHOWN]
        for site in shown:
            tell(f"  {_site_line(site)}")
        if not change.is_new and len(change.sites) > len(shown):
            tell(f"  … {len(change.sites) - len(shown)} more; --all prints them")

    def progress(self, studies: int, sites: int, /) -> None:
        """Print the progress every thousand studies."""
        if studies % 1_000 == 0:
            say(f"{studies:,} studies with {counted(sites, 'site')} read and located.")

    def close(
        self, totals: ImportTotals, import_id: int | None, *, dry_run: bool, allow_left_out: bool = False
    ) -> None:
        """Print the sites that were held back, the totals, and the possible next steps.

        Ends the program with `EXIT_DATA_FAULT` after a dry run of an import that would be refused.
        """
        for count, shown, what in (
            (self._faults, NOTICES_SHOWN, "left out"),
            (self._notices, NOTICES_SHOWN, "notices"),
            (self._contradictions, NOTICES_SHOWN, "contradictions"),
            (self._unplaced, NOTICES_SHOWN, "sites that could not be placed"),
            (self._studies, STUDIES_SHOWN, "studies that change"),
        ):
            if count > shown and not self._everything:
                say(f"… {count - shown} more {what}; --all prints them.")
        say(
            f"{counted(totals.studies, 'study', 'studies')}, {counted(totals.locations, 'location')}: "
            f"{counted(totals.sites, 'site')}, {totals.left_out} left out. "
            f"{counted(totals.unplaced, 'site')} could not be located; "
            f"{totals.contradictions} have contradictory records."
        )
        if totals.unplaced and not dry_run:
            say("To set the places of sites that could not be located, run `sitematch sites fix`.")
        say(
            f"Status of the sites: {totals.status_stated} stated, {totals.status_inherited} inherited from the study, "
            f"{totals.status_assumed} given with --status, {totals.status_kept} kept from before, "
            f"{totals.status_unknown} unknown. {totals.vanished} sites vanished from their records."
        )
        if totals.records_left_out:
            say(f"Left out: {counted(totals.records_left_out, 'record')}.")
        if totals.contacts or totals.contacts_erased:
            say(f"Contacts: {totals.contacts} stored, {totals.contacts_erased} erased.")
        if dry_run:
            say("Dry run: nothing was changed.")
            if totals.held_back and not allow_left_out:
                say(f"Nothing would be imported. {totals.held_back_text}")
                sys.exit(EXIT_DATA_FAULT)
        elif import_id is None:
            say("Nothing else changed." if totals.contacts or totals.contacts_erased else "Nothing changed.")
        else:
            say(f"Import {import_id} is done. To undo it, run `sitematch import undo`.")


def _site_line(site: SiteChange) -> str:
    sign = _SIGNS.get(site.kind, "~")
    what = "; ".join(f"{f.field} {f.old or 'none'} -> {f.new or 'none'}" for f in site.fields)
    return f"{sign} {site.site_id} {site.label}: {site.kind}{': ' + what if what else ''}"


def print_preview(preview: Preview) -> None:
    """Print the field of each column, some of its values, and the unused columns."""
    for notice in preview.notices:
        say(notice)
    for use in preview.columns:
        tell(f"{use.field:<10} <- {use.column}: {_samples(use.samples)}")
    for use in preview.unused:
        tell(f"not used: {use.column}: {_samples(use.samples)}")
    for text, count, status in preview.statuses:
        tell(f"status {text!r} ({count} rows) is read as {status}")
    studies = f" of {len(preview.study_ids)} studies" if len(preview.study_ids) > 1 else ""
    tell(f"{preview.rows} rows{studies}; the first:")
    for location in preview.first:
        parts = (
            location.facility,
            location.address,
            location.city,
            location.state,
            location.postcode,
            location.country,
            location.status,
        )
        tell("  " + " | ".join(part or "-" for part in parts))


def _samples(values: Sequence[str]) -> str:
    return ", ".join(repr(value[:40]) for value in values) or "empty"
