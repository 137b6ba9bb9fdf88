"""The simplest possible ledger: a dictionary and loops. It shares no code with the program's counting."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

SITES = {"us-1": "US", "us-2": "US", "fr-1": "FR"}
ENTRY = {None, "EXPIRED", "RELEASED", "SCREEN_FAILED", "OFFER_LAPSED"}


class RequestRejected(Exception):
    """The name of the error that the program must raise."""


@dataclass
class Entry:
    kind: str
    site: str | None
    arm: str | None
    until: datetime | None = None
    priority: int = 0
    joined: int = 0
    wants: tuple[str, ...] = ()
    first_until: datetime | None = None


@dataclass
class Model:
    now: datetime
    entries: dict[str, Entry] = field(default_factory=dict)
    caps: dict[tuple[str, str], int] = field(default_factory=dict)
    closed: set[tuple[str, str]] = field(default_factory=set)
    gives_back: frozenset[str] = frozenset({"SCREEN_FAILED"})
    hold: timedelta = timedelta(hours=48)
    extension: timedelta = timedelta(days=7)
    events: int = 0

    def state(self, name: str) -> str | None:
        entry = self.entries.get(name)
        if entry is None:
            return None
        if entry.until is not None and self.now >= entry.until:
            return {"HELD": "EXPIRED", "OFFERED": "OFFER_LAPSED"}[entry.kind]
        return entry.kind

    def uses(self, name: str) -> bool:
        state = self.state(name)
        if state in ("SCREEN_FAILED", "WITHDRAWN"):
            return state not in self.gives_back
        return state in ("OFFERED", "HELD", "SCREENING", "ENROLLED")

    def parts(self, site: str, arm: str | None) -> list[tuple[str, str]]:
        arms = [] if arm is None else [("ARM", arm)]
        return [("STUDY", ""), ("COUNTRY", SITES[site]), *arms, ("SITE", site)]

    def taken(self, part: tuple[str, str], besides: str = "") -> int:
        return sum(
            1
            for name, entry in self.entries.items()
            if name != besides and entry.site and self.uses(name) and part in self.parts(entry.site, entry.arm)
        )

    def left(self, site: str, arm: str | None, besides: str = "") -> int | None:
        counts = [
            max(0, self.caps[part] - self.taken(part, besides)) for part in self.parts(site, arm) if part in self.caps
        ]
        return min(counts, default=None)

    def is_closed(self, site: str, arm: str | None) -> bool:
        return any(part in self.closed for part in self.parts(site, arm))

    def put(self, name: str, entry: Entry) -> None:
        self.events += 1
        self.entries[name] = entry

    def offer(self) -> int:
        made = 0
        waiting = [name for name in self.entries if self.state(name) == "WAITING"]
        for name in sorted(waiting, key=lambda n: (-self.entries[n].priority, self.entries[n].joined)):
            entry = self.entries[name]
            for site in entry.wants:
                if not self.is_closed(site, entry.arm) and self.left(site, entry.arm) != 0:
                    self.put(name, Entry("OFFERED", site, entry.arm, self.now + timedelta(hours=48)))
                    made += 1
                    break
        return made

    def need(self, name: str, *states: str | None) -> None:
        if self.state(name) not in states:
            raise RequestRejected("IllegalTransition")

    def place_hold(self, name: str, site: str, arm: str | None) -> str:
        for turn in (1, 2):
            self.need(name, *ENTRY, "WAITING")
            if self.is_closed(site, arm):
                raise RequestRejected("SiteClosed")
            if self.left(site, arm, besides=name) == 0:
                raise RequestRejected("NoSpotsLeft")
            if turn == 1 and not self.offer():
                break
        self.begin_hold(name, site, arm)
        return "HELD"

    def begin_hold(self, name: str, site: str | None, arm: str | None) -> None:
        until = self.now + self.hold
        self.put(name, Entry("HELD", site, arm, until, first_until=until))

    def extend(self, name: str, hours: int | None) -> str:
        self.known(name)
        self.need(name, "HELD")
        entry = self.entries[name]
        assert entry.until is not None
        assert entry.first_until is not None
        most = entry.first_until + self.extension
        until = min(entry.until + self.hold, most) if hours is None else entry.until + timedelta(hours=hours)
        if until > most or until <= entry.until:
            raise RequestRejected("ExtensionTooLong")
        self.put(name, Entry("HELD", entry.site, entry.arm, until, first_until=entry.first_until))
        return "HELD"

    def transfer(self, name: str, site: str) -> str | None:
        self.known(name)
        self.need(name, "HELD", "WAITING")
        entry = self.entries[name]
        if self.state(name) == "WAITING":
            self.put(name, Entry("WAITING", None, entry.arm, None, entry.priority, entry.joined, (site,)))
        else:
            if site == entry.site:
                raise RequestRejected("InvalidInput")
            for turn in (1, 2):
                if self.is_closed(site, entry.arm):
                    raise RequestRejected("SiteClosed")
                if self.left(site, entry.arm, besides=name) == 0:
                    raise RequestRejected("NoSpotsLeft")
                if turn == 1 and not self.offer():
                    break
            self.put(name, Entry("HELD", site, entry.arm, entry.until, first_until=entry.first_until))
        self.offer()
        return self.state(name)

    def correct(self, name: str) -> str:
        self.known(name)
        self.need(name, "SCREENING", "SCREEN_FAILED", "ENROLLED", "WITHDRAWN")
        entry = self.entries[name]
        assert entry.site is not None
        back = {"SCREENING": "HELD", "SCREEN_FAILED": "SCREENING", "ENROLLED": "SCREENING", "WITHDRAWN": "ENROLLED"}
        if not self.uses(name) and self.left(entry.site, entry.arm) == 0:
            raise RequestRejected("NoSpotsLeft")
        if entry.kind == "SCREENING":
            self.begin_hold(name, entry.site, entry.arm)
        else:
            self.put(name, Entry(back[entry.kind], entry.site, entry.arm))
        return self.entries[name].kind

    def wait(self, name: str, sites: tuple[str, ...], arm: str | None, priority: int) -> str | None:
        self.need(name, *ENTRY)
        self.put(name, Entry("WAITING", None, arm, None, priority, self.events, sites))
        self.offer()
        return self.state(name)

    def accept(self, name: str) -> str:
        self.known(name)
        self.need(name, "OFFERED")
        entry = self.entries[name]
        assert entry.site is not None
        if self.is_closed(entry.site, entry.arm):
            raise RequestRejected("SiteClosed")
        self.begin_hold(name, entry.site, entry.arm)
        return "HELD"

    def known(self, name: str) -> None:
        if name not in self.entries:
            raise RequestRejected("ReferralNotFound")

    def move(self, name: str, kind: str, *sources: str) -> str:
        self.known(name)
        self.need(name, *sources)
        entry = self.entries[name]
        self.put(name, Entry(kind, entry.site, entry.arm))
        if not self.uses(name):
            self.offer()
        return kind

    def set_cap(self, part: tuple[str, str], spots: int | None) -> None:
        self.events += 1
        self.caps.pop(part, None)
        if spots is not None:
            self.caps[part] = spots
        self.offer()

    def shut(self, part: tuple[str, str], is_shut: bool) -> None:
        self.events += 1
        (self.closed.add if is_shut else self.closed.discard)(part)
        self.offer()

    def set_policy(self, gives_back: frozenset[str], hold: timedelta, extension: timedelta) -> None:
        self.events += 1
        self.gives_back, self.hold, self.extension = gives_back, hold, extension
        self.offer()
