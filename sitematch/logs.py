"""How log lines look: for people on a terminal, or one JSON object a line for programs."""

from __future__ import annotations

import logging
from typing import Any

ROOT = "sitematch"
"""Every logger of ours lies below this name."""


class LogHandler(logging.StreamHandler[Any]):
    """Writes to the standard error stream. There is one for each process, however often logs are set up."""


def handler(form: str = "console") -> LogHandler:
    """Make a handler.

    Parameters
    ----------
    form
        ``"console"`` or ``"json"``.

    Returns
    -------
    LogHandler
        Each line has time (UTC, ISO 8601), level, logger and event, and whatever the record brings in ``extra``.

    Examples
    --------
    >>> record = logging.LogRecord("sitematch.api", logging.INFO, "", 0, "Ready: %d sites.", (46,), None)
    >>> record.request_id = "http-1"
    >>> line = handler("json").format(record)
    >>> import json; found = json.loads(line); found.pop("time")[-1]
    'Z'
    >>> found
    {'event': 'Ready: 46 sites.', 'request_id': 'http-1', 'level': 'info', 'logger': 'sitematch.api'}
    """
    import structlog

    shared: list[Any] = [
        structlog.stdlib.ExtraAdder(),
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        structlog.processors.format_exc_info,
    ]
    shown: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=False, timestamp_key="time", pad_event_to=0)
    )
    made = LogHandler()
    made.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, shown],
        )
    )
    return made


def configure(form: str, level: str, *, facts: logging.Filter | None = None) -> None:
    """Send what our loggers say to the standard error stream, and nowhere else.

    Parameters
    ----------
    form
        See `handler`.
    level
        The least level that is written: ``"debug"``, ``"info"``, ``"warning"`` or ``"error"``.
    facts
        Adds to each record what is known of the request.
    """
    ours = logging.getLogger(ROOT)
    for old in [each for each in ours.handlers if isinstance(each, LogHandler)]:
        ours.removeHandler(old)
    made = handler(form)
    if facts is not None:
        made.addFilter(facts)
    ours.addHandler(made)
    ours.setLevel(level.upper())
    ours.propagate = False


def granian_config(form: str) -> dict[str, Any]:
    """Return what makes Granian's own lines look the same."""
    ours = {"()": f"{__name__}.handler", "form": form}
    return {"formatters": {}, "handlers": {"console": ours, "access": ours}}
