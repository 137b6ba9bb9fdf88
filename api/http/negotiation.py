"""Choosing a media type by the Accept header (RFC 9110, section 12.5.1)."""

from __future__ import annotations

from functools import lru_cache

from flask import request
from werkzeug.exceptions import NotAcceptable

JSON = "application/json"
GEOJSON = "application/geo+json"
FHIR = "application/fhir+json"
NDJSON = "application/fhir+ndjson"
PROBLEM = "application/problem+json"
HTML = "text/html; charset=utf-8"


@lru_cache(maxsize=256)
def best_media_type(accept: str, offered: tuple[str, ...]) -> str | None:
    """Choose what the client likes best.

    Parameters
    ----------
    accept
        The Accept header; empty accepts anything.
    offered
        Media types without parameters; of equally liked ones the first is taken.

    Returns
    -------
    str or None
        None if nothing offered is acceptable.

    Notes
    -----
    For each offered type the most specific range that fits it decides, so ``*/*, application/json;q=0``
    refuses JSON. Parameters other than ``q`` are not compared. A range that cannot be read counts as absent.

    Examples
    --------
    >>> best_media_type("application/json;q=0.5, application/geo+json", (JSON, GEOJSON))
    'application/geo+json'
    >>> best_media_type("text/csv", (JSON, GEOJSON)) is None
    True
    """
    if not accept.strip():
        return offered[0]
    ranges = _ranges(accept)
    best, best_quality = None, 0.0
    for media_type in offered:
        kind = media_type.partition("/")[0]
        quality = next((ranges[fitting] for fitting in (media_type, f"{kind}/*", "*/*") if fitting in ranges), 0.0)
        if quality > best_quality:
            best, best_quality = media_type, quality
    return best


def choose_media_type(offered: tuple[str, ...]) -> str:
    """Choose what this request's client likes best.

    Raises
    ------
    werkzeug.exceptions.NotAcceptable
        If nothing offered is acceptable.
    """
    chosen = best_media_type(request.headers.get("Accept", ""), offered)
    if chosen is None:
        raise NotAcceptable
    return chosen


def _ranges(accept: str) -> dict[str, float]:
    """Read the header: the best quality of each range, in lower case."""
    ranges: dict[str, float] = {}
    for part in accept.split(","):
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        quality = 1.0
        for parameter in parameters:
            key, _, value = parameter.partition("=")
            if key.strip() == "q":
                quality = _quality(value.strip())
                break
        if name.count("/") == 1:
            ranges[name] = max(quality, ranges.get(name, 0.0))
    return ranges


def _quality(text: str) -> float:
    """Read a weight, 0 to 1; what is none counts as 0, as a range that cannot be read does."""
    try:
        value = float(text)
    except ValueError:
        return 0.0
    return value if 0.0 <= value <= 1.0 else 0.0
