"""``make lighthouse``: serve a fresh install as `sitematch serve` does, and let Lighthouse judge the patient's page."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from tools.node import ROOT, get_node

HERE = Path(__file__).parent
_TRIES = 120


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_ready(origin: str, server: subprocess.Popen[bytes]) -> None:
    for _ in range(_TRIES):
        try:
            urllib.request.urlopen(f"{origin}/readyz", timeout=5).close()
            return
        except (urllib.error.URLError, ConnectionError):
            if server.poll() is not None:
                break
            time.sleep(0.25)
    raise SystemExit("The server did not become ready; see what it printed above.")


def main() -> int:
    """Return Lighthouse's verdict: 0 if every mark was reached."""
    with tempfile.TemporaryDirectory() as home:
        origin = f"http://127.0.0.1:{(port := _free_port())}"
        command = [str(Path(sys.executable).parent / "sitematch"), "serve", "--create", "--port", str(port)]
        server = subprocess.Popen(command, cwd=ROOT, env=os.environ | {"SITEMATCH_HOME": home})
        try:
            _wait_until_ready(origin, server)
            judge = [get_node().node, str(HERE / "judge.mjs"), f"{origin}/", str(ROOT / "build" / "lighthouse")]
            return subprocess.run(judge, check=False).returncode
        finally:
            server.terminate()
            server.wait(timeout=30)


if __name__ == "__main__":
    sys.exit(main())
