"""Every error that sitematch raises on purpose, in one tree.

::

    SitematchError
    ├── InvalidInput (ValueError)           the request is invalid; `.field` names the part
    │   ├── InvalidCoordinates              a latitude or longitude that is not on the globe
    │   ├── InvalidPostcode                 not in the form of the country's postcodes; `.suggestions`
    │   ├── OwnLocationWanted               "near me": only the person's device knows
    │   ├── UnknownCountry                  not a known ISO 3166-1 country
    │   └── InvalidPolicy                   an invalid radius, limit or filter
    ├── AmbiguousPlace (LookupError)        several places match; `.candidates` lists them
    │   └── OnlyRegionGiven                 a state or a country, but a town is needed
    ├── NotFound (LookupError)              valid, but it does not exist
    │   ├── PostcodeNotFound                `.suggestions` may have corrections
    │   │   └── ForcesPostcode              armed forces' post, which is not in one place
    │   ├── TownNotFound
    │   ├── SiteNotFound
    │   ├── StudyNotFound
    │   ├── ReferralNotFound
    │   └── AccountNotFound
    ├── CapacityError (RuntimeError)        the ledger refuses
    │   ├── NoSpotsLeft                     `.level`, `.scope`, `.spots`, `.taken`: which cap is full
    │   ├── TooManyHolds                    `.per`, `.most`: the limit on open holds that is reached
    │   ├── ExtensionTooLong                `.latest`: when the hold may lapse at the latest
    │   ├── SiteClosed                      the site, its country or the study is closed
    │   ├── IllegalTransition               `.state`, `.action`, and `.allowed`: the possible actions
    │   └── IdempotencyConflict             the key was used with another request
    ├── NotAllowed (PermissionError)        the caller has no permission; `.permission`
    ├── LoginFailed (PermissionError)       the caller could not be authenticated
    │   └── LoginDelayed                    too many attempts failed; `.retry_after_s`
    ├── DataFault (ValueError)              a data file has errors; `.faults` lists all of them
    ├── NotReady (RuntimeError)             a data file or database is missing; the message says what to run
    ├── LedgerBusy (TimeoutError)           other writes are running; `.retry_after_s`; nothing was written
    ├── OnlineUnavailable (ConnectionError) an online geocoder or a registry did not answer
    └── StorageFault (OSError)              the database cannot be reached, read or written; `.kind` says why

Each message says what is wrong, where, and what to do. The classes also derive from the builtin
exception that users of the library would expect. Details are in attributes. A message may repeat what the caller
typed, so it is only for the caller: a postcode is personal data, and messages are never logged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


class SitematchError(Exception):
    """Root of every error that sitematch raises on purpose.

    Parameters
    ----------
    message
        What is wrong, where, and what to do; one or two plain sentences. `said` is what was given: a page can say it in
        another language if it is a `sitematch.domain.message.Message`.
    field
        Name of the invalid input, if there is one.
    """

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(str(message))
        self.message = str(message)
        self.said = message
        self.field = field


class InvalidInput(SitematchError, ValueError):
    """The request is invalid."""


class InvalidCoordinates(InvalidInput):
    """A latitude outside -90..90, a longitude outside -180..180, or not a finite number."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A suggested correction, which the person can accept; it is never assumed.

    Parameters
    ----------
    text
        The text to type instead, e.g. ``"04102"``.
    country
        ISO 3166-1 alpha-2 code.
    why
        One plain sentence, e.g. ``"a leading zero may have been lost"``.
    """

    text: str
    country: str
    why: str


class InvalidPostcode(InvalidInput):
    """The text does not have the form of the country's postcodes.

    Parameters
    ----------
    message
        See `SitematchError`.
    field
        See `SitematchError`.
    suggestions
        Possible corrections (a lost leading zero), best first; may be empty.
    """

    def __init__(self, message: str, *, field: str | None = None, suggestions: Sequence[Suggestion] = ()) -> None:
        super().__init__(message, field=field)
        self.suggestions = tuple(suggestions)


class OwnLocationWanted(InvalidInput):
    """The text asks for the person's own location ("near me"), which only their device knows."""


class UnknownCountry(InvalidInput):
    """The text is not a known country."""


class InvalidPolicy(InvalidInput):
    """A radius, limit, order or filter is invalid."""


class AmbiguousPlace(SitematchError, LookupError):
    """Several places match the text; the person has to choose.

    Parameters
    ----------
    message
        See `SitematchError`.
    candidates
        The matching places, best first.
    field
        See `SitematchError`.
    """

    def __init__(self, message: str, *, candidates: Sequence[Suggestion], field: str | None = None) -> None:
        super().__init__(message, field=field)
        self.candidates = tuple(candidates)


class OnlyRegionGiven(AmbiguousPlace):
    """The text names a state, a province or a country; the candidates are towns in it, and towns of its name."""


class NotFound(SitematchError, LookupError):
    """The request is valid, but the object does not exist.

    Parameters
    ----------
    message
        See `SitematchError`.
    field
        See `SitematchError`.
    suggestions
        Possible corrections, best first; may be empty.
    """

    def __init__(self, message: str, *, field: str | None = None, suggestions: Sequence[Suggestion] = ()) -> None:
        super().__init__(message, field=field)
        self.suggestions = tuple(suggestions)


class PostcodeNotFound(NotFound):
    """Neither the postcode nor any coarser part of it is known."""


class ForcesPostcode(PostcodeNotFound):
    """The code belongs to the post of armed forces, which is not in one place."""


class TownNotFound(NotFound):
    """No town of that name is known."""


class SiteNotFound(NotFound):
    """No site has that id."""


class StudyNotFound(NotFound):
    """No study has that id."""


class ReferralNotFound(NotFound):
    """No referral has that id."""


class AccountNotFound(NotFound):
    """No account has that id."""


class CapacityError(SitematchError, RuntimeError):
    """The ledger refuses the request; nothing was changed."""


class NoSpotsLeft(CapacityError):
    """A cap that applies is full.

    Parameters
    ----------
    message
        See `SitematchError`.
    level, scope
        The cap: ``"STUDY"``, ``"COUNTRY"``, ``"ARM"`` or ``"SITE"``, and its scope, which is empty for a study.
    spots, taken
        Its limit, and the number in use, which can exceed the limit if the cap was lowered.
    """

    def __init__(self, message: str, *, level: str, scope: str, spots: int, taken: int) -> None:
        super().__init__(message)
        self.level = level
        self.scope = scope
        self.spots = spots
        self.taken = taken


class TooManyHolds(CapacityError):
    """The site or the account has as many open holds as the study's rules allow.

    Parameters
    ----------
    message
        See `SitematchError`.
    per
        ``"site"`` or ``"account"``.
    most
        The limit.
    """

    def __init__(self, message: str, *, per: str, most: int) -> None:
        super().__init__(message)
        self.per = per
        self.most = most


class ExtensionTooLong(CapacityError):
    """The hold cannot be extended so far under the study's rules.

    Parameters
    ----------
    message
        See `SitematchError`.
    latest
        When it may lapse at the latest (aware).
    """

    def __init__(self, message: str, *, latest: datetime) -> None:
        super().__init__(message)
        self.latest = latest


class SiteClosed(CapacityError):
    """The site, its country, the arm or the study is closed."""


class IllegalTransition(CapacityError):
    """The action is not possible in the referral's state.

    Parameters
    ----------
    message
        See `SitematchError`.
    state
        The referral's state; None if it is not in the ledger.
    action
        The requested action.
    allowed
        The possible actions, in alphabetical order; may be empty.
    """

    def __init__(self, message: str, *, state: str | None, action: str, allowed: Sequence[str]) -> None:
        super().__init__(message)
        self.state = state
        self.action = action
        self.allowed = tuple(allowed)


class ReferralIdTaken(CapacityError):
    """The referral id is in use where the caller may not look. The message does not say where, or in which state."""


class IdempotencyConflict(CapacityError):
    """The idempotency key was used with another request within 24 hours."""


class NotAllowed(SitematchError, PermissionError):
    """The caller does not have the permission.

    Parameters
    ----------
    message
        See `SitematchError`.
    permission
        The missing permission, e.g. ``"referrals:write"``.
    """

    def __init__(self, message: str, *, permission: str) -> None:
        super().__init__(message)
        self.permission = permission


@dataclass(frozen=True, slots=True)
class Fault:
    """One error in one row of a data file.

    Parameters
    ----------
    line
        Line in the file, 1 for the header; 0 for the file as a whole.
    field
        Column with the error; empty for the row as a whole.
    value
        The value, shortened to 80 characters.
    reason
        What is wrong and what is expected, in plain words.
    place
        The position in a file without rows, e.g. ``"NCT05843643, location 12"``; empty if `line` says it.
    """

    line: int
    field: str
    value: str
    reason: str
    place: str = ""

    def __str__(self) -> str:
        where = self.place or (f"line {self.line}" if self.line else "file")
        column = f", {self.field}" if self.field else ""
        value = f" {self.value!r}" if self.value else ""
        return f"{where}{column}{value}: {self.reason}"


class DataFault(SitematchError, ValueError):
    """A data file has errors; nothing was imported from it.

    Parameters
    ----------
    message
        See `SitematchError`.
    faults
        Every error, in the file's order.
    """

    def __init__(self, message: str, *, faults: Sequence[Fault]) -> None:
        super().__init__(message)
        self.faults = tuple(faults)


class NotReady(SitematchError, RuntimeError):
    """A data file or a database is missing or has another version; the message says how to build it."""


class LedgerBusy(SitematchError, TimeoutError):
    """Other writes took too long; nothing was written, and the request can be repeated.

    Parameters
    ----------
    message
        See `SitematchError`.
    retry_after_s
        How long to wait before the next attempt, in seconds.
    """

    def __init__(self, message: str, *, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class StorageFault(SitematchError, OSError):
    """The database cannot be reached, read or written: a full disk, a lost server.

    Parameters
    ----------
    message
        See `SitematchError`.
    kind
        The database's own code, e.g. ``"SQLITE_FULL"`` or the SQLSTATE ``"57P01"``.
    """

    def __init__(self, message: str, *, kind: str) -> None:
        super().__init__(message)
        self.kind = kind


class OnlineUnavailable(SitematchError, ConnectionError):
    """An online geocoder or a study registry did not answer, or too many requests were waiting for it."""


class LoginFailed(SitematchError, PermissionError):
    """The caller could not be authenticated; the message does not say which part was wrong."""


class LoginDelayed(LoginFailed):
    """Too many attempts failed.

    Parameters
    ----------
    message
        See `SitematchError`.
    retry_after_s
        How long to wait before the next attempt, in seconds.
    """

    def __init__(self, message: str, *, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
