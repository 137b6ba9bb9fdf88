"""``capacity``: the spots left, and the caps and rules that they come from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import click

from sitematch.cli.common import (
    EXIT_NOT_FOUND,
    EXIT_REFUSED,
    STORE,
    Commands,
    exit_codes,
    format_option,
    plain_errors,
    print_json,
)
from sitematch.cli.completion import complete_country, complete_site
from sitematch.cli.context import key_option, open_context, print_one, print_rows, study_option
from sitematch.domain.capacity.caps import CapKey, CapLevel
from sitematch.domain.capacity.reasons import ClosureReason
from sitematch.domain.capacity.spot import MAX_OPEN_HOLDS
from sitematch.domain.capacity.states import BY_POLICY, SpotState
from sitematch.domain.time_zones import read_instant, zone_named
from sitematch.errors import InvalidInput

_CODES = exit_codes(EXIT_NOT_FOUND, EXIT_REFUSED, *STORE)


def as_of_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--as-of``; `as_utc` reads it."""
    return click.option(
        "--as-of",
        metavar="TIME",
        help="Show the state at this time (UTC): 2026-01-31T12:00, or 2026-01-31 for the end of the day.",
    )(command)


@click.group("capacity", cls=Commands)
def capacity_group() -> None:
    """Show the spots left, and set caps and rules."""


def _part_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for name, complete, text in (
        ("--site", complete_site, "A site's cap."),
        ("--arm", None, "An arm or cohort's cap."),
        ("--country", complete_country, "A country's cap: name or ISO 3166-1 code."),
    ):
        command = click.option(
            name, metavar=name[2:].upper(), shell_complete=complete, help=f"{text} [default: the whole study]"
        )(command)
    return command


def _key(country: str | None, arm: str | None, site: str | None) -> CapKey:
    if sum(part is not None for part in (country, arm, site)) > 1:
        raise InvalidInput("Choose only one of --country, --arm and --site.")
    if country is not None:
        from sitematch.gazetteer.grammar import parse_country

        return CapKey(level=CapLevel.COUNTRY, scope=parse_country(country))
    if arm is not None:
        return CapKey(level=CapLevel.ARM, scope=arm)
    if site is not None:
        return CapKey(level=CapLevel.SITE, scope=site)
    return CapKey(level=CapLevel.STUDY)


@capacity_group.command("show", epilog=_CODES)
@study_option
@click.option("--site", metavar="SITE", shell_complete=complete_site, help="Only this site.")
@click.option("--arm", metavar="ARM", help="Also apply this arm's cap.")
@as_of_option
@format_option("table", "json", "csv")
@plain_errors
def show(study: str | None, site: str | None, arm: str | None, as_of: str | None, form: str) -> None:
    """Show the spots of every site.

    \b
    Examples:
      sitematch capacity show
      sitematch capacity show --site NCT06064929-001 --format json
      sitematch capacity show --as-of 2026-01-31 --format csv > january.csv
    """
    from sitematch.errors import SiteNotFound
    from sitematch.exporters.tables.ledger_rows import print_capacity
    from sitematch.exporters.wire.capacity import SiteCapacityAnswer, site_capacity_answer
    from sitematch.services.capacity import coordinating

    with open_context(study) as context:
        found = coordinating.capacity(
            context.store, context.actor, context.study_id, context.now, as_of=as_utc(as_of, context.now), arm=arm
        )
    answers = [site_capacity_answer(item) for item in found if site in (None, item.site_id)]
    if site is not None and not answers:
        raise SiteNotFound(f"The study has no site {site!r}.", field="site")
    print_rows(form, SiteCapacityAnswer, answers, print_capacity)


def as_utc(text: str | None, now: datetime) -> datetime | None:
    """Return the time given with `as_of_option`, in UTC; None if none was given."""
    return None if text is None else read_instant(text, zone_named("UTC"), now)


@capacity_group.command("caps", epilog=_CODES)
@study_option
@format_option("table", "json", "csv")
@plain_errors
def caps(study: str | None, form: str) -> None:
    """List the caps of the study, its countries, arms and sites, with the spots taken.

    \b
    Example:
      sitematch capacity caps
    """
    from sitematch.exporters.tables.ledger_rows import print_caps
    from sitematch.exporters.wire.capacity import CapAnswer, cap_answer
    from sitematch.services.capacity import coordinating

    with open_context(study) as context:
        found = coordinating.caps(context.store, context.actor, context.study_id, context.now)
    print_rows(form, CapAnswer, [cap_answer(item) for item in found], print_caps)


@capacity_group.command("set-cap", epilog=_CODES)
@click.argument("spots", metavar="SPOTS|none")
@_part_options
@study_option
@key_option
@format_option("table", "json")
@plain_errors
def set_cap(
    spots: str, country: str | None, arm: str | None, site: str | None, study: str | None, key: str | None, form: str
) -> None:
    """Set the cap of the study or a part of it; "none" removes it.

    A cap may be lower than the number of spots taken: it then shows as over-enrolled, and no more spots are given.

    \b
    Examples:
      sitematch capacity set-cap 8
      sitematch capacity set-cap 3 --site NCT06064929-001
      sitematch capacity set-cap none --country Germany
    """
    from sitematch.services.capacity import coordinating

    if spots != "none" and not spots.isdecimal():
        raise InvalidInput('Give a whole number of spots, or "none".', field="spots")
    count = None if spots == "none" else int(spots)
    part = _key(country, arm, site)
    with open_context(study, key) as context:
        usage = coordinating.set_cap(
            context.store, context.caller, study_id=context.study_id, key=part, spots=count, now=context.now
        )
    _print_cap(form, usage)


@capacity_group.command("close", epilog=_CODES)
@_part_options
@click.option("--reason", type=click.Choice([code.value for code in ClosureReason]), help="Why, for the history.")
@click.option(
    "--closed-on",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    help="Since when it has taken nobody, for the history.",
)
@study_option
@key_option
@format_option("table", "json")
@plain_errors
def close(
    country: str | None,
    arm: str | None,
    site: str | None,
    reason: str | None,
    closed_on: datetime | None,
    study: str | None,
    key: str | None,
    form: str,
) -> None:
    """Close the study or a part of it to new patients. Referrals in progress continue, and participants still count.

    \b
    Example:
      sitematch capacity close --site NCT06064929-001 --reason STAFF
    """
    from sitematch.services.capacity import coordinating

    part = _key(country, arm, site)
    with open_context(study, key) as context:
        usage = coordinating.close(
            context.store,
            context.caller,
            study_id=context.study_id,
            key=part,
            now=context.now,
            reason=None if reason is None else ClosureReason(reason),
            closed_on=None if closed_on is None else closed_on.date(),
        )
    _print_cap(form, usage)


@capacity_group.command("reopen", epilog=_CODES)
@_part_options
@study_option
@key_option
@format_option("table", "json")
@plain_errors
def reopen(
    country: str | None, arm: str | None, site: str | None, study: str | None, key: str | None, form: str
) -> None:
    """Undo `close`. A site stays closed if its registry status is closed to new patients.

    \b
    Example:
      sitematch capacity reopen --site NCT06064929-001
    """
    from sitematch.services.capacity import coordinating

    part = _key(country, arm, site)
    with open_context(study, key) as context:
        usage = coordinating.reopen(context.store, context.caller, study_id=context.study_id, key=part, now=context.now)
    _print_cap(form, usage)


@capacity_group.command("opening", epilog=_CODES)
@click.argument("site", metavar="SITE", shell_complete=complete_site)
@click.argument("day", metavar="DAY|none")
@study_option
@key_option
@plain_errors
def opening(site: str, day: str, study: str | None, key: str | None) -> None:
    """Record the day on which a site opened or will open; "none" removes it.

    The forecast counts the site's open time from that day. Without it, the registry's day is used, the day of the first
    record that called the site recruiting, or its first hold.

    \b
    Examples:
      sitematch capacity opening NCT06064929-001 2026-03-01
      sitematch capacity opening NCT06064929-001 none
    """
    from sitematch.services.capacity import site_page

    with open_context(study, key) as context:
        recorded = site_page.set_opening(
            context.store,
            context.caller,
            study_id=context.study_id,
            site_id=site,
            opened_on=_day(day),
            now=context.now,
        )
    print_json(recorded)


def _day(text: str) -> date | None:
    if text == "none":
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f'{text[:64]!r} is not a day. Write it as 2026-03-01, or "none".', field="day") from None


_MOST = click.IntRange(0, MAX_OPEN_HOLDS)


@capacity_group.command("policy", epilog=_CODES)
@click.option("--hold-hours", type=float, metavar="HOURS", help="How long a hold lasts.")
@click.option("--offer-hours", type=float, metavar="HOURS", help="How long an offer from the waiting list lasts.")
@click.option(
    "--gives-back",
    multiple=True,
    type=click.Choice([*sorted(BY_POLICY), "none"]),
    help="Outcomes that free the spot again; may be repeated.",
)
@click.option("--waiting-list/--no-waiting-list", default=None, help="Whether the study has a waiting list.")
@click.option("--extension-hours", type=float, metavar="HOURS", help="By how much a hold may be extended in all.")
@click.option(
    "--screening-days",
    type=click.FloatRange(0, 365),
    metavar="DAYS",
    help="How long the protocol lets screening last; 0 for no window.",
)
@click.option("--holds-per-site", type=_MOST, metavar="NUMBER", help="Most open holds at one site; 0: no limit.")
@click.option(
    "--holds-per-account", type=_MOST, metavar="NUMBER", help="Most open holds of an account; 0 for no limit."
)
@study_option
@key_option
@plain_errors
def policy(
    hold_hours: float | None,
    offer_hours: float | None,
    gives_back: tuple[str, ...],
    waiting_list: bool | None,
    extension_hours: float | None,
    screening_days: float | None,
    holds_per_site: int | None,
    holds_per_account: int | None,
    study: str | None,
    key: str | None,
) -> None:
    """Show the study's rules for spots, or change some of them.

    \b
    Examples:
      sitematch capacity policy
      sitematch capacity policy --hold-hours 72 --gives-back SCREEN_FAILED --gives-back WITHDRAWN
    """
    from sitematch.exporters.wire.capacity import policy_answer
    from sitematch.services.capacity import coordinating

    changes: dict[str, Any] = {}
    if hold_hours is not None:
        changes["hold"] = _hours(hold_hours, "hold-hours")
    if offer_hours is not None:
        changes["offer"] = _hours(offer_hours, "offer-hours")
    if gives_back:
        changes["gives_back"] = frozenset(SpotState(name) for name in gives_back if name != "none")
    if waiting_list is not None:
        changes["waiting_list"] = waiting_list
    if extension_hours is not None:
        changes["extension"] = _hours(extension_hours, "extension-hours") if extension_hours else timedelta(0)
    if screening_days is not None:
        changes["screening_window"] = timedelta(days=screening_days) if screening_days else None
    for name, most in (("open_holds_per_site", holds_per_site), ("open_holds_per_account", holds_per_account)):
        if most is not None:
            changes[name] = most or None
    with open_context(study, key) as context:
        rules = coordinating.policy(context.store, context.actor, context.study_id)
        if changes:
            wanted = replace(rules, **changes)
            rules = coordinating.set_policy(
                context.store, context.caller, study_id=context.study_id, policy=wanted, now=context.now
            )
    print_json(policy_answer(rules))


def _hours(hours: float, name: str) -> timedelta:
    if not 0 < hours <= 365 * 24:
        raise InvalidInput(f"--{name} must be more than 0 and at most 8760.", field=name)
    return timedelta(hours=hours)


def _print_cap(form: str, usage: Any) -> None:
    from sitematch.exporters.tables.ledger_rows import print_caps
    from sitematch.exporters.wire.capacity import cap_answer

    print_one(form, cap_answer(usage), print_caps)
