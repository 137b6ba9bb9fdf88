"""The service of a new installation, in a thread of the test, with a clock that the test controls."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from werkzeug.serving import WSGIRequestHandler, make_server

from api.app import create_app
from sitematch.config import Settings, data_file
from sitematch.services.setup import prepare
from sitematch.store.engine import open_store

NOW = datetime(2026, 1, 15, 9, 30, tzinfo=UTC)


class Quiet(WSGIRequestHandler):
    """Writes no access log, because a URL may contain a postcode."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


class Served:
    """The default study with its stand-in sites, the real gazetteer and a database, on a free port of 127.0.0.1.

    Parameters
    ----------
    home
        An empty folder for the database.
    settings
        Settings that differ from those of a new installation.
    """

    def __init__(self, home: Path, **settings: Any) -> None:
        values = {
            "home": home,
            "database_url": f"sqlite:///{home / 'sitematch.db'}",
            "gazetteer_path": data_file("gazetteer.sqlite"),
            "notices_every_s": 0.0,
        }
        self.settings = Settings(**{**values, **settings})
        self.now = NOW
        prepare(self.settings, lambda line: None, NOW)
        self.store = open_store(self.settings.database_url)
        self.app = create_app(self.settings, clock=lambda: self.now)
        self._server = make_server("127.0.0.1", 0, self.app, threaded=True, request_handler=Quiet)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.origin = f"http://127.0.0.1:{self._server.server_port}"

    def later(self, **duration: float) -> None:
        """Move the clock on, e.g. ``hours=49``."""
        self.now += timedelta(**duration)

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self.store.close()
