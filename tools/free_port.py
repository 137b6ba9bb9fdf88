"""Refuse a port that is in use before anything is built: ``python tools/free_port.py PORT``."""

from __future__ import annotations

import socket
import sys


def is_free(port: int) -> bool:
    """Tell whether nobody listens on a port of 127.0.0.1."""
    with socket.socket() as probe:
        # As servers do: connections that are about to end keep no port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


if __name__ == "__main__":
    asked = sys.argv[1]
    if not asked.isdecimal() or not 0 < int(asked) < 65536:
        sys.exit(f"PORT is {asked}; set it to 1 to 65535: make run PORT=8001")
    if not is_free(int(asked)):
        other = int(asked) % 65535 + 1
        sys.exit(f"Port {asked} is in use or not allowed. Choose another: make run PORT={other}")
