"""Responses of other servers, read with limits for size, unpacked size, time and redirects."""

from __future__ import annotations

import http.client
import urllib.request
import zlib
from collections.abc import Callable
from http.client import HTTPMessage
from typing import IO
from urllib.parse import urlsplit

MOST_REDIRECTS = 3
"""Maximum number of redirects."""

_CHUNK_BYTES = 1 << 16
_GZIP = 31
"""`zlib`'s code for gzip."""


class AnswerRefused(Exception):
    """A response or redirect that is refused; the message continues "The registry's answer"."""


class SameHostRedirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects, but only to the same host, and never from https to http."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> urllib.request.Request | None:
        """Return the next request.

        Raises
        ------
        AnswerRefused
            If the redirect goes to another host, or is the fourth one.
        """
        # The library reads the whole body of this response, however long it is; a closed one is empty.
        fp.close()
        followed: dict[str, int] = getattr(req, "redirect_dict", {})
        if sum(followed.values()) >= MOST_REDIRECTS:
            raise AnswerRefused(f"leads on to other addresses more than {MOST_REDIRECTS} times")
        here, there = urlsplit(req.full_url), urlsplit(newurl)
        is_upgrade = (here.scheme, there.scheme) == ("http", "https")
        if there.hostname != here.hostname or not (is_upgrade or here[:2] == there[:2]):
            raise AnswerRefused(
                f"leads to another server, {there.scheme}://{there.netloc}, and was not followed. "
                "If the registry has moved, change SITEMATCH_CTGOV_URL"
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def read_answer(
    answer: http.client.HTTPResponse, *, most_bytes: int, most_s: float, monotonic_s: Callable[[], float]
) -> bytes:
    """Read a response's body, unpacked.

    Parameters
    ----------
    answer
        The server's response.
    most_bytes
        The limit for the received size and for the unpacked size.
    most_s
        The limit for the total time, in seconds, even if data arrives in small parts.
    monotonic_s
        The clock.

    Raises
    ------
    AnswerRefused
        If it is too large or too slow.
    EOFError, zlib.error, http.client.HTTPException, OSError
        If it is interrupted.
    """
    ends_at_s = monotonic_s() + most_s
    is_packed = answer.headers.get("Content-Encoding", "").lower() == "gzip"
    stated_bytes = answer.length
    unpacker = zlib.decompressobj(_GZIP)
    body, read_bytes = bytearray(), 0
    while stated_bytes is None or read_bytes < stated_bytes:
        # read1 returns the data that is available, so that the clock is checked.
        data = answer.read1(_CHUNK_BYTES if stated_bytes is None else min(_CHUNK_BYTES, stated_bytes - read_bytes))
        if not data:
            break
        read_bytes += len(data)
        if monotonic_s() > ends_at_s:
            raise AnswerRefused(f"was not complete after {most_s:.0f} seconds")
        while data:
            if not is_packed:
                body += data
                data = b""
            else:
                if unpacker.eof:
                    unpacker = zlib.decompressobj(_GZIP)
                body += unpacker.decompress(data, most_bytes - len(body) + 1)
                data = unpacker.unconsumed_tail or unpacker.unused_data
            if len(body) > most_bytes:
                raise AnswerRefused(f"is larger than {most_bytes >> 20} MB")
    if stated_bytes is not None and read_bytes < stated_bytes:
        raise http.client.IncompleteRead(b"", stated_bytes - read_bytes)
    if is_packed and not unpacker.eof:
        raise EOFError("the gzip stream is cut off")
    return bytes(body)
