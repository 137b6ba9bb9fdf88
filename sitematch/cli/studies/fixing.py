"""``sites fix``: sites that could not be placed, with the best guess, and setting their places."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from sitematch.cli.common import (
    EXIT_AMBIGUOUS,
    EXIT_NOT_FOUND,
    STORE,
    exit_codes,
    plain_errors,
    prepared_settings,
    say,
    tell,
)
from sitematch.cli.completion import complete_site, complete_study
from sitematch.cli.studies.import_options import DRY_RUN
from sitematch.cli.studies.import_printer import Printer
from sitematch.domain.plurals import counted
from sitematch.domain.studies.study import tidy_study_id
from sitematch.errors import InvalidInput


@click.command("fix", epilog=exit_codes(EXIT_NOT_FOUND, EXIT_AMBIGUOUS, *STORE))
@click.argument("site", required=False, shell_complete=complete_site)
@click.option("--place", default="", metavar="PLACE", help="Where the site is: a postcode, a town, or both.")
@click.option("--study", metavar="NCT…", shell_complete=complete_study, help="Only this study.  [default: all]")
@click.option("--apply", "is_applied", is_flag=True, help="Set the best guesses.")
@DRY_RUN
@plain_errors
def fix(site: str | None, place: str, study: str | None, is_applied: bool, dry_run: bool) -> None:
    """List the sites that could not be placed, with the reason and the best guess, and set their places.

    Without --apply nothing changes. A place that was set stays when the same record is imported again, and
    `sitematch import undo` takes it back.

    \b
    Examples:
      sitematch sites fix
      sitematch sites fix --apply
      sitematch sites fix NCT06064929-005 --place "Springfield, Illinois"
    """
    from sitematch.services.studies.unplaced import find_place, list_unplaced, set_places

    now = datetime.now(UTC)
    chosen = prepared_settings(now)
    if bool(site) != bool(place):
        raise InvalidInput("Give a site and its --place, or neither.", field="site")
    if site:
        places = dict([find_place(chosen, site, place)])
    else:
        unplaced = list_unplaced(chosen, None if study is None else tidy_study_id(study))
        for one in unplaced:
            tell(f"{one.site.site_id}  {one}")
        places = {one.site: one.guess.place for one in unplaced if one.guess}
        say(f"{counted(len(unplaced), 'site')} without a place, {len(places)} with a guess.")
        if not is_applied:
            if unplaced:
                say("To set the guesses, use --apply. To set one place, name the site and its --place.")
            return
    printer = Printer(everything=True)
    _, import_id = set_places(chosen, places, now=now, watcher=printer, dry_run=dry_run)
    if dry_run:
        say("Dry run: nothing was changed.")
    elif import_id is None:
        say("Nothing changed.")
    else:
        say(f"{counted(len(places), 'place')} set. To undo it, run `sitematch import undo`.")
