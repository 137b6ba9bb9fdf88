"""`sitematch serve` starts only on a free port, and ends on request."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.conftest import Run

COMMAND = [str(Path(sys.executable).parent / "sitematch"), "serve", "--port"]
HANG_S = 60


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
    return number


@contextmanager
def served(port: int, home: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """The server in a process group of its own, as a terminal's jobs are; killed if the test leaves it running."""
    process = subprocess.Popen(
        [*COMMAND, str(port), *options],
        env=os.environ | {"SITEMATCH_HOME": str(home)},
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
    assert said.rstrip().endswith(
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
