"""What each process of `sitematch serve` starts with."""

from __future__ import annotations

import signal

from flask import Flask

from api.app import create_app


def create_served_app() -> Flask:
    """Make the app of a process that the server started and will end.

    Ctrl-C tells every process of a terminal, and the server then tells its own processes by SIGTERM. A process that
    listened to both could be told twice at once and wait for ever, so it leaves Ctrl-C to the server. Until the server
    has set its own handler here, SIGTERM ends the process at once.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    return create_app()
