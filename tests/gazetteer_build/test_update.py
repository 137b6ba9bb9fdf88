"""Updating against a real server on loopback."""

from __future__ import annotations

import io
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from sitematch.errors import DataFault, NotReady
from sitematch.gazetteer.build.fetch import fetch
from sitematch.gazetteer.build.progress import no_progress
from sitematch.gazetteer.build.update import update
from sitematch.gazetteer.locate import Gazetteer

SOURCES = Path(__file__).parents[2] / "build" / "sources"


def archive() -> bytes:
    lines = [f"DE\t506{n:02d}\tKöln\tNordrhein-Westfalen\tNW\t\t\t\t\t{50.93 + n / 1000}\t6.96\t4" for n in range(30)]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("allCountries.txt", "\n".join(lines) + "\n")
    return buffer.getvalue()


class _Server(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        content = archive()
        if self.path == "/missing.zip":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Last-Modified", "Mon, 02 Nov 2026 03:00:00 GMT")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.path == "/short.zip":
            self.wfile.write(content[: len(content) // 2])
        elif self.path == "/other.zip":
            self.wfile.write(b"x" * len(content))
        else:
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Server)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("missing.zip", NotReady, "404"),
        ("short.zip", NotReady, "broke off"),
        ("other.zip", DataFault, "not GeoNames"),
    ],
)
def test_a_bad_download_leaves_the_old_file(
    tmp_path: Path, address: str, name: str, error: type[Exception], words: str
) -> None:
    old = tmp_path / "gazetteer.sqlite"
    old.write_bytes(b"the old file")

    with pytest.raises(error, match=words):
        update(old, url=f"{address}/{name}", directories=[SOURCES], say=no_progress)

    assert old.read_bytes() == b"the old file"
    assert list(tmp_path.iterdir()) == [old]


def test_a_fresh_dump_becomes_the_gazetteer_once_it_has_passed_its_audit(tmp_path: Path, address: str) -> None:
    said: list[str] = []

    found = update(tmp_path / "new.sqlite", url=f"{address}/all.zip", directories=[SOURCES], say=said.append)

    place = Gazetteer.open(tmp_path / "new.sqlite").locate("50605", "DE")
    assert found.problems == ()
    assert place.source == "GeoNames postal codes, Mon, 02 Nov 2026 03:00:00 GMT (CC BY 4.0)"
    assert any("sha256" in line for line in said)
    assert [file.name for file in tmp_path.iterdir()] == ["new.sqlite"]


def test_an_address_that_is_not_of_the_web_is_refused() -> None:
    with pytest.raises(NotReady, match="no web address"):
        fetch("file:///etc/hostname", say=no_progress)
