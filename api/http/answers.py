"""Turning answers into bytes."""

from __future__ import annotations

import gzip
from hashlib import blake2b

import msgspec
from flask import Response, request

from api.http.negotiation import JSON

_ENCODER = msgspec.json.Encoder()

_WORTH_PACKING = 1_000
"""Bytes; a shorter page fits into one packet as it is."""


def encode(answer: object) -> bytes:
    """Encode a wire value as JSON."""
    return _ENCODER.encode(answer)


def respond(answer: object, media_type: str = JSON, *, status: int = 200) -> Response:
    """Send an answer that nobody may keep: it may tell where a person is."""
    response = Response(_ENCODER.encode(answer), status=status, content_type=media_type)
    response.headers["Cache-Control"] = "no-store"
    return response


def respond_checked(answer: object, media_type: str = JSON, *, same_as: object = None) -> Response:
    """Send an answer that only a token opens: no cache may keep it, but a client that did can ask whether it changed.

    Parameters
    ----------
    answer
        A wire value.
    media_type
        Its media type.
    same_as
        What the ETag is made of instead; see `respond_cacheable`.
    """
    response = checked(
        Response(_ENCODER.encode(answer), content_type=media_type),
        same_as=None if same_as is None else _ENCODER.encode(same_as),
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def packed(response: Response) -> Response:
    """Send a page with gzip, if the client takes it and it is worth it.

    Notes
    -----
    Only for pages without a secret: who can watch the sizes of many answers to text of his own choice could guess one
    (BREACH). The patient's page has none.
    """
    response.vary.add("Accept-Encoding")
    body = response.get_data()
    if request.accept_encodings["gzip"] > 0 and len(body) > _WORTH_PACKING:
        # mtime: the same page is the same bytes, and so has the same ETag.
        response.set_data(gzip.compress(body, compresslevel=6, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
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
    if vary:
        response.headers["Vary"] = "Accept"
    return checked(response, same_as=same_as)


def checked(response: Response, *, same_as: bytes | None = None) -> Response:
    """Let an answer be kept, but checked by its ETag each time; see `respond_cacheable`."""
    response.headers["Cache-Control"] = "no-cache"
    body = response.get_data() if same_as is None else same_as
    response.set_etag(blake2b(body, digest_size=12).hexdigest(), weak=same_as is not None)
    response.make_conditional(request)
    return response
