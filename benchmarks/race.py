"""Many processes race for a few spots, on real databases: ``python -m benchmarks.race``.

Caps stand at three levels (study, country, site). Exactly as many spots as the study has must be sold, every loser must
be told why, and afterwards the ledger must verify and hold an event for each winner and for nobody else. The negative
control counts before it takes the lock, as programs do that "check, then insert"; it must oversell, or the race proves
nothing.

The client is a parameter: it calls the library, or (``--http``) two real server processes on loopback.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Protocol

from benchmarks import databases
from benchmarks.race_outcome import RaceOutcome
from benchmarks.servers import HttpClient, serving
from sitematch.domain.accounts.access import Actor, Caller
from sitematch.domain.capacity.caps import CapKey, CapLevel
from sitematch.domain.capacity.spot import Referral
from sitematch.domain.capacity.states import EventKind
from sitematch.domain.studies.site import Site
from sitematch.domain.studies.study import RecruitmentStatus, Study
from sitematch.errors import LedgerBusy, NoSpotsLeft
from sitematch.store.capacity import counting, ledger, rules
from sitematch.store.capacity.counting import read_view, referral_from
from sitematch.store.capacity.history import audit
from sitematch.store.capacity.writing import LedgerWrite, perform
from sitematch.store.engine import Store, open_store
from sitematch.store.idempotency import KeyedRequest
from sitematch.store.studies.catalogue import replace_study

STUDY_ID = "NCT00000001"
SITES = {"us-1": "US", "us-2": "US", "fr-1": "FR", "fr-2": "FR"}
_CALLER = Caller(actor=Actor(actor_id="system:race"), request_id="race")


class Client(Protocol):
    """One customer's side of the race; made inside its process."""

    def attempt(self, referral_id: str, site_id: str) -> RaceOutcome:
        """Try to take a spot, until there is an answer."""
        ...

    def close(self) -> None:
        """Let go of what the client holds."""
        ...


class LibraryClient:
    """Calls the library."""

    def __init__(self, url: str) -> None:
        self.store = open_store(url)

    def hold(self, referral_id: str, site_id: str) -> Referral:
        """Take a spot as the program does."""
        return ledger.place_hold(
            self.store,
            _CALLER,
            study_id=STUDY_ID,
            site_id=site_id,
            referral_id=referral_id,
            now=datetime.now(UTC),
        )

    def attempt(self, referral_id: str, site_id: str) -> RaceOutcome:
        """Try to take a spot, until there is an answer."""
        retries = 0
        while True:
            try:
                self.hold(referral_id, site_id)
            except LedgerBusy as busy:
                retries += 1
                time.sleep(busy.retry_after_s)
            except NoSpotsLeft as full:
                return RaceOutcome(referral_id, False, full.level, retries)
            else:
                return RaceOutcome(referral_id, True, "", retries)

    def close(self) -> None:
        """Close the database."""
        self.store.close()


class NaiveClient(LibraryClient):
    """The negative control: it counts first and then inserts, without the lock in between."""

    def hold(self, referral_id: str, site_id: str) -> Referral:
        """Take a spot as programs do that oversell."""
        now = datetime.now(UTC)
        with self.store.reading() as connection:
            view = read_view(connection, STUDY_ID, now)
        site = next(site for site in view.sites if site.site_id == site_id)
        left, tightest = view.left(view.taken(now), site)
        if left == 0 and tightest is not None:
            raise NoSpotsLeft("full", level=tightest.level.value, scope=tightest.scope, spots=0, taken=0)

        def insert(write: LedgerWrite) -> Referral:
            event = write.append(
                EventKind.HELD,
                referral_id=referral_id,
                is_new_referral=True,
                site_id=site_id,
                country=site.country,
                expires_at=write.now + write.policy.hold,
            )
            return referral_from(event, write.now)

        operation = KeyedRequest("naive", (referral_id,))
        return perform(self.store, _CALLER, operation, now, Referral, insert, study_id=STUDY_ID)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a race came to."""

    seconds: float
    sold: int
    spots: int
    attempts: int
    refused: dict[str, int]
    retries: int
    faults: tuple[str, ...]


def prepare(url: str, spots: int) -> None:
    """Write the study, and caps at three levels that leave exactly `spots`."""
    study = Study(
        study_id=STUDY_ID,
        title="A race",
        status=RecruitmentStatus.RECRUITING,
        as_of_on=date(2026, 1, 2),
        source="made for the race",
    )
    sites = [
        Site(
            site_id=site_id,
            study_id=STUDY_ID,
            source_study=STUDY_ID,
            facility=site_id,
            city="",
            country=country,
            status=RecruitmentStatus.RECRUITING,
            as_of_on=date(2026, 1, 2),
        )
        for site_id, country in SITES.items()
    ]
    limits = {CapKey(level=CapLevel.STUDY): spots}
    limits |= {CapKey(level=CapLevel.COUNTRY, scope=country): spots * 6 // 10 + 1 for country in set(SITES.values())}
    limits |= {CapKey(level=CapLevel.SITE, scope=site_id): spots * 3 // 10 + 1 for site_id in SITES}
    with open_store(url) as store:
        replace_study(store, study, sites)
        for key, limit in limits.items():
            rules.set_cap(store, _CALLER, study_id=STUDY_ID, key=key, spots=limit, now=datetime.now(UTC))


def run(
    url: str,
    *,
    processes: int,
    attempts: int,
    spots: int,
    make_client: Callable[[str], Client] = LibraryClient,
    address: str | None = None,
) -> Result:
    """Prepare the database, run the race, and check what it left behind.

    Parameters
    ----------
    url
        A fresh database.
    processes, attempts, spots
        How many race, how often in all, for how many spots.
    make_client
        Makes a client from an address; must be importable by its name.
    address
        What the clients are told; None is the database itself.
    """
    prepare(url, spots)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["sitematch.store.capacity.ledger", "sitematch.store.capacity.history.audit", "benchmarks.databases"]
    )
    gate, answers = context.Barrier(processes + 1), context.SimpleQueue()
    workers = [
        context.Process(target=_work, args=(make_client, address or url, number, processes, attempts, gate, answers))
        for number in range(processes)
    ]
    for worker in workers:
        worker.start()
    gate.wait()
    started = time.perf_counter()
    outcomes: list[RaceOutcome] = []
    crashes: list[str] = []
    for _ in workers:
        found = answers.get()
        if isinstance(found, str):
            crashes.append(found)
        else:
            outcomes += found
    seconds = time.perf_counter() - started
    for worker in workers:
        worker.join()
    return _judge(url, outcomes, crashes, seconds, attempts, spots)


def run_http(url: str, *, processes: int, attempts: int, spots: int, servers: int = 2) -> Result:
    """Run the race at real servers over a fresh database; see `run`."""
    with serving(url, count=servers, study_id=STUDY_ID) as running:
        return run(
            url,
            processes=processes,
            attempts=attempts,
            spots=spots,
            make_client=HttpClient,
            address=running.address,
        )


def _work(
    make_client: Callable[[str], Client],
    address: str,
    number: int,
    processes: int,
    attempts: int,
    gate: Any,
    answers: Any,
) -> None:
    found: list[RaceOutcome] | str = []
    client = None
    try:
        client = make_client(address)
        sites = list(SITES)
        gate.wait()
        found = [
            client.attempt(f"r-{turn}", sites[(turn // processes + number) % len(sites)])
            for turn in range(number, attempts, processes)
        ]
    except Exception as error:
        found = f"{type(error).__name__}: {error}"
    finally:
        answers.put(found)
        if client is not None:
            client.close()


def _judge(
    url: str, outcomes: Sequence[RaceOutcome], crashes: Sequence[str], seconds: float, attempts: int, spots: int
) -> Result:
    sold = {outcome.referral_id for outcome in outcomes if outcome.is_sold}
    refused = Counter(outcome.why for outcome in outcomes if not outcome.is_sold)
    faults = list(crashes)
    with open_store(url) as store:
        faults += [fault.reason for fault in audit.verify(store).faults]
        faults += _compare(store, sold)
    if len(outcomes) != attempts:
        faults.append(f"{attempts - len(outcomes)} attempts had no answer")
    if set(refused) - {level.value for level in CapLevel}:
        faults.append("a loser was not told why")
    return Result(
        seconds=seconds,
        sold=len(sold),
        spots=spots,
        attempts=attempts,
        refused=dict(sorted(refused.items())),
        retries=sum(outcome.retries for outcome in outcomes),
        faults=tuple(faults),
    )


def _compare(store: Store, sold: set[str]) -> list[str]:
    """Return what is wrong between what the customers were told and what the database holds."""
    held = [event.referral_id for event in counting.iter_events(store, STUDY_ID) if event.kind is EventKind.HELD]
    faults = []
    if len(held) != len(set(held)):
        faults.append("a referral was held twice")
    if set(held) != sold:
        faults.append(f"{len(set(held) ^ sold)} spots differ between what was told and what is kept")
    over = [usage for usage in counting.caps(store, STUDY_ID, datetime.now(UTC)) if usage.over_enrolled]
    faults += [f"{usage.key} was oversold: {usage.taken} of {usage.spots}" for usage in over]
    return faults


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the race and its negative control on both databases, print the figures, and return 0 if all held."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--processes", type=int, default=32)
    parser.add_argument("--attempts", type=int, default=10_000)
    parser.add_argument("--spots", type=int, default=100)
    parser.add_argument("--http", action="store_true", help="race at two server processes on loopback")
    options = parser.parse_args(arguments)
    has_held = True
    with tempfile.TemporaryDirectory() as folder:
        for dialect in ("sqlite", "postgresql"):
            url = databases.ready_url(dialect, Path(folder))
            sizes = {"processes": options.processes, "attempts": options.attempts, "spots": options.spots}
            found = run_http(url, **sizes) if options.http else run(url, **sizes)
            databases.forget(url)
            has_held &= _is_right(found)
            print(_report(dialect, "two servers" if options.http else "ledger", found, _is_right(found)))
            if not options.http:
                url = databases.ready_url(dialect, Path(folder))
                found = run(url, **sizes, make_client=NaiveClient)
                databases.forget(url)
                has_held &= found.sold > found.spots
                print(_report(dialect, "negative control", found, found.sold > found.spots))
    return 0 if has_held else 1


def _is_right(found: Result) -> bool:
    return found.sold == found.spots and not found.faults


def _report(dialect: str, name: str, found: Result, is_right: bool) -> str:
    refused = ", ".join(f"{count} by {why}" for why, count in found.refused.items())
    rate = found.attempts / found.seconds
    lines = [
        f"{dialect}, {name}: {'as it must be' if is_right else 'WRONG'}",
        f"  {found.attempts} attempts for {found.spots} spots in {found.seconds:.2f} s ({rate:.0f}/s)",
        f"  {found.sold} sold; refused: {refused}; {found.retries} retries",
    ]
    return "\n".join([*lines, *(f"  {fault}" for fault in found.faults)])


if __name__ == "__main__":
    # The workers import this module by its name; so must what is sent to them.
    from benchmarks.race import main as run_main

    sys.exit(run_main())
