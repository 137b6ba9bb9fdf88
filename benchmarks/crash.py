"""Writers are killed at random moments, on real databases: ``python -m benchmarks.crash``.

In each round two processes place holds and move them on, each write with an idempotency key, and are killed with
SIGKILL at a random moment. Then the ledger must verify; whatever was confirmed must be there; and the one write of each
that was cut off, asked for again with its key, must happen exactly once.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import databases, race
from sitematch.domain.accounts.access import Actor, Caller
from sitematch.domain.capacity.reasons import CorrectionReason
from sitematch.domain.capacity.spot import Referral
from sitematch.domain.capacity.states import Action, SpotState, state_of
from sitematch.store.capacity import counting, ledger
from sitematch.store.capacity.history import audit
from sitematch.store.engine import Store, open_store

_SPOTS = 5_000_000
_WAYS = (
    ("hold", "release"),
    ("hold", "screen", "enroll"),
    ("hold", "extend", "transfer", "screen", "release"),
    ("hold", "screen", "correct", "release"),
)
_STATES = {
    "hold": SpotState.HELD,
    "extend": SpotState.HELD,
    "transfer": SpotState.HELD,
    "correct": SpotState.HELD,
    "screen": SpotState.SCREENING,
    "enroll": SpotState.ENROLLED,
    "release": SpotState.RELEASED,
}
_ACTIONS = {
    "screen": Action.START_SCREENING,
    "enroll": Action.ENROLL,
    "release": Action.RELEASE,
    "extend": Action.EXTEND_HOLD,
    "transfer": Action.TRANSFER,
    "correct": Action.CORRECT,
}


@dataclass(frozen=True, slots=True)
class CrashStep:
    """One write: what to do to which referral, and how many events that referral has then."""

    referral_id: str
    site_id: str
    action: str
    events_after: int


def steps(worker: str) -> Iterator[CrashStep]:
    """Yield what a worker does, for ever."""
    sites = list(race.SITES)
    number = 0
    while True:
        for place, action in enumerate(_WAYS[number % len(_WAYS)], start=1):
            site_id = sites[(number + (action == "transfer")) % len(sites)]
            yield CrashStep(f"{worker}-{number}", site_id, action, place)
        number += 1


def perform(store: Store, step: CrashStep) -> Referral:
    """Do one step; the same step always carries the same idempotency key."""
    caller = Caller(
        actor=Actor(actor_id="system:crash"),
        request_id=step.referral_id,
        idempotency_key=f"{step.referral_id}-{step.action}",
    )
    now = datetime.now(UTC)
    if step.action == "hold":
        return ledger.place_hold(
            store,
            caller,
            study_id=race.STUDY_ID,
            site_id=step.site_id,
            referral_id=step.referral_id,
            now=now,
        )
    return ledger.move(
        store,
        caller,
        action=_ACTIONS[step.action],
        referral_id=step.referral_id,
        now=now,
        reason=CorrectionReason.WRONG_STEP if step.action == "correct" else None,
        hours=1 if step.action == "extend" else None,
        site_id=step.site_id if step.action == "transfer" else None,
    )


def _work(url: str, worker: str, pipe: Any) -> None:
    with open_store(url) as store:
        for step in steps(worker):
            pipe.send(("start", step))
            perform(store, step)
            pipe.send(("done", step))


@dataclass(slots=True, kw_only=True)
class CrashTally:
    """What the rounds came to."""

    rounds: int = 0
    confirmed: int = 0
    cut_off: int = 0
    had_happened: int = 0
    faults: list[str] | None = None


def run(url: str, *, rounds: int, seed: int, longest_s: float = 0.12) -> CrashTally:
    """Run some rounds on a fresh database.

    Parameters
    ----------
    url
        A fresh database.
    rounds
        How many.
    seed
        For the moments at which the workers die.
    longest_s
        The latest such moment, in seconds after the first write that was confirmed.
    """
    chance = random.Random(seed)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["sitematch.store.capacity.ledger", "sitematch.store.capacity.history.audit", "benchmarks.databases"]
    )
    race.prepare(url, _SPOTS)
    tally, faults = CrashTally(), []
    with open_store(url) as store:
        for number in range(rounds):
            victims = []
            for letter in "ab":
                mine, theirs = context.Pipe(duplex=False)
                process = context.Process(target=_work, args=(url, f"{letter}-{number}", theirs))
                process.start()
                theirs.close()
                victims.append((process, mine))
            heard = []
            for process, pipe in victims:
                # However busy the machine is, each has confirmed a write before its moment comes.
                heard.append([pipe.recv(), pipe.recv()])
                time.sleep(chance.uniform(0, longest_s))
                process.kill()
            for (process, pipe), messages in zip(victims, heard, strict=True):
                process.join()
                messages += _rest(pipe)
                faults += [f"round {number}: {fault}" for fault in _settle(store, messages, tally)]
                pipe.close()
            found = audit.verify(store)
            faults += [f"round {number}: {fault.reason}" for fault in found.faults]
            tally.rounds += 1
        faults += _recount(store)
    tally.faults = faults
    return tally


def _rest(pipe: Any) -> Iterator[tuple[str, CrashStep]]:
    """Yield what a dead process had still said."""
    while True:
        try:
            yield pipe.recv()
        except (EOFError, OSError):
            # The pipe ends where the process died, perhaps in the middle of a message.
            return


def _settle(store: Store, messages: Sequence[tuple[str, CrashStep]], tally: CrashTally) -> list[str]:
    """Check what was confirmed, and finish what was cut off."""
    done: list[CrashStep] = []
    cut_off: CrashStep | None = None
    for word, step in messages:
        if word == "start":
            cut_off = step
        else:
            done.append(step)
            cut_off = None
    tally.confirmed += len(done)
    faults = []
    expected = {step.referral_id: step for step in done}
    if cut_off is not None:
        tally.cut_off += 1
        tally.had_happened += len(counting.history(store, cut_off.referral_id)) == cut_off.events_after
        if perform(store, cut_off).state is not _STATES[cut_off.action]:
            faults.append(f"{cut_off}: asking again did not finish it")
        expected[cut_off.referral_id] = cut_off
    for step in expected.values():
        history = counting.history(store, step.referral_id)
        if len(history) != step.events_after:
            faults.append(f"{step}: {len(history)} events")
        elif state_of(history[-1].kind, has_lapsed=False) is not _STATES[step.action]:
            faults.append(f"{step}: it ends as {history[-1].kind.value}")
    return faults


def _recount(store: Store) -> list[str]:
    """Compare what the ledger says is taken with a recount of all its events."""
    latest = {event.referral_id: event for event in counting.iter_events(store, race.STUDY_ID) if event.referral_id}
    taking = Counter(event.site_id for event in latest.values() if event.kind.value != "RELEASED")
    now = datetime.now(UTC)
    return [
        f"{site.site_id}: {site.taken} taken, {taking[site.site_id]} by recount"
        for site in counting.capacity(store, race.STUDY_ID, now)
        if site.taken != taking[site.site_id]
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the rounds on both databases, print the figures, and return 0 if nothing was lost or doubled."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    is_right = True
    with tempfile.TemporaryDirectory() as folder:
        for dialect in ("sqlite", "postgresql"):
            url = databases.ready_url(dialect, Path(folder))
            started = time.perf_counter()
            found = run(url, rounds=options.rounds, seed=options.seed)
            seconds = time.perf_counter() - started
            databases.forget(url)
            is_right &= not found.faults
            print(
                f"{dialect}: {found.rounds} rounds, {2 * found.rounds} kills in {seconds:.0f} s; "
                f"{found.confirmed} writes confirmed, {found.cut_off} cut off ({found.had_happened} had happened), "
                f"all of them once after asking again; {len(found.faults or [])} faults"
            )
            for fault in (found.faults or [])[:20]:
                print(f"  {fault}")
    return 0 if is_right else 1


if __name__ == "__main__":
    # The workers import this module by its name; so must what is sent to them.
    from benchmarks.crash import main as run_main

    sys.exit(run_main())
