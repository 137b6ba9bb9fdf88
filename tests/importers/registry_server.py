"""A real HTTP server on loopback with ClinicalTrials.gov's API v2 and optional faults."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


class FakeRegistry:
    """Studies by id, the requests that came, and answers to give before the right ones."""

    def __init__(self) -> None:
        self.bodies: list[tuple[dict[str, str], Iterable[bytes]]] = []
        """Headers and parts of a body that the next requests get instead."""
        self.studies: dict[str, dict[str, Any]] = {}
        self.requests: list[str] = []
        self.agents: list[str] = []
        self.troubles: list[str | tuple[int, dict[str, str]]] = []
        """What the next requests get instead: a status with headers, or "drop", "truncate", "not json"."""
        self.dead_tokens: set[str] = set()
        self.url = ""

    def put(self, *records: dict[str, Any]) -> None:
        for record in records:
            self.studies[record["protocolSection"]["identificationModule"]["nctId"]] = record


def _handler(registry: FakeRegistry) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

        def do_GET(self) -> None:
            registry.requests.append(self.path)
            registry.agents.append(self.headers["User-Agent"])
            if registry.bodies:
                self.body(*registry.bodies.pop(0))
                return
            if registry.troubles:
                self.trouble(registry.troubles.pop(0))
                return
            address = urlsplit(self.path)
            asked = {name: values[0] for name, values in parse_qs(address.query).items()}
            if address.path == "/api/v2/studies":
                self.page(asked)
                return
            study = registry.studies.get(address.path.removeprefix("/api/v2/studies/"))
            self.answer(200, study) if study else self.answer(404, "NCT number not found")

        def page(self, asked: dict[str, str]) -> None:
            token = asked.get("pageToken", "")
            if token in registry.dead_tokens:
                self.answer(400, "`pageToken` parameter is not valid")
                return
            found = [
                study
                for nct_id, study in sorted(registry.studies.items())
                if nct_id in asked.get("filter.ids", nct_id).split(",")
                and asked.get("query.cond", "").lower() in json.dumps(study).lower()
                and asked.get("filter.overallStatus", "") in json.dumps(study["protocolSection"]["statusModule"])
            ]
            start, size = int(token or 0), int(asked.get("pageSize", 10))
            page: dict[str, Any] = {"studies": found[start : start + size]}
            if start + size < len(found):
                page["nextPageToken"] = str(start + size)
            self.answer(200, page)

        def answer(self, status: int, value: Any, headers: dict[str, str] | None = None) -> None:
            body = gzip.compress(json.dumps(value).encode())
            self.send_response(status)
            for name, text in (
                {"Content-Encoding": "gzip", "Content-Length": str(len(body))} | (headers or {})
            ).items():
                self.send_header(name, text)
            self.end_headers()
            self.wfile.write(body)

        def body(self, headers: dict[str, str], parts: Iterable[bytes]) -> None:
            self.send_response(200)
            for name, text in headers.items():
                self.send_header(name, text)
            self.end_headers()
            with suppress(ConnectionError):  # the client may hang up before the end
                for part in parts:
                    self.wfile.write(part)
            self.close_connection = True

        def trouble(self, trouble: str | tuple[int, dict[str, str]]) -> None:
            if isinstance(trouble, tuple):
                self.answer(trouble[0], "trouble", trouble[1])
            elif trouble == "truncate":
                self.answer(200, {}, {"Content-Length": "5000"})
            elif trouble == "not json":
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"<html>")
            self.close_connection = True

    return Handler


@contextmanager
def running_registry() -> Iterator[FakeRegistry]:
    registry = FakeRegistry()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(registry))
    registry.url = f"http://127.0.0.1:{server.server_address[1]}/api/v2"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield registry
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
