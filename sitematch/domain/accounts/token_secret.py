"""The form of the secrets of tokens and sessions: a prefix, random characters, and a checksum.

The prefix and the checksum let scanners of source code and logs find a secret that leaked, without asking anybody.
"""

from __future__ import annotations

import re
import secrets
import zlib

PREFIX = "sm_"

SECRET_PATTERN = re.compile(r"sm_[A-Za-z0-9_-]{43}[0-9a-f]{8}")
"""What to look for; the last 8 characters are the CRC-32 of those before."""

_BYTES = 32
_OLD_LENGTH = len(PREFIX) + 43


def new_secret() -> str:
    """Return a new secret with 256 random bits."""
    body = f"{PREFIX}{secrets.token_urlsafe(_BYTES)}"
    return f"{body}{_checksum(body)}"


def could_be_secret(text: str) -> bool:
    """Return whether a text has the form of a secret; only then is it worth looking up.

    Secrets from before there was a checksum, which are shorter, are of the form too.

    Examples
    --------
    >>> could_be_secret(new_secret()), could_be_secret("sm_" + "x" * 43), could_be_secret("sm_" + "x" * 51)
    (True, True, False)
    """
    if len(text) == _OLD_LENGTH:
        return text.startswith(PREFIX)
    return SECRET_PATTERN.fullmatch(text) is not None and _checksum(text[:-8]) == text[-8:]


def _checksum(body: str) -> str:
    return f"{zlib.crc32(body.encode()):08x}"
