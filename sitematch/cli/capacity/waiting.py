"""``waiting-list``: who is offered a spot when one is freed."""

from __future__ import annotations

import click

from sitematch.cli.common import (
    EXIT_AMBIGUOUS,
    EXIT_NOT_FOUND,
    EXIT_REFUSED,
    STORE,
    Commands,
    exit_codes,
    format_option,
    plain_errors,
    say,
    settings,
    spoken,
)
from sitematch.cli.completion import complete_country, complete_site
from sitematch.cli.context import CommandContext, key_option, open_context, print_one, print_rows, study_option
from sitematch.domain.plurals import counted
from sitematch.errors import InvalidInput

_CODES = exit_codes(EXIT_NOT_FOUND, EXIT_AMBIGUOUS, EXIT_REFUSED, *STORE)


@click.group("waiting-list", cls=Commands)
def waiting_group() -> None:
    """Wait for a spot, see who waits, and pass on spots that came free."""


@waiting_group.command("add", epilog=_CODES)
@click.option("--id", "referral_id", metavar="ID", help="The referral's opaque id; left out: a random one.")
@click.option(
    "--site",
    "sites",
    multiple=True,
    metavar="SITE",
    shell_complete=complete_site,
    help="A site to wait for, the preferred first.",
)
@click.option("--near", metavar="PLACE", help="Postcode or town: wait for every site within --within-km of it.")
@click.option("--country", "-c", metavar="COUNTRY", shell_complete=complete_country, help="Of the postcode or town.")
@click.option("--within-km", type=float, metavar="KM", help="The distance that the patient tolerates.")
@click.option("--priority", type=int, default=0, show_default=True, help="-1000 to 1000; greater comes first.")
@click.option("--arm", metavar="ARM", help="The arm or cohort.")
@study_option
@key_option
@format_option("table", "json")
@plain_errors
def add(
    referral_id: str | None,
    sites: tuple[str, ...],
    near: str | None,
    country: str | None,
    within_km: float | None,
    priority: int,
    arm: str | None,
    study: str | None,
    key: str | None,
    form: str,
) -> None:
    """Wait for a spot at any of some sites; one that is free is offered at once.

    With --near the sites are worked out here; neither the place nor any distance is kept.

    \b
    Examples:
      sitematch waiting-list add --id r-2026-018 --site NCT06064929-001 --site NCT06064929-002
      sitematch waiting-list add --near 33180 --country US --within-km 400
    """
    from sitematch.exporters.tables.ledger_rows import print_referrals
    from sitematch.exporters.wire.capacity import referral_answer
    from sitematch.services.capacity import coordinating

    with open_context(study, key) as context:
        found = coordinating.join_waiting_list(
            context.store,
            context.caller,
            study_id=context.study_id,
            referral_id=referral_id,
            site_ids=(*sites, *_sites_near(context, near, country, within_km)),
            now=context.now,
            priority=priority,
            arm=arm,
        )
    print_one(form, referral_answer(found), print_referrals)


def _sites_near(context: CommandContext, near: str | None, country: str | None, within_km: float | None) -> list[str]:
    if (near is None) != (within_km is None):
        raise InvalidInput("Give --near together with --within-km.", field="near")
    if near is None or within_km is None:
        return []
    from dataclasses import replace

    from sitematch.services.finding.opening import open_finder

    if not 0 < within_km <= 20_100:
        raise InvalidInput("--within-km must be more than 0; half the globe is 20,004.", field="within_km")
    finder = open_finder(replace(settings(), study_id=context.study_id), context.now)
    found = finder.within(finder.locate(near, country, languages=spoken(None)), within_km)
    if not found:
        raise InvalidInput("No site lies within that distance.", field="within_km")
    return [site.site_id for site in found]


@waiting_group.command("list", epilog=_CODES)
@study_option
@format_option("table", "json", "csv")
@plain_errors
def list_(study: str | None, form: str) -> None:
    """List who waits, in the order in which spots are offered.

    \b
    Example:
      sitematch waiting-list list
    """
    from sitematch.exporters.tables.ledger_rows import print_waiting
    from sitematch.exporters.wire.capacity import WaitingAnswer, waiting_answers
    from sitematch.services.capacity import coordinating

    with open_context(study) as context:
        found = coordinating.waiting_list(context.store, context.actor, context.study_id)
    print_rows(form, WaitingAnswer, waiting_answers(found), print_waiting)


@waiting_group.command("sweep", epilog=_CODES)
@plain_errors
def sweep() -> None:
    """Offer the spots that came free because a hold or an offer lapsed; run it every minute or so.

    \b
    Example, in a crontab:
      * * * * * sitematch waiting-list sweep
    """
    from sitematch.services.capacity.freed_spots import offer_freed_spots

    with open_context() as context:
        made = offer_freed_spots(context.store, context.now, request_id=context.caller.request_id)
    offers = sum(made.values())
    say(f"{counted(offers, 'offer')} made in {counted(len(made), 'study', 'studies')} with a waiting list.")
