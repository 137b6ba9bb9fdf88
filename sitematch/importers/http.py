"""ClinicalTrials.gov's API v2 over the network: paged, rate-limited, with retries and resumable downloads.

Only study ids and words of a condition are sent, nothing about a patient.
"""

from __future__ import annotations

import http.client
import json
import time
import urllib.error
import urllib.parse
import urllib.request
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sitematch import __version__
from sitematch.errors import InvalidInput, OnlineUnavailable, StudyNotFound
from sitematch.importers.http_answers import AnswerRefused, SameHostRedirects, read_answer

PAGE_SIZE = 200
"""Studies per page; the API allows at most 1,000."""

IDS_AT_ONCE = 100
"""Ids in one query; more would make the URL too long for some proxies."""

_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_LONGEST_WAIT_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestManners:
    """Limits for requests to a registry.

    Parameters
    ----------
    interval_s
        Time between the starts of two requests, in seconds. ClinicalTrials.gov allows about 50 a minute.
    tries
        Maximum number of attempts for one request.
    back_off_s
        Wait before the second attempt, in seconds; doubled each time, at most a minute. ``Retry-After`` takes
        precedence.
    timeout_s
        How long a response may pause, in seconds.
    answer_s
        How long a response may take in total, in seconds.
    answer_bytes
        Maximum unpacked size; the longest known record has about 10 million characters.
    """

    interval_s: float = 1.25
    tries: int = 6
    back_off_s: float = 1.0
    timeout_s: float = 30.0
    answer_s: float = 300.0
    answer_bytes: int = 128 << 20


class CtgovClient:
    """Client for one registry with ClinicalTrials.gov's API v2.

    Parameters
    ----------
    base_url
        E.g. ``"https://clinicaltrials.gov/api/v2"``.
    manners
        The limits for requests.
    say
        Gets a line about each wait.
    sleep, monotonic_s
        The clock; tests pass their own.
    """

    def __init__(
        self,
        base_url: str,
        *,
        manners: RequestManners | None = None,
        say: Callable[[str], None] = lambda _: None,
        sleep: Callable[[float], None] = time.sleep,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        if urllib.parse.urlsplit(base_url).scheme not in ("http", "https"):
            raise InvalidInput(f"The registry's address {base_url!r} must start with http or https.", field="ctgov_url")
        self._base = base_url.rstrip("/")
        self._manners = manners or RequestManners()
        self._say = say
        self._sleep = sleep
        self._monotonic_s = monotonic_s
        self._next_at_s = 0.0
        self._opener = urllib.request.build_opener(SameHostRedirects)

    def study(self, nct_id: str) -> Any:
        """Fetch one study's record.

        Raises
        ------
        StudyNotFound
            If the registry has none with that id.
        InvalidInput
            If it rejects the id.
        OnlineUnavailable
            If it cannot be reached, or has no usable response after all attempts.
        """
        try:
            return self._get(f"/studies/{urllib.parse.quote(nct_id)}", {})
        except _Missing as missing:
            raise StudyNotFound(f"The registry has no study {nct_id}; check the number.", field="study_id") from missing

    def page(self, question: dict[str, str], token: str | None = None) -> tuple[list[Any], str | None]:
        """Fetch one page of studies.

        Parameters
        ----------
        question
            Parameters of the API, e.g. ``{"query.cond": "lupus nephritis"}``.
        token
            Where to continue; None for the first page.

        Returns
        -------
        tuple
            The records, and the token of the next page: None if there is none.

        Raises
        ------
        InvalidInput
            If the registry rejects the query or the token.
        OnlineUnavailable
            See `study`.
        """
        asked = {"pageSize": str(PAGE_SIZE), **question} | ({"pageToken": token} if token else {})
        try:
            answer = self._get("/studies", asked)
        except _Missing as missing:
            raise OnlineUnavailable(f"{self._base} has no studies. Check the address.") from missing
        studies = answer.get("studies") if isinstance(answer, dict) else None
        if not isinstance(studies, list):
            raise OnlineUnavailable(f"{self._base} does not answer like the ClinicalTrials.gov API v2.")
        following = answer.get("nextPageToken")
        return studies, following if isinstance(following, str) and following else None

    def _get(self, path: str, question: dict[str, str]) -> Any:
        url = self._base + path + ("?" + urllib.parse.urlencode(question) if question else "")
        wait_s = self._manners.back_off_s
        for attempt in range(1, self._manners.tries + 1):
            self._keep_pace()
            try:
                return self._ask(url)
            except _Again as trouble:
                reason = trouble
            if attempt < self._manners.tries:
                pause_s = min(max(wait_s, reason.retry_after_s), _LONGEST_WAIT_S)
                self._say(f"{reason}; trying again in {pause_s:.0f} s (try {attempt} of {self._manners.tries}).")
                self._sleep(pause_s)
                wait_s *= 2
        raise OnlineUnavailable(
            f"The registry at {self._base} gave no usable answer in {self._manners.tries} tries ({reason}). "
            "Run the same command again later: it continues where it stopped."
        ) from reason

    def _keep_pace(self) -> None:
        now_s = self._monotonic_s()
        if now_s < self._next_at_s:
            self._sleep(self._next_at_s - now_s)
        self._next_at_s = max(now_s, self._next_at_s) + self._manners.interval_s

    def _ask(self, url: str) -> Any:
        request = urllib.request.Request(  # noqa: S310 - the scheme was checked when the client was made
            url,
            headers={
                "Accept": "application/json",
                "Accept-Encoding": "gzip",
                "User-Agent": f"sitematch/{__version__}",
            },
        )
        try:
            with self._opener.open(request, timeout=self._manners.timeout_s) as answer:
                body = read_answer(
                    answer,
                    most_bytes=self._manners.answer_bytes,
                    most_s=self._manners.answer_s,
                    monotonic_s=self._monotonic_s,
                )
            return json.loads(body)
        except AnswerRefused as error:
            raise OnlineUnavailable(f"The answer of the registry at {self._base} {error}.") from error
        except urllib.error.HTTPError as error:
            with error:
                raise _meaning(error) from error
        except urllib.error.URLError as error:
            raise _Again(f"The registry could not be reached ({error.reason})") from error
        except (OSError, EOFError, zlib.error, http.client.HTTPException) as error:
            raise _Again(f"The answer was cut off ({type(error).__name__})") from error
        except (ValueError, RecursionError) as error:
            raise _Again("The answer is not JSON") from error


class _Missing(Exception):
    """The registry has no such record."""


class _Again(Exception):
    """An error after which a retry may succeed."""

    def __init__(self, message: str, retry_after_s: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


def _meaning(error: urllib.error.HTTPError) -> Exception:
    if error.code == 404:
        return _Missing(str(error))
    if error.code in _AGAIN:
        wait = error.headers.get("Retry-After", "") if error.headers else ""
        return _Again(f"The registry answered {error.code}", float(wait) if wait.isdecimal() else 0.0)
    told = error.read(500).decode("utf-8", "replace").strip()
    if error.code == 400:
        return InvalidInput(f"The registry rejected the request: {told or 'it gave no reason'}")
    return OnlineUnavailable(f"The registry answered {error.code}, and trying again does not help: {told[:200]}")


def questions_for(nct_ids: Sequence[str]) -> tuple[dict[str, str], ...]:
    """Return the queries for studies by their ids, with up to `IDS_AT_ONCE` in each.

    Examples
    --------
    >>> questions_for(["NCT00000001", "NCT00000002"])
    ({'filter.ids': 'NCT00000001,NCT00000002'},)
    """
    return tuple(
        {"filter.ids": ",".join(nct_ids[start : start + IDS_AT_ONCE])} for start in range(0, len(nct_ids), IDS_AT_ONCE)
    )


def download(
    client: CtgovClient,
    questions: Sequence[dict[str, str]],
    into: Path,
    progress: Callable[[int], None] = lambda _: None,
    *,
    keep: Callable[[Any], Any] = lambda record: record,
) -> Iterator[Any]:
    """Fetch all pages of some queries, and store the progress after each page.

    Parameters
    ----------
    client
        The client.
    questions
        See `CtgovClient.page`; each is read to its last page.
    into
        A file for the records until all have arrived, one per line; a file ``.state`` next to it stores where to
        continue. Both are deleted at the end of the iteration. After an interruption, the next call with the same
        queries continues with them.
    progress
        Gets the number of studies received.
    keep
        Returns the part of a record to store; by default the whole record.

    Yields
    ------
    Any
        Decoded records, in the registry's order, once all have arrived.

    Raises
    ------
    InvalidInput, OnlineUnavailable
        See `CtgovClient.page`; received records are kept.
    """
    state_file = into.with_name(into.name + ".state")
    into.parent.mkdir(parents=True, exist_ok=True)
    state = _State.read(state_file, list(questions), into)
    with into.open("r+b" if into.exists() else "w+b") as file:
        file.truncate(state.length)
        file.seek(state.length)
        while state.question < len(questions):
            resumed = state.token is not None
            try:
                studies, token = client.page(questions[state.question], state.token)
            except InvalidInput:
                if not resumed:
                    raise
                # Tokens expire: the query starts again from its first page.
                state = _State(state.asked, state.question, None, state.started_at, state.started_at, state.started)
                state.count = state.started
                file.truncate(state.length)
                file.seek(state.length)
                continue
            for study in studies:
                file.write(json.dumps(keep(study), separators=(",", ":")).encode() + b"\n")
            file.flush()
            state.advance(token, file.tell(), len(studies))
            state.write(state_file)
            progress(state.count)
        file.seek(0)
        for line in file:
            yield json.loads(line)
    into.unlink()
    state_file.unlink(missing_ok=True)


@dataclass(slots=True)
class _State:
    """The progress of a download."""

    asked: list[dict[str, str]]
    question: int = 0
    token: str | None = None
    length: int = 0
    started_at: int = 0
    started: int = 0
    count: int = 0

    @classmethod
    def read(cls, path: Path, asked: list[dict[str, str]], records: Path) -> _State:
        """Read the state for the same queries; otherwise start again."""
        try:
            state = cls(**json.loads(path.read_bytes()))
            usable = state.asked == asked and records.stat().st_size >= state.length
        except (OSError, ValueError, TypeError):
            return cls(asked)
        return state if usable else cls(asked)

    def advance(self, token: str | None, length: int, studies: int) -> None:
        self.token, self.length, self.count = token, length, self.count + studies
        if token is None:
            self.question, self.started_at, self.started = self.question + 1, length, self.count

    def write(self, path: Path) -> None:
        beside = path.with_name(path.name + ".new")
        beside.write_text(json.dumps({name: getattr(self, name) for name in self.__slots__}), encoding="utf-8")
        beside.replace(path)
