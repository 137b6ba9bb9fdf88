"""Lists from the ledger as CSV for spreadsheets and as tables for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rich.console import Console
from rich.text import Text

from sitematch.exporters.tables.files import csv_text
from sitematch.exporters.tables.rows import cells
from sitematch.exporters.tables.terminal import new_table
from sitematch.exporters.wire.capacity import (
    CapAnswer,
    CapRef,
    EventAnswer,
    ReferralAnswer,
    SiteCapacityAnswer,
    WaitingAnswer,
)
from sitematch.exporters.wire.matches import Wire


def answers_csv(kind: type[Wire], answers: Sequence[Wire]) -> str:
    """Write answers of one kind in the given order, one row each; only the header if there are none."""
    header = tuple(kind.__struct_fields__)
    return csv_text(header, cells(answers, header))


def print_capacity(sites: Sequence[SiteCapacityAnswer], console: Console) -> None:
    """Print the spots of sites, in the given order."""
    table = new_table("Site", "State", "Left", "Of", "Held", "Screening", "Enrolled", "Limited by")
    for site in sites:
        over = f" (over by {site.over_enrolled})" if site.over_enrolled else ""
        table.add_row(
            Text(site.site_id),
            str(site.state),
            _number(site.remaining) + over,
            "-" if site.cap is None else str(site.cap),
            str(site.held + site.offered),
            str(site.screening),
            str(site.enrolled),
            "-" if site.bound_by is None else _cap_text(site.bound_by),
        )
    console.print(table if sites else Text("No sites."))


def print_caps(caps: Sequence[CapAnswer], console: Console) -> None:
    """Print caps, in the given order."""
    table = new_table("Cap", "Limit", "Taken", "Left", "")
    for cap in caps:
        remarks = ["closed"] if cap.is_closed else []
        remarks += [f"over by {cap.over_enrolled}"] if cap.over_enrolled else []
        table.add_row(
            Text(f"{cap.level} {cap.scope}".rstrip()),
            "none" if cap.spots is None else str(cap.spots),
            str(cap.taken),
            "0" if cap.is_closed else "no limit" if cap.remaining is None else str(cap.remaining),
            ", ".join(remarks),
        )
    console.print(table)


def print_referrals(referrals: Sequence[ReferralAnswer], console: Console) -> None:
    """Print referrals, in the given order."""
    table = new_table("Referral", "State", "Site", "Lapses", "Changed", "Next steps")
    for item in referrals:
        table.add_row(
            Text(item.referral_id),
            Text(item.state if item.reason is None else f"{item.state} ({item.reason})"),
            Text(item.site_id or "-"),
            _instant(item.expires_at),
            _instant(item.changed_at),
            ", ".join(item.allowed) or "nothing",
        )
    console.print(table if referrals else Text("No referrals."))


def print_events(events: Sequence[EventAnswer], console: Console) -> None:
    """Print a referral's history, in the given order."""
    table = new_table("Event", "What", "When", "Site", "Who", "Request")
    for event in events:
        what = event.kind if event.reason is None else f"{event.kind} ({event.reason})"
        table.add_row(
            str(event.seq),
            Text(what),
            _instant(event.at),
            Text(event.site_id or "-"),
            Text(event.actor_id),
            Text(event.request_id),
        )
    console.print(table)


def print_waiting(entries: Sequence[WaitingAnswer], console: Console) -> None:
    """Print a waiting list, the next referral first."""
    table = new_table("", "Referral", "Priority", "Since", "Sites")
    for entry in entries:
        table.add_row(
            str(entry.place),
            Text(entry.referral_id),
            str(entry.priority),
            _instant(entry.joined_at),
            Text(" ".join(entry.site_ids)),
        )
    console.print(table if entries else Text("Nobody is waiting."))


def _number(count: int | None) -> str:
    return "unknown" if count is None else str(count)


def _instant(instant: datetime | None) -> str:
    return "-" if instant is None else instant.strftime("%Y-%m-%d %H:%MZ")


def _cap_text(ref: CapRef) -> str:
    return f"{ref.level} {ref.scope}".rstrip()
