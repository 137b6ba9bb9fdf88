"""The HTTP interface beside a view that does nothing and beside what people write instead, on the same work.

The work: US postcodes, the 46 stand-in sites, the five nearest as JSON. First in process, as microseconds a request;
then each app in turn behind granian (one worker, loopback), as requests a second. ``python -m benchmarks.http``.
"""

from __future__ import annotations

import io
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flask import Flask, Response, jsonify, request

from api.app import create_app
from benchmarks import pgeocode_data
from benchmarks.timing import Contestant, print_table, race
from sitematch.config import Settings, data_file
from sitematch.domain.studies.site import Site
from sitematch.importers.tables.sites_csv import read_sites
from sitematch.services.finding.opening import open_finder
from sitematch.services.setup import prepare

K = 5
COUNT = 100
ROUNDS = 5
CONNECTIONS = 4
SECONDS = 1.0
NAMES = {
    "benchmarks.http:do_nothing": "Flask view that does nothing, 2 kB",
    "api.app:create_app": "sitematch, POST /v1/matches",
    "benchmarks.http:do_instead": "Flask, pgeocode, geopy loop, jsonify",
}


def do_nothing() -> Flask:
    """Make an app whose view answers 2 kB at once: the floor of Flask."""
    app = Flask("nothing")
    body = b"x" * 2000

    @app.post("/v1/matches")
    def nothing() -> Response:
        return Response(body, content_type="application/json")

    return app


def do_instead() -> Flask:
    """Make the app that people write: pgeocode for the place, a geopy loop for the distances, jsonify."""
    import pgeocode
    from geopy.distance import geodesic

    app = Flask("instead")
    codes = pgeocode.Nominatim("US")
    sites = [site for site in _sites() if site.place is not None]

    @app.post("/v1/matches")
    def match() -> Response:
        asked = request.get_json()
        place = codes.query_postal_code(asked["postcode"])
        here = (float(place["latitude"]), float(place["longitude"]))
        ranked = []
        for site in sites:
            assert site.place is not None
            there = site.place.coordinates
            ranked.append((geodesic(here, (there.latitude, there.longitude)).km, site))
        ranked.sort(key=lambda pair: (pair[0], pair[1].site_id))
        matches = [
            {"rank": i + 1, "km": km, "site": {"site_id": site.site_id, "facility": site.facility, "city": site.city}}
            for i, (km, site) in enumerate(ranked[:K])
        ]
        return jsonify({"matches": matches})

    return app


def main() -> None:
    """Run both comparisons and print their tables."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        os.environ["SITEMATCH_HOME"] = folder
        os.environ["PGEOCODE_DATA_DIR"] = folder
        os.environ.pop("SITEMATCH_DATABASE_URL", None)
        pgeocode_data.write(home, {"US"})
        settings = Settings.from_mapping(os.environ)
        now = datetime.now(UTC)
        prepare(settings, lambda line: None, now)
        open_finder(settings, now)  # what is missing is said here, not as a 503
        bodies = [json.dumps({"postcode": code, "country": "US", "limit": K}).encode() for code in _codes(home)]
        _in_process(bodies)
        _behind_granian(bodies)


def _in_process(bodies: list[bytes]) -> None:
    apps: dict[str, Callable[..., Any]] = {
        "benchmarks.http:do_nothing": do_nothing(),
        "api.app:create_app": create_app(),
        "benchmarks.http:do_instead": do_instead(),
    }
    contestants = [
        Contestant(NAMES[target], _caller(app, bodies), COUNT if target != "benchmarks.http:do_instead" else 20)
        for target, app in apps.items()
    ]
    ours, theirs = _caller(apps["api.app:create_app"], bodies), _caller(apps["benchmarks.http:do_instead"], bodies)
    other = sum(_first_km(ours(i)) is None or abs(_first_km(ours(i)) - _nearest_km(theirs(i))) > 1 for i in range(20))
    print_table(
        "A request in process",
        race(contestants, rounds=ROUNDS),
        {
            NAMES["api.app:create_app"]: f"{len(ours(0))} bytes",
            NAMES["benchmarks.http:do_instead"]: f"nearest site over 1 km off ours for {other} of 20",
        },
    )


def _caller(app: Callable[..., Any], bodies: list[bytes]) -> Callable[[int], bytes]:
    """Call an app as a WSGI server would; an answer other than 200 ends the run."""

    def start(status: str, headers: object, fault: object = None) -> None:
        assert status.startswith("200"), status

    def call(i: int) -> bytes:
        body = bodies[i]
        environ = {
            "REQUEST_METHOD": "POST",
            "SCRIPT_NAME": "",
            "PATH_INFO": "/v1/matches",
            "QUERY_STRING": "",
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": "127.0.0.1",
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": False,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        answer = app(environ, start)
        try:
            return b"".join(answer)
        finally:
            answer.close()

    return call


def _first_km(answer: bytes) -> Any:
    """Return the least distance among our matches, which stand in bands."""
    return min(match["distance"]["km"] for match in json.loads(answer)["matches"] if match["distance"])


def _nearest_km(answer: bytes) -> Any:
    return json.loads(answer)["matches"][0]["km"]


def _behind_granian(bodies: list[bytes]) -> None:
    requests = [
        b"POST /v1/matches HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: "
        + str(len(body)).encode()
        + b"\r\n\r\n"
        + body
        for body in bodies
    ]
    rates: dict[str, list[float]] = {target: [] for target in NAMES}
    with _serving(list(NAMES)) as ports:
        for round_ in range(ROUNDS + 1):
            for target, port in ports.items():
                rate = _rate(port, requests)
                if round_:
                    rates[target].append(rate)
    print(f"\nBehind granian, one worker, {CONNECTIONS} connections{'':8}requests/s    ratio")
    floor = statistics.median(rates["benchmarks.http:do_nothing"])
    for target, found in rates.items():
        median = statistics.median(found)
        print(f"{NAMES[target]:44}{median:16.0f}{median / floor:9.3f}")


@contextmanager
def _serving(targets: list[str]) -> Iterator[dict[str, int]]:
    """Start a server for each target; only one is asked at a time."""
    processes, ports = [], {}
    try:
        for target in targets:
            with socket.socket() as listener:
                listener.bind(("127.0.0.1", 0))
                port = ports[target] = listener.getsockname()[1]
            command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--factory", "--no-log", target]
            processes.append(subprocess.Popen([*command, "--host", "127.0.0.1", "--port", str(port)]))
        for port in ports.values():
            _wait_for(port)
        yield ports
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(timeout=20)


def _wait_for(port: int) -> None:
    give_up_s = time.monotonic() + 60
    while time.monotonic() < give_up_s:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(f"no server on port {port}")


def _rate(port: int, requests: list[bytes]) -> float:
    """Ask for a fixed time over kept connections, and return the answers a second."""
    counts = [0] * CONNECTIONS
    until_s = time.perf_counter() + SECONDS

    def ask(which: int) -> None:
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            answers = connection.makefile("rb")
            i = which
            while time.perf_counter() < until_s:
                connection.sendall(requests[i % len(requests)])
                assert answers.readline().startswith(b"HTTP/1.1 200")
                length = 0
                while (line := answers.readline()) != b"\r\n":
                    name, _, value = line.partition(b":")
                    if name.lower() == b"content-length":
                        length = int(value)
                answers.read(length)
                counts[which] += 1
                i += CONNECTIONS

    threads = [threading.Thread(target=ask, args=(which,)) for which in range(CONNECTIONS)]
    started_s = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.perf_counter() - started_s)


def _sites() -> tuple[Site, ...]:
    return tuple(read_sites(data_file("sites.csv")).sites)


def _codes(folder: Path) -> list[str]:
    """Pick US postcodes that pgeocode knows, the same ones in every run."""
    lines = (folder / "US.txt").read_text(encoding="utf-8").splitlines()[1:]
    codes = sorted({line.split(",")[1] for line in lines})
    return random.Random(7).sample(codes, COUNT)


if __name__ == "__main__":
    main()
