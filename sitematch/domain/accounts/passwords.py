"""Rules for new passwords, after NIST SP 800-63B section 3.1.1.2: length, and a list of what is easily guessed."""

from __future__ import annotations

import re

from sitematch.errors import InvalidInput

MIN_PASSWORD = 12
"""Shortest password, in characters. There are no rules about kinds of characters, as NIST SP 800-63B advises."""

MAX_PASSWORD = 256
"""Longest password, so that nobody can slow down the server with long passwords."""

_OWN_NAMES = ("sitematch",)
_LEAST_SCORE = 3
"""zxcvbn's score: below it, fewer than 100 million guesses find the password."""

_JUDGED_LENGTH = 72
"""Characters that zxcvbn looks at: the time it takes grows fast with the length."""

_LEAST_OWN_PART = 8
"""Characters that must be left of a password without the parts of the e-mail address."""


def check_new_password(password: str, email: str) -> None:
    """Check a new password against the rules; nothing is sent anywhere.

    Parameters
    ----------
    password
        The password.
    email
        The account's e-mail address, of which the password must not be made.

    Raises
    ------
    InvalidInput
        If it is too short or too long, is on the list of common passwords or made of words on it, repeats, follows the
        keyboard, or consists mostly of the e-mail address or the name of this program.

    Notes
    -----
    The list and the estimate are those of the package zxcvbn (MIT licence), which has 30,000 leaked passwords and lists
    of names and words.

    Examples
    --------
    >>> check_new_password("correct horse battery", "ann@example.org")
    >>> check_new_password("password1234", "ann@example.org")
    Traceback (most recent call last):
    sitematch.errors.InvalidInput: This password is easily guessed. Use several words that do not belong together.
    """
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise InvalidInput(f"The password must have {MIN_PASSWORD} to {MAX_PASSWORD} characters.", field="password")
    parts = _parts(email)
    left = _letters(password)
    for part in sorted(parts, key=len, reverse=True):
        left = left.replace(part, "")
    if len(left) < _LEAST_OWN_PART and left != _letters(password):
        raise InvalidInput("The password must not consist of your e-mail address.", field="password")
    from zxcvbn import zxcvbn  # a second of loading, and only new passwords need it

    if zxcvbn(password[:_JUDGED_LENGTH], user_inputs=[email, *parts])["score"] < _LEAST_SCORE:
        message = "This password is easily guessed. Use several words that do not belong together."
        raise InvalidInput(message, field="password")


def _parts(email: str) -> set[str]:
    words = re.split(r"[^a-z0-9]+", email.lower())
    joined = _letters(email.partition("@")[0])
    return {part for part in (*words, joined, *_OWN_NAMES) if len(part) >= 3}


def _letters(text: str) -> str:
    return "".join(mark for mark in text.lower() if mark.isalnum())
