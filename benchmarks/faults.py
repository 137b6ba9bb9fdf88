"""Faults made on purpose to a real server, on both databases, and what was seen: ``python -m benchmarks.faults``.

Each row starts ``sitematch serve`` with two workers on a fresh database, does one thing to it, and prints what came of
it. A row fails if an answer was wrong, a confirmed hold was lost, or the server did not recover.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from benchmarks import databases
from benchmarks.servers import ask, make_token
from sitematch.config import data_file
from sitematch.store.capacity.history import audit
from sitematch.store.engine import open_store

SITE = "NCT06064929-039"
BOTH = ("sqlite", "postgresql")
_WAIT_S = 60.0


class FaultSeen(Exception):
    """Something that must not happen did."""


class FaultTrial:
    """A server under trial.

    Parameters
    ----------
    url
        Its database.
    folder
        For its files, among them a gazetteer of its own.
    """

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder
        self.gazetteer = Path(shutil.copy(data_file("gazetteer.sqlite"), folder / "gazetteer.sqlite"))
        self.secret = make_token(url)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.start()

    def start(self) -> None:
        """Start the server, and wait until it is ready."""
        given = {"SITEMATCH_HOME": str(self.folder), "SITEMATCH_DATABASE_URL": self.url}
        given |= {"SITEMATCH_GAZETTEER": str(self.gazetteer), "SITEMATCH_BUSY_TIMEOUT_S": "5"}
        command = [str(Path(sys.executable).parent / "sitematch"), "serve", "--create", "--workers", "2"]
        with (self.folder / "log.txt").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--port", str(self.port)], env={**os.environ, **given}, stdout=log, stderr=log
            )
        self.wait(lambda: self.status("/readyz") == 200, "the server to be ready")
        # The first worker may answer before the second listens.
        self.wait(lambda: all(self.status("/readyz") == 200 for _ in range(30)), "both workers to be ready")
        time.sleep(1)

    def stop(self) -> None:
        """End the server, at the latest by force."""
        self.process.terminate()
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def workers(self) -> list[int]:
        """Return the process ids of the workers (Linux)."""
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(each) for each in path.read_text().split()] if path.exists() else []

    def status(self, path: str) -> int:
        """Ask, and return the status; 0 if there was no answer."""
        try:
            return ask(self.port, "GET", path).status
        except OSError:
            return 0

    def hold(self, referral_id: str) -> int:
        """Hold a spot, and return the status; 0 if there was no answer."""
        body = {"site_id": SITE, "referral_id": referral_id}
        try:
            return ask(self.port, "POST", "/v1/referrals", body, secret=self.secret, key=f"key-{referral_id}").status
        except OSError:
            return 0

    def is_held(self, referral_id: str) -> bool:
        """Tell whether the referral is known."""
        return ask(self.port, "GET", f"/v1/referrals/{referral_id}", secret=self.secret).status == 200

    def wait(self, condition: Callable[[], bool], what: str) -> float:
        """Wait for something, and return how long that took, in seconds.

        Raises
        ------
        FaultSeen
            If it does not come about.
        """
        began_s = time.monotonic()
        while time.monotonic() - began_s < _WAIT_S:
            if condition():
                return time.monotonic() - began_s
            time.sleep(0.05)
        raise FaultSeen(f"waited {_WAIT_S:.0f} s in vain for {what}")

    def expect(self, is_so: bool, what: str) -> None:
        """Stop the row unless something is so."""
        if not is_so:
            raise FaultSeen(what)


def worker_killed(trial: FaultTrial) -> str:
    """Kill a worker, and ask on."""
    victim = trial.workers()[0]
    os.kill(victim, signal.SIGKILL)
    statuses: Counter[int] = Counter()
    for _ in range(200):
        statuses[trial.status("/v1/sites?limit=1")] += 1
        time.sleep(0.01)
    trial.wait(lambda: len(trial.workers()) == 2 and victim not in trial.workers(), "another worker")
    trial.wait(lambda: trial.status("/readyz") == 200, "readiness")
    trial.expect(set(statuses) <= {200, 0, 503}, f"odd answers: {dict(statuses)}")
    return f"{statuses[200]} of 200 requests in the next seconds were answered; it was replaced"


def main_killed(trial: FaultTrial) -> str:
    """Kill the main process, and start the server again."""
    trial.expect(trial.hold("r-1") == 201, "no hold")
    workers = trial.workers()
    trial.process.kill()
    trial.process.wait()
    took_s = trial.wait(lambda: not any(Path(f"/proc/{each}").exists() for each in workers), "the workers' end")
    trial.start()
    trial.expect(trial.is_held("r-1"), "a confirmed hold was lost")
    return f"its workers ended within {took_s:.1f} s; the next server has the hold"


def ledger_locked(trial: FaultTrial) -> str:
    """Hold the ledger's lock while others write, and ask for what needs no lock."""
    with open_store(trial.url) as store, ThreadPoolExecutor(17) as pool:
        with store.writing() as connection:
            connection.execute(sa.text("UPDATE cap SET version = version + 1 WHERE level = 'STUDY'"))
            holds = [pool.submit(trial.hold, f"r-{number}") for number in range(16)]
            slowest_s, end_s = 0.0, time.monotonic() + 8
            while time.monotonic() < end_s:
                began_s = time.monotonic()
                trial.expect(trial.status("/healthz") == 200, "/healthz did not answer")
                trial.expect(trial.status("/v1/postcodes/US/33180") == 200, "a look-up did not answer")
                slowest_s = max(slowest_s, time.monotonic() - began_s)
        statuses = Counter(each.result() for each in holds)
    trial.expect(set(statuses) <= {201, 503}, f"odd answers: {dict(statuses)}")
    trial.expect(trial.hold("r-last") == 201, "no hold after the lock")
    return f"holds: {dict(statuses)}; /healthz and a look-up together took at most {slowest_s * 1000:.0f} ms"


def many_writers(trial: FaultTrial) -> str:
    """Write from many clients at once."""
    with ThreadPoolExecutor(64) as pool:
        statuses = list(pool.map(trial.hold, (f"r-{number}" for number in range(320))))
    lost = sum(not trial.is_held(f"r-{number}") for number, status in enumerate(statuses) if status == 201)
    trial.expect(not lost, f"{lost} confirmed holds were lost")
    trial.expect(set(statuses) <= {201, 409, 503}, f"odd answers: {dict(Counter(statuses))}")
    return f"answers: {dict(Counter(statuses))}; every confirmed hold is there"


def idle_connections(trial: FaultTrial) -> str:
    """Open connections and send nothing on them."""
    with ExitStack() as stack:
        for number in range(600):
            idle = stack.enter_context(socket.create_connection(("127.0.0.1", trial.port), timeout=10))
            if number >= 400:
                idle.sendall(b"GET /healthz HTTP/1.1\r\nHost:")
        took_s = trial.wait(lambda: trial.status("/healthz") == 200, "an answer")
    return f"the next request was answered after {took_s:.1f} s"


def slow_bodies(trial: FaultTrial) -> str:
    """Begin bodies and never end them."""
    head = b"POST /v1/matches HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 40\r\n\r\n{"
    with ExitStack() as stack:
        for _ in range(40):
            stack.enter_context(socket.create_connection(("127.0.0.1", trial.port), timeout=10)).sendall(head)
        with socket.create_connection(("127.0.0.1", trial.port), timeout=5) as other:
            other.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            try:
                answered = other.recv(12) == b"HTTP/1.1 200"
            except TimeoutError:
                answered = False
    took_s = trial.wait(lambda: trial.status("/healthz") == 200, "an answer")
    meanwhile = "others were answered meanwhile" if answered else "others waited: this is what the proxy is for"
    return f"{meanwhile}; answered {took_s:.1f} s after the clients had gone"


def file_moved(trial: FaultTrial) -> str:
    """Move the database's file away, and back."""
    trial.expect(trial.hold("r-1") == 201, "no hold")
    file = Path(trial.url.removeprefix("sqlite:///"))
    file.rename(file.with_suffix(".away"))
    refused = trial.hold("r-2")
    trial.expect(refused == 503, f"a hold in a file that is gone was answered {refused}")
    took_s = trial.wait(lambda: trial.status("/readyz") == 503, "readiness to end")
    file.with_suffix(".away").rename(file)
    trial.wait(lambda: trial.status("/readyz") == 200, "readiness")
    trial.expect(trial.hold("r-3") == 201 and trial.is_held("r-1"), "the ledger did not go on")
    return f"writes refused (503), /readyz 503 after {took_s:.0f} s, all well once it was back"


def gazetteer_cut(trial: FaultTrial) -> str:
    """Cut the gazetteer's file where it is."""
    workers = trial.workers()
    os.truncate(trial.gazetteer, 8192)
    statuses = Counter(trial.status(f"/v1/postcodes/US/{code}") for code in range(10001, 10051))
    trial.expect(set(statuses) == {503}, f"odd answers: {dict(statuses)}")
    trial.expect(trial.workers() == workers and trial.status("/healthz") == 200, "a worker ended")
    return "50 of 50 look-ups refused (503), no worker ended"


def connections_ended(trial: FaultTrial) -> str:
    """Have the database server end every connection."""
    trial.expect(trial.hold("r-1") == 201, "no hold")
    address = sa.make_url(trial.url).set(drivername="postgresql+psycopg")
    engine = sa.create_engine(address, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        ended = connection.exec_driver_sql(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).scalar_one()
    engine.dispose()
    status = trial.hold("r-2")
    trial.expect(status in (201, 503), f"odd answer: {status}")
    trial.wait(lambda: trial.status("/readyz") == 200, "readiness")
    trial.expect(trial.hold("r-2") == 201 and trial.is_held("r-1"), "the ledger did not go on")
    return f"{ended} connections ended; the next hold: {status}"


@dataclass(frozen=True, slots=True)
class FaultRow:
    """A row of the table: what is done, how, and on which databases."""

    title: str
    act: Callable[[FaultTrial], str]
    dialects: tuple[str, ...] = BOTH


ROWS = (
    FaultRow("kill -9 of one of two workers", worker_killed),
    FaultRow("kill -9 of the main process, and a restart", main_killed),
    FaultRow("the ledger locked for 8 s, 16 holds at once", ledger_locked),
    FaultRow("64 writers at once, 320 holds", many_writers),
    FaultRow("400 connections that send nothing, 200 that send half a header", idle_connections, ("sqlite",)),
    FaultRow("40 bodies that do not come, without a proxy in front", slow_bodies, ("sqlite",)),
    FaultRow("the database's file moved away, and back", file_moved, ("sqlite",)),
    FaultRow("the gazetteer's file cut in place", gazetteer_cut, ("sqlite",)),
    FaultRow("the database server ends every connection", connections_ended, ("postgresql",)),
)


@contextmanager
def on_trial(dialect: str) -> Iterator[FaultTrial]:
    """Give a server on a fresh database; afterwards its ledger must verify.

    Raises
    ------
    FaultSeen
        If it does not.
    """
    with tempfile.TemporaryDirectory() as folder:
        url = databases.ready_url(dialect, Path(folder))
        try:
            trial = FaultTrial(url, Path(folder))
            try:
                yield trial
            finally:
                trial.stop()
            with open_store(url) as store:
                trial.expect(audit.verify(store).is_intact, "the ledger does not verify")
        finally:
            databases.forget(url)


def main() -> int:
    """Run the rows that were asked for, print what was seen, and return 1 if one failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    names = [row.act.__name__ for row in ROWS]
    parser.add_argument("rows", nargs="*", help=f"of {', '.join(names)}; all without any")
    chosen = parser.parse_args().rows
    if unknown := set(chosen) - set(names):
        parser.error(f"There is no row {', '.join(sorted(unknown))}.")
    failed = 0
    for row in ROWS:
        if chosen and row.act.__name__ not in chosen:
            continue
        for dialect in row.dialects:
            try:
                with on_trial(dialect) as trial:
                    seen = row.act(trial)
            except FaultSeen as fault:
                failed += 1
                seen = f"FAILED: {fault}"
            print(f"{dialect:10}  {row.title}: {seen}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
