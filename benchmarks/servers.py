"""Real server processes on loopback over one database, as `sitematch serve` runs them; and a client to race there."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.race_outcome import RaceOutcome
from sitematch.domain.accounts.access import Grant, Permission, Role
from sitematch.store.accounts import accounts, tokens
from sitematch.store.engine import open_store

_ROOT = Path(__file__).parent.parent
_SERVE = """
import sys
from granian import Granian
from granian.constants import Interfaces
Granian(
    target="sitematch.wsgi:create_app", factory=True, interface=Interfaces.WSGI,
    address="127.0.0.1", port=int(sys.argv[1]), workers=1,
).serve()
"""
_START_WITHIN_S = 60.0
_TRIES = 200


@dataclass(frozen=True, slots=True)
class Servers:
    """Running servers.

    Parameters
    ----------
    ports
        Where each listens on 127.0.0.1.
    secret
        An administrator's token.
    """

    ports: tuple[int, ...]
    secret: str

    @property
    def address(self) -> str:
        """All of it in one text, for a client in another process."""
        return json.dumps([self.secret, *self.ports])


@contextmanager
def serving(
    url: str,
    *,
    count: int = 2,
    study_id: str = "NCT00000001",
    gazetteer_path: Path | None = None,
    settings: Mapping[str, str] | None = None,
) -> Iterator[Servers]:
    """Run servers over a database, until the block ends.

    Parameters
    ----------
    url
        The database, with its schema in place.
    count
        How many processes, each with its own port.
    study_id
        The study that they match.
    gazetteer_path
        The compiled gazetteer; without one they answer coordinators, but no look-ups.
    settings
        More ``SITEMATCH_…`` variables.
    """
    secret = make_token(url)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("SITEMATCH_")},
            "SITEMATCH_HOME": folder,
            "SITEMATCH_DATABASE_URL": url,
            "SITEMATCH_STUDY": study_id,
            "SITEMATCH_GAZETTEER": str(gazetteer_path or home / "none"),
            "PYTHONPATH": str(_ROOT),
            **(settings or {}),
        }
        started = [_start(environment, home, number) for number in range(count)]
        try:
            for process, port, log in started:
                _wait_until_up(process, port, log)
            yield Servers(tuple(port for _, port, _ in started), secret)
        finally:
            for process, _, _ in started:
                process.send_signal(signal.SIGINT)
            for process, _, _ in started:
                try:
                    process.wait(timeout=20)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


def make_token(url: str) -> str:
    """Make an administrator and return a token of theirs."""
    now = datetime.now(UTC)
    with open_store(url) as store:
        account = accounts.create_account(store, email="race@example.org", now=now)
        accounts.give(store, account_id=account.account_id, grant=Grant(role=Role.ADMINISTRATOR))
        made = tokens.create_token(
            store,
            account_id=account.account_id,
            label="race",
            scopes=frozenset(Permission),
            expires_at=now + timedelta(days=2),
            now=now,
        )
    return made.secret


def _start(environment: Mapping[str, str], folder: Path, number: int) -> tuple[subprocess.Popen[bytes], int, Path]:
    port, log = _free_port(), folder / f"server-{number}.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-c", _SERVE, str(port)], cwd=folder, env=environment, stdout=out, stderr=out
        )
    return process, port, log


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _wait_until_up(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    give_up_s = time.monotonic() + _START_WITHIN_S
    while time.monotonic() < give_up_s:
        if process.poll() is not None:
            break
        try:
            if ask(port, "GET", "/healthz").status == 200:
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"The server did not start:\n{log.read_text(errors='replace')}")


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server answered; names of headers in lower case."""

    status: int
    headers: dict[str, str]
    body: Any


def ask(
    port: int, method: str, path: str, body: object = None, *, secret: str | None = None, key: str | None = None
) -> Reply:
    """Ask one server once, on a connection of its own.

    Raises
    ------
    OSError
        If it could not be asked.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        return _ask(connection, method, path, body, secret, key)
    finally:
        connection.close()


def _ask(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    body: object,
    secret: str | None,
    key: str | None,
) -> Reply:
    headers = {"Content-Type": "application/json"}
    if secret is not None:
        headers["Authorization"] = f"Bearer {secret}"
    if key is not None:
        headers["Idempotency-Key"] = key
    connection.request(method, path, None if body is None else json.dumps(body).encode(), headers)
    response = connection.getresponse()
    content = response.read()
    return Reply(
        response.status,
        {name.lower(): value for name, value in response.headers.items()},
        json.loads(content) if content else None,
    )


class HttpClient:
    """Races at the servers, turn by turn at each: a spot that one sells, no other may sell again."""

    def __init__(self, address: str) -> None:
        self.secret, *ports = json.loads(address)
        self._connections = [http.client.HTTPConnection("127.0.0.1", port, timeout=120) for port in ports]
        self._turn = os.getpid()

    def attempt(self, referral_id: str, site_id: str) -> RaceOutcome:
        """Try to take a spot, until there is an answer; asking again with the same key does nothing twice."""
        self._turn += 1
        connection = self._connections[self._turn % len(self._connections)]
        for retries in range(_TRIES):
            try:
                reply = self._hold(connection, referral_id, site_id)
            except (http.client.HTTPException, OSError):
                connection.close()
                continue
            if reply.status == 201:
                return RaceOutcome(referral_id, True, "", retries)
            if reply.status == 409 and reply.body["type"] == "/problems/no-spots-left":
                return RaceOutcome(referral_id, False, reply.body["full"]["level"], retries)
            if reply.status != 503:
                return RaceOutcome(referral_id, False, f"unexpected: {reply.status} {reply.body}", retries)
            time.sleep(float(reply.headers["retry-after"]))
        return RaceOutcome(referral_id, False, "no answer", _TRIES)

    def _hold(self, connection: http.client.HTTPConnection, referral_id: str, site_id: str) -> Reply:
        body = {"site_id": site_id, "referral_id": referral_id}
        return _ask(connection, "POST", "/v1/referrals", body, self.secret, f"key-{referral_id}")

    def close(self) -> None:
        """Close the connections."""
        for connection in self._connections:
            connection.close()
