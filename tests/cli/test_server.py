"""`sitematch serve` starts only on a free port, and ends on request."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sitematch.domain.reports.demand import BATCH, month_of
from sitematch.store.engine import open_store
from sitematch.store.reports.demand import read_demand
from tests.api.builders import make_gazetteer
from tests.cli.conftest import Run

COMMAND = [str(Path(sys.executable).parent / "sitematch"), "serve", "--create", "--port"]
HANG_S = 60


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
    return number


@contextmanager
def served(port: int, home: Path, *options: str, gazetteer: Path | None = None) -> Iterator[subprocess.Popen[str]]:
    """The server in a process group of its own, as a terminal's jobs are; killed if the test leaves it running."""
    process = subprocess.Popen(
        [*COMMAND, str(port), *options],
        env=os.environ | {"SITEMATCH_HOME": str(home)} | ({"SITEMATCH_GAZETTEER": str(gazetteer)} if gazetteer else {}),
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def wait_until_ready(port: int, process: subprocess.Popen[str]) -> None:
    for _ in range(600):
        assert process.poll() is None, "the server ended before it was ready"
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5).close()
            return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
    pytest.fail("the server was not ready after 600 tries")


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_ready_server_ends_when_its_terminal_or_its_supervisor_says_so(
    tmp_path: Path, port: int, name: str, workers: str
) -> None:
    with served(port, tmp_path, "--workers", workers) as process:
        wait_until_ready(port, process)

        # Ctrl-C reaches every process of the terminal, the supervisor's word the first alone.
        (os.killpg if name == "SIGINT" else os.kill)(process.pid, getattr(signal, name))
        _, said = process.communicate(timeout=HANG_S)

    assert process.returncode == 0
    told = [line for line in said.splitlines() if "[info" not in line]
    assert told[-1] == (
        f"Open http://127.0.0.1:{port}/ in a browser; programs find the API at /docs. Stop with Ctrl-C."
    )


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_server_ends_at_any_moment_of_its_start(tmp_path: Path, port: int, name: str) -> None:
    with served(port, tmp_path) as process:
        wait_until_ready(port, process)  # the database is made, so that the starts below are alike
    for tenths in (10, 14, 18, 22, 26):
        with served(port, tmp_path) as process:
            time.sleep(tenths / 10)
            os.killpg(process.pid, getattr(signal, name))

            process.communicate(timeout=HANG_S)


def test_a_server_with_an_open_connection_ends_too(tmp_path: Path, port: int) -> None:
    with served(port, tmp_path) as process:
        wait_until_ready(port, process)
        with socket.create_connection(("127.0.0.1", port)) as idle:
            idle.sendall(b"GET /v1/matches HTTP/1.1\r\nHost: ")

            os.killpg(process.pid, signal.SIGINT)
            process.communicate(timeout=HANG_S)


def test_metrics_have_a_port_of_their_own_and_add_up_over_the_workers(tmp_path: Path, port: int) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        own_port = probe.getsockname()[1]
    with served(port, tmp_path, "--workers", "2", "--metrics-port", str(own_port)) as process:
        wait_until_ready(port, process)
        for _ in range(40):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5).close()

        with urllib.request.urlopen(f"http://127.0.0.1:{own_port}/metrics", timeout=5) as answer:
            text = answer.read().decode()

    assert 'sitematch_requests_total{method="GET",route="/healthz",status="200"} 40.0' in text
    assert "sitematch_feed_success_timestamp_seconds" in text


def children(process_id: int) -> list[int]:
    try:
        text = Path(f"/proc/{process_id}/task/{process_id}/children").read_text()
    except FileNotFoundError:
        return []
    return [int(child) for child in text.split()]


def lives(process_id: int) -> bool:
    try:
        return Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_for(condition: Callable[[], bool], what: str) -> None:
    for _ in range(HANG_S * 10):
        if condition():
            return
        time.sleep(0.1)
    pytest.fail(f"this did not come about: {what}")


linux_only = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@linux_only
def test_workers_end_with_a_server_that_was_killed(tmp_path: Path, port: int) -> None:
    with served(port, tmp_path, "--workers", "2") as process:
        wait_until_ready(port, process)
        workers = children(process.pid)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()

        wait_for(lambda: not any(map(lives, workers)), "the end of the workers")

    assert len(workers) == 2
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))


@linux_only
@pytest.mark.parametrize("workers", ["1", "2"])
def test_worker_that_was_killed_is_replaced_and_the_server_still_ends_when_told_to(
    tmp_path: Path, port: int, workers: str
) -> None:
    with served(port, tmp_path, "--workers", workers) as process:
        wait_until_ready(port, process)
        victim = children(process.pid)[0]
        os.kill(victim, signal.SIGKILL)
        wait_for(lambda: len(found := children(process.pid)) == int(workers) and victim not in found, "another worker")
        wait_until_ready(port, process)

        os.kill(process.pid, signal.SIGTERM)
        process.communicate(timeout=HANG_S)

    assert process.returncode == 0


@linux_only
def test_server_ends_when_told_to_while_a_worker_is_being_replaced(tmp_path: Path, port: int) -> None:
    with served(port, tmp_path, "--workers", "2") as process:
        wait_until_ready(port, process)
        for child in children(process.pid):
            os.kill(child, signal.SIGKILL)

        os.kill(process.pid, signal.SIGTERM)
        process.communicate(timeout=HANG_S)


@linux_only
def test_gazetteer_that_is_cut_under_a_running_server_ends_no_worker(tmp_path: Path, port: int) -> None:
    file = make_gazetteer(tmp_path / "gazetteer.sqlite")
    with served(port, tmp_path, gazetteer=file) as process:
        wait_until_ready(port, process)
        workers = children(process.pid)
        os.truncate(file, 4096)
        statuses = [ask(port, "/readyz"), ask(port, "/v1/postcodes/US/33180"), ask(port, "/healthz")]

        assert statuses == [503, 503, 200]
        assert children(process.pid) == workers


def ask(port: int, path: str) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_a_database_that_is_missing_is_not_made_and_nothing_is_served(run: Run, tmp_path: Path, port: int) -> None:
    done = run("serve", "--port", str(port))

    assert done.exit_code == 6
    assert "There is no database" in done.stderr
    assert "--create" in done.stderr
    assert not (tmp_path / "home").exists()


def test_every_setting_that_is_wrong_is_told_before_anything_starts(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SITEMATCH_WORKERS", "0")
    monkeypatch.setenv("SITEMATCH_LOG_FORMAT", "xml")

    done = run("serve")

    assert done.exit_code == 2
    assert "SITEMATCH_WORKERS" in done.stderr
    assert "SITEMATCH_LOG_FORMAT" in done.stderr


def test_a_port_that_another_server_shares_is_refused_before_anything_else(run: Run, tmp_path: Path) -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]

        done = run("serve", "--port", str(taken))

    assert done.exit_code == 2
    assert done.stderr == f"Error: Port {taken} is in use. Choose another: sitematch serve --port {taken % 65535 + 1}\n"
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    ("host", "said"), [("no.such.host.invalid", "There is no host"), ("203.0.113.1", "Cannot listen on 203.0.113.1: ")]
)
def test_a_host_that_is_not_this_machine_is_refused(run: Run, host: str, said: str) -> None:
    done = run("serve", "--host", host)

    assert done.exit_code == 2
    assert said in done.stderr


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_full_batches_of_look_ups_are_written_when_the_server_ends(
    tmp_path: Path, port: int, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SITEMATCH_COUNT_DEMAND", "1")
    with served(port, tmp_path, "--workers", "1") as process:
        wait_until_ready(port, process)
        for _ in range(BATCH + 4):
            body = json.dumps({"postcode": "33180", "country": "US"}).encode()
            asked = urllib.request.Request(
                f"http://127.0.0.1:{port}/v1/matches", data=body, headers={"Content-Type": "application/json"}
            )
            urllib.request.urlopen(asked, timeout=10).close()

        (os.killpg if name == "SIGINT" else os.kill)(process.pid, getattr(signal, name))
        process.communicate(timeout=HANG_S)

    with open_store(f"sqlite:///{tmp_path / 'sitematch.db'}") as store:
        (cell,) = read_demand(store, "NCT06064929", [month_of(datetime.now(UTC))])
    assert (cell.region, cell.lookups) == ("US-331", BATCH)
