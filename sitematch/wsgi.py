"""The web application for any WSGI server: ``granian --interface wsgi --factory sitematch.wsgi:create_app``.

The application is the package ``api`` at the top of the repository. An installed sitematch carries it in its own
folder, because a top-level package called ``api`` could hide, or be hidden by, somebody else's.
"""

from __future__ import annotations

import importlib
import signal
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, cast

from sitematch.worker import end_with_parent

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

_INSTALLED = Path(__file__).with_name("_web")


def create_app() -> WsgiApp:
    """Make the application with the settings of the environment; see `sitematch.config.Settings`.

    Raises
    ------
    InvalidInput
        If a variable of the environment cannot be understood.
    """
    if _INSTALLED.is_dir() and str(_INSTALLED) not in sys.path:
        sys.path.insert(0, str(_INSTALLED))
    return cast(WsgiApp, importlib.import_module("api.app").create_app())


def create_served_app() -> WsgiApp:
    """Make the app of a process that `sitematch serve` started and will end.

    Ctrl-C tells every process of a terminal, and the server then tells its own processes by SIGTERM. A process that
    listened to both could be told twice at once and wait for ever, so it leaves Ctrl-C to the server. Until the server
    has set its own handler here, SIGTERM ends the process at once.
    """
    end_with_parent()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    return create_app()
