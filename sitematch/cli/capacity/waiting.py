"""``waiting-list``: the referrals that get free spots."""

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
    preferred_languages,
    say,
    settings,
)
from sitematch.cli.completion import complete_country, complete_site
from sitematch.cli.context import CommandContext, key_option, open_context, print_one, print_rows, study_option
from sitematch.domain.plurals import counted
from sitematch.errors import InvalidInput

_CODES = exit_codes(EXIT_NOT_FOUND, EXIT_AMBIGUOUS, EXIT_REFUSED, *STORE)


@click.group("waiting-list", cls=Commands)
def waiting_group() -> None:
    """Join the waiting list, list who is waiting, and offer spots that became free."""


@waiting_group.command("add", epilog=_CODES)
@click.option("--id", "referral_id", metavar="ID", help="The referral's id.  [default: a random one]")
@click.option(
    "--site",
    "sites",
    multiple=True,
    metavar="SITE",
    shell_complete=complete_site,
    help="A site to wait for; may be repeated, preferred site first.",
)
@click.option(
    "--near", metavar="PLACE", help="Postcode or town. The referral waits for every site within --within-km of it."
)
@click.option(
    "--country", "-c", metavar="COUNTRY", shell_complete=complete_country, help="Country of the postcode or town."
)
@click.option("--within-km", type=float, metavar="KM", help="How far the patient can travel, in kilometres.")
@click.option(
    "--priority", type=int, default=0, show_default=True, help="From -1000 to 1000; higher numbers come first."
)
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
    """Put a referral on the waiting list of one or more sites. A free spot is offered immediately.

    --near finds the sites for you. The place and the distances are not stored.

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
        raise InvalidInput("--near and --within-km go together: give both or neither.", field="near")
    if near is None or within_km is None:
        return []
    from dataclasses import replace

    from sitematch.services.finding.opening import open_finder

    if not 0 < within_km <= 20_100:
        raise InvalidInput("--within-km must be more than 0 and at most 20,100.", field="within_km")
    finder = open_finder(replace(settings(), study_id=context.study_id), context.now)
    found = finder.within(finder.locate(near, country, languages=preferred_languages(None)), within_km)
    if not found:
        raise InvalidInput("There is no site within that distance.", field="within_km")
    return [site.site_id for site in found]


@waiting_group.command("list", epilog=_CODES)
@study_option
@format_option("table", "json", "csv")
@plain_errors
def list_(study: str | None, form: str) -> None:
    """List the referrals that are waiting, in the order in which they are offered spots.

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
    """Offer spots that became free when a hold or an offer lapsed. Run this about once a minute.

    \b
    Example, in a crontab:
      * * * * * sitematch waiting-list sweep
    """
    from sitematch.services.capacity.freed_spots import offer_freed_spots

    with open_context() as context:
        made = offer_freed_spots(context.store, context.now, request_id=context.caller.request_id)
    offers = sum(made.values())
    say(f"{counted(offers, 'offer')} made in {counted(len(made), 'study', 'studies')} with a waiting list.")
