"""The example for nginx, in a real nginx before the real server. Skipped where nginx is not installed."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from tests.api.real_server import Server, free_port, running_server
from tests.conftest import ROOT

NGINX = shutil.which("nginx")
CONFIG = (ROOT / "deploy" / "nginx" / "sitematch.conf").read_text("utf-8")
CANARY = "QZ97XJ"

pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")


def write_config(folder: Path, included: str) -> Path:
    temporary = "\n".join(
        f"    {kind}_temp_path {folder / kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    file = folder / "nginx.conf"
    file.write_text(
        f"daemon off;\npid {folder / 'nginx.pid'};\nerror_log {folder / 'start.log'} crit;\n"
        f"events {{}}\nhttp {{\n{temporary}\n{included}\n}}\n",
        "utf-8",
    )
    return file


def logs_in(folder: Path, text: str) -> str:
    return text.replace("/var/log/nginx/", f"{folder}/")


def run_test(folder: Path, included: str) -> subprocess.CompletedProcess[str]:
    file = write_config(folder, included)
    return subprocess.run([str(NGINX), "-t", "-p", str(folder), "-c", str(file)], capture_output=True, text=True)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
def test_nginx_takes_the_file_as_it_is_but_for_its_paths(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    wanted = "req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=sites.example.org"
    command = ["openssl", *wanted.split(), "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    text = logs_in(tmp_path, CONFIG)
    text = text.replace("/etc/ssl/certs/sites.example.org.pem", str(certificate))
    text = text.replace("/etc/ssl/private/sites.example.org.key", str(key))

    done = run_test(tmp_path, text)

    assert done.returncode == 0, done.stderr
    assert "warn" not in done.stderr


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("behind")) as found:
        yield found


@pytest.fixture
def front(tmp_path: Path, server: Server) -> Iterator[Server]:
    """The same server through nginx, without TLS; its log is nginx's."""
    port = free_port()
    text = logs_in(tmp_path, CONFIG).replace("127.0.0.1:8000", f"127.0.0.1:{server.port}")
    text = re.sub(r"server \{\s+listen 80;.*?\n\}\n", "", text, flags=re.DOTALL)
    text = re.sub(r"^ +ssl_.*\n", "", text, flags=re.MULTILINE)
    text = text.replace("listen 443 ssl http2;", f"listen 127.0.0.1:{port};").replace(
        "    listen [::]:443 ssl http2;\n", ""
    )
    file = write_config(tmp_path, text)
    process = subprocess.Popen([str(NGINX), "-p", str(tmp_path), "-c", str(file)])
    found = replace(server, port=port, log=tmp_path / "sitematch.log")
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield found
    finally:
        process.terminate()
        process.wait()


def open_slow(front: Server, stack: ExitStack) -> socket.socket:
    """A client that has sent its headers and one byte of its body."""
    slow = stack.enter_context(socket.create_connection(("127.0.0.1", front.port), timeout=10))
    head = "POST /v1/matches HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 40\r\n\r\n{"
    slow.sendall(head.encode())
    return slow


def test_answers_pass_and_the_request_id_is_the_same_everywhere(front: Server, server: Server) -> None:
    status, headers, _ = front.ask("/v1/matches", {"postcode": "33180", "country": "US"})

    assert status == 200
    given = {name.lower(): value for name, value in headers.items()}["x-request-id"]
    assert re.fullmatch("[0-9a-f]{32}", given)
    for log in (front.log, server.log):
        for _ in range(100):
            if given in log.read_text():
                break
            time.sleep(0.05)
        assert given in log.read_text()


def test_slow_clients_keep_nobody_waiting(front: Server) -> None:
    with ExitStack() as stack:
        for _ in range(40):
            open_slow(front, stack)

        statuses = {front.ask("/v1/matches", {"postcode": "33180", "country": "US"})[0] for _ in range(5)}

    assert statuses == {200}


def test_one_address_gets_so_many_connections_and_no_more(front: Server) -> None:
    with ExitStack() as stack:
        clients = [open_slow(front, stack) for _ in range(55)]
        clients[-1].settimeout(10)

        refused = clients[-1].recv(100)

    assert refused.startswith(b"HTTP/1.1 503 ")


def test_large_bodies_and_metrics_stop_at_the_proxy(front: Server) -> None:
    assert front.ask("/v1/matches", {"postcode": "x" * 70_000})[0] == 413
    assert front.ask("/metrics")[0] == 404


def test_no_log_holds_what_was_typed(front: Server, server: Server) -> None:
    front.ask(
        f"/v1/matches?postcode={CANARY}&country=US", headers={"Referer": f"http://x/?{CANARY}", "User-Agent": CANARY}
    )
    front.ask(f"/v1/postcodes/GB/{CANARY}")
    front.ask("/v1/matches", {"postcode": CANARY * 20_000})
    with socket.create_connection(("127.0.0.1", front.port), timeout=10) as odd:
        odd.sendall(f"{CANARY} /{CANARY} HTTP/9.9\r\n\r\n".encode())
        odd.recv(1000)

    for file in (*front.log.parent.glob("*.log"), server.log):
        assert CANARY not in file.read_text()
