"""Fetch a file over HTTP: the one place of the build that opens a socket."""

from __future__ import annotations

import hashlib
import urllib.error
import urllib.request
from dataclasses import dataclass

from sitematch.errors import NotReady
from sitematch.gazetteer.build.progress import Say

CHUNK_BYTES = 1 << 20
MOST_BYTES = 200_000_000
"""GeoNames' dump has about 17 MB; anything of this size is something else."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file that came over the network.

    Parameters
    ----------
    content
        Its bytes.
    sha256
        Their checksum, lower-case hexadecimal.
    modified
        The server's ``Last-Modified``, as it came; empty if it gave none.
    """

    content: bytes
    sha256: str
    modified: str


def fetch(url: str, *, say: Say, timeout_s: float = 60.0) -> Fetched:
    """Download a file with progress.

    Parameters
    ----------
    url
        ``http:`` or ``https:``.
    say
        Told of every ten megabytes and of the end.
    timeout_s
        Seconds without a byte after which to give up.

    Raises
    ------
    NotReady
        If the address is of another kind, the server does not answer or answers with an error, or the file is cut
        short or too large.
    """
    if not url.startswith(("http://", "https://")):
        raise NotReady(f"{url} is no web address; it has to begin with https:// or http://.")
    checksum = hashlib.sha256()
    parts: list[bytes] = []
    size = 0
    try:
        with urllib.request.urlopen(url, timeout=timeout_s) as answer:  # noqa: S310 - the scheme is checked above
            expected = int(answer.headers.get("Content-Length") or 0)
            modified = str(answer.headers.get("Last-Modified") or "")
            while chunk := answer.read(CHUNK_BYTES):
                parts.append(chunk)
                checksum.update(chunk)
                if (size + len(chunk)) // 10_000_000 > size // 10_000_000:
                    say(f"  {(size + len(chunk)) / 1e6:.0f} MB of {expected / 1e6:.0f} MB")
                size += len(chunk)
                if size > MOST_BYTES:
                    raise NotReady(f"{url} sent over {MOST_BYTES / 1e6:.0f} MB; that is not GeoNames' dump.")
    except (urllib.error.URLError, OSError) as error:
        raise NotReady(f"{url} could not be fetched ({error}); the gazetteer stays as it was.") from error
    if expected and size != expected:
        raise NotReady(f"{url} broke off after {size} of {expected} bytes; the gazetteer stays as it was.")
    say(f"  {size / 1e6:.1f} MB, sha256 {checksum.hexdigest()}")
    return Fetched(b"".join(parts), checksum.hexdigest(), modified)
