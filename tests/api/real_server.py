"""The real server, as `sitematch serve` starts it, on a free loopback port and with its logs captured."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from sitematch.store import migrate
from sitematch.store.engine import open_store
from sitematch.store.studies import catalogue
from tests.api.builders import SITES, STUDY_ID, make_gazetteer, make_settings, make_study

ROOT = Path(__file__).parents[2]
START = """
import sys
from granian import Granian
from granian.constants import Interfaces
Granian(
    target="sitematch.wsgi:create_app", factory=True, interface=Interfaces.WSGI,
    address="127.0.0.1", port=int(sys.argv[1]), workers=1,
).serve()
"""


@dataclass
class Server:
    port: int
    log: Path

    def ask(
        self, path: str, body: object = None, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        data = None if body is None else json.dumps(body).encode()
        sent = {"Content-Type": "application/json"} if data else {}
        request = Request(f"http://127.0.0.1:{self.port}{path}", data=data, headers={**sent, **(headers or {})})
        try:
            with urlopen(request, timeout=10) as response:
                return response.status, dict(response.headers), response.read()
        except HTTPError as error:
            with error:
                return error.code, dict(error.headers), error.read()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def running_server(home: Path) -> Iterator[Server]:
    """Serve a small study from a folder, until the block ends."""
    make_gazetteer(home / "gazetteer.sqlite")
    settings = make_settings(home)
    with open_store(settings.database_url, require_ready=False) as store:
        migrate.upgrade(store)
        catalogue.replace_study(store, make_study(), SITES)
    port, log = free_port(), home / "log.txt"
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("SITEMATCH_")},
        "SITEMATCH_HOME": str(home),
        "SITEMATCH_GAZETTEER": str(settings.gazetteer_path),
        "SITEMATCH_STUDY": STUDY_ID,
        "SITEMATCH_ACCESS_LOG": "1",
        "PYTHONPATH": str(ROOT),
    }
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-c", START, str(port)], cwd=home, env=environment, stdout=out, stderr=out
        )
    found = Server(port, log)
    try:
        wait_until_ready(found, process)
        yield found
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_until_ready(server: Server, process: subprocess.Popen[bytes]) -> None:
    give_up_s = time.monotonic() + 60
    while time.monotonic() < give_up_s:
        assert process.poll() is None, server.log.read_text()
        try:
            if server.ask("/readyz")[0] == 200:
                return
        except (URLError, ConnectionError):
            pass
        time.sleep(0.1)
    raise AssertionError(f"the server did not become ready:\n{server.log.read_text()}")
