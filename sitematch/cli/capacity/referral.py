"""``referral``: the life of a spot, from the hold to enrolment or release."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import click

from sitematch.cli.common import (
    EXIT_AMBIGUOUS,
    EXIT_NOT_FOUND,
    EXIT_REFUSED,
    STORE,
    Commands,
    console,
    exit_codes,
    format_option,
    plain_errors,
    print_json,
)
from sitematch.cli.completion import complete_site
from sitematch.cli.context import key_option, open_context, print_one, print_rows, study_option
from sitematch.domain.capacity.referral_filter import ReferralFilter, ReferralSort
from sitematch.domain.capacity.states import ACTIONS, MOVES, Action, ActionFacts, Needs, SpotState
from sitematch.errors import InvalidInput

_CODES = exit_codes(EXIT_NOT_FOUND, EXIT_AMBIGUOUS, EXIT_REFUSED, *STORE)


@click.group("referral", cls=Commands)
def referral_group() -> None:
    """Hold a spot for a referral and record the next steps.

    A referral has an id that you choose or that is made for you. It must not identify the patient.
    """


@referral_group.command("hold", epilog=_CODES)
@click.argument("site")
@click.option("--id", "referral_id", metavar="ID", help="The referral's id.  [default: a random one]")
@click.option("--arm", metavar="ARM", help="The arm or cohort. Its cap applies too.")
@click.option(
    "--hours",
    type=float,
    metavar="HOURS",
    help="Length of the hold in hours.  [default: the study's rule, 48 unless changed]",
)
@study_option
@key_option
@format_option("table", "json")
@plain_errors
def hold(
    site: str,
    referral_id: str | None,
    arm: str | None,
    hours: float | None,
    study: str | None,
    key: str | None,
    form: str,
) -> None:
    """Hold a spot at SITE for a limited time.

    \b
    Examples:
      sitematch referral hold NCT06064929-001
      sitematch referral hold NCT06064929-001 --id r-2026-017 --hours 24 --format json
    """
    from sitematch.services.capacity import coordinating

    if hours is not None and not 0 < hours <= 365 * 24:
        raise InvalidInput("--hours must be more than 0 and at most 8760.", field="hours")
    with open_context(study, key) as context:
        found = coordinating.hold(
            context.store,
            context.caller,
            study_id=context.study_id,
            site_id=site,
            referral_id=referral_id,
            now=context.now,
            arm=arm,
            hold_for=None if hours is None else timedelta(hours=hours),
        )
    _print(form, found)


_NEEDS = {
    Needs.HOURS: click.option(
        "--hours", type=float, metavar="HOURS", help="How much longer.  [default: the length of a hold]"
    ),
    Needs.SITE: click.option(
        "--site", metavar="SITE", required=True, shell_complete=complete_site, help="The new site."
    ),
}


def _add_move(action: Action, facts: ActionFacts) -> None:
    """Create the command of one action, from its row in the table of actions."""

    def run(
        referral_id: str,
        key: str | None,
        form: str,
        reason: str | None = None,
        hours: float | None = None,
        site: str | None = None,
    ) -> None:
        from sitematch.services.capacity import coordinating

        with open_context(None, key) as context:
            found = coordinating.move(
                context.store,
                context.caller,
                action=action,
                referral_id=referral_id,
                now=context.now,
                reason=reason,
                hours=hours,
                site_id=site,
            )
        _print(form, found)

    extra = f" --reason {next(iter(facts.reasons)).value}" if facts.reasons else ""
    extra += {Needs.HOURS: " --hours 24", Needs.SITE: " --site NCT06064929-002", None: ""}[facts.needs]
    run.__doc__ = f"{facts.text}\n\n\b\nExample:\n  sitematch referral {facts.command} r-2026-017{extra}\n"
    command: Callable[..., Any] = key_option(format_option("table", "json")(plain_errors(run)))
    if facts.reasons is not None:
        codes = click.Choice([code.value for code in facts.reasons])
        command = click.option("--reason", type=codes, required=True, help="A reason code.")(command)
    if facts.needs is not None:
        command = _NEEDS[facts.needs](command)
    referral_group.command(facts.command, epilog=_CODES)(click.argument("referral_id", metavar="ID")(command))


for _action in MOVES:
    _add_move(_action, ACTIONS[_action])


@referral_group.command("show", epilog=_CODES)
@click.argument("referral_id", metavar="ID")
@click.option("--history", "with_history", is_flag=True, help="Also show every event and who recorded it.")
@format_option("table", "json")
@plain_errors
def show(referral_id: str, with_history: bool, form: str) -> None:
    """Show the state of a referral.

    \b
    Examples:
      sitematch referral show r-2026-017
      sitematch referral show r-2026-017 --history --format json
    """
    from sitematch.exporters.tables.ledger_rows import print_events, print_referrals
    from sitematch.exporters.wire.capacity import event_answer, referral_answer
    from sitematch.services.capacity import coordinating

    with open_context() as context:
        found = referral_answer(coordinating.referral(context.store, context.actor, referral_id, context.now))
        past = coordinating.history(context.store, context.actor, referral_id, context.now) if with_history else ()
    events = [event_answer(event) for event in past]
    if form == "json":
        print_json({"referral": found, "history": events} if with_history else found)
        return
    print_referrals([found], console())
    if with_history:
        print_events(events, console())


@referral_group.command("list", epilog=_CODES)
@click.option("--site", metavar="SITE", shell_complete=complete_site, help="Only referrals at this site.")
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice([state.value for state in SpotState], case_sensitive=False),
    help="Only in this state; may be repeated.",
)
@click.option("--search", metavar="TEXT", default="", help="Only ids that contain this text.")
@click.option("--arm", metavar="ARM", help="Only for this arm.")
@click.option("--actor", metavar="ACTOR", help="Only if this actor made the latest change, e.g. cli:ann.")
@click.option("--changed-from", metavar="TIME", help="Only if the latest change was then or later.")
@click.option("--changed-before", metavar="TIME", help="Only if the latest change was before then.")
@click.option("--lapses-before", metavar="TIME", help="Only holds and offers that lapse before then.")
@click.option(
    "--sort",
    type=click.Choice([sort.value for sort in ReferralSort]),
    default=ReferralSort.LATEST.value,
    show_default=True,
    help="By latest or oldest change, or what lapses next.",
)
@click.option("--limit", type=click.IntRange(1), metavar="NUMBER", help="How many at most.  [default: all]")
@study_option
@format_option("table", "json", "csv")
@plain_errors
def list_(
    site: str | None,
    states: tuple[str, ...],
    search: str,
    arm: str | None,
    actor: str | None,
    changed_from: str | None,
    changed_before: str | None,
    lapses_before: str | None,
    sort: str,
    limit: int | None,
    study: str | None,
    form: str,
) -> None:
    """List the study's referrals. Times are dates or times in UTC, e.g. 2026-01-31 or 2026-01-31T12:00.

    \b
    Examples:
      sitematch referral list --state HELD --sort lapses
      sitematch referral list --site NCT06064929-001 --changed-from 2026-01-01
    """
    from sitematch.exporters.tables.ledger_rows import print_referrals
    from sitematch.exporters.wire.capacity import ReferralAnswer, referral_answer
    from sitematch.services.capacity import referral_lists

    wanted = ReferralFilter(
        text=search,
        states=frozenset(map(SpotState, states)) or None,
        site_id=site,
        arm=arm,
        actor_id=actor,
        changed_from=_instant(changed_from, "changed-from"),
        changed_before=_instant(changed_before, "changed-before"),
        lapses_before=_instant(lapses_before, "lapses-before"),
        sort=ReferralSort(sort),
    )
    with open_context(study) as context:
        rows = referral_lists.find_all(context.store, context.actor, context.study_id, context.now, wanted)
        found = list(islice(rows, limit))
    print_rows(form, ReferralAnswer, [referral_answer(item) for item in found], print_referrals)


def _instant(text: str | None, name: str) -> datetime | None:
    """Read a time in UTC, or a date, which is its beginning."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f"--{name} must be a date or a time, e.g. 2026-01-31T12:00.", field=name) from None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found


def _print(form: str, found: Any) -> None:
    from sitematch.exporters.tables.ledger_rows import print_referrals
    from sitematch.exporters.wire.capacity import referral_answer

    print_one(form, referral_answer(found), print_referrals)
