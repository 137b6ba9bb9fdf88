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


class SitematchError(Exception):
    """Root of every error that sitematch raises on purpose.

    Parameters
    ----------
    message
        What is wrong, where, and what to do; one or two plain sentences.
    field
        Name of the invalid input, if there is one.
    """

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class InvalidInput(SitematchError, ValueError):
    """What was asked cannot be understood."""


class InvalidCoordinates(InvalidInput):
    """A latitude outside -90..90, a longitude outside -180..180, or not a finite number."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Something that was perhaps meant: offered to the person, never assumed.

    Parameters
    ----------
    text
        What to type instead, e.g. ``"04102"``.
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
        What was perhaps meant (a lost leading zero), best first; may be empty.
    """

    def __init__(self, message: str, *, field: str | None = None, suggestions: Sequence[Suggestion] = ()) -> None:
        super().__init__(message, field=field)
        self.suggestions = tuple(suggestions)


class OwnLocationWanted(InvalidInput):
    """The text asks for the person's own location ("near me"), which only their device knows."""


class UnknownCountry(InvalidInput):
    """The text names no country that we know."""


class InvalidPolicy(InvalidInput):
    """A radius, limit, order or filter that makes no sense."""


class AmbiguousPlace(SitematchError, LookupError):
    """Several places fit the text; the person has to choose.

    Parameters
    ----------
    message
        See `SitematchError`.
    candidates
        What fits, best first.
    field
        See `SitematchError`.
    """

    def __init__(self, message: str, *, candidates: Sequence[Suggestion], field: str | None = None) -> None:
        super().__init__(message, field=field)
        self.candidates = tuple(candidates)


class OnlyRegionGiven(AmbiguousPlace):
    """The text names a state, a province or a country; the candidates are towns in it, and towns of its name."""


class NotFound(SitematchError, LookupError):
    """Well formed, but nothing there.

    Parameters
    ----------
    message
        See `SitematchError`.
    field
        See `SitematchError`.
    suggestions
        What was perhaps meant, best first; may be empty.
    """

    def __init__(self, message: str, *, field: str | None = None, suggestions: Sequence[Suggestion] = ()) -> None:
        super().__init__(message, field=field)
        self.suggestions = tuple(suggestions)


class PostcodeNotFound(NotFound):
    """No such postcode, nor any coarser part of it, is known."""


class ForcesPostcode(PostcodeNotFound):
    """The code belongs to the post of armed forces, which lies in no one place."""


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
    """The ledger says no; nothing was changed."""


class NoSpotsLeft(CapacityError):
    """A cap that applies is full.

    Parameters
    ----------
    message
        See `SitematchError`.
    level, scope
        The cap: ``"STUDY"``, ``"COUNTRY"``, ``"ARM"`` or ``"SITE"``, and of which; the scope is empty for a
        study.
    spots, taken
        Its limit, and how many are in use; more than the limit where a cap was lowered.
    """

    def __init__(self, message: str, *, level: str, scope: str, spots: int, taken: int) -> None:
        super().__init__(message)
        self.level = level
        self.scope = scope
        self.spots = spots
        self.taken = taken


class SiteClosed(CapacityError):
    """The site, its country, the arm or the study takes nobody now."""


class IllegalTransition(CapacityError):
    """What was asked may not follow the referral's state.

    Parameters
    ----------
    message
        See `SitematchError`.
    state
        The referral's state; None if the ledger does not know it.
    action
        What was asked.
    allowed
        What may be done instead, in alphabetical order; may be empty.
    """

    def __init__(self, message: str, *, state: str | None, action: str, allowed: Sequence[str]) -> None:
        super().__init__(message)
        self.state = state
        self.action = action
        self.allowed = tuple(allowed)


class IdempotencyConflict(CapacityError):
    """The idempotency key was used with another request within 24 hours."""


class NotAllowed(SitematchError, PermissionError):
    """Who asks may not do this.

    Parameters
    ----------
    message
        See `SitematchError`.
    permission
        What was needed, e.g. ``"referrals:write"``.
    """

    def __init__(self, message: str, *, permission: str) -> None:
        super().__init__(message)
        self.permission = permission


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault in one row of a data file.

    Parameters
    ----------
    line
        Line in the file, 1 for the header; 0 for the file as a whole.
    field
        Column at fault; empty for the row as a whole.
    value
        What stood there, cut to 80 characters.
    reason
        What is wrong and what is wanted, in plain words.
    place
        Where in a file that has no rows, e.g. ``"NCT05843643, location 12"``; empty if `line` says it.
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
    """A data file breaks its rules; nothing of it was taken.

    Parameters
    ----------
    message
        See `SitematchError`.
    faults
        Every fault, in the file's order.
    """

    def __init__(self, message: str, *, faults: Sequence[Fault]) -> None:
        super().__init__(message)
        self.faults = tuple(faults)


class NotReady(SitematchError, RuntimeError):
    """A data file or a database is missing or of another version; the message says how to build it."""


class LedgerBusy(SitematchError, TimeoutError):
    """Other writes were in the way for too long; nothing was written, and asking again is safe.

    Parameters
    ----------
    message
        See `SitematchError`.
    retry_after_s
        What to wait before asking again, in seconds.
    """

    def __init__(self, message: str, *, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class StorageFault(SitematchError, OSError):
    """The database cannot be reached, read or written: a full disk, a server that went away.

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
    """An online geocoder or a study registry did not answer, or too many questions were waiting for it."""


class LoginFailed(SitematchError, PermissionError):
    """Who asks could not prove who they are; the message does not say which part was wrong."""


class LoginDelayed(LoginFailed):
    """Too many attempts failed.

    Parameters
    ----------
    message
        See `SitematchError`.
    retry_after_s
        What to wait before the next attempt, in seconds.
    """

    def __init__(self, message: str, *, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
