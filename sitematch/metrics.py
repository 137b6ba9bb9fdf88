"""Metrics as Prometheus reads them, of one process or of all that share a folder."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The variable by which prometheus-client finds the folder that a server's processes share. It has to be set before the
library is imported."""

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_FILE_OF_PROCESS = re.compile(r"gauge_live\w*_(\d+)\.db")


def render(registry: CollectorRegistry, folder: str | None) -> bytes:
    """Write the metrics in Prometheus's text format.

    Parameters
    ----------
    registry
        This process's own.
    folder
        What all processes of the server wrote; None reads `registry` alone.
    """
    from prometheus_client import CollectorRegistry, generate_latest
    from prometheus_client.multiprocess import MultiProcessCollector

    if folder is None:
        return generate_latest(registry)
    forget_ended(Path(folder))
    of_all = CollectorRegistry()
    MultiProcessCollector(of_all, path=folder)  # type: ignore[no-untyped-call]
    return generate_latest(of_all)


def forget_ended(folder: Path) -> None:
    """Delete how processes stood that run no more; what they counted is kept."""
    for file in folder.glob("gauge_live*.db"):
        found = _FILE_OF_PROCESS.fullmatch(file.name)
        if found and not _runs(int(found[1])):
            file.unlink(missing_ok=True)


def _runs(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@contextmanager
def shared_folder() -> Iterator[str]:
    """Make the folder that the processes started in this block share, and delete it afterwards.

    Yields
    ------
    str
        The folder; the one that is set already, if one is, which is kept.
    """
    given = os.environ.get(FOLDER)
    if given:
        yield given
        return
    with TemporaryDirectory(prefix="sitematch-metrics-", ignore_cleanup_errors=True) as folder:
        os.environ[FOLDER] = folder
        try:
            yield folder
        finally:
            with suppress(KeyError):
                del os.environ[FOLDER]


def serve_in_thread(host: str, port: int, folder: str) -> None:
    """Answer ``/metrics`` on a port of its own until the process ends.

    Parameters
    ----------
    host, port
        Where to listen.
    folder
        See `render`.

    Raises
    ------
    OSError
        If nothing can listen there.
    """
    import threading
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    from prometheus_client import CollectorRegistry

    class Handler(BaseHTTPRequestHandler):
        timeout = 10  # seconds; a client that sends nothing keeps no thread

        def do_GET(self) -> None:
            is_known = self.path.partition("?")[0] == "/metrics"
            body = render(CollectorRegistry(), folder) if is_known else b"The metrics are at /metrics.\n"
            self.send_response(200 if is_known else 404)
            self.send_header("Content-Type", CONTENT_TYPE)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer((host, port), Handler)
    threading.Thread(target=server.serve_forever, name="sitematch-metrics", daemon=True).start()
