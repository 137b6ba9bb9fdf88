"""``webhook``: notices when a site is full, reopens or passes a percentage."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from sitematch.cli.common import (
    EXIT_NOT_FOUND,
    STORE,
    Commands,
    exit_codes,
    format_option,
    plain_errors,
    print_json,
    say,
    settings,
)
from sitematch.cli.completion import complete_study
from sitematch.cli.context import open_context
from sitematch.domain.plurals import counted
from sitematch.domain.webhooks.notice import NoticeKind

_CODES = exit_codes(EXIT_NOT_FOUND, *STORE)


@click.group("webhook", cls=Commands)
def webhook_group() -> None:
    """Send signed messages to other systems when sites change."""


@webhook_group.command("add", epilog=_CODES)
@click.argument("url")
@click.option(
    "--kind", "kinds", multiple=True, required=True, type=click.Choice([kind.value for kind in NoticeKind]),
    help="The kind of event to send; may be repeated.",
)  # fmt: skip
@click.option("--percent", type=click.IntRange(1, 100), help="With site.passed-percent: the percentage of spots taken.")
@click.option("--study", metavar="STUDY", shell_complete=complete_study, help="The study.  [default: all studies]")
@format_option("table", "json")
@plain_errors
def add(url: str, kinds: tuple[str, ...], percent: int | None, study: str | None, form: str) -> None:
    """Add a webhook and print its signing secret once.

    \b
    Example:
      sitematch webhook add https://ctms.example.org/sitematch --kind site.filled --kind site.reopened
    """
    from sitematch.services.webhooks import endpoints

    with open_context() as context:
        made = endpoints.add_webhook(
            context.store,
            context.actor,
            url=url,
            kinds=frozenset(map(NoticeKind, kinds)),
            now=context.now,
            study_id=study,
            percent=percent,
        )
    if form == "json":
        print_json({"secret": made.secret, "webhook": made.webhook})
        return
    click.echo(made.secret)
    say(f"Created webhook {made.webhook.webhook_id}. The secret is not shown again.")


@webhook_group.command("list", epilog=_CODES)
@plain_errors
def list_() -> None:
    """List the webhooks as JSON.

    \b
    Example:
      sitematch webhook list
    """
    from sitematch.services.webhooks import endpoints

    with open_context() as context:
        print_json(endpoints.list_webhooks(context.store, context.actor))


@webhook_group.command("disable", epilog=_CODES)
@click.argument("webhook_id")
@plain_errors
def disable(webhook_id: str) -> None:
    """Disable a webhook. Waiting messages are not sent.

    \b
    Example:
      sitematch webhook disable 91ab5f0c2d3e4f60
    """
    from sitematch.services.webhooks import endpoints

    with open_context() as context:
        endpoints.disable_webhook(context.store, context.actor, webhook_id=webhook_id, now=context.now)
    say(f"Webhook {webhook_id} is disabled.")


@webhook_group.command("test", epilog=_CODES)
@click.argument("webhook_id")
@plain_errors
def test(webhook_id: str) -> None:
    """Send a test message, of kind webhook.test.

    It is delivered like any other: by a server within seconds, or by `sitematch webhook run`.

    \b
    Example:
      sitematch webhook test 91ab5f0c2d3e4f60
    """
    from sitematch.services.webhooks import endpoints

    with open_context() as context:
        made = endpoints.send_test(context.store, context.actor, webhook_id=webhook_id, now=context.now)
    say(f"Message {made} is waiting to be delivered.")


@webhook_group.command("redeliver", epilog=_CODES)
@click.argument("webhook_id")
@plain_errors
def redeliver(webhook_id: str) -> None:
    """Send again the messages that were not delivered, also those that were given up.

    \b
    Example:
      sitematch webhook redeliver 91ab5f0c2d3e4f60
    """
    from sitematch.services.webhooks import endpoints

    with open_context() as context:
        count = endpoints.redeliver(context.store, context.actor, webhook_id=webhook_id, now=context.now)
    say(f"{counted(count, 'message')} waiting to be delivered.")


@webhook_group.command("rotate-secret", epilog=_CODES)
@click.argument("webhook_id")
@plain_errors
def rotate_secret(webhook_id: str) -> None:
    """Replace the signing secret and print the new one once.

    It signs every message from now on, so the receiver should accept both secrets while you change it.

    \b
    Example:
      sitematch webhook rotate-secret 91ab5f0c2d3e4f60
    """
    from sitematch.services.webhooks import endpoints

    with open_context() as context:
        made = endpoints.rotate_secret(context.store, context.actor, webhook_id=webhook_id)
    click.echo(made.secret)
    say("The old secret no longer signs messages. The new one is not shown again.")


@webhook_group.command("failures", epilog=_CODES)
@plain_errors
def failures() -> None:
    """List messages that were not delivered, and when they are tried again, as JSON.

    \b
    Example:
      sitematch webhook failures
    """
    from sitematch.services.webhooks import endpoints

    with open_context() as context:
        print_json(endpoints.failed_deliveries(context.store, context.actor))


@webhook_group.command("run", epilog=_CODES)
@plain_errors
def run() -> None:
    """Send the messages that are due. A server does this itself every SITEMATCH_NOTICES_EVERY_S seconds.

    \b
    Example, in a crontab:
      * * * * * sitematch webhook run
    """
    from sitematch.services.webhooks.notices import run_notices

    with open_context() as context:
        arrived = run_notices(context.store, lambda: datetime.now(UTC), allow_private=settings().webhooks_to_private)
    say(f"{arrived} message{'' if arrived == 1 else 's'} delivered.")
