"""Argon2id hashes of passwords (RFC 9106), few at a time, so that sign-in never takes the machine from look-ups."""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

from sitematch.domain.accounts.passwords import MAX_PASSWORD
from sitematch.errors import LedgerBusy

if TYPE_CHECKING:
    from argon2 import PasswordHasher

MOST_WAITING = 2
"""Hashes of a process that are computed or wait. More are refused: each would take a thread from look-ups."""

_WAIT_S = 1.0
_places = threading.BoundedSemaphore(MOST_WAITING)
_computing = threading.Lock()


@contextmanager
def place_to_hash() -> Iterator[None]:
    """Take one of the few places for a hash; inside, the hashes of a process are computed one after the other.

    Raises
    ------
    LedgerBusy
        If all places are taken. Nothing was counted or changed.
    """
    if not _places.acquire(blocking=False):
        raise LedgerBusy("Too many people are signing in at the same time. Try again.", retry_after_s=_WAIT_S)
    try:
        yield
    finally:
        _places.release()


def hash_password(password: str) -> str:
    """Return a new hash."""
    with _computing:
        return _hasher().hash(password)


def is_password(password: str, stored: str | None) -> bool:
    """Return whether a hash is that of a password; without a hash it takes the same time and is never so."""
    from argon2.exceptions import VerifyMismatchError

    with _computing:
        try:
            _hasher().verify(stored or _nobodys_hash(), password[: MAX_PASSWORD + 1])
        except VerifyMismatchError:
            return False
    return stored is not None


def is_outdated(stored: str) -> bool:
    """Return whether a hash was made with other parameters than new ones are."""
    return _hasher().check_needs_rehash(stored)


@cache
def _hasher() -> PasswordHasher:
    # RFC 9106's second recommended option: 3 passes over 64 MiB. Loaded only for sign-in.
    from argon2 import PasswordHasher, profiles

    return PasswordHasher.from_parameters(profiles.RFC_9106_LOW_MEMORY)


@cache
def _nobodys_hash() -> str:
    """Return a hash that matches no password, so that an unknown e-mail takes the same time."""
    return _hasher().hash(secrets.token_urlsafe(32))


def sha256(text: str) -> str:
    """Return the SHA-256 of a text, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()
