"""A ledger recounted from its events with plain loops. It shares no code with the program's counting."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

from sitematch.domain.capacity.spot import LedgerEvent

TAKING = ("OFFERED", "HELD", "SCREENING", "ENROLLED")
COUNTED = {
    "offered": ("OFFERED",),
    "held": ("HELD",),
    "screening": ("SCREENING",),
    "enrolled": ("ENROLLED",),
    "released": ("RELEASED",),
    "lapsed": ("LAPSED",),
    "screen_failed": ("SCREEN_FAILED",),
    "withdrawn": ("WITHDRAWN",),
}


def state_of(event: LedgerEvent, at: datetime) -> str:
    if event.expires_at is not None and event.expires_at <= at:
        return "LAPSED"
    return event.kind.value


@dataclass
class Recount:
    """Every figure of the capacity report, one part of the study at a time."""

    events: list[LedgerEvent]
    at: datetime
    countries: Mapping[str, str]
    latest: dict[str, LedgerEvent] = field(default_factory=dict)
    spots: dict[tuple[str, str], int | None] = field(default_factory=dict)
    closed: set[tuple[str, str]] = field(default_factory=set)
    named: set[tuple[str, str]] = field(default_factory=set)
    gives_back: set[str] = field(default_factory=lambda: {"SCREEN_FAILED"})

    def __post_init__(self) -> None:
        for event in self.events:
            if event.at > self.at:
                break
            detail = json.loads(event.detail)
            if event.referral_id is not None:
                self.latest[event.referral_id] = event
                continue
            if event.kind.value == "POLICY_SET":
                self.gives_back = set(detail["gives_back"])
                continue
            part = (detail["level"], detail["scope"])
            self.named.add(part)
            if event.kind.value == "CAP_SET":
                self.spots[part] = detail["spots"]
            else:
                (self.closed.add if event.kind.value == "CLOSED" else self.closed.discard)(part)

        self.named |= {("ARM", event.arm) for event in self.latest.values() if event.arm is not None}

    def members(self, level: str, scope: str) -> list[LedgerEvent]:
        found = []
        for event in self.latest.values():
            of = {"STUDY": "", "COUNTRY": event.country, "ARM": event.arm, "SITE": event.site_id}[level]
            if of == scope:
                found.append(event)
        return found

    def takes(self, event: LedgerEvent) -> bool:
        state = state_of(event, self.at)
        if state in ("SCREEN_FAILED", "WITHDRAWN"):
            return state not in self.gives_back
        return state in TAKING

    def taken(self, level: str, scope: str) -> int:
        return sum(self.takes(event) for event in self.members(level, scope))

    def waiting(self, level: str, scope: str) -> int:
        count = 0
        for event in self.latest.values():
            if event.kind.value == "WAITING":
                wanted = json.loads(event.detail)["site_ids"]
                count += {
                    "STUDY": True,
                    "COUNTRY": scope in {self.countries[site] for site in wanted},
                    "ARM": event.arm == scope,
                    "SITE": scope in wanted,
                }[level]
        return count

    def could_take(self, sites: Iterable[str]) -> int | None:
        """Take one spot after another, wherever there is room, until there is none; None if that does not end."""
        taken = {
            part: self.taken(*part)
            for site in self.countries
            for part in (("STUDY", ""), ("COUNTRY", self.countries[site]), ("SITE", site))
        }
        got = 0
        for site in sites:
            parts = [("STUDY", ""), ("COUNTRY", self.countries[site]), ("SITE", site)]
            while not any(part in self.closed for part in parts):
                limits = [(part, self.spots.get(part)) for part in parts]
                if any(limit is not None and taken[part] >= limit for part, limit in limits):
                    break
                for part in parts:
                    taken[part] += 1
                got += 1
                if got > 500:
                    return None
        return got

    def row(self, level: str, scope: str) -> dict[str, Any]:
        members = self.members(level, scope)
        states = [state_of(event, self.at) for event in members]
        holds = [event.at for event in members if state_of(event, self.at) == "HELD"]
        sites = [
            site
            for site, country in self.countries.items()
            if level in ("STUDY", "ARM") or scope in {"COUNTRY": (country,), "SITE": (site,)}[level]
        ]
        cap, taken = self.spots.get((level, scope)), self.taken(level, scope)
        remaining = self.could_take(sites)
        if level == "ARM" and cap is not None:
            remaining = max(0, cap - taken) if remaining is None else min(remaining, max(0, cap - taken))
        if (level, scope) in self.closed:
            remaining = 0
        return {
            "cap": cap,
            "taken": taken,
            "remaining": remaining,
            "waiting": self.waiting(level, scope),
            **{name: sum(state in wanted for state in states) for name, wanted in COUNTED.items()},
            "oldest_hold_at": min(holds, default=None),
            "oldest_hold_age_s": self.at - min(holds) if holds else None,
        }


def recount_funnel(
    events: Iterable[LedgerEvent], at: datetime, zone: ZoneInfo
) -> dict[tuple[str, str], dict[str, Any]]:
    """Every count and median of the funnel, by ("study", ""), ("month", "2026-01") and ("site", id or "")."""
    ways: dict[str, list[LedgerEvent]] = defaultdict(list)
    for event in events:
        if event.referral_id is not None and event.at <= at:
            ways[event.referral_id].append(event)
    groups: dict[tuple[str, str], list[tuple[str, int, list[LedgerEvent], str]]] = defaultdict(list)
    for name, way in ways.items():
        tries: list[list[LedgerEvent]] = []
        for number, event in enumerate(way):
            before = None if number == 0 else state_of(way[number - 1], event.at)
            if before in (None, "LAPSED", "RELEASED", "SCREEN_FAILED"):
                tries.append([])
            tries[-1].append(event)
        for number, one in enumerate(tries):
            until = tries[number + 1][0].at if number + 1 < len(tries) else at
            entry = (name, number, one, state_of(one[-1], until))
            site = next((event.site_id for event in one if event.site_id), "")
            for key in (("study", ""), ("month", one[0].at.astimezone(zone).strftime("%Y-%m")), ("site", site or "")):
                groups[key].append(entry)
    return {key: _funnel_row(entries) for key, entries in groups.items()}


def _funnel_row(entries: list[tuple[str, int, list[LedgerEvent], str]]) -> dict[str, Any]:
    def when(one: list[LedgerEvent], kind: str) -> datetime | None:
        return next((event.at for event in one if event.kind.value == kind), None)

    def came(kind: str) -> int:
        return sum(when(one, kind) is not None for _, _, one, _ in entries)

    def times(first: str | None, then: str) -> list[timedelta]:
        pairs = [(one[0].at if first is None else when(one, first), when(one, then)) for _, _, one, _ in entries]
        return [end - start for start, end in pairs if start is not None and end is not None]

    ended = [state for *_, state in entries]
    row: dict[str, Any] = {
        "referrals": len({name for name, *_ in entries}),
        "attempts": len(entries),
        "again": sum(number > 0 for _, number, _, _ in entries),
        "waited": came("WAITING"),
        "offered": came("OFFERED"),
        "held": came("HELD"),
        "screened": came("SCREENING"),
        "enrolled": came("ENROLLED"),
        "released": ended.count("RELEASED"),
        "lapsed": ended.count("LAPSED"),
        "screen_failed": ended.count("SCREEN_FAILED"),
        "open": sum(state in ("WAITING", "OFFERED", "HELD", "SCREENING") for state in ended),
        "withdrawn": ended.count("WITHDRAWN"),
    }
    for name, first, then in (
        ("wait", "WAITING", "HELD"),
        ("hold", "HELD", "SCREENING"),
        ("screening", "SCREENING", "ENROLLED"),
        ("total", None, "ENROLLED"),
    ):
        found = times(first, then)
        row[f"{name}_n"] = len(found)
        row[f"{name}_median_s"] = median(found) if found else None
    return row
