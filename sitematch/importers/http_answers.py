"""Answers of other people's servers, read within limits: size, unpacked size, time, and where they lead."""

from __future__ import annotations

import http.client
import urllib.request
import zlib
from collections.abc import Callable
from http.client import HTTPMessage
from typing import IO
from urllib.parse import urlsplit

MOST_REDIRECTS = 3
"""An answer may lead on this often."""

_CHUNK_BYTES = 1 << 16
_GZIP = 31
"""`zlib`'s number for gzip."""


class AnswerRefused(Exception):
    """An answer that is not read, or not followed; the message continues "The registry's answer"."""


class SameHostRedirects(urllib.request.HTTPRedirectHandler):
    """Follows an answer that leads on, to the same host only, and never from https to http."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> urllib.request.Request | None:
        """Return the next request.

        Raises
        ------
        AnswerRefused
            If the answer leads elsewhere, or on for the fourth time.
        """
        # The library reads this answer's body to its end, however long it is; a closed one is empty.
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
    """Read an answer's body, unpacked.

    Parameters
    ----------
    answer
        What the server sends.
    most_bytes
        The most that is read, and the most that it may be when it is unpacked.
    most_s
        The most that reading takes, in seconds, however much comes in small parts.
    monotonic_s
        The clock.

    Raises
    ------
    AnswerRefused
        If it is too large or too slow.
    EOFError, zlib.error, http.client.HTTPException, OSError
        If it breaks off.
    """
    ends_at_s = monotonic_s() + most_s
    is_packed = answer.headers.get("Content-Encoding", "").lower() == "gzip"
    stated_bytes = answer.length
    unpacker = zlib.decompressobj(_GZIP)
    body, read_bytes = bytearray(), 0
    while stated_bytes is None or read_bytes < stated_bytes:
        # read1 comes back with what is there, so that the clock is looked at.
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
