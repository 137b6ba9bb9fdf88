"""Turning answers into bytes."""

from __future__ import annotations

from hashlib import blake2b

import msgspec
from flask import Response, request

from api.negotiate import JSON

_ENCODER = msgspec.json.Encoder()


def encode(answer: object) -> bytes:
    """Encode a wire value as JSON."""
    return _ENCODER.encode(answer)


def respond(answer: object, media_type: str = JSON, *, status: int = 200) -> Response:
    """Send an answer that nobody may keep: it may tell where a person is."""
    response = Response(_ENCODER.encode(answer), status=status, content_type=media_type)
    response.headers["Cache-Control"] = "no-store"
    return response


def respond_cacheable(
    body: bytes, media_type: str = JSON, *, vary: bool = False, same_as: bytes | None = None
) -> Response:
    """Send an answer that holds nothing personal: it may be kept, but is checked by its ETag each time.

    Parameters
    ----------
    body
        The encoded answer.
    media_type
        Its media type.
    vary
        Whether the Accept header chose among several.
    same_as
        What the ETag is made of instead, where answers count as the same that differ in a detail: it is then weak.
    """
    response = Response(body, content_type=media_type)
    response.headers["Cache-Control"] = "no-cache"
    if vary:
        response.headers["Vary"] = "Accept"
    response.set_etag(blake2b(same_as or body, digest_size=12).hexdigest(), weak=same_as is not None)
    response.make_conditional(request)
    return response
